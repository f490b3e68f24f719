"""A strategy's own state as a value that can be compared, kept in a set, and put back into a strategy.

Law of this module: two states that can only behave alike should come out equal. Absolute times are therefore kept
relative to the node's clock, and what lies in the far past is all the same past.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from enum import Enum
from random import Random
from types import FunctionType, MethodType
from typing import Any

from replstore.messages import EntryId, Message

EPOCH = 1_000_000.0
"""What a node's clock shows whenever its state is put back. So large that times can be told from durations."""

Frozen = Hashable


class CannotFreeze(TypeError):
    """The strategy keeps something that cannot be compared or copied; the message says what and where."""


class Fridge:
    """`horizon`: seconds after which it no longer matters how long ago something was."""

    def __init__(self, horizon: float) -> None:
        self._horizon = horizon

    def freeze(self, value: Any, now: float, where: str) -> Frozen:
        """`now`: what the node's clock shows, at least `EPOCH`. `where` names the value for `CannotFreeze`."""
        kind = type(value)
        if value is None or kind in (bool, int, str) or isinstance(value, Enum | EntryId | FunctionType | MethodType):
            return value  # type: ignore[no-any-return]
        if isinstance(value, Message):
            return _hashable(value, where)
        if kind is float:
            return ("time", max(round(value - now, 6), -self._horizon)) if value > EPOCH / 2 else ("float", value)
        if kind in (tuple, list, deque):
            return (kind, tuple(self.freeze(item, now, where) for item in value))
        if kind in (set, frozenset):
            return (kind, frozenset(self.freeze(item, now, where) for item in value))
        if isinstance(value, dict):
            return (dict, self._pairs(value, now, where))
        if isinstance(value, Random):
            return (Random, value.getstate())
        if hasattr(value, "__dict__"):
            return ("object", kind, self._pairs(vars(value), now, where))
        raise CannotFreeze(f"{where} holds a {kind.__name__}, which cannot be copied and compared")

    def _pairs(self, items: dict[Any, Any], now: float, where: str) -> Frozen:
        """In an order of their own, so that it does not matter in which order the keys came."""
        pairs = [(key, self.freeze(items[key], now, f"{where}[{key!r}]")) for key in sorted(items, key=repr)]
        return _hashable(tuple(pairs), where)

    def thaw(self, frozen: Any) -> Any:
        """A value of its own, as of `EPOCH`."""
        if type(frozen) is not tuple:
            return frozen
        match frozen:
            case ("time", float(since)):
                return EPOCH + since
            case ("float", number):
                return number
            case ("object", cls, pairs):
                copy = cls.__new__(cls)
                copy.__dict__.update(self._thawed(pairs))
                return copy
            case (kind, state) if kind is Random:
                dice = Random()
                dice.setstate(state)
                return dice
            case (kind, pairs) if kind is dict:
                return self._thawed(pairs)
            case (kind, items):
                return kind(self.thaw(item) for item in items)

    def _thawed(self, pairs: Any) -> dict[Any, Any]:
        return {key: self.thaw(value) for key, value in pairs}


def _hashable(value: Any, where: str) -> Frozen:
    try:
        hash(value)
    except TypeError as error:
        raise CannotFreeze(f"{where}: {error}") from None
    return value  # type: ignore[no-any-return]
