"""The wiring: what must be looked at before anything is served."""

from django.apps import AppConfig


class LoyaltyConfig(AppConfig):
    name = "loyalty"

    def ready(self) -> None:
        from loyalty import checks  # noqa: F401, PLC0415 -- registers the checks
