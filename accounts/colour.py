"""A business's colours, worked out of its one brand colour so that every text is readable.

Colour is computed in OKLCH (Björn Ottosson, "A perceptual color space for image processing", 2020); contrast is
that of WCAG 2.2, definition of relative luminance. Colours go in and out as ``#rrggbb``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache, partial

TEXT_CONTRAST = 4.5
BLACK, WHITE = "#000000", "#ffffff"


@dataclass(frozen=True, slots=True)
class Oklch:
    """Lightness 0 to 1, chroma from 0 (grey), hue in radians."""

    lightness: float
    chroma: float
    hue: float


@dataclass(frozen=True, slots=True)
class Palette:
    """The roles of the style sheet and their colours, in the light and in the dark scheme."""

    light: dict[str, str]
    dark: dict[str, str]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance, 0 to 1."""
    red, green, blue = _linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def to_oklch(colour: str) -> Oklch:
    """Return a colour's place in OKLCH."""
    red, green, blue = _linear(colour)
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return Oklch(lightness, math.hypot(a, b), math.atan2(b, a))


def to_hex(colour: Oklch) -> str:
    """Return the nearest colour a screen can show: lightness and hue stay, chroma gives way."""
    shown = _channels(colour)
    if not _fits(shown):
        low, high = 0.0, colour.chroma
        for _ in range(20):
            middle = (low + high) / 2
            low, high = (middle, high) if _fits(_channels(_with(colour, chroma=middle))) else (low, middle)
        shown = _channels(_with(colour, chroma=low))
    return _hex([_encoded(channel) for channel in shown])


def mixed(colour: str, other: str, *, share: float) -> str:
    """Return ``colour`` with a ``share`` (0 to 1) of ``other`` laid over it."""
    pairs = zip(_bytes(colour), _bytes(other), strict=True)
    return _hex([(one * (1 - share) + two * share) / 255 for one, two in pairs])


def readable_brand(brand: str) -> tuple[str, str]:
    """Return the brand colour and the text colour on it; the brand is darkened only where no text would do."""
    if contrast(brand, WHITE) >= TEXT_CONTRAST:
        return brand, WHITE
    place = to_oklch(brand)
    ink = to_hex(Oklch(0.215, min(place.chroma, 0.06), place.hue))
    if contrast(brand, ink) >= TEXT_CONTRAST:
        return brand, ink
    while contrast(brand, WHITE) < TEXT_CONTRAST:
        place = _with(place, lightness=place.lightness - 0.01)
        brand = to_hex(place)
    return brand, WHITE


@lru_cache(maxsize=256)
def palette(brand: str) -> Palette:
    """Return all roles for a brand colour given as ``#rrggbb``."""
    brand, on_brand = readable_brand(brand.lower())
    shared = {
        "brand": brand,
        "on-brand": on_brand,
        "brand-deep": _deepened(brand, on_brand),
        "brand-pressed": mixed(brand, BLACK if on_brand == WHITE else WHITE, share=0.12),
    }
    place = to_oklch(brand)
    return Palette(light=shared | _light(place), dark=shared | _dark(place))


def stylesheet(brand: str) -> str:
    """Return the style sheet that sets the roles on the root element."""
    colours = palette(brand)
    on_brand = " ".join(str(channel) for channel in _bytes(colours.light["on-brand"]))
    motif = f"--motif:rgb({on_brand} / .09);--motif-faint:rgb({on_brand} / .05);"
    light, dark = (_declared(roles) for roles in (colours.light, colours.dark))
    return f":root{{{motif}{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"


def _light(brand: Oklch) -> dict[str, str]:
    tone = partial(_tone, brand)
    canvas = tone(0.968, 0.005)
    return {
        "canvas": canvas,
        "surface": WHITE,
        "sunken": canvas,
        "line": tone(0.915, 0.007),
        "control": tone(0.60, 0.012),
        "ink": tone(0.21, 0.014),
        "ink-2": tone(0.45, 0.015),
        "accent-ink": tone(min(brand.lightness, 0.47), 1),
        "accent-soft": tone(0.95, 0.022),
        "fill": tone(min(brand.lightness, 0.56), 1),
        "track": tone(0.925, 0.022),
        "focus": tone(0.45, 1),
    }


def _dark(brand: Oklch) -> dict[str, str]:
    tone = partial(_tone, brand)
    return {
        "canvas": tone(0.16, 0.007),
        "surface": tone(0.212, 0.009),
        "sunken": tone(0.185, 0.008),
        "line": tone(0.30, 0.011),
        "control": tone(0.56, 0.014),
        "ink": tone(0.965, 0.005),
        "ink-2": tone(0.755, 0.015),
        "accent-ink": tone(0.80, 0.115),
        "accent-soft": tone(0.285, 0.055),
        "fill": tone(max(brand.lightness, 0.68), 0.16),
        "track": tone(0.33, 0.028),
        "focus": tone(0.82, 0.115),
    }


def _tone(brand: Oklch, lightness: float, chroma: float) -> str:
    """Return a colour of the brand's hue, never more colourful than the brand itself."""
    return to_hex(Oklch(lightness, min(chroma, brand.chroma), brand.hue))


def _deepened(brand: str, on_brand: str) -> str:
    """Return the ground of a box on the brand: 22 % black, or white where text on it would suffer."""
    darker = mixed(brand, BLACK, share=0.22)
    return darker if contrast(darker, on_brand) >= TEXT_CONTRAST else mixed(brand, WHITE, share=0.22)


def _with(colour: Oklch, *, lightness: float | None = None, chroma: float | None = None) -> Oklch:
    return Oklch(
        colour.lightness if lightness is None else lightness,
        colour.chroma if chroma is None else chroma,
        colour.hue,
    )


def _bytes(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _hex(channels: list[float]) -> str:
    return "#" + "".join(f"{round(min(max(channel, 0), 1) * 255):02x}" for channel in channels)


def _linear(colour: str) -> list[float]:
    shares = [channel / 255 for channel in _bytes(colour)]
    return [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]


def _encoded(channel: float) -> float:
    if channel <= 0.0031308:
        return 12.92 * channel
    return 1.055 * float(channel ** (1 / 2.4)) - 0.055


def _channels(colour: Oklch) -> list[float]:
    """Return linear red, green and blue; outside 0 to 1 where no screen can show it."""
    a, b = colour.chroma * math.cos(colour.hue), colour.chroma * math.sin(colour.hue)
    long = (colour.lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (colour.lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (colour.lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return [
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    ]


def _fits(channels: list[float]) -> bool:
    return all(-0.0005 <= channel <= 1.0005 for channel in channels)


def _declared(roles: dict[str, str]) -> str:
    return "".join(f"--{role}:{colour};" for role, colour in roles.items())
