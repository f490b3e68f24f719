"""Rules about what clients read: linearizability, as far as a single key's acknowledged writes show it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from labs.rules.evidence import Finding, TraceView, in_the_end, proven
from labs.simulation.hosts import ClientCall
from labs.trace.events import Event
from replstore.core.contract import Delete, Done, LinearizableGet, Value
from replstore.core.messages import Entry


def stale_read(evidence: TraceView) -> Iterable[Finding]:
    """What was acknowledged before a linearizable read began, the read sees: this write, or a later one of its key."""
    if evidence.run is None or evidence.mode == "async":
        return  # in `async` an acknowledged write can be lost, and then no read sees it
    for read in evidence.run.calls:
        if not isinstance(read.command, LinearizableGet) or not isinstance(read.result, Value):
            continue
        write = _newest_before(read, evidence.run.calls)
        if write is None or _sees(read.result.entry, write, evidence.run.calls):
            continue
        seen = read.result.entry
        what = f"{_told(seen)} (entry {seen.index} of term {seen.term})" if seen else "that the key is absent"
        entry = _entry(write)
        text = (
            f"{write.node} acknowledged {_told(entry)} (entry {entry.index} of term {entry.term}) at"
            f" {write.answered:.3f} s; a linearizable read that began at {read.asked:.3f} s was told by {read.node}"
            f" {what}"
        )
        proof = _replies(evidence.events, write, read)
        yield proven(text, *proof) if len(proof) == 2 else in_the_end(evidence, text, write.node, read.node)


def _newest_before(read: ClientCall, calls: Iterable[ClientCall]) -> ClientCall | None:
    """Of the writes to the read's key that were acknowledged before it began, the last one in the log."""
    done = [c for c in calls if isinstance(c.result, Done) and c.command.key == read.command.key]
    return max((c for c in done if c.answered <= read.asked), key=lambda call: _entry(call).index, default=None)


def _entry(write: ClientCall) -> Entry:
    assert isinstance(write.result, Done)
    return write.result.entry


def _sees(seen: Entry | None, write: ClientCall, calls: Iterable[ClientCall]) -> bool:
    entry = _entry(write)
    if seen is not None:
        return seen.id == entry.id or seen.index > entry.index
    # A delete whose outcome is not known may have come later.
    return any(isinstance(c.command, Delete) and c.command.key == entry.key for c in calls)


def _told(entry: Entry) -> str:
    return f"the deletion of {entry.key}" if entry.op == "delete" else f"{entry.key}={entry.value!r}"


def _replies(events: Sequence[Event], *calls: ClientCall) -> list[Event]:
    """The nodes' answers to these calls."""
    ids = [f"client:{call.number}" for call in calls]
    found = {event.id: event for event in events if event.event == "reply"}
    return [found[id] for id in ids if id in found]
