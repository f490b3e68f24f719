"""JSON with wide limits on nesting and digits: for what Python's own parser and encoder cannot take.

Law of this module: it reads and writes what the `json` module does, only slower, one step at a time instead of one
call within another. Nothing like it comes in any more (see `values`), but a journal written before there were limits
may hold it, and then it is no damage.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from json.decoder import JSONDecodeError, JSONDecoder
from json.encoder import encode_basestring_ascii
from typing import Any

_BLANK = re.compile(r"[ \t\n\r]*")
_scalar = JSONDecoder().raw_decode
"""For what is no array or object: the value at a place in a text, and where it ends."""
_END = object()

MAX_DEPTH = 20_000
"""Twice what any Python could read before there were limits: something has an end that holds itself."""


MOST_DIGITS = 10_000
"""Of an integer. Twice of what Python's own parser ever took; time grows with the square, and a peer's 16 MiB of digits
would stop the node for minutes."""


@contextmanager
def many_digits() -> Iterator[None]:
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(MOST_DIGITS)
    try:
        yield
    finally:
        sys.set_int_max_str_digits(before)


def parse(text: str) -> Any:
    """Raises `ValueError` for what is no JSON."""
    with many_digits():
        return _parse(text)


def _parse(text: str) -> Any:
    def blank(place: int) -> int:
        return _BLANK.match(text, place).end()  # type: ignore[union-attr]  # it matches the empty string, too

    open_ones: list[tuple[Any, str]] = []  # containers that are not closed yet, and the name that waits for its value
    place = blank(0)
    while True:
        # A value begins at `place`, or an array or object ends that is still empty.
        character = text[place : place + 1]
        if character == "[":
            value: Any = []
        elif character == "{":
            value = {}
        else:
            value, place = _scalar(text, place)
        if character in ("[", "{"):
            place = blank(place + 1)
            if text[place : place + 1] != ("]" if character == "[" else "}"):
                name, place = _name(text, place, blank) if character == "{" else ("", place)
                open_ones.append((value, name))
                _check(len(open_ones))
                continue
            place += 1
        # A value is complete: put it into what it belongs to, and close what ends with it.
        while True:
            place = blank(place)
            if not open_ones:
                if place != len(text):
                    raise JSONDecodeError("Extra data", text, place)
                return value
            outer, name = open_ones.pop()
            if type(outer) is list:
                outer.append(value)
            else:
                outer[name] = value
            character = text[place : place + 1]
            place += 1
            if character == ",":
                place = blank(place)
                name, place = _name(text, place, blank) if type(outer) is dict else ("", place)
                open_ones.append((outer, name))
                break
            if character != ("]" if type(outer) is list else "}"):
                raise JSONDecodeError("Expecting a comma or the end", text, place - 1)
            value = outer


def _check(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ValueError(f"JSON nested deeper than {MAX_DEPTH:,} levels, or holding itself")


def _name(text: str, place: int, blank: Callable[[int], int]) -> tuple[str, int]:
    if text[place : place + 1] != '"':
        raise JSONDecodeError("Expecting a name in double quotes", text, place)
    name, place = _scalar(text, place)
    place = blank(place)
    if text[place : place + 1] != ":":
        raise JSONDecodeError("Expecting a colon", text, place)
    return name, blank(place + 1)


def encode(value: Any) -> str:
    """Compact and pure ASCII. Raises `TypeError` or `ValueError` for what JSON does not have."""
    with many_digits():
        return "".join(_pieces(value))


def _pieces(value: Any) -> Iterator[str]:
    """Tuples are written as arrays, as the `json` module does."""
    iterators: list[tuple[Iterator[Any], str]] = [(iter((value,)), "")]
    separator = ""
    while iterators:
        iterator, end = iterators[-1]
        item: Any = next(iterator, _END)
        if item is _END:
            iterators.pop()
            separator = ","
            yield end
            continue
        yield separator
        separator = ","
        if end == "}":
            name, item = item
            if not isinstance(name, str):
                raise TypeError(f"an object's name must be a string, not {type(name).__name__}")
            yield encode_basestring_ascii(name) + ":"
        if isinstance(item, list | tuple | dict):
            closing = "}" if isinstance(item, dict) else "]"
            iterators.append((iter(item.items() if isinstance(item, dict) else item), closing))
            _check(len(iterators))
            yield "{" if isinstance(item, dict) else "["
            separator = ""
        else:
            yield _text_of(item)


def _text_of(item: Any) -> str:
    if isinstance(item, str):
        return encode_basestring_ascii(item)
    if item is None or item is True or item is False:
        return {None: "null", True: "true", False: "false"}[item]
    if isinstance(item, int):
        return int.__repr__(item)
    if isinstance(item, float) and item - item == 0:
        return float.__repr__(item)
    raise ValueError(f"JSON does not have {item!r:.40}")
