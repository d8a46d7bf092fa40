"""Lines and bars as geometry: worked out here, drawn by the template, so that no script nor inline style is needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 280, 60, 130, 16, 28
BAR, THICK = 120, 14


@dataclass(frozen=True, slots=True)
class Mark:
    """A label on an axis, and where."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class End:
    """The last point of a line, with its name and value; ``label_y`` keeps the two labels apart."""

    x: float
    y: float
    label_y: float
    label: str


@dataclass(frozen=True, slots=True)
class Lines:
    """Two lines over the same steps, and what lies between them."""

    width: int
    height: int
    left: float
    right: float
    paths: tuple[str, str]
    between: str
    ends: tuple[End, End]
    grid: list[Mark]
    steps: list[Mark]


@dataclass(frozen=True, slots=True)
class Bar:
    """A difference, from a zero that all rows share."""

    x: float
    width: float
    is_up: bool


def lines(
    steps: Sequence[str], pair: tuple[Sequence[float], Sequence[float]], names: tuple[str, str],
    *, axis: Callable[[float], str], spacing: float,
) -> Lines:  # fmt: skip
    """Return both lines over the steps, from zero up; ``spacing`` is between two lines of the grid."""
    most = max([*pair[0], *pair[1], 0])
    count = max(1, int(-(-most // spacing))) if spacing else 1
    base, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    scale = (base - TOP) / (count * spacing or 1)
    slot = (right - LEFT) / max(1, len(steps) - 1)
    xs = [round(LEFT + slot * place, 1) for place in range(len(steps))]
    points = [[(x, round(base - value * scale, 1)) for x, value in zip(xs, own, strict=True)] for own in pair]
    paths = [" ".join(f"{x},{y}" for x, y in own) for own in points]
    back = " ".join(f"{x},{y}" for x, y in reversed(points[0]))
    last = [own[-1] for own in points]
    apart = _apart(last[0][1], last[1][1])
    ends = [End(*point, label_y, label) for point, label_y, label in zip(last, apart, names, strict=True)]
    every = -(-len(steps) // 13)
    return Lines(
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=right,
        paths=(paths[0], paths[1]),
        between=f"{paths[1]} {back}",
        ends=(ends[0], ends[1]),
        grid=[Mark(round(base - scale * spacing * place, 1), axis(spacing * place)) for place in range(count + 1)],
        steps=[Mark(x, step) for place, (x, step) in enumerate(zip(xs, steps, strict=True)) if place % every == 0],
    )


def _apart(first: float, second: float) -> tuple[float, float]:
    """Return where two labels stand so that neither covers the other, on the chart."""
    gap = 32 - abs(first - second)
    if gap <= 0:
        return first, second
    low, high = (first - gap / 2, second + gap / 2) if first < second else (first + gap / 2, second - gap / 2)
    over = max(low, high) + 18 - (HEIGHT - BOTTOM)
    shift = max(0.0, over)
    return round(low - shift, 1), round(high - shift, 1)


def bar(difference: int, most: int) -> Bar:
    """Return the bar of a difference, on a scale that ends with the largest one."""
    half = BAR / 2
    width = round(half * abs(difference) / most, 1) if most else 0.0
    width = max(width, 1.0) if difference else 0.0
    return Bar(half if difference >= 0 else round(half - width, 1), width, difference > 0)
