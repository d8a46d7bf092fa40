"""Card numbers: 12 random digits, the last a check digit by Luhn (ISO/IEC 7812-1, annex B)."""

import secrets

DIGITS = 12


def check_digit(body: str) -> str:
    """Return the digit that makes ``body`` followed by it pass Luhn's test."""
    total = 0
    for place, char in enumerate(reversed(body)):
        digit = int(char) * (2 if place % 2 == 0 else 1)
        total += digit - 9 if digit > 9 else digit
    return str(-total % 10)


def new_card() -> str:
    """Return a fresh card number; that no one else has it, the database decides."""
    body = "".join(secrets.choice("0123456789") for _ in range(DIGITS - 1))
    return body + check_digit(body)


def normal(given: str) -> str | None:
    """Return the twelve digits of a card as someone typed it, or None if it is not a card number."""
    digits = given.replace(" ", "").replace("-", "")
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
        return None
    return digits if check_digit(digits[:-1]) == digits[-1] else None


def shown(card: str) -> str:
    """Return the card number in groups of four."""
    return f"{card[:4]} {card[4:8]} {card[8:]}"
