"""A strategy's own state as a value that can be compared, kept in a set, and put back into a strategy.

Law of this module: two states that can only behave alike should come out equal. Times are therefore kept relative to
the node's clock, and times older than the horizon are treated as equal.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from enum import Enum
from random import Random
from types import FunctionType, MethodType
from typing import Any

from replstore.core.messages import EntryId, Message

EPOCH = 1_000_000.0
"""What a node's clock shows whenever its state is put back. So large that times can be told from durations."""

StateSnapshot = Hashable


class CannotSnapshot(TypeError):
    """The strategy keeps something that cannot be compared or copied; the message says what and where."""


class StateCodec:
    """`horizon`: seconds after which it no longer matters how long ago something was."""

    def __init__(self, horizon: float) -> None:
        self._horizon = horizon

    def snapshot(self, value: Any, now: float, where: str) -> StateSnapshot:
        """`now`: what the node's clock shows, at least `EPOCH`. `where` names the value for `CannotSnapshot`."""
        kind = type(value)
        if value is None or kind in (bool, int, str) or isinstance(value, Enum | EntryId | FunctionType | MethodType):
            return value  # type: ignore[no-any-return]
        if isinstance(value, Message):
            return _hashable(value, where)
        if kind is float:
            return ("time", max(round(value - now, 6), -self._horizon)) if value > EPOCH / 2 else ("float", value)
        if kind in (tuple, list, deque):
            return (kind, tuple(self.snapshot(item, now, where) for item in value))
        if kind in (set, frozenset):
            return (kind, frozenset(self.snapshot(item, now, where) for item in value))
        if isinstance(value, dict):
            return (dict, self._pairs(value, now, where))
        if isinstance(value, Random):
            return (Random, value.getstate())
        if hasattr(value, "__dict__"):
            return ("object", kind, self._pairs(vars(value), now, where))
        raise CannotSnapshot(f"{where} holds a {kind.__name__}, which cannot be copied and compared")

    def _pairs(self, items: dict[Any, Any], now: float, where: str) -> StateSnapshot:
        """In an order of their own, so that it does not matter in which order the keys came."""
        pairs = [(key, self.snapshot(items[key], now, f"{where}[{key!r}]")) for key in sorted(items, key=repr)]
        return _hashable(tuple(pairs), where)

    def restore(self, snapshot: Any) -> Any:
        """A value of its own, as of `EPOCH`."""
        if type(snapshot) is not tuple:
            return snapshot
        match snapshot:
            case ("time", float(since)):
                return EPOCH + since
            case ("float", number):
                return number
            case ("object", cls, pairs):
                copy = cls.__new__(cls)
                copy.__dict__.update(self._restored_pairs(pairs))
                return copy
            case (kind, state) if kind is Random:
                dice = Random()
                dice.setstate(state)
                return dice
            case (kind, pairs) if kind is dict:
                return self._restored_pairs(pairs)
            case (kind, items):
                return kind(self.restore(item) for item in items)

    def _restored_pairs(self, pairs: Any) -> dict[Any, Any]:
        return {key: self.restore(value) for key, value in pairs}


def _hashable(value: Any, where: str) -> StateSnapshot:
    try:
        hash(value)
    except TypeError as error:
        raise CannotSnapshot(f"{where}: {error}") from None
    return value  # type: ignore[no-any-return]
