"""Is a history linearizable, and if not, where does it show?

Law of this module: verdicts are exact. Linearizability is local (Herlihy and Wing 1990, theorem 1): a history is
linearizable if and only if the operations on each key are, so each key is judged by itself.

What is promised of a violation:

* `stuck` is the operation at whose return the first contradiction is complete: everything up to just before that
  return can be put in order (`order` is one such linearization, the longest linearizable prefix), with it no
  longer.
* `window` is the shortest stretch of the key's history that ends there and admits no linearization, *whatever the
  value was at its start*, where writes that reach in from outside may have taken effect in it or not. It is a proof
  by itself: nothing that happened before or after could excuse it. No shorter stretch inside it is one, and no
  other ends earlier. Only where the window begins with the history (nothing to be unknown about) does it rely on
  the model's initial state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from labs.history.models import TEXT, Model, model_for
from labs.history.operations import History, Operation, by_key, canonical
from labs.history.search import find_order
from labs.history.windows import Timeline


@dataclass(frozen=True, slots=True)
class LinearizabilityViolation:
    """Why one key's history is not linearizable; see the head of this module."""

    key: str
    stuck: Operation
    window: tuple[Operation, ...]
    """By invocation; `stuck` is one of them."""
    across: tuple[Operation, ...]
    """Writes that were running at an edge of the window: they may have taken effect in it, and do not help."""
    order: tuple[Operation, ...]
    """The longest linearizable prefix, as ordered: everything that had returned before `stuck` did, and more if
    needed."""
    waiting: tuple[Operation, ...]
    """What was also running at the stuck point and has no place in `order`."""
    possible: tuple[str, ...]
    """What a stuck read of a register could have been instead, as far as the window tells; empty: no telling."""
    from_start: bool
    """Whether the window begins with the key's history."""

    @property
    def sentence(self) -> str:
        stuck = self.stuck
        where = f" at {stuck.node}" if stuck.node else ""
        text = f"key {self.key!r}: `{stuck.label}` by client {stuck.client}{where} fits nowhere"
        if self.possible:
            text += f"; it could have been {' or '.join(self.possible)}"
        if self.from_start:
            return f"{text}. No order explains what clients saw from the beginning up to here."
        if len(self.window) == 1:
            return f"{text}. It is impossible by itself, whatever the value was before it."
        return f"{text}. These {len(self.window)} operations admit no order, whatever the value was before them."


@dataclass(frozen=True, slots=True)
class Verdict:
    """`violations`: one for each key that is not linearizable, in order of the keys' first use."""

    operations: int
    keys: int
    violations: tuple[LinearizabilityViolation, ...]

    @property
    def ok(self) -> bool:
        return not self.violations

    @property
    def word(self) -> str:
        return "linearizable" if self.ok else "violation"


def check(operations: History, model: Model | None = None) -> Verdict:
    """Judge a history and explain what is wrong with it. `model=None`: the one that the kinds of operations ask
    for.

    Raises `HistoryError` for an operation that the model does not have.
    """
    chosen = model or model_for(operations)
    timelines = {key: Timeline(ops, chosen) for key, ops in by_key(_telling(operations)).items()}
    violations = (explain(key, timeline) for key, timeline in timelines.items())
    return Verdict(len(operations), len(timelines), tuple(v for v in violations if v is not None))


def is_linearizable(operations: History, model: Model | None = None) -> bool:
    """The verdict alone: as `check`, without the cost of explaining."""
    chosen = model or model_for(operations)
    timelines = (Timeline(ops, chosen) for ops in by_key(_telling(operations)).values())
    return not any(timeline.contradicts(0, timeline.end) for timeline in timelines)


def _telling(operations: History) -> History:
    return [op for op in operations if not op.says_nothing]


# --------------------------------------------------------------------------------------------------------
# Finding the culprit


def explain(key: str, timeline: Timeline) -> LinearizabilityViolation | None:
    """The violation of one key, or None if its history is linearizable."""
    known = timeline.contradiction(0, timeline.end)
    if known is None:
        return None
    # A longer window asks for more, so both ends can be found by bisection. The prefix before a known window is
    # most likely in order.
    first, last = known
    returns = timeline.returns(0 if timeline.contradicts(0, first) else first, last)
    last = returns[_first_true(len(returns), lambda n: timeline.contradicts(0, returns[n]))]
    length = _first_true(last + 1, lambda n: timeline.contradicts(last - n, last))
    return _describe(key, timeline, last - length, last)


def _first_true(count: int, holds: Callable[[int], bool]) -> int:
    """The least number below `count` for which `holds` is true; it stays true from there on, and is true at the
    end.

    Doubling before bisecting: a small answer is found by looking at small numbers only.
    """
    high = 1
    while high < count and not holds(high - 1):
        high *= 2
    low, high = high // 2, min(high, count) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def _describe(key: str, timeline: Timeline, first: int, last: int) -> LinearizabilityViolation:
    stuck = timeline.operations[timeline.events[last][0]]
    window = sorted(timeline.inside(first, last), key=lambda op: op.invoked)
    order = timeline.order(0, last - 1) or []
    running = [op for op in timeline.across(0, last - 1) if op is not stuck]
    # A client does one thing at a time, so these two tell its operations apart, also where the prefix cut one
    # short.
    placed = {(op.client, op.invoked) for op in order}
    return LinearizabilityViolation(
        key=key,
        stuck=stuck,
        window=tuple(window),
        across=tuple(timeline.across(first, last)),
        order=tuple(order),
        waiting=tuple(op for op in running if (op.client, op.invoked) not in placed),
        possible=tuple(_possible(timeline, first, last, stuck)),
        from_start=first == 0,
    )


_MOST_CANDIDATES = 30
_NOBODYS_VALUE = {"a value that": "nobody wrote"}


def _possible(timeline: Timeline, first: int, last: int, stuck: Operation) -> list[str]:
    """Labels of the results with which a stuck read of a register would have fitted into the window."""
    if stuck.kind != "get" or timeline.model.name == TEXT.name:
        return []
    piece = timeline.piece(first, last)
    candidates = {(canonical(op.result), op.found): op for op in _readings(stuck, piece)}
    if len(candidates) > _MOST_CANDIDATES:
        return []

    def fits(read: Operation) -> bool:
        changed = [read if op is stuck else op for op in piece]
        return find_order(changed, timeline.model, timeline.start(first)) is not None

    if fits(replace(stuck, result=_NOBODYS_VALUE, found=True)):
        return []  # almost anything would fit: nothing to tell
    return [read.label for read in candidates.values() if fits(read)]


def _readings(read: Operation, piece: list[Operation]) -> Iterator[Operation]:
    """`read` as if it had returned each value that the piece mentions, and none."""
    yield replace(read, result=None, found=False)
    for op in piece:
        if op.kind == "get":
            yield replace(read, result=op.result, found=op.found)
        elif op.kind in ("put", "cas"):
            yield replace(read, result=op.written, found=True)
            if op.kind == "cas":
                yield replace(read, result=op.value[0], found=True)
