"""The form with which a file is uploaded."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from loyalty.moving.models import Moving
from loyalty.moving.reading import MOST_BYTES
from programs.models import Program


class UploadForm(forms.Form):
    """Which file, into which program, and what it holds."""

    program: forms.ModelChoiceField[Program] = forms.ModelChoiceField(Program.objects.none(), label=_("Program"))
    kind = forms.ChoiceField(label=_("What the file holds"), choices=Moving.Kind.choices)
    pool = forms.CharField(label=_("Pool"), max_length=64, required=False)
    is_joining_rewarded = forms.BooleanField(label=_("Reward joining"), required=False)
    file = forms.FileField(label=_("File"), max_length=255)

    def __init__(self, *args: Any, programs: QuerySet[Program], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["program"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = programs
        first = list(programs[:2])
        if len(first) == 1 and not self.initial.get("program"):
            self.initial["program"] = first[0]

    def clean_file(self) -> Any:
        """Refuse a file that is too large before it is read."""
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            most = MOST_BYTES // 1024 // 1024
            raise forms.ValidationError(_("The file has more than %(most)s MB. Split it."), params={"most": most})
        return file

    def clean(self) -> dict[str, Any]:
        """Ask for the pool where the file holds codes."""
        given: dict[str, Any] = super().clean() or {}
        if given.get("kind") == Moving.Kind.CODES and not given.get("pool"):
            self.add_error("pool", _("Name the pool that the codes go into."))
        return given
