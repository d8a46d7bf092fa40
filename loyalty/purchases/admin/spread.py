"""Where members stand on a ladder, as bars between its limits: geometry for the template, without a script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 620, 240, 44, 34, 30
NICE = (1, 2, 3, 5, 7)
MOST_BARS = 16
NEAR = 0.12  # An edge so near to a limit, as a share of it, gives way to the limit.


@dataclass(frozen=True, slots=True)
class Limit:
    """What a tier asks for; ``was`` it, where the draft asks for something else."""

    value: int
    name: str
    was: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bar: members who end up in a tier (by its place from below, from 1), or come to it by the draft."""

    x: float
    y: float
    width: float
    height: float
    step: int
    is_moved: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on the axis with its label."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class LimitLine:
    """A limit as a line with its name beside it, on the side where there is room."""

    x: float
    label: str
    was: bool
    label_y: float
    anchor: str
    label_x: float


@dataclass(frozen=True, slots=True)
class Bin:
    """A row of the table: from how much to how much, and how many members."""

    span: str
    count: int


@dataclass(frozen=True, slots=True)
class Spread:
    """The drawing and the same numbers as rows."""

    width: int
    height: int
    left: int
    base: float
    parts: list[Part]
    grid: list[Mark]
    axis: list[Mark]
    limits: list[LimitLine]
    bins: list[Bin]


def spread(
    found: Sequence[tuple[int, str, str]],
    *,
    limits: Sequence[Limit],
    steps: dict[str, int],
    written: Callable[[int], str],
    count_axis: Callable[[int], list[int]],
) -> Spread:
    """Return the drawing of members by what counts for them: (have, tier before, tier after).

    ``steps`` is the place of each tier from below, from 1; ``written`` says an amount; ``count_axis`` the values of the
    grid for the most members in one bar. Bars are equally wide, their steps widen to the right.
    """
    edges = _edges(max((have for have, _before, _after in found), default=0), [limit.value for limit in limits])
    slot = (WIDTH - LEFT) / len(edges)
    base = float(HEIGHT - BOTTOM)
    counted: list[Counter[tuple[int, bool]]] = [Counter() for _edge in edges]
    for have, before, after in found:
        counted[_place(have, edges)][steps.get(after, 1), before != after] += 1
    lines = count_axis(max((sum(one.values()) for one in counted), default=0))
    scale = (base - TOP) / (lines[-1] or 1)
    parts = []
    for place, one in enumerate(counted):
        below = 0.0
        for (step, is_moved), count in sorted(one.items()):
            tall = count * scale
            x, y = round(LEFT + slot * place + 1, 1), round(base - below - tall, 1)
            parts.append(Part(x, y, round(slot - 2, 1), round(tall, 1), step, is_moved))
            below += tall
    return Spread(
        WIDTH,
        HEIGHT,
        LEFT,
        base,
        parts,
        [Mark(round(base - line * scale, 1), str(line)) for line in lines],
        _axis(edges, slot, written),
        _limit_lines(limits, edges, slot, written),
        [Bin(_span(edges, place, written), sum(one.values())) for place, one in enumerate(counted)],
    )


def _edges(most: int, limits: Sequence[int]) -> list[int]:
    """Return where bars begin: at nought, at the limits, and at round numbers between, which lie ever wider apart."""
    top = max([most, *limits, 1])
    lowest = min([limit for limit in limits if limit > 0], default=top)
    round_ones = [factor * 10**power for power in range(len(str(top)) + 1) for factor in NICE]
    least = lowest / 8
    wanted = [one for one in round_ones if least <= one <= top]
    wanted = [one for one in wanted if all(abs(one - limit) > NEAR * limit for limit in limits)]
    while len(wanted) + len(set(limits)) + 1 > MOST_BARS and len(wanted) > 1:
        wanted = wanted[::2]
    return sorted({0, *wanted, *limits})


def _place(have: int, edges: Sequence[int]) -> int:
    return max(place for place, edge in enumerate(edges) if edge <= max(have, 0))


def _axis(edges: Sequence[int], slot: float, written: Callable[[int], str]) -> list[Mark]:
    """Return labels that do not run into each other."""
    marks: list[Mark] = []
    free_from = 0.0
    for place, edge in enumerate(edges):
        at, label = LEFT + slot * place, written(edge)
        half = len(label) * 3.4
        if at - half >= free_from:
            marks.append(Mark(round(at, 1), label))
            free_from = at + half + 8
    return marks


def _limit_lines(
    limits: Sequence[Limit], edges: Sequence[int], slot: float, written: Callable[[int], str]
) -> list[LimitLine]:
    drawn = []
    for limit in sorted(limits, key=lambda one: (one.was, one.value)):
        x = round(LEFT + slot * edges.index(limit.value), 1)
        is_right = x > WIDTH * 0.72
        drawn.append(
            LimitLine(
                x=x,
                label=limit.name,
                was=limit.was,
                label_y=12.0 if not limit.was else 26.0,
                anchor="end" if is_right else "start",
                label_x=x - 5 if is_right else x + 5,
            )
        )
    return drawn


def _span(edges: Sequence[int], place: int, written: Callable[[int], str]) -> str:
    if place + 1 < len(edges):
        return f"{written(edges[place])} – {written(edges[place + 1] - 1)}"
    return f"{written(edges[place])} +"
