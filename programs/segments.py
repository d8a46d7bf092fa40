"""Putting members into a segment by what staff have at hand: card numbers, own numbers, e-mail addresses."""

from __future__ import annotations

from collections.abc import Iterable

import structlog
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.models import User
from programs import cards
from programs.models import Membership, Segment, SegmentMember

log = structlog.get_logger(__name__)


@transaction.atomic
def add_members(*, segment: Segment, given: Iterable[str], by: User | None) -> tuple[int, list[str]]:
    """Put the members found into the segment, each once; return how many came in, and what names no member."""
    wanted = list(dict.fromkeys(text.strip() for text in given if text.strip()))
    found = _found(segment, wanted)
    members = {found[text].pk: found[text] for text in wanted if text in found}
    inside = set(segment.members.filter(membership__in=members).values_list("membership_id", flat=True))
    new = [
        SegmentMember(program_id=segment.program_id, segment=segment, membership=member)
        for pk, member in members.items()
        if pk not in inside
    ]
    SegmentMember.objects.bulk_create(new, ignore_conflicts=True, batch_size=500)
    log.info("segment_members_added", segment=segment.code, count=len(new), by=str(by) if by else None)
    return len(new), [text for text in wanted if text not in found]


def _found(segment: Segment, wanted: list[str]) -> dict[str, Membership]:
    """Return the members by what names them; one query for each 500."""
    found: dict[str, Membership] = {}
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        numbers = {cards.normal(text) or "" for text in part} - {""}
        rows = (
            Membership.objects.filter(program_id=segment.program_id)
            .annotate(email=Lower("customer__email"))
            .filter(Q(card__in=numbers) | Q(external_id__in=part) | Q(email__in=[text.lower() for text in part]))
        )
        by_name: dict[str, Membership] = {}
        for row in rows:
            by_name.update({name: row for name in (row.email, row.external_id, row.card) if name})
        for text in part:
            named = by_name.get(text) or by_name.get(cards.normal(text) or "") or by_name.get(text.lower())
            if named is not None:
                found[text] = named
    return found
