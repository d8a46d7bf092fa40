"""The first page of the admin: each program with what is in force, what is being drafted, and who is in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import Count, Q
from django.http import HttpRequest

from programs.models import Membership, Program, ProgramVersion

MOST = 24


@dataclass(frozen=True, slots=True)
class Card:
    """One program as the first page shows it."""

    program: Program
    in_force: ProgramVersion | None
    draft: ProgramVersion | None
    members: int


def overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the programs that the person looks after; the theme calls this for the first page."""
    page = admin.site.get_model_admin(Program)
    programs = (
        page.get_queryset(request)
        .select_related("business")
        .prefetch_related("versions")
        .annotate(members=Count("memberships", filter=~Q(memberships__status=Membership.Status.CLOSED)))
        .order_by("is_sandbox", "name")[: MOST + 1]
    )
    cards = [_card(program) for program in programs]
    return {**context, "cards": cards[:MOST], "has_more": len(cards) > MOST}


def _card(program: Program) -> Card:
    versions = list(program.versions.all())
    now = program.now()
    begun = [v for v in versions if not v.is_draft and v.in_force_from is not None and v.in_force_from <= now]
    return Card(
        program=program,
        in_force=max(begun, key=lambda v: (v.in_force_from, v.number), default=None),
        draft=next((v for v in versions if v.is_draft), None),
        members=getattr(program, "members", 0),
    )
