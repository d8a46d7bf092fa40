"""The pinned files answer to what is asked for, each package with its hashes and no address of a registry."""

import re
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(\[[^\]]*\])?==(?P<version>[^ ;\\]+)(?P<marker> ; [^\\]+)?", re.MULTILINE)


def pinned(name):
    text = (ROOT / name).read_text()
    return {canonicalize_name(found["name"]): found["version"] for found in PIN.finditer(text)}


def asked_for(name):
    lines = [line.strip() for line in (ROOT / name).read_text().splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-"))]


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_everything_asked_for_is_pinned_at_an_allowed_version(name):
    pins = pinned(f"{name}.txt")

    unmet = [
        str(wanted)
        for wanted in asked_for(f"{name}.in")
        if not wanted.specifier.contains(pins.get(canonicalize_name(wanted.name), "0"), prereleases=True)
        or canonicalize_name(wanted.name) not in pins
    ]

    assert unmet == []


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_pin_has_hashes(name):
    text = (ROOT / name).read_text()

    without = [found["name"] for found in PIN.finditer(text) if "--hash=sha256:" not in text[found.end() :][:120]]

    assert without == []


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_no_address_of_a_registry_is_named(name):
    assert re.findall(r"^--.*|https?://\S+", (ROOT / name).read_text(), re.MULTILINE) == []


def test_both_files_pin_the_same_versions():
    run, dev = pinned("requirements.txt"), pinned("requirements-dev.txt")

    assert {name: dev.get(name) for name in run} == run


def test_what_is_installed_is_what_is_pinned():
    pins = pinned("requirements-dev.txt")
    installed = {canonicalize_name(found.metadata["Name"]): found.version for found in distributions()}

    assert {name: installed[name] for name in pins if name in installed} == {
        name: version for name, version in pins.items() if name in installed
    }
