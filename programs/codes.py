"""Codes of redemptions and vouchers: 12 characters of Crockford's base 32, the last a check character.

The check is Luhn's algorithm modulo 32: it notices each single wrong character and nearly every swap of neighbours.
"""

from __future__ import annotations

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 12
MISREAD = str.maketrans("ILO", "110")  # Crockford: these letters are read as the digits they look like.


def check_character(body: str) -> str:
    """Return the character that makes ``body`` followed by it pass the test."""
    base, total = len(ALPHABET), 0
    for place, char in enumerate(reversed(body)):
        value = ALPHABET.index(char) * (2 if place % 2 == 0 else 1)
        total += value // base + value % base
    return ALPHABET[-total % base]


def new_code() -> str:
    """Return a fresh code with 55 random bits; that no one else has it, the database decides."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 1))
    return body + check_character(body)


def plain(given: str) -> str:
    """Return a code without regard to case, blanks and hyphens: what foreign codes are found by."""
    return "".join(char for char in given.upper() if char not in " -\u00a0\u2010\u2011\u2013")


def normal(given: str) -> str | None:
    """Return the twelve characters of a code of ours as someone typed it; None if it is not one."""
    code = plain(given).translate(MISREAD)
    if len(code) != LENGTH or any(char not in ALPHABET for char in code):
        return None
    return code if check_character(code[:-1]) == code[-1] else None


def shown(code: str) -> str:
    """Return a code of ours in groups of four; a foreign one as it is."""
    return "-".join((code[:4], code[4:8], code[8:])) if normal(code) == code else code
