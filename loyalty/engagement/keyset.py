"""Where a row stands in the history: the key by which its pages follow one another."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a row stands in the list; the next page begins below it."""

    occurred_at: datetime
    posted_at: datetime
    id: UUID

    def as_text(self) -> str:
        """Return it for an address."""
        raw = json.dumps([self.occurred_at.isoformat(), self.posted_at.isoformat(), str(self.id)])
        return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> Place | None:
        """Return the place in an address; None where it is not one."""
        try:
            occurred, posted, key = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            place = cls(datetime.fromisoformat(occurred), datetime.fromisoformat(posted), UUID(key))
        except (binascii.Error, UnicodeDecodeError, ValueError, TypeError, AttributeError):
            return None
        return place if place.posted_at.tzinfo and place.occurred_at.tzinfo else None
