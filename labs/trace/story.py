"""A run's story in sentences, for feedback, for captions, and for those who cannot see the picture.

Law of this module: every sentence follows from the events; times are seconds from the run's origin. An event kind that
is not known here is still told, by its name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby

from labs.trace.elections import Campaigns
from labs.trace import kinds
from labs.trace.events import Event
from labs.trace.network import WEATHER, Spell
from labs.trace.prose import Line, brief, counted, duration, listed, pairs
from labs.trace.requests import Operation
from labs.trace.roles import BIRTHS, DEATHS
from labs.trace.timeline import Run, origin_of, read

TOLD_ELSEWHERE = {
    kinds.STARTED, kinds.STATE, kinds.APPENDED, kinds.COMMITTED, kinds.FOLLOWING, kinds.RECOVERED, kinds.ELECTION_TIMEOUT, kinds.BECAME_LEADER,
    kinds.STEPPED_DOWN, kinds.WAITING_FOR, kinds.CATCHING_UP, kinds.WRITE_LOST, kinds.CONNECTED, kinds.DISCONNECTED,
}  # fmt: skip

RARE = {
    kinds.TRUNCATED: "cut its log", kinds.INSTALLED_SNAPSHOT: "replaced its store by a snapshot",
    kinds.STOPPING: "was shutting down", kinds.ELECTION_FAILED: "'s strategy raised an error",
}  # fmt: skip


def tell(
    events: Sequence[Event],
    *,
    node_ids: Sequence[str] | None = None,
    window: tuple[float, float] | None = None,
    origin: float | None = None,
    limit: int | None = None,
) -> list[str]:
    """The story, a sentence an item: `at 0.41 s node-2 heard nothing from node-1 for 400 ms and called an election …`.

    `window` and `origin` as in `spacetime_svg`. `limit`: at most so many sentences, the least important left out.
    """
    run = read(events, node_ids)
    zero = origin_of(events) if origin is None else origin
    lines = [line for line in story(run) if window is None or window[0] <= line.time - zero <= window[1]]
    return [f"at {line.time - zero:.2f} s {line.text}" for line in shortened(lines, limit)]


def shortened(lines: list[Line], limit: int | None) -> list[Line]:
    """The `limit` heaviest lines, in their order."""
    if limit is None or len(lines) <= limit:
        return lines
    heaviest = sorted(range(len(lines)), key=lambda place: (-lines[place].weight, place))[: max(0, limit)]
    return [lines[place] for place in sorted(heaviest)]


def story(run: Run) -> list[Line]:
    """All there is to tell, by time."""
    lines = [*_faults(run), *_starts(run), *Campaigns(run).lines(), *_lost_writes(run), *_other_notes(run)]
    lines += _operations(run, sorted(line.time for line in lines if line.weight >= 60))
    return sorted(lines, key=lambda line: line.time)


def summary(run: Run, zero: float) -> str:
    """The run in one sentence: who took part, what got lost, who led."""
    lost = f", {len(run.lost)} of them lost" if run.lost else ""
    first = (
        f"Space-time diagram of {counted(len(run.node_ids), 'node')} over {duration(run.end - run.start)} "
        f"with {counted(len(run.passages), 'message')}{lost}"
    )
    parts = [part for part in (_reigns(run, zero), _troubles(run)) if part]
    return f"{first}: {'; '.join(parts)}." if parts else f"{first}."


def _reigns(run: Run, zero: float) -> str:
    reigns = run.leaderships()
    told = [
        f"{s.node} leads{'' if s.term is None else f' term {s.term}'} from {s.start - zero:.2f} s" for s in reigns[:6]
    ]
    more = f" and {len(reigns) - 6} leaderships more" if len(reigns) > 6 else ""
    return ", ".join(told) + more if told else "nobody leads"


def _troubles(run: Run) -> str:
    counts = {
        kinds.PARTITION: sum(spell.kind == kinds.PARTITION for spell in run.spells),
        "crash or stop": sum(fault.kind in DEATHS for fault in run.faults),
        kinds.PAUSE: sum(fault.kind == kinds.PAUSE for fault in run.faults),
        "lost write": sum(note.kind == kinds.WRITE_LOST for note in run.notes),
    }
    plurals = {"crash or stop": "crashes or stops"}
    return ", ".join(counted(count, thing, plurals.get(thing, "")) for thing, count in counts.items() if count)


# --------------------------------------------------------------------------------------------------------
# What was done to the nodes and to the network


def _faults(run: Run) -> Iterator[Line]:
    yield from (line for spell in run.spells for line in _spell(run, spell))
    for fault in run.faults:
        if fault.kind in DEATHS:
            how = {kinds.STOP: "was stopped", kinds.KILL: "was killed"}.get(fault.kind, "crashed")
            yield Line(fault.time, 85, f"{fault.node} {how}{_office(run, fault)}")
        elif fault.kind == kinds.PAUSE:
            yield Line(fault.time, 85, f"{fault.node} was paused{_office(run, fault)}")
        elif fault.kind == kinds.RESUME:
            yield Line(fault.time, 85, f"{fault.node} was resumed, believing what it had believed before")
        elif fault.kind not in {*WEATHER, *BIRTHS}:
            yield Line(fault.time, 70, f"{fault.kind} {fault.node or 'in the network'}{pairs(fault.details)}")


def _office(run: Run, fault: Event) -> str:
    """The office that the node held just before."""
    before = [s for s in run.stretches.get(fault.node, []) if s.start < fault.time]
    return f" while it led term {before[-1].term}" if before and before[-1].role == "leader" else ""


def _spell(run: Run, spell: Spell) -> Iterator[Line]:
    if spell.kind == kinds.PARTITION:
        groups = " | ".join(", ".join(group) for group in spell.groups)
        yield Line(spell.start, 85, f"the network was cut{f' into {groups}' if groups else ''}")
        crossing = sum(spell.start <= p.sent <= spell.end and spell.parts(p.sender, p.receiver) for p in run.lost)
        toll = f", which had cost {counted(crossing, 'message')}" if crossing else ""
        if spell.end < run.end or run.faults[-1].kind == kinds.HEAL:
            yield Line(spell.end, 85, f"the cut ended after {duration(spell.end - spell.start)}{toll}")
    elif spell.kind == kinds.CUT:
        one, other = spell.details.get("from", "?"), spell.details.get("to", "?")
        yield Line(spell.start, 80, f"what {one} said began to be lost on its way to {other}: a one-way cut")
    elif spell.kind == kinds.DELAY:
        yield Line(spell.start, 70, f"replication began to be delayed{pairs(spell.details)}")
    else:
        yield Line(spell.start, 70, f"messages began to get lost{pairs(spell.details)}")


def _starts(run: Run) -> Iterator[Line]:
    """Nodes that start together in one sentence; one that had been down `came back`."""
    told_by_faults = {fault.node for fault in run.faults if fault.kind in BIRTHS}
    births = [fault for fault in run.faults if fault.kind in BIRTHS]
    births += [note for note in run.notes if note.kind == kinds.STARTED and note.node not in told_by_faults]
    died = {(fault.node, fault.time) for fault in run.faults if fault.kind in DEATHS}
    fresh: list[Event] = []
    for birth in sorted(births, key=lambda event: event.time):
        if any(node == birth.node and time <= birth.time for node, time in died):
            yield Line(birth.time, 80, f"{birth.node} came back{_memory(run, birth)}")
        else:
            fresh.append(birth)
    if fresh:
        yield Line(fresh[-1].time, 50, f"{listed(dict.fromkeys(birth.node for birth in fresh))} started")


def _memory(run: Run, birth: Event) -> str:
    later = (n for n in run.notes if n.kind == kinds.RECOVERED and n.node == birth.node and n.time >= birth.time)
    found = next(later, None)
    return f" and found in its journal:{pairs(found.details)}".replace(": (", " (") if found else ""


# --------------------------------------------------------------------------------------------------------
# What became of the data


def _lost_writes(run: Run) -> Iterator[Line]:
    """Each lost write of a few; many at once as their number."""
    promised = {(str(o.details.get("key")), str(o.details.get("value"))) for o in run.operations if o.outcome == "ok"}
    lost: dict[tuple[str, float], list[Event]] = defaultdict(list)
    for note in run.notes:
        if note.kind == kinds.WRITE_LOST:
            lost[note.node, note.time].append(note)
    for (node, time), notes in lost.items():
        if len(notes) > 3:
            yield Line(time, 95, f"{node} dropped {len(notes)} writes that it had applied: lost writes")
            continue
        for note in notes:
            yield Line(time, 95, f"{node} dropped {_write(note)}{_promise(note, promised)}")


def _write(note: Event) -> str:
    details = note.details
    value = f" = {brief(details['value'])}" if "value" in details and details.get("op", "put") == "put" else ""
    entry = f" (entry {details['index']} of term {details.get('term', '?')})" if "index" in details else ""
    return f"the {details.get('op', 'write')} {brief(details.get('key', '?'))}{value}{entry}"


def _promise(note: Event, promised: set[tuple[str, str]]) -> str:
    answered = (str(note.details.get("key")), str(note.details.get("value"))) in promised
    return ", which a client had been told was done: a lost write" if answered else ": a lost write"


def _other_notes(run: Run) -> Iterator[Line]:
    """What strategies say of their own, and rarer notes: once for each node and kind, with how often."""
    kinds: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for note in run.notes:
        if note.kind not in TOLD_ELSEWHERE:
            kinds[note.node, note.kind].append(note)
    for (node, kind), notes in kinds.items():
        often = f" ({len(notes)} times in all)" if len(notes) > 1 else ""
        weight = 88 if kind == kinds.ELECTION_FAILED else 20
        did = RARE.get(kind, f"noted “{brief(kind.replace('_', ' '))}”")
        text = f"{node} {did}{pairs(notes[0].details)}{often}".replace(" 's", "'s")
        yield Line(notes[0].time, weight, text)


def _operations(run: Run, turns: list[float]) -> Iterator[Line]:
    """Requests between one turn of the story and the next, summed up by their outcome."""

    def chapter(operation: Operation) -> int:
        return sum(turn <= operation.start for turn in turns)

    for _, members in groupby(run.operations, key=chapter):
        by_outcome: dict[str, list[Operation]] = defaultdict(list)
        for operation in members:
            by_outcome[operation.outcome].append(operation)
        for outcome, operations in by_outcome.items():
            yield Line(operations[0].start, 35 if outcome == "ok" else 45, _told(outcome, operations))


OUTCOMES = {"ok": "answered", "failed": "refused", "unknown": "left without a certain answer"}


def _told(outcome: str, operations: list[Operation]) -> str:
    nodes = listed(dict.fromkeys(o.node or "nobody" for o in operations))
    if len(operations) > 1:
        return f"{len(operations)} requests to {nodes} were {OUTCOMES[outcome]}"
    o = operations[0]
    value = f" = {brief(o.details['value'])}" if o.kind == "put" and "value" in o.details else ""
    return f"a client's {o.kind} {brief(o.details.get('key', ''))}{value} to {nodes} was {OUTCOMES[outcome]}"
