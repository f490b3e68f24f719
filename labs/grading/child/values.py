"""Plain values as JSON, between the grader and the student's process.

Law of this module: exact types only. A subclass of `int` can lie about its size and an object with its own `__eq__`
equals everything, so neither crosses: what arrives is built here, of Python's own types, from text. The grader calls
`decode` on what a student's process says, and `decode` trusts nothing about it.

JSON has lists, strings, numbers and objects with string keys. The rest travels marked: `{"$": kind, "v": content}`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from math import isfinite
from typing import Any

MAX_DEPTH = 24
MAX_INT = 2**63
MAX_HASHED = 1000
"""Items of a set, or keys that are no texts: numbers can be chosen so that all of them collide, which takes the square
of their number."""
MARK = "$"


class BadValue(ValueError):
    """Something that is no plain value; the message says what."""


@dataclass(frozen=True)
class RecordValue:
    """A dataclass or named tuple as it looks from outside the process that made it."""

    type_name: str
    fields: dict[str, Any]

    def get(self, name: str, default: Any = None) -> Any:
        return self.fields.get(name, default)


@dataclass(frozen=True)
class Symbol:
    """A member of an `Enum`, likewise."""

    type_name: str
    name: str


# --------------------------------------------------------------------------------------------------------
# Out


def encode(value: Any, depth: int = 0) -> Any:
    """`value` as what `json` can write. Raises `BadValue`."""
    if depth > MAX_DEPTH:
        raise BadValue(f"nested more than {MAX_DEPTH} levels deep")
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return _scalar(value)
    if kind is list:
        return [encode(item, depth + 1) for item in value]
    if kind is tuple:
        return _marked("tuple", [encode(item, depth + 1) for item in value])
    if kind in (set, frozenset):
        # In the order of their text, so that the answer does not depend on the order of hashes.
        return _marked("set", sorted((encode(item, depth + 1) for item in value), key=repr))
    if kind is dict:
        return _encode_dict(value, depth)
    return _encode_object(value, depth)


def _encode_dict(value: dict[Any, Any], depth: int) -> Any:
    if all(type(key) is str for key in value) and MARK not in value:
        return {key: encode(item, depth + 1) for key, item in value.items()}
    return _marked("dict", [[encode(key, depth + 1), encode(item, depth + 1)] for key, item in value.items()])


def _encode_object(value: Any, depth: int) -> Any:
    kind = type(value)
    if isinstance(value, Enum):
        return _marked("symbol", [kind.__name__, value.name])
    if is_dataclass(kind):
        names = [field.name for field in fields(kind)]
    elif issubclass(kind, tuple) and hasattr(kind, "_fields"):
        names = list(kind._fields)
    else:
        raise BadValue(
            f"{_article(kind.__name__)} object is no plain value: "
            "use None, bool, int, float, str, tuple, list, set, dict, or a dataclass of these"
        )
    return _marked("record", [kind.__name__, {name: encode(getattr(value, name), depth + 1) for name in names}])


def _marked(kind: str, content: Any) -> dict[str, Any]:
    return {MARK: kind, "v": content}


def _article(noun: str) -> str:
    return f"an {noun}" if noun[:1].lower() in "aeiou" else f"a {noun}"


# --------------------------------------------------------------------------------------------------------
# In


def decode(data: Any, depth: int = 0) -> Any:
    """The value that `encode` wrote. Raises `BadValue` for anything else."""
    if depth > 3 * MAX_DEPTH:  # a mark and its content take up to three levels of JSON for one of the value's
        raise BadValue(f"nested more than {MAX_DEPTH} levels deep")
    kind = type(data)
    if kind is list:
        return [decode(item, depth + 1) for item in data]
    if kind is not dict:
        return _scalar(data)
    if MARK not in data:
        return {_text(key): decode(item, depth + 1) for key, item in data.items()}
    reader = _READERS.get(_text(data[MARK]))
    if reader is None or data.keys() != {MARK, "v"}:
        raise BadValue("not a value that this protocol knows")
    return reader(data["v"], depth + 1)


def check_json(value: Any, depth: int = 0) -> Any:
    """`value` itself, if it is JSON within the same bounds. Raises `BadValue`."""
    if depth > MAX_DEPTH:
        raise BadValue(f"nested more than {MAX_DEPTH} levels deep")
    if type(value) is list:
        for item in value:
            check_json(item, depth + 1)
        return value
    if type(value) is dict:
        for key, item in value.items():
            _text(key)
            check_json(item, depth + 1)
        return value
    return _scalar(value)


def _scalar(value: Any) -> Any:
    kind = type(value)
    if value is None or kind in (bool, str):
        return value
    if kind is int:
        if not -MAX_INT <= value < MAX_INT:
            raise BadValue("an integer of more than 64 bits")
        return value
    if kind is float:
        if not isfinite(value):
            raise BadValue("NaN or an infinite number")
        return value
    raise BadValue(f"{_article(kind.__name__)} is no plain value")


def _list(data: Any) -> list[Any]:
    if type(data) is not list:
        raise BadValue("expected a list")
    return data


def _text(data: Any) -> str:
    if type(data) is not str:
        raise BadValue("expected a string")
    return data


def _pair(data: Any) -> tuple[Any, Any]:
    if len(_list(data)) != 2:
        raise BadValue("expected a pair")
    return data[0], data[1]


def _hashable(value: Any) -> Any:
    try:
        hash(value)
    except TypeError:
        raise BadValue(f"{_article(type(value).__name__)} cannot be in a set or be a key") from None
    return value


def _few(items: list[Any]) -> list[Any]:
    if len(items) > MAX_HASHED:
        raise BadValue(f"a set of more than {MAX_HASHED:,} items, or a dict with as many keys that are no texts")
    return items


def _read_tuple(data: Any, depth: int) -> tuple[Any, ...]:
    return tuple([decode(item, depth) for item in _list(data)])


def _read_set(data: Any, depth: int) -> frozenset[Any]:
    return frozenset([_hashable(decode(item, depth)) for item in _few(_list(data))])


def _read_dict(data: Any, depth: int) -> dict[Any, Any]:
    pairs = [_pair(item) for item in _few(_list(data))]
    return {_hashable(decode(key, depth + 1)): decode(item, depth + 1) for key, item in pairs}


def _read_record(data: Any, depth: int) -> RecordValue:
    name, content = _pair(data)
    if type(content) is not dict:
        raise BadValue("expected a record's fields")
    return RecordValue(_text(name), {_text(key): decode(item, depth + 1) for key, item in content.items()})


def _read_symbol(data: Any, depth: int) -> Symbol:
    kind, name = _pair(data)
    return Symbol(_text(kind), _text(name))


_READERS: dict[str, Callable[[Any, int], Any]] = {
    "tuple": _read_tuple,
    "set": _read_set,
    "dict": _read_dict,
    "record": _read_record,
    "symbol": _read_symbol,
}
