"""What the folds of a batch did to redemptions and vouchers, written in the transaction of the fold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from uuid import UUID

from accounts.ids import new_id
from loyalty.ledger.book import Book
from loyalty.ledger.sets import update_rows
from loyalty.rewards import stocks
from loyalty.rewards.models import PoolCode, Redemption, Voucher
from programs import codes
from programs.engine.dates import after
from programs.engine.spending import voucher_end
from programs.engine.state import Hold, Issue, Outcome, State
from programs.terms import terms_of

Status = Redemption.Status


def keep_up(book: Book, results: Mapping[UUID, tuple[State, Outcome]]) -> None:
    """Write what was captured, released, given back, issued and withdrawn; no query where nothing was."""
    programs = {standing.membership_id: standing.program_id for standing in book.standings}
    outcomes = {pk: outcome for pk, (_state, outcome) in results.items()}
    _release([(programs[pk], *one) for pk, outcome in outcomes.items() for one in outcome.released])
    captured = [(pk, state.as_of) for state, outcome in results.values() for pk in outcome.captured]
    if captured:
        update_rows(Redemption, ("status", "settled_at"), [(pk, Status.CAPTURED, at) for pk, at in captured])
        _issue_pooled([pk for pk, _at in captured])
    given_back = sorted(chain.from_iterable(outcome.restored for outcome in outcomes.values()))
    update_rows(Redemption, ("status",), [(pk, Status.RETURNED) for pk in given_back])
    issues = [(programs[pk], pk, one) for pk, outcome in outcomes.items() for one in outcome.issues]
    Voucher.objects.bulk_create(_vouchers(book, issues))
    withdrawn = [(voucher.id, by) for outcome in outcomes.values() for voucher, by in outcome.withdrawn]
    update_rows(Voucher, ("status", "withdrawn_by"), [(pk, Voucher.Status.WITHDRAWN, by) for pk, by in withdrawn])


def _release(released: Sequence[tuple[UUID, Hold, datetime, bool]]) -> None:
    if not released:
        return
    update_rows(
        Redemption,
        ("status", "settled_at", "is_timed_out"),
        [(hold.id, Status.RELEASED, at, is_over) for _program, hold, at, is_over in released],
    )
    returned: Counter[tuple[UUID, str]] = Counter()
    for program_id, hold, _at, _is_over in released:
        returned[program_id, hold.reward] += hold.quantity
    stocks.give_back(returned, [hold.id for _program, hold, _at, _is_over in released])


def _vouchers(book: Book, issues: Sequence[tuple[UUID, UUID, Issue]]) -> Iterator[Voucher]:
    """Yield the rows of new vouchers, each with a code of its own."""
    posted_at = datetime.now(UTC)
    for place, (program_id, membership_id, issue) in enumerate(issues):
        code, voucher = codes.new_code(), issue.voucher
        reward = terms_of(issue.version_id).reward(voucher.reward)
        yield Voucher(
            id=voucher.id,
            program_id=program_id,
            membership_id=membership_id,
            version_id=issue.version_id,
            reward=voucher.reward,
            name=reward.name if reward is not None else voucher.reward,
            code=code,
            lookup=code,
            reason=issue.reason,
            value=issue.value,
            percent=issue.percent,
            unit=book.units[program_id, voucher.unit],
            units=sum(amount for _lot, amount in voucher.taken),
            taken=[[str(lot), amount] for lot, amount in voucher.taken],
            uses=dict(voucher.uses),
            activity_id=issue.activity_id,
            issued_at=voucher.issued_at,
            posted_at=posted_at + timedelta(microseconds=place),
            expires_at=voucher.expires_at,
        )


def _issue_pooled(redemption_ids: Sequence[UUID]) -> None:
    """Hand out the codes that were set aside with captured redemptions, as vouchers."""
    held = PoolCode.objects.filter(redemption_id__in=redemption_ids, state=PoolCode.State.HELD)
    by_redemption = {code.redemption_id: code for code in held if code.redemption_id is not None}
    if not by_redemption:
        return
    rows, issued = [], {}
    for redemption in Redemption.objects.filter(pk__in=by_redemption).select_related("program"):
        code = by_redemption[redemption.pk]
        rows.append(_pooled(redemption, code))
        issued[code.pk] = rows[-1].pk
    Voucher.objects.bulk_create(rows)
    stocks.mark_issued(issued)


def _pooled(redemption: Redemption, code: PoolCode) -> Voucher:
    zone, settled_at = redemption.program.zone, redemption.settled_at
    assert settled_at is not None
    reward = terms_of(redemption.version_id).reward(redemption.reward)
    expires_at = voucher_end(reward, settled_at, zone) if reward is not None else None
    if code.expires_on is not None:
        last = after(code.expires_on, zone)
        expires_at = min(expires_at, last) if expires_at is not None else last
    return Voucher(
        id=new_id(),
        program_id=redemption.program_id,
        membership_id=redemption.membership_id,
        version_id=redemption.version_id,
        reward=redemption.reward,
        name=redemption.name,
        code=code.code,
        lookup=codes.plain(code.code),
        reason=Voucher.Reason.CHOSEN,
        value=redemption.value if code.value_minor is None else code.value_minor,
        percent=redemption.percent,
        redemption=redemption,
        issued_at=settled_at,
        posted_at=datetime.now(UTC),
        expires_at=expires_at,
    )
