"""What rooms below say has happened, made into messages: nothing is asked of the database where nobody listens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from uuid import UUID

from django.db.models import Q
from django.utils import translation

from loyalty.api.formats import decimal_text, moment_text
from loyalty.api.preferences import language_for
from loyalty.api.problems import CATALOGUE
from loyalty.ledger.book import Book, lock_standings
from loyalty.ledger.models import Account
from loyalty.purchases.answers import activity_answer
from loyalty.purchases.models import Activity
from loyalty.rewards.answers import redemption_answer, voucher_answer
from loyalty.rewards.models import Redemption, Voucher
from loyalty.webhooks import event_types as types
from loyalty.webhooks import payloads
from loyalty.webhooks.outbox import Draft, Ears, ears_of, wanted, write
from programs.engine.state import NoticeDue, Outcome, Posting, State, TierChange
from programs.engine.terms import Schedule, Terms
from programs.models import Membership, Program, Unit
from programs.terms import terms_of

Result = tuple[State, Outcome]
KINDS = {Activity.Kind.PURCHASE: types.PURCHASE_ACCRUED, Activity.Kind.REFUND: types.REFUND_ACCRUED}
REDEMPTIONS = {
    Redemption.Status.RESERVED: types.REDEMPTION_RESERVED,
    Redemption.Status.CAPTURED: types.REDEMPTION_CAPTURED,
    Redemption.Status.RELEASED: types.REDEMPTION_RELEASED,
    Redemption.Status.RETURNED: types.REDEMPTION_RETURNED,
}
MEMBER_ACCOUNTS = frozenset(kind.value for kind in Account.MEMBER_KINDS)


# --- What is heard -----------------------------------------------------------------------------------------------


def tell_of_enrolments(memberships: Sequence[Membership], schedules: Mapping[UUID, Schedule]) -> None:
    """Tell who joined; the memberships' programs are loaded."""
    ears = ears_of({member.program_id: member.program for member in memberships}.values())
    drafts = [
        Draft(
            member=member,
            event_type=types.MEMBER_ENROLLED,
            occurred_at=member.joined_at,
            shape=payloads.EnrolledNews,
            told={
                "joined_at": moment_text(member.joined_at, member.program.zone),
                "tier": _first_tier(schedules[member.program_id], member.joined_at),
            },
        )
        for member in memberships
        if member.program_id in ears
    ]
    write(drafts, ears)


def tell_of_folds(book: Book, results: Mapping[UUID, Result], *, judged: bool) -> None:
    """Tell what folds came to: ``judged``, those that judged activity, else the others.

    Folds that judged are told of once their verdicts are written, in one piece, so that the cause precedes what it
    brought.
    """
    programs = {unit.program_id: unit.program for unit in book.units.values()}
    listening = {pk for pk, program in programs.items() if program.has_webhooks}
    if not listening:
        return
    own = sorted(one.membership_id for one in book.standings if one.program_id in listening)
    folds = {pk: results[pk] for pk in own if pk in results}
    news = {pk: fold for pk, fold in folds.items() if _has_judged(fold[1]) is judged and _has_news(fold[1])}
    if news and (ears := ears_of(programs.values())):
        _Teller(book, news, programs, ears).write()


def tell_of_shelved(activity: Activity) -> None:
    """Tell that a purchase (its program loaded) could not be judged; its member's standing is locked here."""
    ears = ears_of([activity.program])
    if activity.kind != Activity.Kind.PURCHASE or activity.membership_id is None:
        return
    if not wanted(ears, activity.program_id, types.PURCHASE_FAILED):
        return
    lock_standings([activity.membership_id], skip_locked=False)
    member = Membership.objects.select_related("program", "customer").get(pk=activity.membership_id)
    units = {(unit.program_id, unit.code): unit for unit in Unit.objects.filter(program=activity.program_id)}
    (row,) = _activity([activity.pk])
    try:
        draft = _failed(row, member, units)
    except (ArithmeticError, LookupError, TypeError, ValueError):
        row.lines = []  # What broke the fold may break its showing; it goes on the shelf all the same.
        draft = _failed(row, member, units)
    write([draft], ears)


def tell_of_reservation(redemption: Redemption) -> None:
    """Tell that units were set aside (membership and program loaded, the standing locked)."""
    ears = ears_of([redemption.membership.program])
    if wanted(ears, redemption.program_id, types.REDEMPTION_RESERVED):
        write([_redemption(redemption, redemption.membership)], ears)


def tell_of_used_voucher(voucher: Voucher) -> None:
    """Tell that a voucher was used (membership and program loaded, the standing locked)."""
    ears = ears_of([voucher.membership.program])
    if wanted(ears, voucher.program_id, types.VOUCHER_REDEEMED):
        assert voucher.redeemed_at is not None
        write([_voucher(voucher, voucher.membership, types.VOUCHER_REDEEMED, at=voucher.redeemed_at)], ears)


def _has_judged(outcome: Outcome) -> bool:
    return bool(outcome.verdicts or outcome.refused)


def _has_news(outcome: Outcome) -> bool:
    told = (
        *(outcome.verdicts, outcome.refused, outcome.tier_changes, outcome.notices, outcome.captured),
        *(outcome.released, outcome.restored, outcome.issues),
    )
    return any(told) or any(posting.kind == "expire" for posting in outcome.postings)


# --- What a fold came to -----------------------------------------------------------------------------------------


class _Teller:
    """Gathers the news of some folds, each member's in order, in a fixed number of queries."""

    def __init__(
        self, book: Book, results: Mapping[UUID, Result], programs: Mapping[UUID, Program], ears: Ears
    ) -> None:
        self.book, self.results, self.ears = book, results, ears
        self.program_of = {one.membership_id: programs[one.program_id] for one in book.standings}

    def write(self) -> None:
        """Write the messages."""
        self.members = Membership.objects.select_related("customer").in_bulk(list(self.results))
        for pk, member in self.members.items():
            member.program = self.program_of[pk]
        outcomes = [outcome for _state, outcome in self.results.values()]
        self.activity = {row.pk: row for row in self._activity(outcomes)}
        self.redemptions = self._redemptions(outcomes)
        self.vouchers = self._vouchers(outcomes)
        drafts = chain.from_iterable(sorted(self._of(pk), key=_when) for pk in self.results)
        write(list(drafts), self.ears)

    def _wants(self, *event_types: str) -> bool:
        return any(wanted(self.ears, program_id, one) for program_id in self.ears for one in event_types)

    def _activity(self, outcomes: Sequence[Outcome]) -> Iterable[Activity]:
        ids = [verdict.activity_id for outcome in outcomes for verdict in outcome.verdicts]
        ids += [pk for outcome in outcomes for pk in outcome.refused]
        return _activity(ids) if ids and self._wants(*KINDS.values(), types.PURCHASE_FAILED) else ()

    def _redemptions(self, outcomes: Sequence[Outcome]) -> dict[UUID, Redemption]:
        ids = [pk for outcome in outcomes for pk in (*outcome.captured, *outcome.restored)]
        ids += [hold.id for outcome in outcomes for hold, _at, _is_over in outcome.released]
        if not ids or not self._wants(*REDEMPTIONS.values()):
            return {}
        rows = Redemption.objects.select_related("membership", "unit").prefetch_related("vouchers")
        return rows.in_bulk(ids)

    def _vouchers(self, outcomes: Sequence[Outcome]) -> Sequence[Voucher]:
        issued = [issue.voucher.id for outcome in outcomes for issue in outcome.issues]
        captured = [pk for outcome in outcomes for pk in outcome.captured]
        if not (issued or captured) or not self._wants(types.REWARD_ISSUED):
            return ()
        found = Voucher.objects.filter(Q(pk__in=issued) | Q(redemption_id__in=captured))
        return list(found.order_by("issued_at", "posted_at"))

    def _of(self, pk: UUID) -> Iterator[Draft]:
        state, outcome = self.results[pk]
        member = self.members[pk]
        balances = payloads.balances_news(state, program=member.program, units=self.book.units)
        yield from self._judged(member, outcome, balances)
        yield from self._settled(member, outcome)
        yield from _tier_changes(member, self.book.states[pk], state, outcome.tier_changes)
        for voucher in self.vouchers:
            if voucher.membership_id == pk:
                yield _voucher(voucher, member, types.REWARD_ISSUED, at=voucher.issued_at)
        for posting in outcome.postings:
            if posting.kind == "expire":
                yield from self._expired(member, posting, balances)
        for notice in outcome.notices:
            if notice.kind == "expiry":
                yield expiring(member, state, notice.what, notice.ends_at, units=self.book.units)

    def _judged(
        self, member: Membership, outcome: Outcome, balances: Mapping[str, payloads.BalanceNews]
    ) -> Iterator[Draft]:
        for verdict in outcome.verdicts:
            row = self.activity.get(verdict.activity_id)
            if row is not None and row.kind in KINDS:
                is_purchase = row.kind == Activity.Kind.PURCHASE
                told = _shown(row, member, self.book.units)
                yield Draft(
                    member=member,
                    event_type=KINDS[Activity.Kind(row.kind)],
                    occurred_at=row.occurred_at,
                    shape=payloads.PurchaseNews if is_purchase else payloads.RefundNews,
                    told={"purchase" if is_purchase else "refund": told, "balances": balances},
                )
        for pk in outcome.refused:
            row = self.activity.get(pk)
            if row is not None and row.kind == Activity.Kind.PURCHASE:
                yield _failed(row, member, self.book.units)

    def _settled(self, member: Membership, outcome: Outcome) -> Iterator[Draft]:
        ids = (*outcome.captured, *outcome.restored, *(hold.id for hold, _at, _is_over in outcome.released))
        for pk in ids:
            if (row := self.redemptions.get(pk)) is not None:
                yield _redemption(row, member)

    def _expired(
        self, member: Membership, posting: Posting, balances: Mapping[str, payloads.BalanceNews]
    ) -> Iterator[Draft]:
        gone: dict[str, int] = {}
        for move in posting.moves:
            if move.account in MEMBER_ACCOUNTS and move.amount < 0:
                gone[move.unit] = gone.get(move.unit, 0) - move.amount
        for unit, amount in sorted(gone.items()):
            digits = self.book.units[member.program_id, unit].precision
            yield Draft(
                member=member,
                event_type=types.UNITS_EXPIRED,
                occurred_at=posting.occurred_at,
                shape=payloads.UnitsNews,
                told={
                    "unit": unit,
                    "amount": decimal_text(amount, digits),
                    "at": moment_text(posting.occurred_at, member.program.zone),
                    "balances": balances,
                },
            )


def _when(draft: Draft) -> datetime:
    return draft.occurred_at


# --- One piece of news -------------------------------------------------------------------------------------------


def expiring(
    member: Membership, state: State, unit: str, ends_at: datetime, *, units: Mapping[tuple[UUID, str], Unit]
) -> Draft:
    """Return the news that units end at a moment, unless the member does something before; told once."""
    dated = sum(lot.remaining for lot in state.lots if lot.unit == unit and lot.expires_at == ends_at)
    amount = dated or max(0, state.balance(unit, "available")) + state.balance(unit, "pending")
    due = NoticeDue("expiry", unit, ends_at)
    return Draft(
        member=member,
        event_type=types.UNITS_EXPIRING,
        occurred_at=ends_at,
        shape=payloads.UnitsNews,
        told={
            "unit": unit,
            "amount": decimal_text(amount, units[member.program_id, unit].precision),
            "at": moment_text(ends_at, member.program.zone),
            "balances": payloads.balances_news(state, program=member.program, units=units),
        },
        key=due.key,
    )


def _activity(ids: Sequence[UUID]) -> Iterable[Activity]:
    rows = Activity.objects.select_related("store", "judgement").prefetch_related("awards__unit")
    return rows.filter(pk__in=ids)


def _shown(row: Activity, member: Membership, units: Mapping[tuple[UUID, str], Unit]) -> payloads.ActivityNews:
    program = member.program
    own = {code: unit for (program_id, code), unit in units.items() if program_id == program.pk}
    with translation.override(_language(member)):
        answer = activity_answer(row, None, program=program, units=own)
    return payloads.ActivityNews(**{name: getattr(answer, name) for name in payloads.ActivityNews.__struct_fields__})


def _failed(row: Activity, member: Membership, units: Mapping[tuple[UUID, str], Unit]) -> Draft:
    return Draft(
        member=member,
        event_type=types.PURCHASE_FAILED,
        occurred_at=row.occurred_at,
        shape=payloads.PurchaseFailedNews,
        told={"purchase": _shown(row, member, units), "code": row.detail if row.detail in CATALOGUE else None},
    )


def _redemption(row: Redemption, member: Membership) -> Draft:
    with translation.override(_language(member)):
        answer = redemption_answer(row, program=member.program)
    return Draft(
        member=member,
        event_type=REDEMPTIONS[Redemption.Status(row.status)],
        occurred_at=row.settled_at or row.created_at,
        shape=payloads.RedemptionNews,
        told={"redemption": answer},
    )


def _voucher(row: Voucher, member: Membership, event_type: str, *, at: datetime) -> Draft:
    with translation.override(_language(member)):
        answer = voucher_answer(row, program=member.program, now=at)
    return Draft(
        member=member, event_type=event_type, occurred_at=at, shape=payloads.VoucherNews, told={"voucher": answer}
    )


def _tier_changes(member: Membership, before: State, after: State, changes: Sequence[TierChange]) -> Iterator[Draft]:
    terms = terms_of(after.version_id) if after.version_id is not None else None
    held = before.tier
    for change in changes:
        if change.tier != held:
            is_last = change is changes[-1] and after.tier_until is not None
            yield Draft(
                member=member,
                event_type=types.TIER_CHANGED,
                occurred_at=change.starts_at,
                shape=payloads.TierChangedNews,
                told={
                    "tier": _tier(terms, change.tier),
                    "previous": _tier(terms, held),
                    "until": after.tier_until.isoformat() if is_last and after.tier_until is not None else None,
                    "reason": change.reason,
                },
            )
        held = change.tier


def _tier(terms: Terms | None, code: str) -> payloads.TierNews | None:
    if not code:
        return None
    name = next((tier.name for tier in terms.tiers if tier.code == code), code) if terms is not None else code
    return payloads.TierNews(code=code, name=name)


def _first_tier(schedule: Schedule, joined_at: datetime) -> payloads.TierNews | None:
    terms = schedule.at(joined_at) or schedule.versions[0]
    return _tier(terms, terms.tiers[0].code) if terms.tiers else None


def _language(member: Membership) -> str:
    return language_for("", member.customer.language, member.program.language)
