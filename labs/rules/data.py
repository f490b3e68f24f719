"""Rules about what is written: Raft's log matching (§5.3), leader completeness and state machine safety (§5.4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from labs.rules.evidence import Finding, TraceView, in_the_end, proven
from labs.simulation.schedule import Run
from labs.trace import kinds
from labs.trace.events import Event
from replstore.core.contract import Delete, Done
from replstore.core.messages import Entry, EntryId, NodeId
from replstore.core.node import Node


def committed_changes(evidence: TraceView) -> Iterable[Finding]:
    if evidence.mode == "async":
        return  # one copy is all that `async` asks for, and one copy can be lost
    known: dict[int, Event] = {}
    for event in evidence.noted(kinds.COMMITTED):
        details = event.details
        other = known.setdefault(details["index"], event)
        if (other.details["term"], other.details["leader"]) != (details["term"], details["leader"]):
            yield proven(
                f"{other.node} committed entry {details['index']} of term {other.details['term']} by"
                f" {other.details['leader']} at {other.time:.3f} s; {event.node} committed another one of term"
                f" {details['term']} by {details['leader']} there at {event.time:.3f} s",
                other,
                event,
            )
    yield from _committed_and_gone(evidence, known)


def _committed_and_gone(evidence: TraceView, known: dict[int, Event]) -> Iterable[Finding]:
    """Nodes tell of the last entry of each commit only; in the end their logs tell of the others."""
    nodes = evidence.run.nodes if evidence.run is not None else {}
    for index, event in known.items():
        text = EntryId(index, event.details["term"], event.details["leader"])
        for name, node in nodes.items():
            held = node.log.id_at(index) if index <= node.commit.index else None
            if held is not None and held != text:
                yield proven(
                    f"{event.node} committed entry {index} of term {text.term} by {text.leader} at {event.time:.3f} s;"
                    f" in the end the one of term {held.term} by {held.leader} is committed there at {name}",
                    event,
                )
                break


def commit_goes_back(evidence: TraceView) -> Iterable[Finding]:
    """Within one life: after a crash a node commits again what it had not saved as committed."""
    if evidence.mode == "async":
        return
    reached: dict[str, Event] = {}
    for event in evidence.story:
        if event.event == "fault" and event.kind in kinds.STOPS:
            reached.pop(event.node, None)
        elif event.kind == kinds.COMMITTED:
            before = reached.get(event.node, event)
            reached[event.node] = event
            if event.details["index"] < before.details["index"]:
                yield proven(
                    f"{event.node} had committed entry {before.details['index']} at {before.time:.3f} s and went back"
                    f" to entry {event.details['index']} at {event.time:.3f} s",
                    before,
                    event,
                )


def logs_differ(evidence: TraceView) -> Iterable[Finding]:
    nodes = evidence.run.nodes if evidence.run is not None else {}
    names = sorted(nodes)
    for name in names[1:]:
        first, node = nodes[names[0]], nodes[name]
        upto = min(first.commit.index, node.commit.index)
        for index in range(max(first.log.base.index, node.log.base.index) + 1, upto + 1):
            if first.log.id_at(index) != node.log.id_at(index):
                text = f"entry {index} is {first.log.id_at(index)} at {first.id} and {node.log.id_at(index)} at {name}"
                yield in_the_end(evidence, text, first.id, name)
                break


def replicas_differ(evidence: TraceView) -> Iterable[Finding]:
    run = evidence.settled
    contents = {name: {e.key: e.value for e in node.store.items()} for name, node in run.nodes.items()} if run else {}
    first = min(contents, default="")
    for name, content in contents.items():
        keys = sorted(k for k in content.keys() | contents[first].keys() if content.get(k) != contents[first].get(k))
        if keys:
            text = f"after everything was mended {first} and {name} still differ in {', '.join(keys[:5])}"
            yield in_the_end(evidence, text, first, name)


# --------------------------------------------------------------------------------------------------------
# Lost writes


@dataclass(frozen=True)
class LostEntry:
    """`node` told a client that `entry` had taken effect; in the end no majority held it, but only `holders`."""

    node: NodeId
    entry: Entry
    holders: tuple[NodeId, ...]

    def __str__(self) -> str:
        entry = self.entry
        what = f"the deletion of {entry.key}" if entry.op == "delete" else f"{entry.key}={entry.value!r}"
        where = f"only {', '.join(self.holders)} had it" if self.holders else "no node had it"
        return f"{self.node} acknowledged {what} (entry {entry.index} of term {entry.term}), and in the end {where}"


def lost_writes(run: Run) -> list[LostEntry]:
    """The acknowledged writes that the run lost, in any mode; none of a run that a strategy's exception cut short."""
    if run.failure is not None:
        return []
    deleted = {call.command.key for call in run.calls if isinstance(call.command, Delete)}
    lost = []
    for call in run.acknowledged:
        assert isinstance(call.result, Done)
        entry = call.result.entry
        holders = tuple(name for name, node in run.nodes.items() if _holds(node, entry, entry.key in deleted))
        if 2 * len(holders) <= len(run.node_ids):
            lost.append(LostEntry(call.node, entry, holders))
    return lost


def _holds(node: Node, entry: Entry, deleted: bool) -> bool:
    """Whether the node's history has `entry`. What lies before its log is judged by the key's present value: this very
    one, or a later one."""
    if entry.index > node.log.base.index:
        return node.log.id_at(entry.index) == entry.id
    live = node.read(entry.key)
    if live is None:
        return deleted
    return live.id == entry.id or live.index > entry.index


def writes_lost(evidence: TraceView) -> Iterable[Finding]:
    if evidence.run is None or evidence.mode == "async":
        return
    for lost in lost_writes(evidence.run):
        yield in_the_end(evidence, str(lost), lost.node)


def raised(evidence: TraceView) -> Iterable[Finding]:
    if evidence.run is not None and evidence.run.failure is not None:
        yield in_the_end(evidence, evidence.run.failure)
