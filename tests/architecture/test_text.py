"""No file of the project names the machine it was written on, and none waits to be finished."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).name
LOCAL = re.compile(r"/(?:work|root|home)/[a-z]|\.\./shared|/tmp/[a-z]", re.IGNORECASE)
UNFINISHED = re.compile(
    r"\b(?:TODO|FIXME|XXX)\b|NotImplemented(?:Error)?\b|pytest\.(?:skip|xfail)|mark\.(?:skip|xfail)"
)


def texts(*patterns):
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    names = [name for name in listed.stdout.splitlines() if not name.startswith("static/vendor/")]
    return [ROOT / name for name in names if (ROOT / name).is_file() and Path(name).name != HERE]


def lines_with(pattern, files):
    return [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for file in files
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]


@pytest.fixture(scope="module", autouse=True)
def _is_a_checkout():
    assert (ROOT / ".git").exists(), "these tests read the list of files from git"


def test_no_text_names_a_local_path():
    files = texts("*.py", "*.md", "*.html", "*.js", "*.css", "*.toml", "*.txt", "*.in", "Makefile", ".ci/run")

    assert lines_with(LOCAL, files) == []


def test_no_code_waits_to_be_finished():
    assert lines_with(UNFINISHED, texts("*.py", "*.html", "*.js")) == []


def test_no_template_has_inline_script_or_style():
    inline = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)|<style|\sstyle=|\son[a-z]+=|javascript:")
    files = [
        file for file in texts("*.html") if "admin" not in file.relative_to(ROOT).parts and "emails" not in file.parts
    ]

    assert lines_with(inline, files) == []
