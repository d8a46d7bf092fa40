"""What goes on in a database of older code, told as JSON: run in a process of its own with that database's settings."""

from __future__ import annotations

import json

import django

django.setup()

from django.conf import settings  # noqa: E402

from loyalty.ledger.models import Standing  # noqa: E402
from programs.models import Program  # noqa: E402
from tests.factories.activity import drain  # noqa: E402
from tests.loyalty.api.client import Till  # noqa: E402

ANA = "external_id:ana"

if __name__ == "__main__":
    settings.ALLOWED_HOSTS = ["*"]
    till = Till(Program.objects.get(slug="beauty_insider"))
    before = till.get(f"members/{ANA}/").json()
    till.post("refunds/", {"external_id": "g-2", "purchase": "p-2", "occurred_at": "2026-01-17T12:00:00Z"})
    drain()
    till.post(
        "purchases/",
        {
            "external_id": "p-4",
            "member": ANA,
            "occurred_at": "2026-02-01T12:00:00Z",
            "currency": "USD",
            "total": "10.00",
        },
    )
    drain()
    after = till.get(f"members/{ANA}/").json()
    print(json.dumps({"before": before, "after": after, "credit": Standing.objects.get().credit}))
