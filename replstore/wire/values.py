"""What a client may store: the limits of keys and values, and the one place that checks them.

Law of this module: one door decides about a value; everything behind it carries what it let in. Journal, peer messages,
snapshots, answers, clients and the panel need no check of their own, on any Python that the lab supports. So every
limit lies far below what any of them takes. Two rules are RFC 8259's, for JSON that all programs read alike: numbers
within the range of a double (§6), and no name twice in an object (§4).

A value may take `MAX_BYTES` and have `MAX_ITEMS` so that none of them keeps the event loop longer than a tenth of
the shortest heartbeat that the lab uses (100 ms): a longer stop would be taken for a dead leader.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any
from urllib.parse import unquote_to_bytes

from replstore.json_text import parser, value_json

MAX_BYTES = 2**20
"""Of a value as JSON in ASCII, as nodes send and save it: a character beyond ASCII takes 6 or 12 bytes."""

MAX_ITEMS = 1_000
"""Elements of arrays and members of objects, all levels together; an empty array or object counts as one more."""

MAX_NESTING = 100
"""Arrays and objects within each other. Python's own parsers end between 970 and 10,000 levels."""

MAX_DIGITS = 308
"""Of an integer. One digit more, and other languages may read infinity; Python itself ends at 4,300."""

MAX_KEY = 10 * 2**10
"""Characters of a key as it stands in the path, percent-encoded."""

GROWTH = 6
"""A body's bytes become at most so many times as many: U+007F is one byte, and `\\u007f` is six."""

_BROKEN_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")

_HARMLESS = 2 * MAX_NESTING
"""Bytes of a body that cannot be nested too deep (each level takes two), nor have too many items or digits."""


class BadValue(ValueError):
    """A key or value that is not taken; the message is a sentence that says why."""


class NotJson(BadValue):
    """The body is no JSON text at all."""

    def __init__(self) -> None:
        super().__init__("Invalid JSON")


def read_value(body: bytes) -> Any:
    """The value that a client's request carries. Raises `BadValue`."""
    try:
        text = body.decode()
        if len(body) <= _HARMLESS:
            value = _decode(text)
        else:
            brackets = body.count(b"[") + body.count(b"{")
            if brackets + body.count(b",") > MAX_ITEMS:
                _check_items(body)
            value = _decode_long(text)
            if brackets > MAX_NESTING:
                _check_nesting(value)
    except BadValue:
        raise
    except RecursionError:
        raise BadValue(_TOO_DEEP) from None
    except ValueError:  # JSONDecodeError and UnicodeDecodeError are such
        raise NotJson from None
    if "\\u" in text:
        _check_text(value)
    if GROWTH * len(body) > MAX_BYTES and (size := len(value_json(value))) > MAX_BYTES:
        raise BadValue(f"The value takes {size:,} bytes as JSON in ASCII; at most {MAX_BYTES:,} are taken")
    return value


def read_key(text: str) -> str:
    """The key that a path names: `text` is what follows `/key/`, still percent-encoded. Slashes belong to the key.
    Raises `BadValue`."""
    if not text:
        raise BadValue("The key is empty: the path is /key/ and then the key")
    if len(text) > MAX_KEY:
        raise BadValue(f"The key has {len(text):,} characters, percent-encoded; at most {MAX_KEY:,} are taken")
    return percent_decoded(text, "The key") if "%" in text else text


def percent_decoded(text: str, what: str) -> str:
    """A part of a URL as text. Raises `BadValue`, which calls it `what`."""
    if _BROKEN_ESCAPE.search(text):
        raise BadValue(f"{what} holds a % that is not followed by two hexadecimal digits; write % as %25")
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise BadValue(f"{what} is not UTF-8") from None


# --------------------------------------------------------------------------------------------------------
# While a value is parsed


def _integer(text: str) -> int:
    digits = len(text) - text.startswith("-")
    if digits > MAX_DIGITS:
        raise BadValue(
            f"The value holds an integer of {digits:,} digits; at most {MAX_DIGITS} are taken, since other programs"
            " cannot read more: store it as a string"
        )
    return int(text)


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise BadValue(f"The number {_short(text)} is too large: the largest is about 1.8e308")
    return number


def _constant(text: str) -> Any:
    raise NotJson  # NaN, Infinity, -Infinity: Python reads them, JSON does not have them


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        seen: set[str] = set()
        twice = next(name for name, _ in members if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise BadValue(f"An object has the name {_short(json.dumps(twice))} twice: programs would read it differently")
    return found


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:30]}… ({len(text):,} characters)"


_decode = parser(json.JSONDecoder(parse_float=_float, parse_constant=_constant, object_pairs_hook=_object))
_decode_long = parser(
    json.JSONDecoder(parse_float=_float, parse_int=_integer, parse_constant=_constant, object_pairs_hook=_object)
)
_encode_text = json.JSONEncoder(ensure_ascii=False).encode

# --------------------------------------------------------------------------------------------------------
# Before and after it

_TOO_DEEP = f"The value is nested too deep: at most {MAX_NESTING} arrays and objects within each other are taken"
_TOO_MANY = (
    f"The value has more than {MAX_ITEMS:,} items (elements of arrays and members of objects, all levels together):"
    " spread it over several keys"
)


def _check_items(body: bytes) -> None:
    """Count without parsing, since parsing a million items would take too long by itself."""
    plain = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    if plain.count(b'"') > 4 * MAX_ITEMS:  # an item has two strings at most, its name and its value
        raise BadValue(_TOO_MANY)
    outside = b"".join(plain.split(b'"')[::2])
    if sum(map(outside.count, (b",", b"[", b"{"))) > MAX_ITEMS:
        raise BadValue(_TOO_MANY)


def _check_nesting(value: Any) -> None:
    level, depth = [value], 0
    while level:
        inner: list[Any] = []
        for item in level:
            if type(item) is list:
                inner += item
            elif type(item) is dict:
                inner += item.values()
        depth += any(type(item) in (list, dict) for item in level)
        if depth > MAX_NESTING:
            raise BadValue(_TOO_DEEP)
        level = inner


def _check_text(value: Any) -> None:
    """`\\ud800` is half of a pair that stands for one character: alone it is no text, and UTF-8 does not have it."""
    try:
        _encode_text(value).encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        raise BadValue(f"A string holds half a surrogate pair ({half}), which is not Unicode text") from None
