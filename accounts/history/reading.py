"""The history as a page shows it: filtered, a screen at a time, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts import formats
from accounts.history.models import Change, ChangeQuerySet
from accounts.models import User

A_SCREEN = 40

KINDS: dict[str, Any] = {
    "program": _("Program"),
    "version": _("Version"),
    "terms": _("Switches of a version"),
    "trial": _("Trial of a tier"),
    "unit": _("Unit"),
    "tier": _("Tier"),
    "event": _("Type of event"),
    "group": _("Group of rules"),
    "rule": _("Earning rule"),
    "reward": _("Reward"),
    "segment": _("Segment"),
    "store": _("Store"),
    "key": _("Till key"),
    "staff": _("Staff"),
    "business": _("Business"),
}
"""What each kind of part is called."""

CHIPS: dict[str, str] = {
    Change.Action.ADDED: "good",
    Change.Action.PUBLISHED: "good",
    Change.Action.RESUMED: "good",
    Change.Action.REOPENED: "good",
    Change.Action.REMOVED: "bad",
    Change.Action.DISCARDED: "bad",
    Change.Action.CLOSED: "bad",
    Change.Action.REVOKED: "bad",
    Change.Action.PAUSED: "warn",
}


class FilterForm(forms.Form):
    """Whose changes, of which parts, in which days; all of it stands in the address."""

    who = forms.ChoiceField(label=_("By"), required=False)
    part = forms.ChoiceField(label=_("Part"), required=False)
    since = forms.DateField(label=_("From"), required=False)
    until = forms.DateField(label=_("To"), required=False)

    def __init__(self, data: Mapping[str, Any], rows: ChangeQuerySet) -> None:
        super().__init__(data)
        people = User.objects.filter(pk__in=rows.order_by().values("by")).order_by("name", "email")
        kinds = sorted(set(rows.order_by().values_list("kind", flat=True).distinct()))
        everyone = [("", _("Everyone")), *((str(one.pk), one.get_full_name()) for one in people)]
        self.fields["who"].choices = everyone  # type: ignore[attr-defined]
        named = [("", _("All parts")), *((kind, KINDS.get(kind, kind)) for kind in kinds)]
        self.fields["part"].choices = named  # type: ignore[attr-defined]

    @property
    def chosen(self) -> dict[str, str]:
        """What was asked for and could be read, as it stands in the address."""
        self.is_valid()
        return {name: str(value) for name, value in self.cleaned_data.items() if value}

    def narrowed(self, rows: ChangeQuerySet, *, zone: tzinfo) -> ChangeQuerySet:
        """Return the rows that are asked for; days are the zone's."""
        self.is_valid()
        asked = self.cleaned_data
        if asked.get("who"):
            rows = rows.filter(by=asked["who"])
        if asked.get("part"):
            rows = rows.of_part(asked["part"])
        if asked.get("since"):
            rows = rows.filter(at__gte=datetime.combine(asked["since"], time.min, zone))
        if asked.get("until"):
            rows = rows.filter(at__lt=datetime.combine(asked["until"] + timedelta(days=1), time.min, zone))
        return rows


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One value that changed."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ShownChange:
    """One row of the page; ``chip`` is the colour of what was done, ``by`` is empty where nobody is known."""

    at: str
    by: str
    action: str
    chip: str
    what: str
    kind: str  # As ``KINDS`` has it.
    version: int | None
    lines: list[ShownLine]


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """A screen of the history; ``older`` is the query of the next one, empty at the end, ``newest`` of the first."""

    rows: list[ShownChange]
    form: FilterForm
    newest: str
    older: str
    is_filtered: bool
    is_first: bool


def history_page(rows: ChangeQuerySet, query: Mapping[str, Any], *, zone: tzinfo) -> HistoryPage:
    """Return the screen that the address asks for. Four queries, whatever there is."""
    form = FilterForm(query, rows)
    found = form.narrowed(rows, zone=zone).newest_first().select_related("by")
    place = _place(str(query.get("before", "")))
    if place is not None:
        found = found.older_than(*place)
    screen = list(found[: A_SCREEN + 1])
    has_more, screen = len(screen) > A_SCREEN, screen[:A_SCREEN]
    older = urlencode({**form.chosen, "before": f"{screen[-1].at.isoformat()}~{screen[-1].pk}"}) if has_more else ""
    return HistoryPage(
        rows=[_shown(change, zone) for change in screen],
        form=form,
        newest=urlencode(form.chosen),
        older=older,
        is_filtered=bool(form.chosen),
        is_first=place is None,
    )


def _place(text: str) -> tuple[datetime, UUID] | None:
    """Return the place that an address names; None for the beginning, and for what no page of ours has written."""
    moment, _sign, pk = text.partition("~")
    try:
        at, row = datetime.fromisoformat(moment), UUID(pk)
    except ValueError:
        return None
    return (at, row) if at.tzinfo is not None else None


def _shown(change: Change, zone: tzinfo) -> ShownChange:
    return ShownChange(
        at=formats.moment(change.at, zone=zone),
        by=change.by.get_full_name() if change.by is not None else "",
        action=str(change.get_action_display()),
        chip=CHIPS.get(change.action, "info"),
        what=change.what,
        kind=change.kind,
        version=change.version,
        lines=[ShownLine(*line) for line in change.lines],
    )
