"""Exercise 1: is the student's table what really happened, and does the student's test tell good stores from bad?"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

from labs.cluster.simulated import SimulatedCluster
from labs.events import Event
from labs.grading.broken import FAULTS, Fault
from labs.grading.checks.clusters import Kind, good_kinds, make
from labs.grading.desk import ClusterDesk
from labs.grading.results import Check, Outcome, failed, passed
from labs.grading.session import Session

FIELDS = {"stopped", "reads", "writes", "leader", "leaderless_seconds"}


def checks(level: str) -> list[Check]:
    table = Check(
        "ex1.availability",
        "ex1",
        "The table says what still works",
        30,
        lambda session: _availability(session, good_kinds(level)),
        rule="availability(cluster) reports what really happened for every set of stopped nodes.",
        hint="Wait for the new leader before you write; ask every running node before you say that nobody can read.",
    )
    good = Check(
        "ex1.good",
        "ex1",
        "Accepts stores that keep their promises",
        16,
        lambda session: _accepts(session, good_kinds(level)),
        rule="survives(cluster) says yes to a store that keeps what it acknowledged and had time to copy.",
        hint="In async mode a write needs a moment to be copied: wait two election timeouts before you stop a node.",
    )
    return [table, good, *(_broken(fault, level) for fault in FAULTS)]


def _broken(fault: Fault, level: str) -> Check:
    return Check(
        f"ex1.broken.{fault.name.replace(' ', '-')}",
        "ex1",
        f"Rejects a store of which this is not true: {fault.promise}",
        9,
        lambda session: _rejects(session, fault, good_kinds(level)),
        rule=f"survives(cluster) says no where it does not hold that {fault.promise}.",
        hint="Which of your reads would come out differently in such a store, and when?",
        depends_on=("ex1.good",),
    )


# -- the table -------------------------------------------------------------------------------------------


def _availability(session: Session, kinds: list[Kind]) -> Outcome:
    right, total, wrong = 0, 0, []
    for number, kind in enumerate(kinds):
        with make(kind, session.seeds[number % len(session.seeds)]) as cluster:
            rows = session.call("availability", ClusterDesk(cluster))
            problem = _malformed(rows, cluster)
            if problem:
                return failed(f"{problem} ({kind})")
            truths = _truth(cluster, kind)
            for stopped, truth in truths.items():
                found = next((row for row in rows if tuple(sorted(row["stopped"])) == stopped), None)
                total += 1
                difference = _difference(found, truth)
                right += difference is None
                if difference:
                    wrong.append(f"{kind}, stopped {', '.join(stopped) or 'nobody'}: {difference}")
    if not wrong:
        return passed(f"{total} rows, all right")
    return failed(f"{len(wrong)} of {total} rows are not what happened", evidence=tuple(wrong[:6]), share=right / total)


def _malformed(rows: Any, cluster: SimulatedCluster) -> str | None:
    if type(rows) is not list or not all(type(row) is dict and row.keys() >= FIELDS for row in rows):
        return f"availability must return a list of dicts with {', '.join(sorted(FIELDS))}"
    for row in rows:
        stopped = row["stopped"]
        if type(stopped) is not list or not all(node in cluster.node_ids for node in stopped):
            return f"“stopped” must be a list of node ids, not {stopped!r}"
    return None


def _sets(cluster: SimulatedCluster) -> list[tuple[str, ...]]:
    return [(), *((node,) for node in cluster.node_ids), *combinations(cluster.node_ids[:3], 2)]


def _truth(cluster: SimulatedCluster, kind: Kind) -> dict[tuple[str, ...], dict[str, Any]]:
    """What happened while each set was down, read from the run itself. A set that was never down counts as missing."""
    down: set[str] = set()
    found: dict[tuple[str, ...], dict[str, Any]] = {tuple(sorted(s)): {} for s in _sets(cluster)}
    found[()] = {"writes": True, "reads": True}
    events = cluster.events()
    for position, event in enumerate(events):
        if event.event != "fault":
            continue
        if event.kind == "stop" or event.kind == "kill":
            down.add(event.node)
        elif event.kind in ("start", "restart"):
            down.discard(event.node)
        key = tuple(sorted(down))
        if key in found and key and event.kind in ("stop", "kill"):
            found[key] = _what_followed(events, position, kind, len(down))
    return found


def _what_followed(events: list[Event], position: int, kind: Kind, down: int) -> dict[str, Any]:
    stop = events[position]
    leader = _leader_before(events, position)
    since = stop.time if leader is None else None
    leaderless = 0.0
    for event in events[position + 1 :]:
        if event.event == "fault" and event.kind in ("start", "restart"):
            break
        if event.event == "note" and event.kind == "became_leader":
            leader, leaderless = event.node, event.time - (since if since is not None else stop.time)
            since = None
        elif event.event == "note" and event.kind == "stepped_down" and event.node == leader:
            leader, since = None, event.time
    copies = 1 if kind.mode == "async" else kind.nodes // 2 + 1
    writes = leader is not None and kind.nodes - down >= copies
    return {"reads": True, "writes": writes, "leader": leader, "seconds": leaderless if leader else None}


def _leader_before(events: list[Event], position: int) -> str | None:
    """Who led when the event at `position` happened and is still up after it."""
    leader = None
    for event in events[: position + 1]:
        if event.event == "note" and event.kind == "became_leader":
            leader = event.node
        elif event.node == leader and (event.kind == "stepped_down" or event.kind in ("stop", "kill")):
            leader = None
    return leader


def _difference(row: dict[str, Any] | None, truth: dict[str, Any]) -> str | None:
    if row is None:
        return "there is no such row"
    if not truth:
        return "these nodes were never down together"
    for name in ("reads", "writes"):
        if row[name] is not truth[name]:
            return f"{name}: you say {row[name]!r}, it was {truth[name]!r}"
    if "leader" not in truth:
        return None
    if row["leader"] != truth["leader"]:
        return f"leader: you say {row['leader']!r}, it was {truth['leader']!r}"
    return _wrong_time(row["leaderless_seconds"], truth["seconds"])


def _wrong_time(said: Any, truth: float | None) -> str | None:
    """Within one and a half tenths of a second: that is how finely a client can look."""
    if truth is None:
        return None if said is None else f"leaderless_seconds: you say {said!r}, but no leader came"
    if type(said) not in (int, float) or abs(said - truth) > 0.15:
        return f"leaderless_seconds: you say {said!r}, it was {truth:.2f}"
    return None


# -- the acceptance test ---------------------------------------------------------------------------------


def _verdict(session: Session, cluster: SimulatedCluster) -> tuple[bool, str]:
    answer = session.call("survives", ClusterDesk(cluster))
    fine = type(answer) is dict and type(answer.get("survives")) is bool and type(answer.get("reason")) is str
    if not fine:
        raise _NoVerdict(f"survives must return a dict with survives (bool) and reason (str), not {answer!r:.100}")
    return answer["survives"], answer["reason"]


class _NoVerdict(Exception):
    pass


def _judged(judge: Callable[[], Outcome]) -> Outcome:
    try:
        return judge()
    except _NoVerdict as problem:
        return failed(str(problem))


def _accepts(session: Session, kinds: list[Kind]) -> Outcome:
    def judge() -> Outcome:
        for number, kind in enumerate(kinds):
            with make(kind, session.seeds[number % len(session.seeds)]) as cluster:
                accepted, reason = _verdict(session, cluster)
            if not accepted:
                return failed(f"a good store was rejected ({kind})", evidence=(f"your reason: {reason}",))
        return passed(f"{len(kinds)} good stores accepted")

    return _judged(judge)


def _rejects(session: Session, fault: Fault, kinds: list[Kind]) -> Outcome:
    def judge() -> Outcome:
        for number, kind in enumerate(kinds[:1] if session.level == "student" else kinds[:3]):
            seed = session.seeds[number % len(session.seeds)]
            with make(kind, seed, fault.node_class, fault.election) as cluster:
                accepted, _ = _verdict(session, cluster)
            if accepted:
                return failed(f"a broken store was accepted ({kind})", evidence=(f"not true of it: {fault.promise}",))
        return passed()

    return _judged(judge)
