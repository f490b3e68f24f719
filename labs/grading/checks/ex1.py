"""Exercise 1: is the student's table what really happened, and does the student's test tell good stores from bad?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import combinations, cycle
from typing import Any

from labs.cluster.base import Answer, ConditionTimeout
from labs.cluster.simulated import SimulatedCluster
from labs.grading.check import Check, CheckOutcome, Scene, StudentCode, failed, passed
from labs.grading.checks.broken_stores import FAULTS, BrokenStore, PlantedFault
from labs.grading.checks.clusters import (
    STUDENT_KINDS,
    SYNC,
    Kind,
    broken_kinds,
    good_kinds,
    impatient_kinds,
    make,
    scene,
)
from labs.grading.checks.outages import Outage, outages
from labs.grading.checks.two_leaders import DISGUISES
from labs.grading.cluster_gateway import ClusterCall, ClusterGateway
from labs.grading.errors import ErrorKind, StudentError
from replstore.core.replication import MODES

FIELDS = {"stopped", "reads", "writes", "leader", "leaderless_seconds"}
TOLERANCE = 0.25
"""Seconds: how finely a client that asks again and again can be expected to look."""

LATE = 1.0
"""Seconds: an election that took longer was one of those that need more than two election timeouts."""
COMPARED = 2
"""Clusters of which the second run of a check makes sure that the answers do not change."""
PATIENCE = 9
"""Election timeouts: who says earlier that no leader came has not waited for ten."""


def checks(level: str) -> list[Check]:
    table = Check(
        "ex1.availability",
        "ex1",
        "The table says what still works",
        30,
        lambda code: _availability(code, level),
        rule="availability(cluster) reports what really happened for every set of stopped nodes.",
        hint="Wait for the new leader before you write; ask every running node before you say that nobody can read;"
        " look who leads when everything has settled.",
    )
    good = Check(
        "ex1.good",
        "ex1",
        "Accepts stores that keep their promises",
        14,
        lambda code: _accepts(code, good_kinds(level)),
        rule="survives(cluster) says yes to a store that keeps what it acknowledged and had time to copy.",
        hint="In async mode a write needs a moment to be copied: wait two election timeouts before you stop a node or"
        " look at a follower.",
    )
    return [table, good, *(_broken(fault, level) for fault in FAULTS)]


def _broken(fault: PlantedFault, level: str) -> Check:
    return Check(
        _name(fault),
        "ex1",
        f"Rejects a store of which this is not true: {fault.promise}",
        8,
        lambda code: _rejects(code, fault, broken_kinds(level, FAULTS.index(fault), code.dice)),
        rule=f"survives(cluster) says no where it does not hold that {fault.promise}.",
        hint="Which of your reads would come out differently in such a store, and when?",
        depends_on=("ex1.good",),
    )


def _name(fault: PlantedFault) -> str:
    return f"ex1.broken.{fault.name.replace(' ', '-')}"


def _again(check: str, kind: Kind, seed: int) -> str:
    """The command that shows it; what only an instructor has, a student's command cannot show."""
    return f"replab check ex1 --only {check} --seed {seed}" if kind in STUDENT_KINDS else ""


def _with_seeds(code: StudentCode, kinds: list[Kind]) -> Iterable[tuple[Kind, int]]:
    """Each kind with a seed of its own, as far as there are that many; an instructor's unseen ones, the last, first."""
    return ((kind, code.seeds[-1 - number % len(code.seeds)]) for number, kind in enumerate(kinds))


# -- the table -------------------------------------------------------------------------------------------


@dataclass
class _Compared:
    """How the tables of all clusters so far differ from what happened there."""

    code: StudentCode
    rows: int = 0
    wrong: list[str] = field(default_factory=list)
    scene: Scene | None = None
    """Of the first cluster with a wrong row."""
    replay: str = ""

    def compare(self, kind: Kind, seed: int) -> tuple[list[Outage], CheckOutcome | None]:
        """The outages that the student's code made of this cluster; and what to say if it returned no table at all."""
        with make(kind, seed, dice=self.code.dice) as cluster:
            gateway = ClusterGateway(cluster)
            rows = self.code.call("availability", gateway)
            again = _again("ex1.availability", kind, seed)
            if problem := _malformed(rows, cluster):
                return [], failed(f"{problem} ({kind})", scene=scene(cluster), replay=again)
            seen = outages(cluster.events(), cluster.now())
            for stopped in _sets(cluster):
                self.rows += 1
                if difference := _row_differs(rows, stopped, seen, gateway):
                    self.wrong.append(f"{kind}, stopped {', '.join(stopped) or 'nobody'}: {difference}")
                    self.scene = self.scene or scene(cluster)
                    self.replay = self.replay or again
        return seen, None

    @property
    def outcome(self) -> CheckOutcome:
        if not self.wrong:
            return passed(f"{self.rows} rows, all right")
        share = 1 - len(self.wrong) / self.rows
        message = f"{len(self.wrong)} of {self.rows} rows are not what happened"
        return failed(message, evidence=tuple(self.wrong[:6]), share=share, scene=self.scene, replay=self.replay)


def _availability(code: StudentCode, level: str) -> CheckOutcome:
    table = _Compared(code)
    kinds = good_kinds(level) + ([SYNC] if level == "instructor" else [])
    for kind, seed in code.cases(_with_seeds(code, kinds), COMPARED):
        _, problem = table.compare(kind, seed)
        if problem:
            return problem
    happened: set[str] = set()
    for kind, seed in code.cases(impatient_kinds(code.seeds[-1]), 0) if level == "instructor" else ():
        seen, problem = table.compare(kind, seed)
        if problem:
            return problem
        happened |= {"majority lost"} if any(map(_lost_its_majority, seen)) else set()
        happened |= {"late"} if any((outage.leaderless or 0.0) > LATE for outage in seen if outage.down) else set()
        if len(happened) == 2:
            break  # what these kinds are for has happened
    return table.outcome


def _lost_its_majority(outage: Outage) -> bool:
    """Its first leader went on for a while, and in the end nobody led."""
    return len(outage.down) > 1 and outage.leaders[0][1] is not None and outage.leader is None


def _malformed(rows: Any, cluster: SimulatedCluster) -> str | None:
    if type(rows) is not list or not all(type(row) is dict and row.keys() >= FIELDS for row in rows):
        return f"availability must return a list of dicts with {', '.join(sorted(FIELDS))}"
    for row in rows:
        stopped = row["stopped"]
        if type(stopped) not in (list, tuple) or not all(node in cluster.node_ids for node in stopped):
            return f"“stopped” must be a list of node ids, not {stopped!r:.100}"
    return None


def _sets(cluster: SimulatedCluster) -> list[tuple[str, ...]]:
    return [(), *((node,) for node in cluster.node_ids), *combinations(cluster.node_ids[:3], 2)]


def _row_differs(
    rows: list[dict[str, Any]], stopped: tuple[str, ...], seen: list[Outage], gateway: ClusterGateway
) -> str | None:
    of_these = [row for row in rows if tuple(sorted(row["stopped"])) == tuple(sorted(stopped))]
    if len(of_these) != 1:
        return f"there are {len(of_these)} rows for it, one is asked for" if of_these else "there is no such row"
    found = [outage for outage in seen if outage.down == tuple(sorted(stopped))]
    if not found:
        return "these nodes were never down together"
    # Who stops the same nodes twice may report either time, but not the moment between stopping one and the next.
    timeout = gateway.cluster.settings.election_timeout
    long = [outage for outage in found if outage.end - outage.begin >= timeout]
    if not long:
        longest = max(outage.end - outage.begin for outage in found)
        return f"these nodes were down together for {longest:.2f} s only; look two election timeouts after the stop"
    differences = [_differs(of_these[0], outage, gateway) for outage in long]
    return _untried(gateway.calls, long) if None in differences else differences[-1]


def _meanwhile(call: ClusterCall, outage: Outage) -> bool:
    return outage.begin <= call.began and call.ended <= outage.end


def _untried(calls: list[ClusterCall], long: list[Outage]) -> str | None:
    """What the row says may be true, and nobody has looked."""
    puts = [call for call in calls if call.method == "put"]

    def reads_something_old(call: ClusterCall, outage: Outage) -> bool:
        if call.method != "get" or not isinstance(call.result, Answer) or call.result.code != 200:
            return False
        until = outage.begin if outage.down else call.began
        return any(put.arguments["key"] == call.arguments["key"] and put.began <= until for put in puts)

    if not any(_meanwhile(call, outage) and reads_something_old(call, outage) for outage in long for call in calls):
        return "reads: while these nodes were down you read no key that had been written before"
    if not any(_meanwhile(put, outage) for outage in long for put in puts):
        return "writes: while these nodes were down you did not call cluster.put"
    return None


def _acknowledged(calls: list[ClusterCall], outage: Outage) -> bool:
    """Whether a write of the student's was, while these nodes were down."""
    puts = [call for call in calls if call.method == "put" and _meanwhile(call, outage)]
    return any(isinstance(put.result, Answer) and put.result.ok for put in puts)


def _differs(row: dict[str, Any], outage: Outage, gateway: ClusterGateway) -> str | None:
    settings = gateway.cluster.settings
    copies = MODES[settings.mode](settings.nodes)
    writes = outage.leader is not None and settings.nodes - len(outage.down) >= copies
    if row["writes"] is True and _acknowledged(gateway.calls, outage):
        writes = True  # in async mode, say, by a leader that had not noticed yet that it had no majority
    for name, truth in (("reads", True), ("writes", writes)):
        if row[name] is not truth:
            return f"{name}: you say {row[name]!r}, it was {truth!r}"
    # Who looked once everything had settled is right, even if somebody else led in the very end.
    settled = outage.begin + 2 * settings.election_timeout
    leaders = {outage.leader} | (outage.led_after(settled) - {None})
    if not any(row["leader"] is leader or (leader and row["leader"] == leader) for leader in leaders):
        return f"leader: you say {row['leader']!r}, it was {outage.leader!r}"
    lasted = outage.end - outage.begin
    if leaders == {None} and outage.leaders[0][1] is None and lasted < PATIENCE * settings.election_timeout:
        return f"leader: you say None after {lasted:.2f} s; give it ten election timeouts"
    if not outage.down:
        return None
    return _wrong_time(row["leaderless_seconds"], outage.leaderless)


def _wrong_time(said: Any, truth: float | None) -> str | None:
    if truth is None:
        return None if said is None else f"leaderless_seconds: you say {said!r}, but no leader came"
    if type(said) not in (int, float) or abs(said - truth) > TOLERANCE:
        return f"leaderless_seconds: you say {said!r}, it was {truth:.2f}"
    return None


# -- the acceptance test ---------------------------------------------------------------------------------


class _NoVerdict(Exception):
    pass


def _verdict(code: StudentCode, cluster: SimulatedCluster) -> tuple[bool, str]:
    answer = code.call("survives", ClusterGateway(cluster, disguises=DISGUISES))
    fine = type(answer) is dict and type(answer.get("survives")) is bool and type(answer.get("reason")) is str
    if not fine:
        raise _NoVerdict(f"survives must return a dict with survives (bool) and reason (str), not {answer!r:.100}")
    return answer["survives"], answer["reason"]


def _judged(judge: Callable[[], CheckOutcome]) -> CheckOutcome:
    try:
        return judge()
    except _NoVerdict as problem:
        return failed(str(problem))


def _accepts(code: StudentCode, kinds: list[Kind]) -> CheckOutcome:
    def judge() -> CheckOutcome:
        for kind, seed in code.cases(_with_seeds(code, kinds), COMPARED):
            code.restart()  # a process that has seen a store would know that this one is good, too
            with make(kind, seed, dice=code.dice) as cluster:
                accepted, reason = _verdict(code, cluster)
                where = scene(cluster)
            if not accepted:
                statement = (f"your reason: {reason}",)
                again = _again("ex1.good", kind, seed)
                return failed(f"a good store was rejected ({kind})", evidence=statement, scene=where, replay=again)
        return passed(f"{len(kinds)} good stores accepted")

    return _judged(judge)


def _rejects(code: StudentCode, fault: PlantedFault, kinds: list[Kind]) -> CheckOutcome:
    def judge() -> CheckOutcome:
        for (kind, seed), store in code.cases(_stores(code, fault, kinds), 1):
            code.restart()  # what was learnt of one store is of no use for the next
            with make(kind, seed, store.node_class, store.election, dice=code.dice) as cluster:
                accepted = _is_accepted(code, cluster, fault)
                where = scene(cluster)
            if accepted:
                truth = (f"not true of it: {fault.promise}",)
                again = _again(_name(fault), kind, seed)
                return failed(f"a broken store was accepted ({kind})", evidence=truth, scene=where, replay=again)
        return passed()

    return _judged(judge)


def _is_accepted(code: StudentCode, cluster: SimulatedCluster, fault: PlantedFault) -> bool:
    try:
        return _verdict(code, cluster)[0]
    except StudentError as error:
        # Who waits in vain for a leader, there where none comes, has not said yes.
        gave_up = error.kind is ErrorKind.RAISED and error.message.startswith(ConditionTimeout.__name__)
        if fault.stands_still and (gave_up or error.kind is ErrorKind.RESOURCE_LIMIT):
            return False
        raise


def _stores(
    code: StudentCode, fault: PlantedFault, kinds: list[Kind]
) -> Iterable[tuple[tuple[Kind, int], BrokenStore]]:
    """Each broken store as a cluster of a student's first kind; an instructor's are of several kinds."""
    most = len(fault.stores) if code.level == "student" else len(kinds)
    chosen = [kinds[0]] * most if code.level == "student" else kinds
    return zip(_with_seeds(code, chosen), cycle(fault.stores), strict=False)
