"""Parts that can be added on a page of their own: to the draft that the address names."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import businesses_of
from accounts.roles import Permission
from programs.admin.drafts import PartAdmin
from programs.models import ProgramVersion


class AddedToDraft(PartAdmin):
    """A page that adds a part to a draft; its form has the draft as ``draft``, its rows meet a part of that version."""

    add_permission = Permission.EDIT_PROGRAM

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if self.has_add_permission(request) and self.draft_of(request) is None:
            messages.info(request, _("Open a draft, and add it there."))
            return redirect("admin:programs_programversion_changelist")
        return super().add_view(request, form_url, extra_context)  # type: ignore[no-any-return]

    def added_to(self, request: HttpRequest) -> ProgramVersion | None:
        return self.draft_of(request)

    def draft_of(self, request: HttpRequest) -> ProgramVersion | None:
        """Return the draft that the address names; the only one there is, if it names none."""
        drafts = ProgramVersion.objects.drafts().select_related("program")
        if not request.user.is_superuser:
            drafts = drafts.filter(program__business__in=businesses_of(request, Permission.EDIT_PROGRAM))
        if wanted := request.GET.get("version"):
            return next((draft for draft in drafts if str(draft.pk) == wanted), None)
        few = list(drafts[:2])
        return few[0] if len(few) == 1 else None

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if obj is None:
            form.draft = self.draft_of(request)
        return form

    def get_formsets_with_inlines(self, request: HttpRequest, obj: Any = None) -> Any:
        """Let the rows of a new part know its version."""
        return super().get_formsets_with_inlines(request, obj or self.model(version=self.draft_of(request)))

    def response_post_save_add(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return redirect("admin:programs_programversion_change", obj.version_id)

    def response_post_save_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return redirect("admin:programs_programversion_change", obj.version_id)
