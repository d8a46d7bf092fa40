"""Gathers every string marked for translation into ``locale/django.pot``; ``make messages`` runs it.

Django's own ``makemessages`` needs GNU gettext on the machine; Babel does not.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import write_po

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = ROOT / "locale" / "django.pot"
KEYWORDS: dict[str, tuple[object, ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
CALL = re.compile(r"(?<![\w.])(?:n?p?gettext|_)\(")
Message = tuple[str | tuple[str, ...], str | None]


def sources(*patterns: str) -> list[Path]:
    """Return the project's files of these patterns, those not yet committed too."""
    command = ["git", "ls-files", "-co", "--exclude-standard", *patterns]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return sorted(path for name in listed.stdout.splitlines() if (path := ROOT / name).is_file())


def gathered() -> dict[Message, set[str]]:
    """Return every message (string or singular and plural, and its context) and the files it stands in."""
    found: dict[Message, set[str]] = {}
    for path in sources("accounts/*.py", "programs/*.py", "loyalty/*.py"):
        for message in _in_code(path):
            found.setdefault(message, set()).add(str(path.relative_to(ROOT)))
    for path in sources("templates/*.html", "templates/*.txt"):
        for message in _in_template(path):
            found.setdefault(message, set()).add(str(path.relative_to(ROOT)))
    return found


def kept() -> set[Message]:
    """Return the messages of the committed template."""
    from babel.messages.pofile import read_po

    with TEMPLATE.open("rb") as file:
        return {(message.id, message.context) for message in read_po(file) if message.id}


def write() -> None:
    """Write the template; the same strings always give the same file."""
    catalog = Catalog(charset="utf-8")
    for (text, context), files in sorted(gathered().items(), key=repr):
        catalog.add(text, context=context, locations=[(name, 0) for name in sorted(files)])
    buffer = BytesIO()
    write_po(buffer, catalog, width=0, sort_output=True, omit_header=True, include_lineno=False)
    header = (
        b'# Every string of Loyalty to translate.\nmsgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
    )
    TEMPLATE.write_bytes(header + buffer.getvalue())


def _in_code(path: Path) -> Iterator[Message]:
    with path.open("rb") as file:
        for _line, text, _comments, context in extract("python", file, keywords=KEYWORDS):
            yield text, context


def _in_template(path: Path) -> Iterator[Message]:
    """Read a template as Django's own extraction does, so that the strings are those it looks up."""
    from django.utils.translation.template import templatize

    code = templatize(path.read_text(encoding="utf-8"), origin=str(path))
    for call in CALL.finditer(code):
        name = call.group().rstrip("(")
        texts = _arguments(code[call.start() :])
        context = texts.pop(0) if name in ("pgettext", "npgettext") else None
        yield (tuple(texts[:2]) if name.startswith("n") else texts[0]), context


def _arguments(code: str) -> list[str]:
    """Return the literal strings of the call that ``code`` begins with."""
    for end in re.finditer(r"\)", code):
        try:
            call = ast.parse(code[: end.end()], mode="eval").body
        except SyntaxError:
            continue
        assert isinstance(call, ast.Call)
        return [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
    raise AssertionError(code[:80])


if __name__ == "__main__":
    from tests import environment

    environment.prepare()
    import django

    django.setup()
    write()
