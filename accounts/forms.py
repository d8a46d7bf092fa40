"""The sign-in forms: allauth's, with labels instead of placeholders; an address that a shop knows may sign in."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as allauth

from accounts.admission import admit


class Labelled:
    """Takes the placeholders away: each field has a label above it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():  # type: ignore[attr-defined]
            field.widget.attrs.pop("placeholder", None)


class RequestLoginCodeForm(Labelled, allauth.RequestLoginCodeForm):  # type: ignore[misc]
    """Asks for an address; one that a shop knows a customer by can sign in from then on."""

    def clean_email(self) -> str:
        admit(email=self.cleaned_data["email"])
        return str(super().clean_email())


class ConfirmLoginCodeForm(Labelled, allauth.ConfirmLoginCodeForm):  # type: ignore[misc]
    """Asks for the mailed code: one real field, so that phones fill it in and pasting works."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs.update(
            {"class": "code-input", "inputmode": "numeric", "autofocus": True, "maxlength": 12}
        )


class LoginForm(Labelled, allauth.LoginForm):  # type: ignore[misc]
    """Asks for address and password."""


class ResetPasswordForm(Labelled, allauth.ResetPasswordForm):  # type: ignore[misc]
    """Asks where to mail the link."""


class ResetPasswordKeyForm(Labelled, allauth.ResetPasswordKeyForm):  # type: ignore[misc]
    """Asks for the new password, after the link."""


class ChangePasswordForm(Labelled, allauth.ChangePasswordForm):  # type: ignore[misc]
    """Asks for the old and the new password."""


class SetPasswordForm(Labelled, allauth.SetPasswordForm):  # type: ignore[misc]
    """Asks for a first password."""
