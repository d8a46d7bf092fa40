"""A sandbox that runs one of the presets, as its tills see it; times are told in the program's zone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from loyalty.ledger.grants import grant_tier
from loyalty.ledger.verify import verify
from programs import presets
from programs.actions import publish, start_draft
from programs.keys import SCOPES
from programs.models import Membership, ProgramVersion, Rule, RuleCap, RuleClause
from programs.presets.loading import load
from tests.factories import make_user
from tests.factories.activity import drain
from tests.loyalty.api.client import Till

Answer = dict[str, Any]
ANA = "ana"


class Stage:
    """A program of the preset whose own clock stands at ``clock``; Ana is a member."""

    def __init__(self, preset: str, clock: str = "2025-01-01 00:00", *, timezone: str = "", **ana: Any) -> None:
        given = presets.get(preset)
        given = replace(given, timezone=timezone or given.timezone)
        self.zone = ZoneInfo(given.timezone)
        self.program = load(preset=given, slug=preset, clock=self.moment(clock), by=None).program
        self.till = Till(self.program, scopes=SCOPES)
        self.numbers = count(1)
        self.join(ANA, clock, **ana)

    def moment(self, when: str) -> datetime:
        """Return a moment, of the program's zone where it has no offset; a day alone is its noon."""
        moment = datetime.fromisoformat(when if " " in when else f"{when} 12:00")
        return moment if moment.tzinfo else moment.replace(tzinfo=self.zone)

    def join(self, name: str, when: str, **details: Any) -> None:
        """Enrol a member."""
        body = {"external_id": name, "joined_at": self.moment(when).isoformat(), **details}
        self._sent("members/", body)
        drain()

    def buy(self, when: str, total: str | None = None, *lines: Answer, member: str = ANA, **fields: Any) -> Answer:
        """Return a purchase as it was judged; of lines alone the total is their sum."""
        (bought,) = self.buy_all([(when, total, *lines)], member=member, **fields)
        return bought

    def buy_all(self, purchases: Iterable[tuple[Any, ...]], *, member: str = ANA, **fields: Any) -> list[Answer]:
        """Return purchases, each a day, a total and lines, as they were judged together."""
        bodies = [self._purchase(*one, member=member, **fields) for one in purchases]
        answers = self._sent("purchases/batch/", {"purchases": bodies})["results"]
        assert [answer["status"] for answer in answers] == ["recorded"] * len(bodies), answers
        return self._judged("purchases", bodies)

    def _purchase(self, when: str, total: str | None, *lines: Answer, member: str, **fields: Any) -> Answer:
        return {
            "external_id": f"p-{next(self.numbers)}",
            "member": f"external_id:{member}",
            "occurred_at": self.moment(when).isoformat(),
            "currency": self.program.currency,
            "total": total or f"{sum(float(line['amount']) for line in lines):.2f}",
            "lines": list(lines) or None,
            **fields,
        }

    def give_back(self, bought: Answer, when: str, **fields: Any) -> Answer:
        """Return a return of a purchase, all of it or what ``lines`` or ``amount`` say, as it was judged."""
        body = {
            "external_id": f"g-{next(self.numbers)}",
            "purchase": bought["external_id"],
            "occurred_at": self.moment(when).isoformat(),
            **fields,
        }
        self._sent("refunds/", body)
        return self._judged("refunds", [body])[0]

    def report(self, kind: str, when: str, **attributes: Any) -> Answer:
        """Return an event as it was judged."""
        return self.report_all(kind, [(when, attributes)])[0]

    def report_all(self, kind: str, events: Iterable[tuple[str, Answer]]) -> list[Answer]:
        """Return events of a type, each a time and attributes, as they were judged together."""
        bodies = [
            {
                "external_id": f"e-{next(self.numbers)}",
                "member": f"external_id:{ANA}",
                "type": kind,
                "occurred_at": self.moment(when).isoformat(),
                "attributes": attributes,
            }
            for when, attributes in events
        ]
        for body in bodies:
            self._sent("events/", body)
        return self._judged("events", bodies)

    def _judged(self, what: str, bodies: list[Answer]) -> list[Answer]:
        drain()
        if len(bodies) == 1:
            return [self.read(what, bodies[0]["external_id"])]
        page = self.till.get(f"{what}/?page_size=200").json()["results"]
        found = {activity["external_id"]: activity for activity in page}
        return [found[body["external_id"]] for body in bodies]

    def read(self, what: str, external_id: str) -> Answer:
        """Return an activity as it stands."""
        return self.till.get(f"{what}/{external_id}/").json()

    def member(self, name: str = ANA) -> Answer:
        """Return a member as of the present."""
        return self.till.get(f"members/external_id:{name}/").json()

    def at(self, when: str) -> Answer:
        """Move the clock and return Ana as she stands then."""
        self._sent("sandbox/clock/", {"now": self.moment(when).isoformat()})
        return self.member()

    def _sent(self, address: str, body: Answer) -> Answer:
        answer = self.till.post(address, body)
        assert answer.status_code in {200, 201}, answer.json()
        return answer.json()

    # --- Spending ----------------------------------------------------------------------------------------------

    def rewards(self, name: str = ANA) -> dict[str, Answer]:
        """Return what a member can have, by code."""
        found = self.till.get(f"members/external_id:{name}/rewards/").json()["results"]
        return {reward["code"]: reward for reward in found}

    def vouchers(self, name: str = ANA) -> list[Answer]:
        """Return a member's vouchers, newest first."""
        return self.till.get(f"members/external_id:{name}/vouchers/").json()["results"]

    def ask(self, reward: str, *, member: str = ANA, **body: Any) -> Any:
        """Return the answer to a member who asks for a reward, whatever it is."""
        return self.till.post("redemptions/", {"member": f"external_id:{member}", "reward": reward, **body})

    def reserve(self, reward: str, *, member: str = ANA, **body: Any) -> Answer:
        """Return a reward that was set aside."""
        answer = self.ask(reward, member=member, **body)
        assert answer.status_code == 201, answer.json()
        return answer.json()

    def redeem(self, reward: str, *, member: str = ANA, **body: Any) -> Answer:
        """Return a reward that was set aside and captured."""
        reserved = self.reserve(reward, member=member, **body)
        return self._sent(f"redemptions/{reserved['id']}/capture/", {})

    def use(self, code: str, ref: str = "receipt-1", **body: Any) -> Any:
        """Return the answer to a till that uses a voucher, whatever it is."""
        return self.till.post(f"vouchers/{code}/redeem/", {"redemption_ref": ref, **body})

    def books(self) -> list[str]:
        """Return the faults of the books."""
        return verify(programs=[self.program]).faults

    # --- What staff do -----------------------------------------------------------------------------------------

    def revise(self, edit: Callable[[ProgramVersion], Any]) -> None:
        """Publish changed terms; they judge what happens from the clock's time on."""
        self.program.refresh_from_db()
        draft = start_draft(program=self.program, by=None)
        edit(draft)
        publish(version=draft, by=None)

    def give_tier(self, tier: str, kind: str, when: str, until: str, *, reason: str = "Spoke at the fair") -> None:
        """Give Ana a tier, from a moment on up to its last day."""
        self.at(when)
        ana = Membership.objects.select_related("program").get(program=self.program, external_id=ANA)
        grant_tier(membership=ana, tier=tier, kind=kind, reason=reason, until=date.fromisoformat(until), by=make_user())


def terms(**values: Any) -> Callable[[ProgramVersion], Any]:
    """Return an edit that changes settings of the version itself."""
    return lambda draft: ProgramVersion.objects.filter(pk=draft.pk).update(**values)


def unit(code: str, **values: Any) -> Callable[[ProgramVersion], Any]:
    """Return an edit that changes how a unit lives."""
    return lambda draft: draft.unit_terms.filter(unit__code=code).update(**values)


def rule(code: str, *, conditions: dict[str, str] | None = None, **values: Any) -> Callable[[ProgramVersion], Any]:
    """Return an edit that changes a rule, and what its conditions of a kind say; empty takes one away."""

    def edit(draft: ProgramVersion) -> None:
        changed = Rule.objects.filter(version=draft, code=code)
        if values:
            changed.update(**values)
        for kind, value in (conditions or {}).items():
            clauses = RuleClause.objects.filter(rule__in=changed, kind=kind)
            clauses.update(value=value) if value else clauses.delete()

    return edit


def cap(code: str, window: str, /, **values: Any) -> Callable[[ProgramVersion], Any]:
    """Return an edit that changes a limit of a rule."""
    return lambda draft: RuleCap.objects.filter(rule__version=draft, rule__code=code, window=window).update(**values)


def together(*edits: Callable[[ProgramVersion], Any]) -> Callable[[ProgramVersion], Any]:
    """Return all the edits as one."""

    def edit(draft: ProgramVersion) -> None:
        for one in edits:
            one(draft)

    return edit


# --- What answers say ----------------------------------------------------------------------------------------------


def earned(activity: Answer) -> dict[str, str]:
    """Return what each rule gave."""
    assert activity["status"] == "accrued", activity
    return {award["rule"]: award["amount"] for award in activity["awards"]}


def cut_by(activity: Answer) -> dict[str, str]:
    """Return which limit cut a rule."""
    return {part["rule"]: part["cut_by"] for part in activity["explanation"] if "cut_by" in part}


def fired(activity: Answer) -> dict[str, bool]:
    """Return of each rule whether it gave anything."""
    return {part["rule"]: part["fired"] for part in activity["explanation"]}


def tier(member: Answer) -> str:
    """Return the code of the tier held."""
    return member["tier"]["code"]


def held(member: Answer) -> tuple[str, str, str | None]:
    """Return the tier held, since when, and its last day."""
    return member["tier"]["code"], member["tier"]["since"], member["tier"]["until"]


def available(member: Answer, code: str) -> str:
    """Return what there is of a unit."""
    return member["balances"][code]["available"]


def next_expiry(member: Answer, code: str) -> tuple[str, str] | None:
    """Return what goes next, and the first moment at which it is gone."""
    expiry = member["balances"][code]["next_expiry"]
    return expiry and (expiry["amount"], expiry["at"])


def refused(answer: Any) -> tuple[int, str]:
    """Return the status and the code of a refusal."""
    return answer.status_code, answer.json()["code"]


def reward(code: str, **values: Any) -> Callable[[ProgramVersion], Any]:
    """Return an edit that changes a reward."""
    return lambda draft: draft.rewards.filter(code=code).update(**values)
