"""What is missing or weak in the settings, each with an id and its cure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution
from django.core.exceptions import ImproperlyConfigured

SECRET_KEY_LENGTH = 32
SECRET_KEY_DIFFERENT = 8
NEW_KEY = "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"


def is_production() -> bool:
    """Return whether strangers may reach this: neither the embedded default of ``make run`` nor DEBUG."""
    return not settings.EMBEDDED and not settings.DEBUG


@register(Tags.security)
def check_secret_key(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a secret key that is missing, and in production one that can be guessed."""
    try:
        key = settings.SECRET_KEY
    except ImproperlyConfigured:
        key = ""
    if not key:
        return [
            Error("SECRET_KEY is missing.", hint=f"Set SECRET_KEY to what this prints: {NEW_KEY}", id="loyalty.E001")
        ]
    is_weak = len(key) < SECRET_KEY_LENGTH or len(set(key)) < SECRET_KEY_DIFFERENT or key.startswith("django-insecure-")
    if is_production() and is_weak:
        return [Error("SECRET_KEY is weak.", hint=f"Set SECRET_KEY to what this prints: {NEW_KEY}", id="loyalty.E002")]
    return []


@register(Tags.security)
def check_allowed_hosts(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse to answer in production to no name, or to every name."""
    if not is_production():
        return []
    cure = "Set ALLOWED_HOSTS to the names of the site, separated by commas: ALLOWED_HOSTS=loyalty.example.com"
    if not settings.ALLOWED_HOSTS:
        return [Error("ALLOWED_HOSTS is missing.", hint=cure, id="loyalty.E003")]
    if "*" in settings.ALLOWED_HOSTS:
        return [Error("ALLOWED_HOSTS lets every name in.", hint=cure, id="loyalty.E004")]
    return []


@register(Tags.security)
def check_mail(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse production without a mail server: customers sign in by a mailed code."""
    if settings.EMAIL_URL or not is_production():
        return []
    cure = "Set EMAIL_URL to the mail server: EMAIL_URL=smtp+tls://user:password@mail.example.com:587"
    return [Error("EMAIL_URL is missing.", hint=cure, id="loyalty.E005")]


@register(Tags.security)
def check_broker(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse production without a broker of its own: only ``make run`` starts one."""
    if settings.REDIS_URL or not is_production():
        return []
    cure = "Set REDIS_URL to a Redis or Valkey server: REDIS_URL=redis://redis.example.com:6379/0"
    return [Error("REDIS_URL is missing.", hint=cure, id="loyalty.E006")]


@register(Tags.security)
def check_webhooks(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Warn of production in which webhooks reach into its own network."""
    if not settings.WEBHOOKS_ALLOW_PRIVATE or not is_production():
        return []
    cure = (
        "Remove WEBHOOKS_ALLOW_PRIVATE: it is for development. Whoever adds a webhook can reach what only you should."
    )
    return [Caution("Webhooks may call private addresses.", hint=cure, id="loyalty.W001")]


def refuse_unfit_settings() -> None:
    """Raise if a check above finds fault; for entry points that run no system checks.

    Raises:
        ImproperlyConfigured: names what is wrong and the cure.
    """
    found = [
        fault
        for check in (check_secret_key, check_allowed_hosts, check_mail, check_broker)
        for fault in check(app_configs=None)
    ]
    if found:
        raise ImproperlyConfigured("\n".join(f"{fault.id}: {fault.msg} {fault.hint}" for fault in found))
