"""Presets: whole programs as data. One TOML file each, read into frozen values."""

from __future__ import annotations

from pathlib import Path

from programs.presets.reading import Preset, PresetError, PresetUnit, read

__all__ = ["Preset", "PresetError", "PresetUnit", "UnknownPresetError", "get", "names"]

FOLDER = Path(__file__).parent


class UnknownPresetError(LookupError):
    """There is no preset of this name."""


def names() -> list[str]:
    """Return the names of the presets that exist."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def get(name: str) -> Preset:
    """Return the preset of this name. Raises ``UnknownPresetError``, and ``PresetError`` for a file with a mistake."""
    if name not in names():
        raise UnknownPresetError(name)
    return read(name, (FOLDER / f"{name}.toml").read_text())
