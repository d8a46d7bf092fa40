"""The mails that the embedded default keeps as files instead of sending them."""

from __future__ import annotations

import email
import email.policy
import itertools
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

_SEPARATOR = re.compile(rb"^-{79}$", re.MULTILINE)  # What Django's file backend writes after each mail.
FILES_READ = 50


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it would have been read."""

    at: datetime
    to: str
    subject: str
    text: str


def latest(folder: Path, *, limit: int = 20) -> list[Mail]:
    """Return the newest mails first."""
    files = sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime, reverse=True)
    return list(itertools.islice(itertools.chain.from_iterable(map(_read, files[:FILES_READ])), limit))


def _read(path: Path) -> list[Mail]:
    at = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)
    parts = [part.strip() for part in _SEPARATOR.split(path.read_bytes())]
    return [_parsed(part, at) for part in reversed(parts) if part]


def _parsed(raw: bytes, at: datetime) -> Mail:
    message = email.message_from_bytes(raw, _class=EmailMessage, policy=email.policy.default)
    body = message.get_body(preferencelist=("plain",))
    text = str(body.get_content()) if body else ""
    return Mail(at=at, to=str(message["To"] or ""), subject=str(message["Subject"] or ""), text=text.strip())
