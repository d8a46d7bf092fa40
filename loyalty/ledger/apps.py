from typing import Any

from django.apps import AppConfig

from programs.signals import outstanding_asked, state_changed, version_published


class LedgerConfig(AppConfig):
    name = "loyalty.ledger"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        version_published.connect(plan_review, dispatch_uid="ledger.plan_review")
        state_changed.connect(plan_anew, dispatch_uid="ledger.plan_anew")
        outstanding_asked.connect(outstanding, dispatch_uid="ledger.outstanding")


def plan_review(*, version: Any, **_news: Any) -> None:
    """Have every member reviewed when a newly published version comes into force."""
    from loyalty.ledger import actions  # noqa: PLC0415 -- models are not ready when this module is read

    actions.plan_review(version=version)


def plan_anew(*, program: Any, at: Any, ended: Any, **_news: Any) -> None:
    """Have it worked out anew what comes next for every member of a program that was paused, closed or goes on."""
    from loyalty.ledger import running  # noqa: PLC0415 -- models are not ready when this module is read

    running.plan_anew(program=program, at=at, ended=ended)


def outstanding(*, program: Any, **_news: Any) -> Any:
    """Say what members of a program have."""
    from loyalty.ledger import running  # noqa: PLC0415 -- models are not ready when this module is read

    return running.outstanding(program)
