"""The Celery application."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, celeryd_init
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "loyalty.settings")

app = Celery("loyalty")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@celeryd_init.connect
@beat_init.connect
def refuse_unfit_settings(**kwargs: Any) -> None:
    """End a worker or a scheduler whose settings would not let the site start."""
    from loyalty import checks  # noqa: PLC0415 -- needs the settings

    try:
        checks.refuse_unfit_settings()
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from None
