"""Jepsen's `history.edn`, as Jepsen, Knossos and Maelstrom write it for registers and key-value stores.

Law of this module: it only reads. A history is a list of events: maps, one after the other or in one vector. An event
says what a process began (`:type :invoke`) or how that ended (`:ok`, `:fail`, `:info`); the place in the list serves as
its time. `:fail` means that it did not happen; `:info`, and no end at all, that nobody knows.

`:f` is `:read`, `:write` or `:cas` (`[expected new]`). A history of several keys has every `:value` in a pair with its
key, `[key value]` (jepsen.independent, Maelstrom's lin-kv): its reads begin with `[key nil]`, where those of a single
register begin with `nil`. A register starts as nil. Processes with a name (`:nemesis`) are not clients.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeGuard

import edn_format
from edn_format import Keyword

from labs.history.jepsen import ETCD_KEY, Event, join
from labs.history.operations import HistoryError, Operation, canonical

_KINDS = {"read": "get", "write": "put", "cas": "cas"}
_TYPES = ("invoke", "ok", "fail", "info")
_TAGS = ("jepsen.history.Op", "jepsen.independent/tuple", "jepsen.independent.Tuple", "knossos.op.Op")


def load_edn(text: str) -> list[Operation]:
    """Raises `HistoryError` naming the event by its number, counted from 1."""
    events = [(number, event) for number, event in enumerate(_maps(text), start=1) if _is_clients(number, event)]
    keyed = _has_keys(event for _, event in events)
    try:
        return list(join((number, _event(number, event, keyed)) for number, event in events))
    except HistoryError as error:
        raise (error if error.line is None else _bad(error.line, str(error))) from None


# --------------------------------------------------------------------------------------------------------
# Text to maps


def _maps(text: str) -> list[Mapping[Any, Any]]:
    for tag in _TAGS:
        edn_format.add_tag(tag, lambda content: content)
    try:
        found: list[Any] = edn_format.loads_all(text)
    except (ValueError, NotImplementedError, ArithmeticError, RecursionError) as error:
        raise HistoryError(f"this is not EDN: {str(error) or type(error).__name__}") from None
    if len(found) == 1 and not isinstance(found[0], Mapping) and hasattr(found[0], "__iter__"):
        found = list(found[0])
    return found


def _is_clients(number: int, event: Any) -> bool:
    if not isinstance(event, Mapping):
        raise _bad(number, f"an event is a map such as {{:process 0, :type :invoke, …}}, not {_shown(event)}")
    process = event.get(Keyword("process"))
    if process is None:
        raise _bad(number, "it has no :process")
    return isinstance(process, int)


# --------------------------------------------------------------------------------------------------------
# Maps to events


def _has_keys(events: Iterable[Mapping[Any, Any]]) -> bool:
    """Whether values come with their key. A read that begins says so; without reads, a write does."""
    writes = False
    for event in events:
        name, value = _name(event, "f"), event.get(Keyword("value"))
        if name == "read" and _name(event, "type") == "invoke":
            return _is_list(value)
        writes = writes or (name == "write" and _is_list(value))
    return writes


def _event(number: int, event: Mapping[Any, Any], keyed: bool) -> Event:
    type_, name, value = _name(event, "type"), _name(event, "f"), event.get(Keyword("value"))
    if type_ not in _TYPES:
        raise _bad(number, f":type is one of :invoke, :ok, :fail and :info, not {_shown(event.get(Keyword('type')))}")
    if name not in _KINDS:
        what = _shown(event.get(Keyword("f")))
        raise _bad(number, f"only :read, :write and :cas can be judged here, and this is {what}")
    process, key = str(event[Keyword("process")]), ETCD_KEY
    if keyed:
        if not (_is_list(value) and len(value) == 2):
            if type_ in ("info", "fail"):
                return Event(process, type_, _KINDS[name], None, None)
            raise _bad(number, f"the other values here are pairs [key value], and this is {_shown(value)}")
        key, value = canonical(_json(number, value[0])), value[1]
    return Event(process, type_, _KINDS[name], key, _value(number, type_, name, value))


def _value(number: int, type_: str, name: str, value: Any) -> Any:
    if type_ in ("info", "fail"):
        return None  # nothing was answered
    if name == "cas" and not (_is_list(value) and len(value) == 2):
        raise _bad(number, f"the :value of a :cas is [expected new], not {_shown(value)}")
    if name == "write" and value is None:
        raise _bad(number, "a :write of nil cannot be told from a register that was never written")
    return _json(number, value)


def _json(number: int, value: Any) -> Any:
    """The value as JSON has it."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Keyword):
        return {"keyword": value.name}  # not equal to any text
    if _is_list(value):
        return [_json(number, item) for item in value]
    raise _bad(number, f"a value such as {_shown(value)} is not a register's")


def _name(event: Mapping[Any, Any], field: str) -> str | None:
    """The name of the keyword in `field`; None where there is none."""
    value = event.get(Keyword(field))
    return str(value.name) if isinstance(value, Keyword) else None


def _is_list(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, list | tuple) or type(value).__name__ == "ImmutableList"


def _shown(value: Any) -> str:
    text: str = edn_format.dumps(value) if value is not None else "nil"
    return text if len(text) <= 60 else text[:59] + "…"


def _bad(number: int, what: str) -> HistoryError:
    return HistoryError(f"event {number}: {what}")
