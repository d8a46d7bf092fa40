"""Bars as geometry: worked out here, drawn by the template, so that nothing needs a script or an inline style."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar and its label; ``x`` and ``width`` along the axis, ``y`` and ``height`` from the top."""

    x: float
    y: float
    width: float
    height: float
    middle: float
    label: str
    value: str
    is_running: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the grid with the value it stands for."""

    y: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A bar chart in its own units of length."""

    width: int
    height: int
    left: int
    base: float
    bars: list[Bar]
    grid: list[Line]


@dataclass(frozen=True, slots=True)
class Item:
    """What one bar shows."""

    label: str
    value: int
    written: str
    is_running: bool = False


def bars(items: Sequence[Item], *, width: int, height: int, axis: Callable[[int], str], step: int = 1) -> Chart:
    """Return bars from zero up with four or five lines of grid; ``step`` is the smallest sensible step of the axis."""
    left, top, bottom = 56, 14, 30
    base = float(height - bottom)
    most = max((item.value for item in items), default=0)
    spacing = nice_step(most, step=step)
    lines = -(-most // spacing) or 1
    scale = (base - top) / (lines * spacing)
    slot = (width - left) / max(len(items), 1)
    thick = min(slot * 0.62, 40)
    drawn = []
    for place, item in enumerate(items):
        middle = left + slot * (place + 0.5)
        tall = round(max(item.value, 0) * scale, 1)
        x, y = round(middle - thick / 2, 1), round(base - tall, 1)
        drawn.append(Bar(x, y, round(thick, 1), tall, round(middle, 1), item.label, item.written, item.is_running))
    grid = [Line(round(base - scale * spacing * n, 1), axis(spacing * n)) for n in range(lines + 1)]
    return Chart(width, height, left, base, drawn, grid)


def nice_step(most: int, *, step: int = 1) -> int:
    """Return 1, 2 or 5 times a power of ten (of ``step``), so that at most five lines reach ``most``."""
    for power in count():
        for factor in (1, 2, 5):
            wide: int = factor * 10**power * step
            if wide * 5 >= most:
                return wide
    raise AssertionError(most)
