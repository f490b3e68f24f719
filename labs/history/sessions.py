"""The four session guarantees of Terry et al. (1994), judged from what clients saw.

Law of this module: no false accusation. Each violation is certain from the history alone, given the write order of
`versions`; where that is not known (equal values, concurrent writes without places), nothing is said.

* read your writes: a read sees the client's own earlier write of that key, or a newer one
* monotonic reads: a read sees what the client's earlier read of that key saw, or something newer
* monotonic writes: a client's writes take their places in the log in the order in which it made them
* writes follow reads: a client's write takes its place after the writes whose values the client had read
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from labs.history.operations import History, Operation, by_client
from labs.history.versions import Sources, all_before

READ_YOUR_WRITES = "read your writes"
MONOTONIC_READS = "monotonic reads"
MONOTONIC_WRITES = "monotonic writes"
WRITES_FOLLOW_READS = "writes follow reads"


@dataclass(frozen=True, slots=True)
class SessionViolation:
    """`later` contradicts `earlier`; both are operations of one client."""

    guarantee: str
    earlier: Operation
    later: Operation
    sentence: str

    @property
    def client(self) -> str:
        return self.later.client


_Judge = Callable[[list[Operation], Sources], Iterator[SessionViolation]]


def check_sessions(operations: History) -> list[SessionViolation]:
    """All violations of all four guarantees, by guarantee, then client, then time."""
    return [violation for name in _JUDGES for violation in violations_of(name, operations)]


def violations_of(guarantee: str, operations: History) -> list[SessionViolation]:
    """The violations of one guarantee (one of the constants of this module)."""
    sources = Sources(operations)
    return [found for own in by_client(operations).values() for found in _JUDGES[guarantee](own, sources)]


def _read_your_writes(own: list[Operation], sources: Sources) -> Iterator[SessionViolation]:
    written: dict[str, Operation] = {}
    for op in own:
        write = written.get(op.key)
        if op.ok and op.may_have_written:
            written[op.key] = op
        elif write is not None and op.is_read and all_before(sources.of_read(op), write):
            yield _violation(READ_YOUR_WRITES, write, op, "did not see its own", "or anything newer")


def _monotonic_reads(own: list[Operation], sources: Sources) -> Iterator[SessionViolation]:
    newest: dict[str, Operation] = {}
    for op in own:
        if not (op.is_read and op.ok):
            continue
        known = newest.setdefault(op.key, op)
        if _older(op, known, sources):
            yield _violation(MONOTONIC_READS, known, op, "went back behind its own", "")
        elif _older(known, op, sources):
            newest[op.key] = op


def _older(one: Operation, other: Operation, sources: Sources) -> bool:
    """Whether read `one` saw something certainly older than read `other` did."""
    seen, seen_by_other = sources.of_read(one), sources.of_read(other)
    return bool(seen_by_other) and all(all_before(seen, version) for version in seen_by_other)


def _monotonic_writes(own: list[Operation], sources: Sources) -> Iterator[SessionViolation]:
    last: Operation | None = None
    for op in own:
        if not (op.ok and op.place):
            continue
        if last is not None and last.place and op.place < last.place:
            verb = "took a place in the log before its own earlier"
            yield _violation(MONOTONIC_WRITES, last, op, verb, _against(op.place, last.place))
        else:
            last = op


def _writes_follow_reads(own: list[Operation], sources: Sources) -> Iterator[SessionViolation]:
    read: Operation | None = None
    seen = (0, 0)
    for op in own:
        place = _place_read(op, sources)
        if place is not None and place > seen:
            read, seen = op, place
        elif read is not None and op.ok and op.place and op.place < seen:
            verb = "took a place in the log before what it had seen by"
            yield _violation(WRITES_FOLLOW_READS, read, op, verb, _against(op.place, seen))


def _place_read(op: Operation, sources: Sources) -> tuple[int, int] | None:
    """The place of the write that a read saw; of several possible ones the first; None if it is not known."""
    if not op.is_read:
        return None
    places = [version.place if version else None for version in sources.of_read(op)]
    known = [place for place in places if place is not None]
    return min(known) if known and len(known) == len(places) else None


def _against(place: tuple[int, int], other: tuple[int, int]) -> str:
    return f"({place} against {other}, as term and index)"


def _violation(guarantee: str, earlier: Operation, later: Operation, verb: str, rest: str) -> SessionViolation:
    at = f" at {later.node}" if later.node else ""
    sentence = (
        f"{guarantee}: client {later.client}'s `{later.label}` of {later.key!r}{at} {verb} `{earlier.label}`"
        f" of {earlier.key!r} {rest}"
    )
    return SessionViolation(guarantee, earlier, later, sentence.strip() + ".")


_JUDGES: dict[str, _Judge] = {
    READ_YOUR_WRITES: _read_your_writes,
    MONOTONIC_READS: _monotonic_reads,
    MONOTONIC_WRITES: _monotonic_writes,
    WRITES_FOLLOW_READS: _writes_follow_reads,
}
"""In the order in which Terry et al. list them."""
