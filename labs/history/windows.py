"""Pieces of a history, each of which can be judged by itself.

Law of this module: a piece asks for less than the whole. If a window admits no linearization, neither does any
history that contains it.
"""

from __future__ import annotations

import sys
from bisect import bisect_left, bisect_right
from dataclasses import replace

from labs.cluster.base import Outcome
from labs.history.models import Model, ModelState
from labs.history.operations import History, Operation
from labs.history.search import GaveUp, find_order

_WIDTH = 64
"""How many events the windows have in which a long search looks for a contradiction."""

_NEVER = sys.maxsize


def _search_limit(events: int) -> int:
    """How many steps a search may take before it counts as long. One that goes well takes one for two events."""
    return 1000 + 2 * events


class Timeline:
    """The calls and returns of operations on one key, numbered by time.

    The window from event `first` to event `last` holds

    * the operations that were called and returned inside it, as they are;
    * the writes that were running at one of its edges, with outcome unknown: they may have taken effect inside;
    * no other: a read that reaches across an edge says nothing for sure about the inside.

    Its start state is the model's initial one if it begins with event 0; if not, `anything`.
    """

    def __init__(self, operations: History, model: Model) -> None:
        self.model = model
        relevant = (op for op in operations if op.ok or op.may_have_written)
        self.operations = sorted(relevant, key=lambda op: op.invoked)
        moments = [(op.invoked, False, number) for number, op in enumerate(self.operations)]
        for number, op in enumerate(self.operations):
            if op.ok and op.completed is not None:
                moments.append((op.completed, True, number))
        # A call sorts before a return of the same moment: equal moments overlap.
        moments.sort()
        self.events = [(number, is_return) for _, is_return, number in moments]
        self._calls = [0] * len(self.operations)
        self._returns = [_NEVER] * len(self.operations)
        for place, (number, is_return) in enumerate(self.events):
            (self._returns if is_return else self._calls)[number] = place
        self._open = [number for number, end in enumerate(self._returns) if end == _NEVER]
        spans = (end - call for call, end in zip(self._calls, self._returns, strict=True) if end != _NEVER)
        self._longest = max(spans, default=0)

    @property
    def end(self) -> int:
        """The last event."""
        return len(self.events) - 1

    def returns(self, first: int, last: int) -> list[int]:
        """The events from `first` to `last` that are returns."""
        return [place for place in range(first, last + 1) if self.events[place][1]]

    def inside(self, first: int, last: int) -> list[Operation]:
        """The operations that lie in the window as a whole, by invocation."""
        called = range(bisect_left(self._calls, first), bisect_right(self._calls, last))
        return [self.operations[number] for number in called if self._returns[number] <= last]

    def across(self, first: int, last: int) -> list[Operation]:
        """The writes that reach across an edge of the window, as they were."""
        # What was called before the longest operation could have been has returned.
        called = range(bisect_left(self._calls, first - self._longest), bisect_right(self._calls, last))
        numbers = {number for number in called if first < self._returns[number]}
        numbers.update(number for number in self._open if self._calls[number] <= last)
        reaching = (n for n in sorted(numbers) if self._calls[n] < first or self._returns[n] > last)
        return [self.operations[number] for number in reaching if self.operations[number].may_have_written]

    def piece(self, first: int, last: int) -> list[Operation]:
        """The window as a history of its own."""
        cut = [replace(op, outcome=Outcome.UNKNOWN, completed=None) for op in self.across(first, last)]
        return self.inside(first, last) + cut

    def start(self, first: int) -> ModelState:
        return self.model.anything if first else self.model.initial

    def order(self, first: int, last: int, limit: int | None = None) -> list[Operation] | None:
        """A linearization of the window, or None if there is none. Raises `GaveUp` after `limit` steps."""
        return find_order(self.piece(first, last), self.model, self.start(first), limit)

    def contradicts(self, first: int, last: int) -> bool:
        """Whether the window admits no linearization."""
        return self.contradiction(first, last) is not None

    def contradiction(self, first: int, last: int) -> tuple[int, int] | None:
        """The window, or a smaller one in it, if it admits no linearization; None if it does admit one.

        A violation mostly shows in a few operations, and a search over a long history that holds one tries
        everything that could have gone before. So when the search would get long, small windows are tried before it
        goes on; the last one at once, because who looks for the end of the first violation asks about windows that
        end just behind it.
        """
        tail = last - _WIDTH
        if tail > first + _WIDTH and self._surely_contradicts(tail, last):
            return tail, last
        try:
            failed = self.order(first, last, limit=_search_limit(last - first)) is None
        except GaveUp:
            for at in range(first + 1, tail, _WIDTH // 2):
                if self._surely_contradicts(at, at + _WIDTH):
                    return at, at + _WIDTH
            failed = self.order(first, last) is None
        return (first, last) if failed else None

    def _surely_contradicts(self, first: int, last: int) -> bool:
        try:
            return self.order(first, last, limit=_search_limit(10 * _WIDTH)) is None
        except GaveUp:
            return False
