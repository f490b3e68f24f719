"""The nodes' logs side by side: how far behind each copy is, where two histories parted, and what stands where.

Law of this module: pure, as `model`, and it never guesses. It compares what two nodes said of their logs in one and the
same round of statuses; where one of them said nothing, or not in that round, the figure is unknown (None).

A log is known by its *runs* (see `replstore.core.log_summary`): from which index on it holds the entries of which
leadership. What a node in another language does not tell, or tells in another form, is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeGuard

Leadership = tuple[int, str]
"""Term and leader: together with its index they identify an entry."""


class Run(NamedTuple):
    """A stretch of a log that one leadership wrote, from `first` to `last`."""

    first: int
    last: int
    by: Leadership


@dataclass(frozen=True)
class LogSeen:
    """What a node told of its log at `asked` (the cluster's time)."""

    runs: tuple[Run, ...]
    last: int
    commit: int
    asked: float
    tail: tuple[tuple[int, str, str, Any], ...] = ()
    """Index, op, key and value of the last entries."""

    def by(self, index: int) -> Leadership | None:
        """Which leadership wrote the entry at `index`; None where the log has none, or remembers none."""
        return next((run.by for run in self.runs if run.first <= index <= run.last), None)


@dataclass(frozen=True)
class Comparison:
    """A copy against the leader's log. One of the two is known: `behind` is the number of entries that it lacks (0: it
    has all), `parted` the first index at which it holds something else than the leader."""

    behind: int | None = None
    parted: int | None = None


UNKNOWN = Comparison()


def log_of(raw: Mapping[str, Any], asked: float) -> LogSeen | None:
    """The log in a node's status; None where the node does not tell it."""
    told, last, commit = raw.get("log"), raw.get("last_index"), raw.get("commit_index")
    if not isinstance(told, Mapping) or not _is_index(last) or not _is_index(commit):
        return None
    starts = told.get("runs")
    if not isinstance(starts, list) or not all(_is_run(start) for start in starts):
        return None
    if not starts and last:
        return None
    ends = [start[0] - 1 for start in starts[1:]] + [last] * bool(starts)
    runs = tuple(Run(start[0], end, (start[1], start[2])) for start, end in zip(starts, ends, strict=True))
    if any(run.first > run.last for run in runs):
        return None
    tail = told.get("tail")
    entries = tuple(tuple(entry) for entry in tail if _is_entry(entry)) if isinstance(tail, list) else ()
    return LogSeen(runs, last, commit, asked, entries)


def compare(copy: LogSeen | None, leader: LogSeen | None) -> Comparison:
    """How `copy` stands to the leader's log."""
    if copy is None or leader is None or copy.asked != leader.asked:
        return UNKNOWN
    common = last_common(copy, leader)
    if common is None:
        return UNKNOWN
    if copy.last == common:
        return Comparison(behind=leader.last - common)
    # Nodes do not answer in the same instant: a copy may have received what the leader appended after it had answered.
    just_came = leader.last == common and leader.runs and copy.by(copy.last) == leader.runs[-1].by
    later = [run for run in copy.runs if run.last > common]
    if just_came and all(run.by == leader.runs[-1].by for run in later):
        return Comparison(behind=0)
    return Comparison(parted=common + 1)


def last_common(one: LogSeen, other: LogSeen) -> int | None:
    """The last index up to which two logs agree; None where they remember no index that could tell."""
    agreed = [
        min(a.last, b.last)
        for a in one.runs
        for b in other.runs
        if a.by == b.by and min(a.last, b.last) >= max(a.first, b.first)
    ]
    if agreed:
        return max(agreed)
    from_the_start = all(not log.runs or log.runs[0].first == 1 for log in (one, other))
    return 0 if from_the_start else None


def _is_index(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_run(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 3 and all(map(_is_index, value[:2])) and isinstance(value[2], str)


def _is_entry(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 4 and _is_index(value[0]) and isinstance(value[2], str)
