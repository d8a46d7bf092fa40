"""A receiver on this machine, which only the switch for development lets webhooks reach."""

from __future__ import annotations

import pytest

from tests.factories.receivers import receiving


@pytest.fixture
def private_allowed(settings):
    """Webhooks may go to this machine."""
    settings.WEBHOOKS_ALLOW_PRIVATE = True


@pytest.fixture
def receiver(private_allowed):
    with receiving() as made:
        yield made
