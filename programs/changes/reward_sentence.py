"""What one reward is, as a text that can be read aloud; each fact in it knows the field that it comes from."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from django.utils.translation import gettext as _

from accounts import formats
from programs.changes import rewards as said_of
from programs.changes.sentence import CLOSE, FACT, NAMED, OPEN, Piece
from programs.changes.words import Words, condition, days, months
from programs.content import ClauseContent
from programs.models import Reward
from programs.reward_content import RewardContent, RewardTierContent
from programs.terms import listed

Kind, Conversion = Reward.Kind, Reward.Conversion
LIFETIME = "lifetime"


def reward_sentence(reward: RewardContent, words: Words) -> list[Piece]:
    """Return what the reward is: who pays what for what, when, how many there are, and how often it can be had.

    Fields: is_on, price, worth, tiers, clauses, open, stock, basket, limits, conversion, voucher.
    """
    told = [
        *([] if reward.is_on else [_("%(off)s.") % {"off": _fact("is_on", _("Switched off: nobody sees it"))}]),
        _by_itself(reward, words) if reward.conversion else _chosen(reward, words),
        *_tiers(reward, words),
        *_when(reward, words),
        *_how_many(reward),
        *_basket(reward, words),
        *_voucher(reward),
    ]
    return _pieces(" ".join(told))


def _fact(field: str, text: str) -> str:
    return f"{OPEN}{field}{NAMED}{text}{CLOSE}"


def _pieces(text: str) -> list[Piece]:
    """Cut a text into its facts and what stands between them."""
    parts = FACT.split(text)
    pieces = []
    for place in range(0, len(parts), 3):
        pieces += [Piece(parts[place])] if parts[place] else []
        pieces += [Piece(parts[place + 2], parts[place + 1])] if place + 2 < len(parts) else []
    return pieces


# --- What for what ---------------------------------------------------------------------------------------------------


def _chosen(reward: RewardContent, words: Words) -> str:
    said = {
        "who": _fact("from_tier", _who(reward, words)),
        "price": _fact("price", said_of.price(reward.price, reward, words)),
        "what": _fact("worth", _what(reward, words)),
        "conditions": formats.listed([_fact("clauses", one) for one in _conditions(reward, words)]),
    }
    is_free = not (reward.price and reward.unit)
    if reward.clauses:
        if is_free:
            return _("%(who)s get %(what)s for nothing, but only if %(conditions)s.") % said
        return _("%(who)s pay %(price)s for %(what)s, but only if %(conditions)s.") % said
    if is_free:
        return _("%(who)s get %(what)s for nothing.") % said
    return _("%(who)s pay %(price)s for %(what)s.") % said


def _who(reward: RewardContent, words: Words) -> str:
    if not reward.from_tier:
        return _("Members")
    return _("Members from %(tier)s on") % {"tier": words.tiers.get(reward.from_tier, reward.from_tier)}


def _by_itself(reward: RewardContent, words: Words) -> str:
    said = {
        "price": _fact("price", said_of.price(reward.price, reward, words)),
        "what": _fact("worth", _what(reward, words)),
    }
    if reward.conversion != Conversion.DATES:
        return _("Each %(price)s turn into %(what)s as soon as they are there.") % said + _good_for(reward, words)
    said["days"] = _fact(
        "conversion", formats.listed([said_of.yearly_day(text) for text in listed(reward.closes_on)]) or "…"
    )
    said["day"] = _fact("conversion", str(reward.issue_day or "…"))
    told = _(
        "Each %(price)s that are there at the end of %(days)s turn into %(what)s, given on day %(day)s of the month "
        "after."
    )
    return told % said + _good_for(reward, words)


def _good_for(reward: RewardContent, words: Words) -> str:
    if not reward.clauses:
        return ""
    conditions = formats.listed([_fact("clauses", one) for one in _conditions(reward, words)])
    return " " + _("It is good only if %(conditions)s.") % {"conditions": conditions}


def _what(reward: RewardContent, words: Words) -> str:
    """Return what is given, for most kinds by its worth."""
    name = "“" + (reward.name or "…") + "”"
    worth = money(reward.value, words)
    if reward.kind == Kind.MONEY_OFF:
        if reward.by_amount:
            return _("each %(amount)s off, any amount") % {"amount": worth}
        return _("%(amount)s off") % {"amount": worth}
    if reward.kind == Kind.PERCENT_OFF:
        return _("%(percent)s off") % {"percent": "…" if reward.percent is None else said_of.percent(reward.percent)}
    if reward.kind == Kind.UNITS:
        return words.units_of(reward.gives_unit, reward.gives) if reward.gives is not None else "…"
    if reward.kind == Kind.EVENT_SEAT:
        return _("a seat at %(name)s") % {"name": name}
    if reward.kind == Kind.POOL:
        return _("a code out of the pool “%(pool)s”") % {"pool": reward.pool or "…"}
    if reward.value is not None:
        return _("%(name)s of up to %(amount)s") % {"name": name, "amount": worth}
    return name


def money(value: Decimal | None, words: Words) -> str:
    """Return an amount as a sentence says it: “$100”."""
    if value is None:
        return "…"
    minor = value.scaleb(words.digits)
    if minor != minor.to_integral_value():
        return words.amount(value)
    return formats.money(int(minor), words.currency, drop_cents=True)


def _conditions(reward: RewardContent, words: Words) -> Iterable[str]:
    for given in said_of.as_clauses(reward.clauses):
        asked = ClauseContent(given.kind, given.value)
        phrase = _no_clause if given.negated else _clause
        is_month = given.kind == "birthday" and given.value.casefold() == "month"
        yield phrase("month" if is_month else given.kind, condition(asked, words) or "…")


def _clause(kind: str, said: str) -> str:
    phrases = {
        "segment": _("the member is in the segment %(said)s"),
        "birthday": _("it is the time of the birthday, %(said)s"),
        "month": _("it is the month of the birthday"),
        "age": _("the member has been here %(said)s"),
        "sku": _("it is for the article %(said)s"),
        "category": _("it is for the category %(said)s"),
        "brand": _("it is for the brand %(said)s"),
        "tag": _("it is for what is tagged %(said)s"),
    }
    return phrases.get(kind, "%(said)s") % {"said": said}


def _no_clause(kind: str, said: str) -> str:
    phrases = {
        "segment": _("the member is not in the segment %(said)s"),
        "birthday": _("it is not the time of the birthday, %(said)s"),
        "month": _("it is not the month of the birthday"),
        "age": _("the member has not been here %(said)s"),
        "sku": _("it is not for the article %(said)s"),
        "category": _("it is not for the category %(said)s"),
        "brand": _("it is not for the brand %(said)s"),
        "tag": _("it is not for what is tagged %(said)s"),
    }
    return phrases.get(kind, _("not %(said)s")) % {"said": said}


def _tiers(reward: RewardContent, words: Words) -> Iterable[str]:
    for given in said_of.by_tier(reward, words):
        told = _of_tier(given, reward, words)
        if told:
            yield _("In the tier %(tier)s it %(differs)s.") % {
                "tier": words.tiers.get(given.tier, given.tier),
                "differs": formats.listed([_fact("tiers", one) for one in told]),
            }


def _of_tier(given: RewardTierContent, reward: RewardContent, words: Words) -> list[str]:
    told = []
    if given.price is not None:
        told.append(_("costs %(price)s") % {"price": said_of.price(given.price, reward, words)})
    if given.value is not None:
        told.append(_("is worth %(amount)s") % {"amount": money(given.value, words)})
    if given.percent is not None:
        told.append(_("is %(percent)s off") % {"percent": said_of.percent(given.percent)})
    if given.opens_at is not None:
        told.append(_("opens on %(moment)s") % {"moment": formats.moment(given.opens_at, zone=words.zone)})
    return told


# --- When, how many, up to where -------------------------------------------------------------------------------------


def _when(reward: RewardContent, words: Words) -> Iterable[str]:
    parts = []
    if reward.opens_at is not None:
        parts.append(_("from %(moment)s") % {"moment": formats.moment(reward.opens_at, zone=words.zone)})
    if reward.closes_at is not None:
        parts.append(_("until %(moment)s") % {"moment": formats.moment(reward.closes_at, zone=words.zone)})
    if reward.weekdays:
        parts.append(_("on %(days)s") % {"days": said_of.weekdays(reward.weekdays, words)})
    if reward.opens_from is not None or reward.opens_until is not None:
        parts.append(said_of.hours(reward.opens_from, reward.opens_until))
    if not parts:
        return
    said = {"when": _fact("open", " ".join(parts)), "zone": said_of.zone_name(reward.zone, words.zone)}
    yield (_("It is open %(when)s, %(zone)s.") if reward.zone else _("It is open %(when)s.")) % said


def _how_many(reward: RewardContent) -> Iterable[str]:
    if reward.stock is not None:
        yield _("There are %(stock)s.") % {"stock": _fact("stock", formats.number(reward.stock))}
    if reward.several:
        yield _("%(several)s can be had at once.") % {"several": _fact("stock", _("Several"))}
    if reward.limits:
        limits = formats.listed([_fact("limits", _often(limit.times, limit.window)) for limit in reward.limits])
        if reward.choice:
            yield _("A member may have those of the choice “%(choice)s” together at most %(limits)s.") % {
                "choice": reward.choice,
                "limits": limits,
            }
        else:
            yield _("A member may have it at most %(limits)s.") % {"limits": limits}
    most = []
    if reward.most_at_once is not None:
        most.append(_("%(count)s each time") % {"count": formats.number(reward.most_at_once)})
    if reward.most_a_year is not None:
        most.append(_("%(count)s in the program's year") % {"count": formats.number(reward.most_a_year)})
    if most:
        yield _("At most %(limits)s.") % {"limits": formats.listed([_fact("conversion", one) for one in most])}


def _often(count: int, window: str) -> str:
    """Return how often: “2 times a day”."""
    said = {"times": _("once") if count == 1 else said_of.times(count), "window": said_of.window_name(window)}
    return _("%(times)s in all") % said if window == LIFETIME else _("%(times)s %(window)s") % said


def _basket(reward: RewardContent, words: Words) -> Iterable[str]:
    if reward.by_amount and reward.step is not None:
        yield _("It goes in steps of %(step)s.") % {"step": _fact("worth", money(reward.step, words))}
    if reward.most_share is not None:
        yield _("It pays at most %(share)s of the basket.") % {
            "share": _fact("basket", said_of.percent(reward.most_share))
        }
    if reward.least_basket is not None:
        yield _("The basket must come to %(amount)s or more.") % {
            "amount": _fact("basket", money(reward.least_basket, words))
        }


def _voucher(reward: RewardContent) -> Iterable[str]:
    life = months(reward.lives_months) if reward.lives_months is not None else ""
    life = days(reward.lives_days) if reward.lives_days is not None else life
    if life:
        yield _("Its voucher lives %(time)s.") % {"time": _fact("voucher", life)}
    if reward.is_withdrawn:
        yield _("Where a return leaves too few units, %(withdrawn)s.") % {
            "withdrawn": _fact("voucher", _("an unused one is withdrawn"))
        }
