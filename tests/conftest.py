"""Fixtures for every test; tests/README.md lists them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import django
import pytest
from hypothesis import settings as hypothesis_settings

from tests import environment
from tests.sockets import only_this_machine

DIRECTORY = environment.prepare()
django.setup()
environment.forget_settings_module()

# The same examples in every run: what fails on one machine fails on all.
hypothesis_settings.register_profile("same", derandomize=True, deadline=None)
hypothesis_settings.load_profile("same")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Keep SQLite's test database in a file, since other processes and threads open it too."""
    from django.db import connection

    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(DIRECTORY / "test.sqlite3")


@pytest.fixture(scope="session", autouse=True)
def _plain_static_files() -> None:
    """Pages name static files as they are; only the real web server needs them gathered and hashed."""
    from django.conf import settings

    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"


@pytest.fixture(scope="session", autouse=True)
def _flush_past_the_triggers() -> None:
    from django.test import TransactionTestCase

    from tests.flush import empty_all_tables

    TransactionTestCase._fixture_teardown = lambda _self: empty_all_tables()


@pytest.fixture(scope="session", autouse=True)
def _only_this_machine() -> Iterator[None]:
    with only_this_machine():
        yield


@pytest.fixture(scope="session")
def _servers(django_db_setup: None) -> Iterator[Any]:
    from tests.servers import Servers

    servers = Servers(DIRECTORY)
    yield servers
    servers.stop("scheduler", "sender", "worker", "web", "broker")


@pytest.fixture
def broker(_servers: Any) -> Iterator[Any]:
    """The running broker, as a Redis client; its queue and the cache are empty at the start of each test."""
    _servers.start("broker")
    _servers.settle()  # What tests without a broker of their own have left in it.
    yield _servers.redis
    _servers.start("broker")
    _servers.settle()


@pytest.fixture
def worker(transactional_db: None, broker: Any, _servers: Any) -> Iterator[Any]:
    """A running Celery worker on the test database; the value starts, stops and kills processes by name."""
    _servers.start("worker")
    yield _servers
    _servers.stop("scheduler")
    _servers.start("broker")
    _servers.settle()
    _servers.pause("worker")


@pytest.fixture(scope="session")
def _static_files() -> None:
    from django.core.management import call_command
    from django.test import override_settings

    with override_settings(STORAGES=_stored_as_served()):
        call_command("collectstatic", interactive=False, verbosity=0)


def _stored_as_served() -> dict[str, Any]:
    from django.conf import settings

    hashed = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    return {**settings.STORAGES, "staticfiles": hashed}


@pytest.fixture
def house(worker: Any, _static_files: None) -> Iterator[Any]:
    """Web server, worker and broker running on the test database: ``house.url``, ``.request()``, ``.kill("web")``."""
    worker.start("web")
    yield worker
    worker.start("broker")
