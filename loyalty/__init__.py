"""What happens, and the wiring."""

from loyalty.celery import app as celery_app

__all__ = ["celery_app"]
