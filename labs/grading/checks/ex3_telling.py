"""A failed run of Exercise 3 in sentences: what happened to whom, and all that was done to the cluster.

Law of this module: read off the run's events, nothing else; the same run gives the same sentences.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from labs.rules import LostEntry, Violation, lost_writes
from labs.simulation.schedule import Run
from labs.trace import kinds
from labs.trace.events import Event
from labs.trace.prose import listed
from labs.trace.requests import outcome_of
from labs.trace.sentences import sentence_of, value_text

MOST = 34
"""Sentences about what was done; of more the last ones are told, and how many there were."""
TOLD = {
    "ok": "and is told that it is stored",
    "failed": "and is refused",
    "unknown": "and learns nothing certain",
}


def what_happened(run: Run, violations: Sequence[Violation]) -> tuple[str, float]:
    """One sentence, beginning with those whom it happened to, and when that was. A lost write comes first."""
    about_writes = any(
        violation.rule in ("acknowledged writes stay", "committed entries stay") for violation in violations
    )
    lost = lost_writes(run) if about_writes else []
    if lost:
        return _lost(run, lost[0])
    text = violations[0].text
    first = text[:1] if text.startswith("node-") else text[:1].upper()
    return f"{first}{text[1:]}.", violations[0].time


def _lost(run: Run, lost: LostEntry) -> tuple[str, float]:
    entry = lost.entry
    what = f"{entry.key} is deleted" if entry.op == "delete" else f"{entry.key} = {value_text(entry.value)} is stored"
    told = f"A client was told by {lost.node} that {what}"
    dropped = next((event for event in run.trace if _drops(event, entry.index, entry.term)), None)
    if dropped is None:
        return f"{told}, and in the end no majority has it.", run.trace[-1].time
    leader = _leader_of(run.trace, dropped)
    if leader is None:
        return f"{told}, and at {dropped.time:.2f} s {dropped.node} dropped it.", dropped.time
    name, term = leader
    text = f"{told}; {name} became leader of term {term} without it, and {dropped.node} dropped it."
    return text, dropped.time


def _drops(event: Event, index: int, term: int) -> bool:
    found = event.details
    return event.kind == kinds.WRITE_LOST and found.get("index") == index and found.get("term") == term


def _leader_of(trace: Iterable[Event], at: Event) -> tuple[str, int] | None:
    """Whom the node of `at` followed then, and in which term."""
    found = None
    for event in trace:
        if event is at:
            break
        if event.node == at.node and event.kind == kinds.FOLLOWING and event.details.get("leader"):
            found = str(event.details["leader"]), int(event.details["term"])
    return found


def deeds(run: Run, until: float) -> tuple[str, ...]:
    """All that was done to the cluster until then, by people and by clients, a sentence each, with its time."""
    replies = {event.id: event for event in run.trace if event.event == "reply"}
    done = [event for event in run.trace if event.time <= until and event.event in ("fault", "request")]
    told = []
    for (time, event, _), group in groupby(
        done, key=lambda e: (e.time, e.event, e.kind if e.event == "fault" else e.id)
    ):
        events = list(group)
        said = _fault(events) if event == "fault" else _request(events[0], replies.get(events[0].id))
        told.append(f"{time:.2f} s: {said}")
    if len(told) > MOST:
        return (f"… {len(told) - MOST} things were done before these", *told[-MOST:])
    return tuple(told)


def _fault(events: Sequence[Event]) -> str:
    """Of the same kind, at the same moment."""
    if len(events) == 1 or not all(event.node for event in events):
        return "; ".join(sentence_of(event) for event in events)
    said = sentence_of(events[0]).removeprefix(events[0].node)
    plural = " crash" if said == " crashes" else said.replace(" is ", " are ", 1)
    return f"{listed(event.node for event in events)}{plural}"


def _request(request: Event, reply: Event | None) -> str:
    key = request.details.get("key")
    what = {
        "put": f"writes {key} = {value_text(request.details.get('value'))}",
        "delete": f"deletes {key}",
    }.get(request.kind, f"reads {key}")
    told = "and gets no answer" if reply is None else TOLD.get(str(outcome_of(reply)), "and is answered")
    if request.kind == "get" and reply is not None and str(outcome_of(reply)) == "ok":
        told = "and is answered"
    where = f" at {request.node}" if request.node else ""
    return f"a client {what}{where} {told}"
