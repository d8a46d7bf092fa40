"""What rooms above add to the pages of drafts: they know what happens, these pages only what is promised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.http import HttpRequest
from django.utils.safestring import SafeString

from programs.content import Content
from programs.models import ProgramVersion

Panel = Callable[..., SafeString]
"""``panel(request, version, said, **of)``: the panel as HTML for a draft whose terms are ``said``."""

P = TypeVar("P", bound=Panel)
TRY, TIER_MOVES, TIER_SPREAD, FORECAST = "try", "tier_moves", "tier_spread", "forecast"
_panels: dict[str, Panel] = {}


def panel(name: str) -> Callable[[P], P]:
    """Offer a panel under one of the names above."""

    def offered(function: P) -> P:
        _panels[name] = function
        return function

    return offered


def shown(name: str, request: HttpRequest, version: ProgramVersion, said: Content, **of: Any) -> SafeString:
    """Return a panel; nothing where no room offers it."""
    found = _panels.get(name)
    return found(request, version, said, **of) if found is not None else SafeString("")
