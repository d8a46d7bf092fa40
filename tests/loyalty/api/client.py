"""A till for tests: sends JSON with a key and returns the answer."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

from programs.models import Program
from tests.factories import make_key


class Till:
    """Speaks to the API of one program; ``secret`` may be any other key."""

    def __init__(self, program: Program, *, secret: str | None = None, **key: Any) -> None:
        self.secret = make_key(program=program, **key)[1] if secret is None else secret
        self.client = Client()

    def send(
        self, method: str, address: str, body: Any = None, *, raw: bytes | None = None, **headers: str
    ) -> HttpResponse:
        """Send one request; ``body`` as JSON, or ``raw`` bytes."""
        data = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.secret:
            named.setdefault("Authorization", f"Bearer {self.secret}")
        return self.client.generic(method, f"/api/v1/{address}", data, content_type="application/json", headers=named)

    def get(self, address: str, **headers: str) -> HttpResponse:
        """Read."""
        return self.send("GET", address, **headers)

    def post(self, address: str, body: Any = None, **headers: Any) -> HttpResponse:
        """Send."""
        return self.send("POST", address, body, **headers)


def a_purchase(external_id: str = "r-1", **fields: Any) -> dict[str, Any]:
    """Return the body of a purchase of 10.99 by a guest, with these fields instead."""
    body = {"external_id": external_id, "occurred_at": "2026-03-29T10:15:00+02:00", "currency": "EUR", "total": "10.99"}
    return {**body, **fields}
