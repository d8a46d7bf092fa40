"""From bytes to checked values: what cannot be read or does not fit is refused with a pointer to the place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import IO, Any, TypeVar

import msgspec
from django.utils.translation import gettext_lazy as _
from rest_framework.parsers import BaseParser

from loyalty.api.problems import CATALOGUE, Fault, InvalidError, TooLargeError, field_code, invalid

MAX_BYTES = 10 * 1024 * 1024
MAX_DEPTH = 64
MAX_EXPONENT = 40
LARGEST = 10**MAX_EXPONENT

UNREADABLE = field_code(
    "unreadable", title=_("The body is not readable JSON"), cure=_("Send one JSON object, encoded as UTF-8.")
)
TOO_DEEP = field_code("too-deep", title=_("The body is nested too deeply"), cure=_("Nest at most 64 levels."))
NUL_CHARACTER = field_code(
    "nul-character", title=_("A text contains the character NUL"), cure=_("Leave the character U+0000 out.")
)
NUMBER_OUT_OF_RANGE = field_code(
    "number-out-of-range", title=_("A number is too large or too long"), cure=_("Send a smaller number.")
)
REQUIRED = field_code("required", title=_("A field is missing"), cure=_("Send the field that the pointer names."))
UNKNOWN_FIELD = field_code(
    "unknown-field", title=_("There is no such field"), cure=_("Leave the field out, or correct its name.")
)
WRONG_TYPE = field_code(
    "wrong-type", title=_("A value is of the wrong type"), cure=_("Send the type that the API's pages name.")
)
TOO_LONG = field_code("too-long", title=_("A value is too long"), cure=_("Send fewer characters or items."))
TOO_SHORT = field_code("too-short", title=_("A value is empty"), cure=_("Send at least one character or item."))

T = TypeVar("T")


def exact(text: str) -> Decimal:
    """Return a JSON number as it was written, never as a binary fraction."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise invalid("", NUMBER_OUT_OF_RANGE) from None
    if abs(number.adjusted()) > MAX_EXPONENT or len(text) > 2 * MAX_EXPONENT:
        raise invalid("", NUMBER_OUT_OF_RANGE)
    return number


_decoder = msgspec.json.Decoder(float_hook=exact)


class BodyParser(BaseParser):
    """Read a JSON body; numbers with a fraction become Decimal, as exact as they were written."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        raw = stream.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise TooLargeError
        return decode(raw)


def decode(raw: bytes) -> Any:
    """Return the decoded body; raise InvalidError for what is not sound JSON of sound size."""
    try:
        body = _decoder.decode(raw)
    except RecursionError:
        raise invalid("", TOO_DEEP) from None
    except msgspec.ValidationError:  # All it checks here is the size of an integer.
        raise invalid("", NUMBER_OUT_OF_RANGE) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise invalid("", UNREADABLE, f"{CATALOGUE[UNREADABLE].title} ({error})") from None
    if not _is_sound(body, MAX_DEPTH):
        raise _fault_in(body, ()) or invalid("", UNREADABLE)
    return body


def _is_sound(value: Any, depth: int) -> bool:
    """Return whether every column can hold it: no NUL, no number and no nesting without end."""
    if isinstance(value, str):
        return "\x00" not in value
    if isinstance(value, dict):
        return depth > 0 and all("\x00" not in key and _is_sound(inner, depth - 1) for key, inner in value.items())
    if isinstance(value, list):
        return depth > 0 and all(_is_sound(inner, depth - 1) for inner in value)
    return not isinstance(value, int) or -LARGEST <= value <= LARGEST


def _fault_in(value: Any, path: tuple[Any, ...]) -> InvalidError | None:
    """Return the first fault that ``_is_sound`` saw, with its place."""
    if isinstance(value, str):
        return invalid(pointer(path), NUL_CHARACTER) if "\x00" in value else None
    if isinstance(value, dict | list):
        if len(path) >= MAX_DEPTH:
            return invalid(pointer(path), TOO_DEEP)
        children = value.items() if isinstance(value, dict) else enumerate(value)
        faults = (_fault_in(key, path) or _fault_in(inner, (*path, key)) for key, inner in children)
        return next((fault for fault in faults if fault), None)
    return None if _is_sound(value, 1) else invalid(pointer(path), NUMBER_OUT_OF_RANGE)


def pointer(path: tuple[Any, ...]) -> str:
    """Return the JSON pointer of a path of keys and indexes."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def shaped(body: Any, shape: type[T]) -> T:
    """Return the body as this msgspec struct, or raise InvalidError with the pointer of what does not fit."""
    try:
        return msgspec.convert(body, shape)
    except msgspec.ValidationError as error:
        raise InvalidError([_fault(str(error))]) from None


_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `(?P<where>.*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_FIELD = re.compile(r"field `(.*)`$", re.DOTALL)


def _fault(message: str) -> Fault:
    """Translate msgspec's sentence: "Object missing required field `total` - at `$.purchases[3]`"."""
    found = _PLACE.match(message)
    what, where = (found["what"], found["where"] or "$") if found else (message, "$")
    path: tuple[Any, ...] = tuple(name or number for name, number in _STEP.findall(where.removeprefix("$")))
    named = _FIELD.search(what)
    if named:
        path = (*path, named[1])
    code = _code_of(what)
    return Fault(pointer=pointer(path), code=code, detail=f"{CATALOGUE[code].title} ({what})")


def _code_of(what: str) -> str:
    if "missing required field" in what:
        return REQUIRED
    if "unknown field" in what:
        return UNKNOWN_FIELD
    if "of length <=" in what:
        return TOO_LONG
    if "of length >=" in what:
        return TOO_SHORT
    return WRONG_TYPE
