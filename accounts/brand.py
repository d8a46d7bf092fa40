"""A business's colours as a style sheet of its own."""

from __future__ import annotations

import hashlib

from accounts.colour import stylesheet


def fingerprint(brand: str) -> str:
    """Return what changes when the colours change."""
    return hashlib.sha256(stylesheet(brand).encode()).hexdigest()[:12]
