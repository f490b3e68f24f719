"""Rules about terms, votes and who may lead: Raft's election safety (§5.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from labs.rules.evidence import Finding, TraceView, proven
from labs.rules.knowledge import Knowledge
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
    """Where that is claimed, the votes must have travelled, too; of that only a simulated run tells for certain, whose
    events are in the order in which they happened."""
    travel = evidence.claims.by_messages and evidence.run is not None
    votes: dict[tuple[int, str], set[str]] = {}
    knowledge = Knowledge(only_the_strategys=True)
    for event in evidence.events if travel else evidence.story:
        knowledge.apply(event)
        if event.event != "note":
            continue
        if _tells_memory(event):
            term = event.details["term"]
            # (By its text: a strategy may save as its vote what cannot be a key.)
            vote = (term, repr(event.details["vote"]))
            votes.setdefault(vote, set()).add(event.node)
            knowledge.learn(event.node, (event.node, *vote))
        elif event.kind == kinds.BECAME_LEADER:
            term, leader = event.details["term"], event.node
            voters = votes.get((term, repr(leader)), set())
            if len(voters) < evidence.majority:
                yield proven(
                    f"{_became(event)}, but until then only {_who(voters)} had saved a vote for it in that"
                    f" term; {_needed(evidence)}",
                    event,
                )
                continue
            told = {voter for voter in voters if (voter, term, repr(leader)) in knowledge.of(leader)}
            if travel and len(told) < evidence.majority:
                yield proven(
                    f"{_became(event)}. {_who(voters)} had saved a vote for it, but only of {_who(told)} could it know:"
                    f" from the others no message had come to it since; {_needed(evidence)}",
                    event,
                )


def _became(event: Event) -> str:
    return f"{event.node} became leader of term {event.details['term']} at {event.time:.3f} s"


def _who(nodes: set[str]) -> str:
    return ", ".join(sorted(nodes)) or "nobody"


def _needed(evidence: TraceView) -> str:
    return f"{evidence.majority} of {len(evidence.node_ids)} are a majority"


def follows_a_stranger(evidence: TraceView) -> Iterable[Finding]:
    """A node follows one that has stood for election, and of that a message must have told it."""
    if evidence.run is None:
        return
    knowledge = Knowledge(only_the_strategys=False)
    for event in evidence.events:
        knowledge.apply(event)
        if event.event != "note":
            continue
        stands = _tells_memory(event) and event.details["vote"] == event.node
        if stands or event.kind == kinds.BECAME_LEADER:
            knowledge.learn(event.node, event.node)
        elif event.kind == kinds.FOLLOWING and event.details["leader"] not in knowledge.of(event.node):
            leader = event.details["leader"]
            yield proven(
                f"{event.node} followed {leader} from {event.time:.3f} s on, but no message had come to it, not even by"
                f" way of others, since {leader} first asked for votes",
                event,
            )


def follows_in_another_term(evidence: TraceView) -> Iterable[Finding]:
    """A leader's messages have the term that it leads. Who follows it in a later one has taken an old message for new.

    Only of a simulated run: there, events are in the order in which they happened."""
    if evidence.run is None:
        return
    terms: dict[str, int] = {}
    for event in evidence.events:
        if _tells_memory(event) or event.kind == kinds.BECAME_LEADER:
            terms[event.node] = max(terms.get(event.node, 0), event.details["term"])
        elif event.kind == kinds.FOLLOWING:
            leader, term = event.details["leader"], event.details["term"]
            latest = terms.get(leader, 0)
            if term > latest:
                yield proven(
                    f"{event.node} followed {leader} in term {term} from {event.time:.3f} s on, but {leader} had never"
                    f" been in a term later than {latest}",
                    event,
                )
