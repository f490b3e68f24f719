"""Rules about terms, votes and who may lead: Raft's election safety (§5.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from labs.rules.evidence import Finding, TraceView, proven
from labs.trace import kinds
from labs.trace.events import Event


def two_leaders(evidence: TraceView) -> Iterable[Finding]:
    first: dict[int, Event] = {}
    for event in evidence.noted(kinds.BECAME_LEADER):
        term = event.details["term"]
        other = first.setdefault(term, event)
        if other.node != event.node:
            yield proven(
                f"{other.node} became leader of term {term} at {other.time:.3f} s, and so did {event.node} at"
                f" {event.time:.3f} s",
                other,
                event,
            )


def _tells_memory(event: Event) -> bool:
    """Term and vote as they are on disk. A crash may come after they were saved and before that was noted: then only
    the recovery tells of them."""
    return event.kind == kinds.STATE or (event.kind == kinds.RECOVERED and "vote" in event.details)


def _memories(evidence: TraceView) -> Iterator[tuple[Event, Event]]:
    """What a node saved as term and vote, and what it saved next; also across a crash."""
    held: dict[str, Event] = {}
    for event in filter(_tells_memory, evidence.noted(kinds.STATE, kinds.RECOVERED)):
        before = held.get(event.node)
        held[event.node] = event
        if before is not None:
            yield before, event


def second_vote(evidence: TraceView) -> Iterable[Finding]:
    for before, after in _memories(evidence):
        old, new = before.details["vote"], after.details["vote"]
        if before.details["term"] == after.details["term"] and old is not None and old != new:
            what = "forgot it" if new is None else f"then voted for {new}"
            yield proven(
                f"{after.node} voted for {old} in term {after.details['term']} at {before.time:.3f} s and {what} at"
                f" {after.time:.3f} s",
                before,
                after,
            )


def term_goes_back(evidence: TraceView) -> Iterable[Finding]:
    for before, after in _memories(evidence):
        if after.details["term"] < before.details["term"]:
            yield proven(
                f"{after.node} was in term {before.details['term']} at {before.time:.3f} s and in term"
                f" {after.details['term']} at {after.time:.3f} s",
                before,
                after,
            )


def no_majority(evidence: TraceView) -> Iterable[Finding]:
    votes: dict[tuple[int, str], set[str]] = {}
    for event in evidence.noted(kinds.STATE, kinds.RECOVERED, kinds.BECAME_LEADER):
        term = event.details["term"]
        if _tells_memory(event):
            # (By its text: a strategy may save as its vote what cannot be a key.)
            votes.setdefault((term, repr(event.details["vote"])), set()).add(event.node)
        if event.kind != kinds.BECAME_LEADER:
            continue
        voters = votes.get((term, repr(event.node)), set())
        if len(voters) < evidence.majority:
            who = ", ".join(sorted(voters)) or "nobody"
            yield proven(
                f"{event.node} became leader of term {term} at {event.time:.3f} s, but until then only {who} had saved"
                f" a vote for it in that term; {evidence.majority} of {len(evidence.node_ids)} are a majority",
                event,
            )
