"""Admin pages that write down what they change, and show it in place of Django's own history."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, tzinfo
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.admin_base import actor
from accounts.history.models import Change, ChangeQuerySet
from accounts.history.reading import history_page
from accounts.history.recording import Part, Place, Snapshot, described, record_differences
from accounts.models import User


class RecordedPage:
    """Writes down what saving the page's form, with its rows, has changed; ``history/`` shows it."""

    def recording(self, obj: Any, *, by: User) -> AbstractContextManager[None]:
        """Return what to save the row within."""
        raise TypeError(f"{type(self).__name__} says not how its changes are found")

    def history_of(self, obj: Any) -> ChangeQuerySet:
        """Return the changes that belong on the row's page."""
        raise TypeError(f"{type(self).__name__} says not which changes are its rows'")

    def history_zone(self, obj: Any) -> tzinfo:
        """Return the zone whose days and times the page shows."""
        return UTC

    def added_to(self, request: HttpRequest) -> Any:
        """Return what a new row is a part of, where its addition is found by comparing that; None where it is not."""
        return None

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Save within the recording; who may not change the row never comes so far."""
        page: Any = super()
        admin: Any = self
        obj, may = None, False
        if request.method == "POST" and object_id:
            obj = admin.get_object(request, object_id)
            may = obj is not None and admin.has_change_permission(request, obj)
        elif request.method == "POST" and admin.has_add_permission(request):
            obj = self.added_to(request)
            may = obj is not None
        if not may:
            return page.changeform_view(request, object_id, form_url, extra_context)  # type: ignore[no-any-return]
        with transaction.atomic(), self.recording(obj, by=actor(request)):
            return page.changeform_view(request, object_id, form_url, extra_context)  # type: ignore[no-any-return]

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show who changed what, when, before and after."""
        admin: Any = self
        obj = admin.get_object(request, object_id)
        if obj is None:
            raise Http404
        if not admin.has_view_permission(request, obj):
            raise PermissionDenied
        zone = self.history_zone(obj)
        context = {
            **admin.admin_site.each_context(request),
            "title": _("History of %(name)s") % {"name": obj},
            "history": history_page(self.history_of(obj), request.GET, zone=zone),
            "zone": getattr(zone, "key", "UTC"),
            "opts": admin.opts,
            "original": obj,
            "object": obj,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/history.html", context)


class RecordedRow(RecordedPage):
    """Writes down changes of the row's own fields."""

    recorded_fields: ClassVar[tuple[str, ...]]
    records_additions: ClassVar[bool] = True  # Off where the action that adds writes it down itself.

    def part_of(self, obj: Any) -> Part:
        """Return the row as a part of the settings."""
        raise TypeError(f"{type(self).__name__} says not what its rows are")

    def place_of(self, obj: Any) -> Place:
        """Return where the row belongs."""
        raise TypeError(f"{type(self).__name__} says not where its rows belong")

    @contextmanager
    def recording(self, obj: Any, *, by: User) -> Iterator[None]:
        """Compare the row's fields before and after."""
        rows = type(obj)._default_manager
        before = self._snapshot(rows.select_for_update(of=("self",)).get(pk=obj.pk))
        yield
        fresh = rows.filter(pk=obj.pk).first()
        if fresh is not None:
            record_differences(place=self.place_of(fresh), before=before, after=self._snapshot(fresh), by=by)

    def said_of(self, obj: Any) -> dict[str, str]:
        """Return what is said of a row, whose changes are written down."""
        return described(obj, self.recorded_fields)

    def _snapshot(self, obj: Any) -> Snapshot:
        with timezone.override(self.history_zone(obj)):
            return {self.part_of(obj): self.said_of(obj)}

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Write down what was added too."""
        if self.records_additions:
            after = self._snapshot(obj)
            record_differences(place=self.place_of(obj), before={}, after=after, by=actor(request))
        return super().log_addition(request, obj, message)  # type: ignore[misc]

    def history_of(self, obj: Any) -> ChangeQuerySet:
        """Return the changes of this part."""
        place, part = self.place_of(obj), self.part_of(obj)
        rows = Change.objects.filter(business=place.business).of_part(part.kind, part.code)
        return rows.of_program(place.program_id) if place.program_id is not None else rows
