"""How old was what a read returned?

Law of this module: it measures from the client's side and never exaggerates. A read is behind by the writes that
had been *acknowledged* before it was asked and are newer than what it returned. Where the source of a value is
ambiguous, the newest possible one counts.
"""

from __future__ import annotations

from dataclasses import dataclass

from labs.history.operations import History, Operation
from labs.history.versions import Sources, Version, before


@dataclass(frozen=True, slots=True)
class Staleness:
    """`versions`: acknowledged writes that the read missed. `seconds`: how long before the read the first of them
    had been acknowledged. Both 0 for a fresh read."""

    read: Operation
    versions: int
    seconds: float

    @property
    def fresh(self) -> bool:
        return self.versions == 0


def staleness(operations: History) -> list[Staleness]:
    """One measurement for each answered read whose value somebody wrote, by invocation."""
    sources = Sources(operations)
    reads = sorted((op for op in operations if op.is_read and op.ok), key=lambda op: op.invoked)
    return [_measure(read, seen, sources) for read in reads if (seen := sources.of_read(read))]


def _measure(read: Operation, seen: list[Version], sources: Sources) -> Staleness:
    done = [w for w in sources.acknowledged(read.key) if w.completed is not None and w.completed < read.invoked]
    missed = min(([w for w in done if before(version, w)] for version in seen), key=len)
    since = min((write.completed for write in missed if write.completed is not None), default=read.invoked)
    return Staleness(read, len(missed), read.invoked - since)
