import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from loyalty.checks import refuse_unfit_settings

STRONG = "Zq4-8sVv1Kx_wM2hT7bYc9RdLf3Jn6Pg"


@pytest.fixture
def production(settings):
    settings.EMBEDDED = settings.DEBUG = False
    settings.SECRET_KEY = STRONG
    settings.ALLOWED_HOSTS = ["loyalty.example.com"]
    settings.EMAIL_URL = "smtp://mail.example.com:587"
    settings.REDIS_URL = "redis://redis.example.com:6379/0"
    return settings


def ids():
    return [fault.id for fault in run_checks() if fault.id.startswith("loyalty.")]


def test_complete_production_settings_are_accepted(production):
    assert ids() == []


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("SECRET_KEY", "short", "loyalty.E002"),
        ("SECRET_KEY", "a" * 64, "loyalty.E002"),
        ("SECRET_KEY", f"django-insecure-{STRONG}", "loyalty.E002"),
        ("ALLOWED_HOSTS", [], "loyalty.E003"),
        ("ALLOWED_HOSTS", ["*"], "loyalty.E004"),
        ("EMAIL_URL", "", "loyalty.E005"),
        ("REDIS_URL", "", "loyalty.E006"),
    ],
)
def test_missing_or_weak_setting_in_production_is_refused(production, name, value, fault):
    setattr(production, name, value)

    assert ids() == [fault]
    with pytest.raises(ImproperlyConfigured, match=fault):
        refuse_unfit_settings()


def test_embedded_settings_need_nothing_but_a_key(settings):
    settings.ALLOWED_HOSTS = []
    settings.EMAIL_URL = settings.REDIS_URL = ""

    assert ids() == []


def test_command_without_any_setting_fails_with_the_cures(tmp_path):
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=Path(__file__).resolve().parents[2],
        env={**kept, "VAR_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    assert [name for name in ("E001", "E003", "E005", "E006") if f"loyalty.{name}" in done.stderr] == [
        "E001",
        "E003",
        "E005",
        "E006",
    ]


@pytest.mark.parametrize("service", ["worker", "beat"])
def test_worker_and_scheduler_end_with_the_cures(tmp_path, service):
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "loyalty", service],
        cwd=Path(__file__).resolve().parents[2],
        env={**kept, "VAR_DIR": str(tmp_path), "SECRET_KEY": "short"},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 1
    assert re.findall(r"loyalty\.E\d+", done.stderr) == ["loyalty.E002", "loyalty.E003", "loyalty.E005", "loyalty.E006"]


@pytest.mark.parametrize(("is_embedded", "found"), [(False, ["loyalty.W001"]), (True, [])])
def test_production_is_warned_of_webhooks_that_may_call_private_addresses(production, is_embedded, found):
    production.WEBHOOKS_ALLOW_PRIVATE, production.EMBEDDED = True, is_embedded

    assert ids() == found
