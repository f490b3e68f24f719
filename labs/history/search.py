"""The search for a linearization: an order of the operations, each at one moment between its invocation and its
completion, in which every one has the result that it had.

Law of this module: it decides, exactly, for one object (one key) and one model; it explains nothing.

The algorithm is Wing and Gong's (1993) with Lowe's memoization (2017), as porcupine has it. All calls and returns
stand in a linked list by time. Whatever is called before the first return in the list may come next in the order:
place it, unlink its two entries, go on; at a dead end take back the last one. What was placed (a bit set) and the
state reached are remembered, because the same two always lead to the same end, whichever way they were come by.

Four observations keep the tree small; each loses no answer.

1. An operation of *unknown* outcome has no return in the list: it may be placed at any time after its call, or
   never. If there is an order at all, there is one that uses as few of these as possible. In that one, none of them
   leaves the state as it is; none is followed by an operation that would have led to the same state without it;
   equal ones are used oldest first; and if a search with some of them used has failed, so does one with these and
   more used.
2. A read that fits the present state can be placed at once: wherever an order has it later, it may be moved here.
3. What is *due* (returns first) goes first, then what makes the due operation possible. (Only a matter of luck.)
4. A model may look ahead and say that the next read has become impossible.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterator

from labs.cluster.base import Outcome
from labs.history.models import IMPOSSIBLE, Model, ModelAction, ModelState
from labs.history.operations import History, Operation

_RETURN = -1


class GaveUp(Exception):
    """The search reached its limit."""


def find_order(
    operations: History, model: Model, start: ModelState, limit: int | None = None
) -> list[Operation] | None:
    """A linearization of operations on one object from state `start`, or None if there is none.

    Operations of unknown outcome that need not have happened are not in the result; failed ones never are. Two
    moments that are equal count as overlapping. Raises `GaveUp` after trying `limit` steps.
    """
    return _Search(operations, model).run(start, limit)


class _Search:
    def __init__(self, operations: History, model: Model) -> None:
        by_call = sorted(operations, key=lambda op: op.invoked)
        required = [op for op in by_call if op.ok]
        optional = [op for op in by_call if op.outcome is Outcome.UNKNOWN and not op.is_read]
        self.operations = required + optional
        """An operation's number is its place here; required ones come first."""
        self.required = len(required)
        self.actions = model.actions(self.operations)
        self.can_become = model.can_become
        self.optional_calls = [op.invoked for op in optional]
        self.elder = _elder_twins(self.actions[self.required :])
        self.list = _Entries(required)
        self.placed = 0
        self.used = 0
        self.seen: dict[tuple[int, int, ModelState], list[int]] = {}

    def run(self, start: ModelState, limit: int | None = None) -> list[Operation] | None:
        steps = 0
        order: list[int] = []
        states = [start]
        choices = [self.choices(states, order)]
        while not self.list.empty:
            step = next(choices[-1], None)
            if step is None:
                choices.pop()
                states.pop()
                if not order:
                    return None
                self.take_back(order.pop())
                continue
            steps += 1
            if limit is not None and steps > limit:
                raise GaveUp
            number, state = step
            self.place(number)
            if self.known(state) or self.hopeless(state):
                self.take_back(number)
                continue
            order.append(number)
            states.append(state)
            choices.append(self.choices(states, order))
        return [self.operations[number] for number in order]

    # -- placing --------------------------------------------------------------------------------------

    def place(self, number: int) -> None:
        if number < self.required:
            self.list.remove(number)
            self.placed |= 1 << number
        else:
            self.used |= 1 << number - self.required

    def take_back(self, number: int) -> None:
        if number < self.required:
            self.list.restore(number)
            self.placed &= ~(1 << number)
        else:
            self.used &= ~(1 << number - self.required)

    # -- choosing -------------------------------------------------------------------------------------

    def choices(self, states: list[ModelState], order: list[int]) -> Iterator[tuple[int, ModelState]]:
        """What may come next, best first, each with the state that it leads to."""
        if self.list.empty:
            return iter(())
        state = states[-1]
        # Observation 1: after an optional operation, only what could not have done without it.
        without = states[-2] if order and order[-1] >= self.required else None
        due = self.list.due
        found: list[tuple[bool, bool, int, ModelState]] = []
        for number in self.candidates():
            _, step, read_only = self.actions[number]
            after = step(state)
            if after is IMPOSSIBLE:
                continue
            if after == state and (read_only or number >= self.required):
                if number < self.required:
                    return iter(((number, after),))  # observation 2
                continue
            if without is not None and step(without) == after:
                continue
            blocks = number != due and self.actions[due].step(after) is IMPOSSIBLE
            found.append((number != due, blocks, number, after))
        # Numbers differ, so states are never compared.
        found.sort()
        return iter([(number, after) for _, _, number, after in found])

    def candidates(self) -> Iterator[int]:
        """Everything called before the first return: nothing else can come next."""
        yield from self.list.calls_before_first_return()
        for number in range(self.callable_by(self.list.due)):
            elder = self.elder[number]
            if not self.used >> number & 1 and (elder is None or self.used >> elder & 1):
                yield self.required + number

    # -- giving up early ------------------------------------------------------------------------------

    def known(self, state: ModelState) -> bool:
        """Whether this was reached before, with the same optional operations used or fewer; and remember it."""
        # The lowest bits are all ones: only how many there are is kept, or long histories would fill the memory.
        low = (~self.placed & self.placed + 1).bit_length() - 1
        ways = self.seen.setdefault((low, self.placed >> low, state), [])
        used = self.used
        if any(way & used == way for way in ways):
            return True
        ways[:] = [way for way in ways if way & used != used]
        ways.append(used)
        return False

    def hopeless(self, state: ModelState) -> bool:
        """Whether the read that returns next can no longer have its result."""
        read = next((n for n, is_call in self.list if not is_call and self.operations[n].is_read), None)
        if read is None:
            return False
        return not self.can_become(state, self.actions[read].effect[-1], self.writes_before(read))

    def writes_before(self, read: int) -> Iterator[tuple[Hashable, ...]]:
        """The effects of what is not placed yet and could come before `read`."""
        for number, is_call in self.list:
            if number == read and not is_call:
                break
            if is_call and not self.operations[number].is_read:
                yield self.actions[number].effect
        for number in range(self.callable_by(read)):
            if not self.used >> number & 1:
                yield self.actions[self.required + number].effect

    def callable_by(self, due: int) -> int:
        """How many optional operations were called before operation `due` returned."""
        deadline = self.operations[due].completed
        assert deadline is not None
        return bisect_right(self.optional_calls, deadline)


def _elder_twins(actions: list[ModelAction]) -> list[int | None]:
    """For each optional operation the next older one with the same effect, so that they are used in order."""
    latest: dict[Hashable, int] = {}
    elders: list[int | None] = []
    for number, action in enumerate(actions):
        elders.append(latest.get(action.effect))
        latest[action.effect] = number
    return elders


class _Entries:
    """Calls and returns of operations, by time, as a doubly linked list from which any operation can be removed and
    put back in constant time (in the reverse order of removal)."""

    def __init__(self, operations: list[Operation]) -> None:
        moments: list[tuple[float, bool, int]] = []
        for number, op in enumerate(operations):
            assert op.completed is not None
            # A call sorts before a return of the same moment: intervals are closed, equal moments overlap.
            moments += [(op.invoked, False, number), (op.completed, True, number)]
        moments.sort()
        self._entries = [(number, not is_return) for _, is_return, number in moments]
        self._head = len(moments)
        self._after = [*range(1, len(moments) + 1), 0]
        self._before = [self._head, *range(len(moments))]
        self._call = [0] * len(operations)
        self._return = [0] * len(operations)
        for place, (_, is_return, number) in enumerate(moments):
            (self._return if is_return else self._call)[number] = place

    def __iter__(self) -> Iterator[tuple[int, bool]]:
        """Each entry as (operation, is it the call)."""
        place = self._after[self._head]
        while place != self._head:
            yield self._entries[place]
            place = self._after[place]

    @property
    def empty(self) -> bool:
        return bool(self._after[self._head] == self._head)

    @property
    def due(self) -> int:
        """The operation that returns first. There must be one."""
        return next(number for number, is_call in self if not is_call)

    def calls_before_first_return(self) -> Iterator[int]:
        for number, is_call in self:
            if not is_call:
                return
            yield number

    def remove(self, number: int) -> None:
        for place in (self._call[number], self._return[number]):
            before, after = self._before[place], self._after[place]
            self._after[before], self._before[after] = after, before

    def restore(self, number: int) -> None:
        for place in (self._return[number], self._call[number]):
            self._after[self._before[place]] = self._before[self._after[place]] = place
