"""How far the load is: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import time

from django.core.management.base import OutputWrapper
from django.utils.translation import gettext as _

from loyalty.replaying.tally import Tally

BAR = 30
DRAWN_EVERY = 0.2
TOLD_EVERY = 10.0


class Progress:
    """Tells of one load on one stream."""

    def __init__(self, *, stream: OutputWrapper) -> None:
        self._stream = stream
        self._draws = stream.isatty()
        self._every = DRAWN_EVERY if self._draws else TOLD_EVERY
        self._told_at = time.monotonic() if not self._draws else 0.0

    def tell(self, tally: Tally, *, last: bool = False) -> None:
        """Show the present state, unless that was done a moment ago."""
        now = time.monotonic()
        if not last and now - self._told_at < self._every:
            return
        self._told_at = now
        text = _("%(posted)s of %(total)s posted, %(done)s done") % {
            "posted": f"{tally.posted:,}",
            "total": f"{tally.total:,}",
            "done": f"{tally.done:,}",
        }
        share = tally.done / tally.total if tally.total else 1.0
        if self._draws:
            bar = "#" * int(share * BAR)
            self._write(f"\r[{bar:-<{BAR}}] {share:4.0%} {text}\x1b[K" + ("\n" if last else ""))
        else:
            self._write(f"{share:4.0%} {text}\n")

    def _write(self, text: str) -> None:
        self._stream.write(text, style_func=str, ending="")
        self._stream.flush()
