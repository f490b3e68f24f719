"""A run's story in sentences: for feedback, for captions, and for readers who cannot see the picture.

Law of this module: every sentence follows from the events; times are seconds from the run's origin. An event of a kind
that is not known here is still told, by its name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby

from labs.trace import kinds
from labs.trace.elections import ElectionSentences
from labs.trace.events import Event
from labs.trace.network import FaultInterval, sides
from labs.trace.prose import Sentence, brief, counted, duration, listed, pairs
from labs.trace.requests import ClientRequest
from labs.trace.sentences import past_of
from labs.trace.timeline import Timeline, origin_of, read_timeline

TOLD_ELSEWHERE = frozenset(
    (
        *(kinds.STARTED, kinds.RECOVERED, kinds.STATE, kinds.APPENDED, kinds.COMMITTED, kinds.WRITE_LOST),
        *(kinds.ELECTION_TIMEOUT, kinds.WAITING_FOR, kinds.CATCHING_UP, kinds.BECAME_LEADER, kinds.STEPPED_DOWN),
        *(kinds.FOLLOWING, kinds.CONNECTED, kinds.DISCONNECTED),
    )
)
"""Notes that other sentences tell of, or that are too frequent to be told."""


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
    run = read_timeline(events, node_ids)
    zero = origin_of(events) if origin is None else origin
    lines = [line for line in story(run) if window is None or window[0] <= line.time - zero <= window[1]]
    return [f"at {line.time - zero:.2f} s {line.text}" for line in shortened(lines, limit)]


def shortened(lines: list[Sentence], limit: int | None) -> list[Sentence]:
    """The `limit` heaviest lines, in their order."""
    if limit is None or len(lines) <= limit:
        return lines
    heaviest = sorted(range(len(lines)), key=lambda place: (-lines[place].weight, place))[: max(0, limit)]
    return [lines[place] for place in sorted(heaviest)]


def story(run: Timeline) -> list[Sentence]:
    """Every sentence, by time."""
    lines = [*_faults(run), *_starts(run), *ElectionSentences(run).lines(), *_lost_writes(run), *_other_notes(run)]
    lines += _requests(run, sorted(line.time for line in lines if line.weight >= 60))
    return sorted(lines, key=lambda line: line.time)


def summary(run: Timeline, zero: float) -> str:
    """The run in one sentence: who took part, what got lost, who led."""
    lost = f", {len(run.lost)} of them lost" if run.lost else ""
    first = (
        f"Space-time diagram of {counted(len(run.node_ids), 'node')} over {duration(run.end - run.start)} "
        f"with {counted(len(run.deliveries), 'message')}{lost}"
    )
    parts = [part for part in (_leaderships(run, zero), _faults_counted(run)) if part]
    return f"{first}: {'; '.join(parts)}." if parts else f"{first}."


def _leaderships(run: Timeline, zero: float) -> str:
    found = run.leaderships()
    phrases = [
        f"{s.node} leads{'' if s.term is None else f' term {s.term}'} from {s.start - zero:.2f} s" for s in found[:6]
    ]
    more = f" and {len(found) - 6} leaderships more" if len(found) > 6 else ""
    return ", ".join(phrases) + more if phrases else "nobody leads"


def _faults_counted(run: Timeline) -> str:
    counts = {
        "partition": sum(fault.kind == kinds.PARTITION for fault in run.network_faults),
        "crash or stop": sum(fault.kind in kinds.STOPS for fault in run.faults),
        "pause": sum(fault.kind == kinds.PAUSE for fault in run.faults),
        "lost write": sum(note.kind == kinds.WRITE_LOST for note in run.notes),
    }
    plurals = {"crash or stop": "crashes or stops"}
    return ", ".join(counted(count, thing, plurals.get(thing, "")) for thing, count in counts.items() if count)


# --------------------------------------------------------------------------------------------------------
# What was done to the nodes and to the network


def _faults(run: Timeline) -> Iterator[Sentence]:
    yield from (line for fault in run.network_faults for line in _fault_interval(run, fault))
    for fault in run.faults:
        if fault.kind in {*kinds.STOPS, kinds.PAUSE}:
            yield Sentence(fault.time, 85, past_of(fault) + _leadership_then(run, fault))
        elif fault.kind == kinds.RESUME:
            yield Sentence(fault.time, 85, past_of(fault))
        elif fault.kind in {kinds.DISCONNECT, kinds.HOLD, kinds.RELEASE}:
            yield Sentence(fault.time, 75, past_of(fault))
        elif fault.kind not in kinds.NETWORK | kinds.STARTS:
            yield Sentence(fault.time, 70, f"{fault.kind} {fault.node or 'in the network'}{pairs(fault.details)}")


def _leadership_then(run: Timeline, fault: Event) -> str:
    """Whether the node led just before."""
    before = [s for s in run.roles.get(fault.node, []) if s.start < fault.time]
    return f" while it led term {before[-1].term}" if before and before[-1].role == "leader" else ""


def _fault_interval(run: Timeline, fault: FaultInterval) -> Iterator[Sentence]:
    if fault.kind == kinds.PARTITION:
        groups = sides(fault.groups)
        yield Sentence(fault.start, 85, f"the network was cut{f' into {groups}' if groups else ''}")
        crossing = sum(fault.start <= p.sent <= fault.end and fault.separates(p.sender, p.receiver) for p in run.lost)
        toll = f", which had cost {counted(crossing, 'message')}" if crossing else ""
        if fault.end < run.end or run.faults[-1].kind == kinds.HEAL:
            yield Sentence(fault.end, 85, f"the cut ended after {duration(fault.end - fault.start)}{toll}")
        return
    words = past_of(Event(fault.start, "", "fault", fault.kind, details=fault.details))
    if fault.kind == kinds.CUT:
        yield Sentence(fault.start, 80, words)
    else:
        yield Sentence(fault.start, 70, words + pairs(fault.details))


def _starts(run: Timeline) -> Iterator[Sentence]:
    """Nodes that start together in one sentence; one that had been down `came back`."""
    starts = [fault for fault in run.faults if fault.kind in kinds.STARTS]
    started_by_faults = {fault.node for fault in starts}
    starts += [note for note in run.notes if note.kind == kinds.STARTED and note.node not in started_by_faults]
    stops = {(fault.node, fault.time) for fault in run.faults if fault.kind in kinds.STOPS}
    first: list[Event] = []
    for start in sorted(starts, key=lambda event: event.time):
        if any(node == start.node and time <= start.time for node, time in stops):
            yield Sentence(start.time, 80, f"{start.node} came back{_recovered(run, start)}")
        else:
            first.append(start)
    if first:
        yield Sentence(first[-1].time, 50, f"{listed(dict.fromkeys(start.node for start in first))} started")


def _recovered(run: Timeline, start: Event) -> str:
    """What the node found in its journal, if it said so."""
    later = (n for n in run.notes if n.kind == kinds.RECOVERED and n.node == start.node and n.time >= start.time)
    note = next(later, None)
    return f" and found in its journal{pairs(note.details)}" if note else ""


# --------------------------------------------------------------------------------------------------------
# What became of the data


def _lost_writes(run: Timeline) -> Iterator[Sentence]:
    """Each lost write of a few; many at once as their number."""
    promised = {(str(o.details.get("key")), str(o.details.get("value"))) for o in run.requests if o.outcome == "ok"}
    lost: dict[tuple[str, float], list[Event]] = defaultdict(list)
    for note in run.notes:
        if note.kind == kinds.WRITE_LOST:
            lost[note.node, note.time].append(note)
    for (node, time), notes in lost.items():
        if len(notes) > 3:
            yield Sentence(time, 95, f"{node} dropped {len(notes)} writes that it had applied: lost writes")
            continue
        for note in notes:
            yield Sentence(time, 95, f"{node} dropped {_write(note)}{_promise(note, promised)}")


def _write(note: Event) -> str:
    details = note.details
    value = f" = {brief(details['value'])}" if "value" in details and details.get("op", "put") == "put" else ""
    entry = f" (entry {details['index']} of term {details.get('term', '?')})" if "index" in details else ""
    return f"the {details.get('op', 'write')} {brief(details.get('key', '?'))}{value}{entry}"


def _promise(note: Event, promised: set[tuple[str, str]]) -> str:
    answered = (str(note.details.get("key")), str(note.details.get("value"))) in promised
    return ", which a client had been told was done: a lost write" if answered else ": a lost write"


def _other_notes(run: Timeline) -> Iterator[Sentence]:
    """What strategies say of their own, and rarer notes: once for each node and kind, with how often."""
    by_kind: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for note in run.notes:
        if note.kind not in TOLD_ELSEWHERE:
            by_kind[note.node, note.kind].append(note)
    for (node, kind), notes in by_kind.items():
        often = f" ({len(notes)} times in all)" if len(notes) > 1 else ""
        weight = 88 if kind == kinds.ELECTION_FAILED else 20
        words = past_of(notes[0]) or f"{node} noted “{brief(kind.replace('_', ' '))}”"
        yield Sentence(notes[0].time, weight, f"{words}{pairs(notes[0].details)}{often}")


def _requests(run: Timeline, turning_points: list[float]) -> Iterator[Sentence]:
    """The requests between one turning point of the story and the next, summed up by their outcome."""

    def chapter(request: ClientRequest) -> int:
        return sum(time <= request.start for time in turning_points)

    for _, members in groupby(run.requests, key=chapter):
        by_outcome: dict[str, list[ClientRequest]] = defaultdict(list)
        for request in members:
            by_outcome[request.outcome].append(request)
        for outcome, requests in by_outcome.items():
            yield Sentence(requests[0].start, 35 if outcome == "ok" else 45, _outcome(outcome, requests))


OUTCOMES = {"ok": "answered", "failed": "refused", "unknown": "left without a certain answer"}


def _outcome(outcome: str, requests: list[ClientRequest]) -> str:
    nodes = listed(dict.fromkeys(request.node or "nobody" for request in requests))
    if len(requests) > 1:
        return f"{len(requests)} requests to {nodes} were {OUTCOMES[outcome]}"
    [one] = requests
    value = f" = {brief(one.details['value'])}" if one.kind == "put" and "value" in one.details else ""
    return f"a client's {one.kind} {brief(one.details.get('key', ''))}{value} to {nodes} was {OUTCOMES[outcome]}"
