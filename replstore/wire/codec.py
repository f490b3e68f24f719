"""Messages and records as JSON text, and back.

Law of this module: what comes back equals what went in, or `CodecError` is raised. Text from a peer is checked
field by field before anything is built from it. JSON has no tuples, so they are marked on the way out and restored on
the way in; the simulator uses this very codec, so a value that would not survive the wire does not survive there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints

from replstore.core.contract import Append, Install, Record, State
from replstore.core.messages import Entry, EntryId, Message
from replstore.json_text import from_json, to_json


class CodecError(ValueError):
    """The text is not what this codec writes; the message says what is wrong with it."""


OPS = frozenset(("put", "delete", "noop"))


# --------------------------------------------------------------------------------------------------------
# Messages


def encode_message(message: Message) -> str:
    """Raises `CodecError` for a message that holds something JSON cannot carry."""
    cls = type(message)
    return _dump({"type": cls.wire_name}, message, cls)


def wire_name_in(text: str) -> str | None:
    """The type of the message that `encode_message` wrote, without reading the rest; None for text that it did not."""
    begin = '{"type":"'
    end = text.find('"', len(begin))
    return text[len(begin) : end] if text.startswith(begin) and end > 0 else None


def decode_message(text: str) -> Message:
    """Raises `CodecError` for an unknown type, a missing field, or a field of the wrong type."""
    known = _recent.get(text)
    if known is not None and Message.registry.get(known.wire_name) is type(known):
        return known
    message = build_message(_load(text))
    if is_flat(type(message)):
        if len(_recent) >= 64:
            _recent.clear()
        _recent[text] = message
    return message


_recent: dict[str, Message] = {}


def is_flat(cls: type[Message]) -> bool:
    """Whether nothing in such a message can ever change, so that one object can stand for all equal ones."""
    flat = _flat.get(cls)
    if flat is None:
        frozen = is_dataclass(cls) and cls.__dataclass_params__.frozen
        simple = {_CODECS[kind] for kind in (int, bool, str, EntryId)}
        flat = _flat[cls] = frozen and all((pack, unpack) in simple for _, pack, unpack in _shape(cls))
    return flat


_flat: dict[type[Message], bool] = {}


def build_message(data: Any) -> Message:
    """As `decode_message`, from JSON that is parsed already. Fields that the type does not have are ignored."""
    if type(data) is not dict:
        raise CodecError(f"a message is a JSON object, not {_kind(data)}")
    name = data.get("type")
    cls = Message.registry.get(name) if type(name) is str else None
    if cls is None:
        raise CodecError(f"unknown message type {name!r}")
    return _build(cls, data)  # type: ignore[no-any-return]


def _build(cls: type, data: dict[str, Any]) -> Any:
    values = {}
    for name, _, unpack in _shape(cls):
        if name not in data:
            raise CodecError(f"{cls.__name__} lacks its field {name!r}")
        try:
            values[name] = unpack(data[name])
        except (CodecError, RecursionError) as error:
            raise CodecError(f"{cls.__name__}.{name}: {error}") from None
    return cls(**values)


# --------------------------------------------------------------------------------------------------------
# Records

_RECORDS: dict[str, type] = {"state": State, "append": Append, "install": Install}
_RECORD_NAMES = {cls: name for name, cls in _RECORDS.items()}


def encode_record(record: Record) -> str:
    cls = type(record)
    return _dump({"record": _RECORD_NAMES[cls]}, record, cls)


def decode_record(text: str) -> Record:
    """Raises `CodecError`."""
    data = _load(text)
    name = data.get("record") if type(data) is dict else None
    cls = _RECORDS.get(name) if type(name) is str else None
    if cls is None:
        raise CodecError("not a journal record")
    if cls is State:
        data.setdefault("recovering", False)  # 0.1.0 did not know of it
    return _build(cls, data)  # type: ignore[no-any-return]


def decode_records(texts: list[bytes], join: bool = True) -> list[Record]:
    """Many records at once, in a fraction of the time. Only for text that a checksum has proved to be what
    `encode_record` wrote: the entries in it are not looked at one by one. `join`: appends that continue one another
    come as one, which says the same. Raises `CodecError`."""
    records: list[Record] = []
    run: list[Any] = []
    commit = 0
    try:
        for data in _load(f"[{b','.join(texts).decode('ascii')}]"):
            if data["record"] != "append":
                records += _append(run, commit)
                records.append(decode_record(to_json(data)))
                run = []
                continue
            entries = data["entries"]
            if join and run and entries and entries[0][0] == run[-1][0] + 1:
                run += entries
            else:
                records += _append(run, commit)
                run, commit = entries, 0
                if not entries:
                    records.append(Append((), data["commit"]))
            if data["commit"] > commit:
                commit = data["commit"]
        return records + _append(run, commit)
    except (KeyError, TypeError, IndexError) as error:
        raise CodecError(f"not a journal record: {type(error).__name__}: {error}") from None


def _append(entries: list[Any], commit: int) -> list[Record]:
    make = tuple.__new__  # what `Entry(…)` does, in half the time
    return [Append(tuple([make(Entry, entry) for entry in entries]), commit)] if entries else []


def _dump(data: dict[str, Any], source: Message | Record, cls: type) -> str:
    try:
        for name, pack, _ in _shape(cls):
            value = getattr(source, name)
            data[name] = pack(value) if pack else value
        return to_json(data)
    except CodecError:
        raise
    except (TypeError, ValueError, RecursionError) as error:
        raise CodecError(f"{cls.__name__} holds something that JSON cannot carry: {error}") from None


def _load(text: str) -> Any:
    try:
        return from_json(text)
    except ValueError as error:
        raise CodecError(f"not JSON: {error}") from None


# --------------------------------------------------------------------------------------------------------
# Fields: how each is packed (None: JSON carries it as it is) and unpacked

Pack = Callable[[Any], Any]
Shape = tuple[tuple[str, Pack | None, Pack], ...]


_shapes: dict[type, Shape] = {}


def _shape(cls: type) -> Shape:
    shape = _shapes.get(cls)
    if shape is None:
        shape = _shapes[cls] = _find_shape(cls)
    return shape


def _find_shape(cls: type) -> Shape:
    if not is_dataclass(cls):
        raise CodecError(
            f"{cls.__name__} derives from Message but is no dataclass: put @dataclass(frozen=True) above it"
        )
    try:
        hints = get_type_hints(cls)
    except NameError:  # a name that only its author's notebook knows: then the fields go unchecked
        hints = {}
    return tuple((f.name, *_field_codec(hints.get(f.name))) for f in fields(cls))


def _field_codec(hint: Any) -> tuple[Pack | None, Pack]:
    return _CODECS.get(hint, (pack, unpack))


def pack(value: Any) -> Any:
    """Tuples become `{"tuple": [...]}`; a dict that looks like such a mark is itself marked."""
    kind = type(value)
    if kind is tuple:
        return {"tuple": [pack(item) for item in value]}
    if kind is list:
        return [pack(item) for item in value]
    if kind is dict:
        if not all(type(key) is str for key in value):
            raise CodecError("a dict with keys that are no strings does not survive JSON")
        packed = {key: pack(item) for key, item in value.items()}
        return {"dict": packed} if value.keys() in ({"tuple"}, {"dict"}) else packed
    if value is None or kind in (bool, int, float, str):
        return value
    raise CodecError(f"a {kind.__name__} does not survive JSON: use None, bool, int, float, str, tuple, list or dict")


def unpack(value: Any) -> Any:
    if type(value) is list:
        return [unpack(item) for item in value]
    if type(value) is dict:
        if value.keys() == {"tuple"} and type(value["tuple"]) is list:
            return tuple(unpack(item) for item in value["tuple"])
        inner = value["dict"] if value.keys() == {"dict"} else value
        if type(inner) is not dict:
            raise CodecError(f"expected a dict, got {_kind(inner)}")
        return {key: unpack(item) for key, item in inner.items()}
    return value


def _exactly(kind: type) -> Pack:
    def check(value: Any) -> Any:
        # `type is`, not isinstance: True is no term.
        if type(value) is not kind:
            raise CodecError(f"expected {kind.__name__}, got {_kind(value)}")
        return value

    return check


def _entry_id(value: Any) -> EntryId:
    if type(value) is list and len(value) == 3:
        index, term, leader = value
        if type(index) is type(term) is int and type(leader) is str:
            return EntryId(index, term, leader)
    raise CodecError("expected [index, term, leader]")


def _entries(value: Any) -> tuple[Entry, ...]:
    if type(value) is not list:
        raise CodecError(f"expected a list of entries, got {_kind(value)}")
    return tuple([_entry(item) for item in value])


def _entry(value: Any) -> Entry:
    if type(value) is list and len(value) == 6:
        index, term, leader, op, key, _ = value
        if type(index) is type(term) is int and type(leader) is type(op) is type(key) is str and op in OPS:
            return Entry(*value)
    raise CodecError("expected [index, term, leader, op, key, value]")


def _kind(value: Any) -> str:
    return type(value).__name__


# Entries and their ids are named tuples, which the JSON encoder writes as lists: nothing to pack.
_CODECS: dict[Any, tuple[Pack | None, Pack]] = {
    int: (None, _exactly(int)),
    bool: (None, _exactly(bool)),
    str: (None, _exactly(str)),
    EntryId: (None, _entry_id),
    tuple[Entry, ...]: (None, _entries),
}
