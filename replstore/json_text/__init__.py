"""JSON text of plain data, and back: the one way in which a node writes and reads JSON.

Law of this module: it takes whatever the lab ever took. What Python's own parser or encoder cannot do (nesting of old
values, very long integers) goes through `deep`. A large value is encoded once: its record, its messages to the
followers and its answer copy the same text, since encoding is what takes longest.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from json import encoder as library
from json.encoder import encode_basestring_ascii
from typing import Any

from replstore.json_text import deep

_plain_encoder = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False)


def _encoder() -> Callable[[Any], str]:
    """The library makes its encoder in C anew for every text, which takes as long as a short text does. Here it is made
    once, where this Python has it."""
    make = getattr(library, "c_make_encoder", None)
    if make is None:
        return _plain_encoder.encode
    pieces = make(None, _plain_encoder.default, encode_basestring_ascii, None, ":", ",", False, False, False)

    def encode(value: Any) -> str:
        return "".join(pieces(value, 0))

    return encode


_encode = _encoder()


def parser(decoder: json.JSONDecoder) -> Callable[[str], Any]:
    """What `decoder.decode` does, quicker for text without blanks around it."""
    scan, decode = decoder.scan_once, decoder.decode  # type: ignore[attr-defined]  # typeshed leaves it out

    def parse(text: str) -> Any:
        try:
            value, end = scan(text, 0)
        except StopIteration:  # a blank, or no JSON
            end = -1
        return value if end == len(text) else decode(text)

    return parse


_parse = parser(json.JSONDecoder())

LARGE = 16 * 2**10
"""Bytes from which the text of a value is remembered."""
MAX_REMEMBERED = 8

_remembered: dict[int, tuple[Any, str]] = {}
"""The large values encoded last, by `id`: the value, which must not change, and its text."""


def to_json(value: Any) -> str:
    """Compact, pure ASCII, and refusing (`ValueError`) NaN and infinities, which JSON does not have."""
    if _remembered and (text := _with_remembered(value)) is not None:
        return text
    if type(value) is str:  # most values are
        return encode_basestring_ascii(value)
    try:
        return _encode(value)
    except (RecursionError, ValueError):  # a value from before there were limits, or one that is no JSON
        return deep.encode(value)


def value_json(value: Any) -> str:
    """As `to_json`, for the value of an entry: whatever holds this very object will be encoded quicker."""
    text = to_json(value)
    if len(text) >= LARGE and id(value) not in _remembered:
        if len(_remembered) >= MAX_REMEMBERED:
            _remembered.clear()
        _remembered[id(value)] = (value, text)
    return text


def forget() -> None:
    """What a turn of the node encoded is not needed in the next one, and looking for it would cost every write."""
    _remembered.clear()


def _with_remembered(value: Any) -> str | None:
    """None where nothing in it is remembered."""
    known = _remembered.get(id(value))
    if known is not None:
        return known[1]
    kind = type(value)
    if kind is dict and any(map(_holds_remembered, value.values())):
        members = (f"{encode_basestring_ascii(name)}:{to_json(item)}" for name, item in value.items())
        return f"{{{','.join(members)}}}"
    if isinstance(value, tuple) and _holds_remembered(value):
        return f"[{','.join(map(to_json, value))}]"
    return None


def _holds_remembered(item: Any) -> bool:
    """Whether this is a remembered value, or a tuple (an entry, a row of entries) that has one in it."""
    return any(map(_holds_remembered, item)) if isinstance(item, tuple) else id(item) in _remembered


def from_json(text: str) -> Any:
    """Raises `ValueError` for what is no JSON."""
    try:
        return _parse(text)
    except json.JSONDecodeError:
        raise
    except (RecursionError, ValueError):  # too deep, or an integer too long, for the parser of this Python
        return deep.parse(text)
