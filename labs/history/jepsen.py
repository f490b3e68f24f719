"""Two recorded text formats: Jepsen's log of an etcd register, and the key-value runs that come with porcupine.

Law of this module: it only reads. Both formats have a line an event; the line's number serves as its time. A
process does one thing at a time, so its completion belongs to its last invocation; one that is never completed, or
ends in `:info`, is of unknown outcome.

etcd: `INFO  jepsen.util - 3  :invoke  :cas  [3 0]`. A `:fail :cas` was compared and did not match: that is an
*answer* (result False), it says that the value was another one. Other `:fail`s, as `:timed-out`, did nothing. The
register starts as nil.

key-value: `{:process 0, :type :ok, :f :append, :key "4", :value "x 0 1 y"}`. Keys start as the empty text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from labs.cluster.base import Outcome
from labs.history.operations import HistoryError, Operation

ETCD_KEY = "register"
"""The etcd logs name no key: there is one register."""

_ETCD = re.compile(r"INFO\s+jepsen\.util\s+-\s+(\d+)\s+:(invoke|ok|fail|info)\s+:(read|write|cas)\s+(\S.*?)\s*")
_OTHER_LOG_LINE = re.compile(r"(INFO|WARN|ERROR|DEBUG)\s+(?!\s|jepsen\.util)|INFO\s+jepsen\.util\s+-\s+:nemesis\b")
_CAS = re.compile(r"\[(-?\d+) (-?\d+)\]")
_NUMBER = re.compile(r"-?\d+")
_TEXT = re.compile(
    r"\{:process (\d+), :type :(invoke|ok|fail|info), :f :(get|put|append),"
    r' :key "([^"]*)", :value (?:"([^"]*)"|nil)\}\s*'
)
_ETCD_KINDS = {"read": "get", "write": "put", "cas": "cas"}
_OUTCOMES = {"ok": Outcome.OK, "fail": Outcome.FAILED, "info": Outcome.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Event:
    """What a process began (`invoke`), or how that ended (`ok`, `fail`, `info`; its `key` may be None)."""

    process: str
    type: str
    kind: str
    key: str | None
    value: Any


def load_etcd(text: str) -> list[Operation]:
    """Raises `HistoryError` naming the line. Log lines of other components are skipped."""
    return list(join(_events(text, _etcd_event)))


def load_text(text: str) -> list[Operation]:
    """Raises `HistoryError` naming the line."""
    return list(join(_events(text, _text_event)))


# --------------------------------------------------------------------------------------------------------
# Lines to events


def _events(text: str, parse: Callable[[str], Event | None]) -> Iterator[tuple[int, Event]]:
    for number, line in enumerate(text.split("\n"), start=1):
        try:
            event = parse(line) if line.strip() else None
        except HistoryError as error:
            raise HistoryError(str(error), number) from None
        if event is not None:
            yield number, event


def _etcd_event(line: str) -> Event | None:
    match = _ETCD.fullmatch(line)
    if match is None:
        if _OTHER_LOG_LINE.match(line):
            return None
        raise HistoryError(f"not an event of a Jepsen register log: {line[:60]!r}")
    process, type_, name, value = match.groups()
    kind = _ETCD_KINDS[name]
    return Event(process, type_, kind, ETCD_KEY, _etcd_value(type_, kind, value))


def _etcd_value(type_: str, kind: str, text: str) -> Any:
    if type_ in ("info", "fail") and text.startswith(":"):
        return None  # ":timed-out" and the like: nothing was answered
    if kind == "cas":
        return _pair(text)
    if kind == "get" and text == "nil":
        return None
    if not _NUMBER.fullmatch(text):
        raise HistoryError(f"{text!r} is not a number" + (" or nil" if kind == "get" else ""))
    return int(text)


def _pair(text: str) -> list[int]:
    match = _CAS.fullmatch(text)
    if match is None:
        raise HistoryError(f"{text!r} is not a pair like [3 0]: expected and new value")
    return [int(match[1]), int(match[2])]


def _text_event(line: str) -> Event:
    match = _TEXT.fullmatch(line)
    if match is None:
        raise HistoryError(f"not an event of a key-value history: {line[:60]!r}")
    process, type_, kind, key, value = match.groups()
    if value is None and (kind != "get" or type_ == "ok"):
        raise HistoryError(f"a {kind} that is {type_} needs a text as its :value")
    return Event(process, type_, kind, key, value)


# --------------------------------------------------------------------------------------------------------
# Events to operations


def join(events: Iterable[tuple[int, Event]]) -> Iterator[Operation]:
    """Operations in order of completion, then the ones that never completed. The numbers, lines of a text or places
    in a list, serve as times, and a `HistoryError` names them."""
    running: dict[str, Operation] = {}
    for line, event in events:
        if event.type == "invoke":
            if event.process in running:
                raise HistoryError(f"process {event.process} has not completed what it invoked before", line)
            running[event.process] = _invoked(event, line)
            continue
        started = running.pop(event.process, None)
        if started is None:
            raise HistoryError(f"process {event.process} completes what it has not invoked", line)
        yield _completed(started, event, line)
    yield from running.values()


def _invoked(event: Event, line: int) -> Operation:
    value = None if event.kind == "get" else event.value
    assert event.key is not None, "what begins names its key"
    return Operation(event.process, event.kind, event.key, value, invoked=float(line))


def _completed(started: Operation, event: Event, line: int) -> Operation:
    if event.kind != started.kind or event.key not in (None, started.key):
        raise HistoryError(f"process {event.process} completes a {event.kind}, but invoked a {started.kind}", line)
    outcome = _OUTCOMES[event.type]
    if outcome is Outcome.UNKNOWN:
        return started
    if event.kind == "cas" and event.value is not None:
        # A mismatch is a certain answer about the register's value.
        matched = outcome is Outcome.OK
        return replace(started, completed=float(line), outcome=Outcome.OK, result=matched)
    ended = replace(started, completed=float(line), outcome=outcome)
    if event.kind == "get" and ended.ok:
        return replace(ended, result=event.value, found=event.value is not None)
    return ended
