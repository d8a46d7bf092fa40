"""From bytes to checked values: what cannot be read or does not fit is refused with a pointer to the place."""

from __future__ import annotations

import json
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
BROKEN_UTF8 = field_code(
    "broken-utf8", title=_("A text is not UTF-8"), cure=_("Encode the body as UTF-8, and send whole characters.")
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


OUT_OF_RANGE = Decimal("Infinity")  # Stands for a number that was too large or too long, until its place is known.
SURROGATE = re.compile("[\ud800-\udfff]")  # Stands for a byte that is not UTF-8, or for half a character.


class Unsound(msgspec.Struct, frozen=True):
    """Stands in a list for an item that cannot be taken, so that the others can."""

    external_id: str | None
    fault: Fault


def exact(text: str) -> Decimal:
    """Return a JSON number as it was written, never as a binary fraction."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return OUT_OF_RANGE
    is_fit = abs(number.adjusted()) <= MAX_EXPONENT and len(text) <= 2 * MAX_EXPONENT
    return number if is_fit else OUT_OF_RANGE


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
        return self.decoded(raw)

    def decoded(self, raw: bytes) -> Any:
        """Return the body in these bytes."""
        return decode(raw)


def decode(raw: bytes) -> Any:
    """Return the decoded body; raise InvalidError for what is not sound JSON of sound size."""
    body, flaw = _read(raw)
    if problem := _problem_in(body, is_flawed=flaw is not None) or flaw:
        raise problem
    return body


def decode_items(raw: bytes, *, name: str) -> Any:
    """Return the decoded body, with Unsound in the list of this name for each item that ``decode`` would refuse.

    Raises InvalidError where it is not an item that is wrong.
    """
    body, flaw = _read(raw)
    items = body.get(name) if isinstance(body, dict) else None
    if not isinstance(items, list) or (flaw is None and _is_sound(body, MAX_DEPTH)):
        if problem := _problem_in(body, is_flawed=flaw is not None) or flaw:
            raise problem
        return body
    is_flawed = flaw is not None
    rest = {key: value for key, value in body.items() if key != name}
    checked = [_checked(item, _problem_in(item, is_flawed=is_flawed)) for item in items]
    is_found = any(isinstance(item, Unsound) for item in checked)
    if problem := _problem_in(rest, is_flawed=is_flawed) or (None if is_found else flaw):
        raise problem
    return {**rest, name: checked}


def _checked(item: Any, problem: InvalidError | None) -> Any:
    if problem is None:
        return item
    named = item.get("external_id") if isinstance(item, dict) else None
    is_text = isinstance(named, str) and _fault_in(named, ()) is None
    return Unsound(external_id=named if is_text else None, fault=problem.errors[0])


def _read(raw: bytes) -> tuple[Any, InvalidError | None]:
    """Return the body, and what is wrong with it as a whole unless the place is found in it."""
    try:
        return _decoder.decode(raw), None
    except RecursionError:
        raise invalid("", TOO_DEEP) from None
    except msgspec.ValidationError:  # All it checks here is the size of an integer.
        flaw = invalid("", NUMBER_OUT_OF_RANGE)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        flaw = invalid("", UNREADABLE, f"{CATALOGUE[UNREADABLE].title} ({error})")
    try:
        return _read_with_flaws(raw), flaw
    except RecursionError:
        raise invalid("", TOO_DEEP) from None
    except ValueError:
        raise flaw from None


def _read_with_flaws(raw: bytes) -> Any:
    """Return a body with what is not UTF-8 and with numbers beyond any size; raise ValueError if it is no JSON."""
    text = raw.decode(errors="surrogateescape")
    return json.loads(text, parse_int=_whole, parse_float=exact, parse_constant=_refuse)


def _whole(text: str) -> int | Decimal:
    return int(text) if len(text) <= 2 * MAX_EXPONENT else OUT_OF_RANGE


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _problem_in(value: Any, *, is_flawed: bool) -> InvalidError | None:
    return None if not is_flawed and _is_sound(value, MAX_DEPTH) else _fault_in(value, ())


def _is_sound(value: Any, depth: int) -> bool:
    """Return whether every column can hold it: no NUL, no number and no nesting without end."""
    if isinstance(value, str):
        return "\x00" not in value
    if isinstance(value, dict):
        return depth > 0 and all("\x00" not in key and _is_sound(inner, depth - 1) for key, inner in value.items())
    if isinstance(value, list):
        return depth > 0 and all(_is_sound(inner, depth - 1) for inner in value)
    return not isinstance(value, int | Decimal) or -LARGEST <= value <= LARGEST


def _fault_in(value: Any, path: tuple[Any, ...]) -> InvalidError | None:
    """Return the first fault in it, with its place."""
    if isinstance(value, str):
        return _fault_in_text(value, path)
    if isinstance(value, dict | list):
        if len(path) >= MAX_DEPTH:
            return invalid(pointer(path), TOO_DEEP)
        children = value.items() if isinstance(value, dict) else enumerate(value)
        faults = (_fault_in(key, path) or _fault_in(inner, (*path, key)) for key, inner in children)
        return next((fault for fault in faults if fault), None)
    return None if _is_sound(value, 1) else invalid(pointer(path), NUMBER_OUT_OF_RANGE)


def _fault_in_text(value: str, path: tuple[Any, ...]) -> InvalidError | None:
    if "\x00" in value:
        return invalid(pointer(path), NUL_CHARACTER)
    return invalid(pointer(path), BROKEN_UTF8) if SURROGATE.search(value) else None


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
