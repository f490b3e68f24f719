"""Which write a read saw, and which write came before which: what sessions, staleness and lost writes build on.

Law of this module: it says only what is certain. A value written twice leaves several possible sources, two
concurrent writes have no known order, and whoever judges must then find *every* possibility wrong before accusing
anybody.

The order of two writes is that of their places `(term, index)` in the log, where both answers told them. A log's
terms never go down and its indexes go up; so a copy whose latest write of a key has place p cannot hold a write of
that key with a place above p. Where a place is missing, the write that was acknowledged before the other was asked
for came first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from labs.history.operations import History, Operation, canonical

Version = Operation | None
"""The write that made it; None: what was there before every write, that is nothing."""


def before(one: Version, other: Version) -> bool:
    """Whether `one` is certainly older than `other`."""
    if one is None or other is None:
        return one is None and other is not None
    if one.place and other.place:
        return one.place < other.place
    return one.ok and one.completed is not None and one.completed < other.invoked


def all_before(versions: Iterable[Version], other: Version) -> bool:
    """Whether there are any, and each is certainly older than `other`."""
    listed = list(versions)
    return bool(listed) and all(before(version, other) for version in listed)


class Sources:
    """The writes of a history, by what they left behind."""

    def __init__(self, operations: History) -> None:
        self._writes: dict[tuple[str, str | None], list[Version]] = defaultdict(list)
        self._acknowledged: dict[str, list[Operation]] = defaultdict(list)
        self._opaque: set[str] = set()
        for op in sorted(operations, key=lambda op: op.invoked):
            if op.kind == "append":
                self._opaque.add(op.key)
            elif op.may_have_written:
                self._writes[op.key, _content(op.written, op.kind != "delete")].append(op)
                if op.ok:
                    self._acknowledged[op.key].append(op)

    def acknowledged(self, key: str) -> list[Operation]:
        """The writes of `key` whose success was confirmed, by invocation."""
        return self._acknowledged.get(key, [])

    def of(self, key: str, value: Any, found: bool, seen_at: float | None = None) -> list[Version]:
        """The versions of `key` that someone who found this (by `seen_at`) may have seen; empty: nobody wrote it.

        Empty too for a key with appends, whose values are made by more than one write.
        """
        if key in self._opaque:
            return []
        made = self._writes.get((key, _content(value, found)), [])
        sources = [op for op in made if seen_at is None or op is None or op.invoked <= seen_at]
        return sources if found else [None, *sources]

    def of_read(self, read: Operation) -> list[Version]:
        """As `of`, for a `get`; empty where it was not answered."""
        if not read.ok:
            return []
        ways = (True, False) if read.says_nothing else (read.found is not False,)
        return [version for found in ways for version in self.of(read.key, read.result, found, read.completed)]


def _content(value: Any, found: bool) -> str | None:
    return canonical(value) if found else None
