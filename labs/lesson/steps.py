"""The lesson's Steps 1–8, walked on a live cluster: what is done, what is asked, what comes back, and whether that
is as the lesson says.

Law of this module: it prints nothing and knows only `Cluster`. The command line, the notebooks and the tests show or
check the same `StepReport`s, on every backend.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from labs.cluster.base import Answer, Cluster, ConditionTimeout, NodeStatus, Outcome

SHOWN_STATUS = ("node_id", "role", "term", "leader_id", "total_keys", "keys")
"""What the lesson shows of a status; the nodes tell more."""
LESSON_DATA = {"name": "Alice", "age": 30, "city": "NYC"}


@dataclass(frozen=True)
class Exchange:
    """One request and its answer. `url` is None where no `curl` can reach the node (the simulator)."""

    method: str
    node: str
    path: str
    body: Any
    url: str | None
    code: int | None
    answer: dict[str, Any]

    @property
    def curl(self) -> str:
        """The request as a line for the terminal."""
        if self.url is None:
            return f"{self.method} {self.path}" + self._quoted_body(" ", "") + f"    (to {self.node})"
        if self.method == "GET":
            return f"curl {self.url}{self.path}"
        content_type = ' -H "Content-Type: application/json"' if self.method == "PUT" else ""
        return f"curl -X {self.method} {self.url}{self.path}{content_type}" + self._quoted_body(" -d '", "'")

    def _quoted_body(self, before: str, after: str) -> str:
        return f"{before}{json.dumps(self.body)}{after}" if self.method == "PUT" else ""


@dataclass(frozen=True)
class StepCheck:
    """One thing that the lesson says. `seen`: what was there instead, where it does not hold."""

    claim: str
    holds: bool
    seen: str = ""


@dataclass
class StepReport:
    """What one step did and found. `actions`: what was done to nodes; `log`: the nodes' own lines that belong to it."""

    number: int
    title: str
    says: str
    actions: list[str] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    checks: list[StepCheck] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return bool(self.checks) and all(check.holds for check in self.checks)


class StepContext:
    """The means of a step: do something, ask something, compare. Everything is noted in the report."""

    def __init__(self, cluster: Cluster, report: StepReport) -> None:
        self.cluster = cluster
        self.report = report

    def do(self, text: str, action: Callable[[], None]) -> None:
        self.report.actions.append(text)
        action()

    def status(self, node: str) -> NodeStatus:
        seen = self.cluster.status()[node]
        visible = {name: seen.raw.get(name) for name in SHOWN_STATUS} if seen.answers else {"error": seen.state}
        self._exchange("GET", node, "/status", None, 200 if seen.answers else None, visible)
        return seen

    def put(self, key: str, value: Any, node: str) -> Answer:
        answer = self.cluster.put(key, value, via=node)
        self._exchange("PUT", node, f"/key/{key}", value, answer.code, answer.body)
        return answer

    def read_replica(self, key: str, node: str) -> Answer:
        """From the node's own copy, as soon as the key has come there (or the wait is over)."""
        self.cluster_came_to(lambda cluster: cluster.get(key, via=node).code == 200)
        answer = self.cluster.get(key, via=node)
        self._exchange("GET", node, f"/key/{key}", None, answer.code, answer.body)
        return answer

    def _exchange(self, method: str, node: str, path: str, body: Any, code: int | None, answer: dict[str, Any]) -> None:
        self.report.exchanges.append(Exchange(method, node, path, body, self.cluster.url(node), code, answer))

    def log(self, node: str, *words: str) -> None:
        """Those of the node's last log lines that have one of the words in them."""
        lines = self.cluster.logs(node, 50)
        self.report.log += [line for line in lines if any(word in line for word in words)]

    def check(self, claim: str, holds: bool, seen: object = "") -> None:
        self.report.checks.append(StepCheck(claim, holds, "" if holds else str(seen)))

    def check_wait(self, claim: str, condition: Callable[[Cluster], bool]) -> None:
        """It need not be so yet, but must become so."""
        came, why_not = self._wait(condition)
        self.check(claim, came, why_not)

    def cluster_came_to(self, condition: Callable[[Cluster], bool]) -> bool:
        return self._wait(condition)[0]

    def _wait(self, condition: Callable[[Cluster], bool]) -> tuple[bool, str]:
        try:
            return self.cluster.wait_for(condition), ""
        except ConditionTimeout as error:
            return False, str(error)


@dataclass(frozen=True)
class LessonStep:
    """One step of the lesson: `says` is what it claims, `run` does it."""

    number: int
    title: str
    says: str
    run: Callable[[StepContext], None]


def follows(leader: str, term: int) -> Callable[[Cluster], bool]:
    """A condition: every running node takes `leader` for the leader in `term`, and nobody else leads."""

    def all_agree(cluster: Cluster) -> bool:
        seen = [status for status in cluster.status().values() if status.state == "running"]
        return all(
            status.leader_id == leader
            and status.term == term
            and status.role == ("leader" if status.node_id == leader else "follower")
            for status in seen
        )

    return all_agree


def _start(scene: StepContext) -> None:
    scene.do("start the cluster", scene.cluster.start)
    scene.check_wait("node-1 becomes the leader in term 1, without anybody's help", follows("node-1", 1))
    scene.log("node-1", "listening", "LEADER")
    for node in scene.cluster.node_ids[1:]:
        scene.log(node, "listening", "Waiting")


def _check_status(scene: StepContext) -> None:
    for node in scene.cluster.node_ids:
        seen = scene.status(node)
        role = "leader" if node == "node-1" else "follower"
        as_said = (seen.role, seen.term, seen.leader_id, seen.total_keys) == (role, 1, "node-1", 0)
        scene.check(f"{node} is {role} in term 1, knows node-1 as leader, and holds no key", as_said, seen.raw)


def _write_to_leader(scene: StepContext) -> None:
    for key, value in LESSON_DATA.items():
        answer = scene.put(key, value, "node-1")
        as_said = answer.code == 200 and (answer.value, answer.body.get("leader_id")) == (value, "node-1")
        scene.check(f"node-1 stores {key} = {json.dumps(value)}", as_said, answer.body)


def _read_from_followers(scene: StepContext) -> None:
    for key, node in (("name", "node-2"), ("city", "node-3"), ("age", "node-2")):
        answer = scene.read_replica(key, node)
        as_said = answer.code == 200 and answer.value == LESSON_DATA[key]
        scene.check(
            f"{node}, a follower, has {key} = {json.dumps(LESSON_DATA[key])} in its own copy",
            as_said and answer.body.get("node_role") == "follower",
            answer.body,
        )


def _write_to_follower(scene: StepContext) -> None:
    answer = scene.put("test", "should fail", "node-2")
    refused = (answer.code, answer.body.get("error")) == (503, "Not the leader")
    scene.check("node-2 refuses: 503, Not the leader", refused, answer.body)
    scene.check("it names the leader, node-1", answer.body.get("leader_id") == "node-1", answer.body)
    absent = scene.cluster.get("test", via="node-1")
    scene.check("nothing was written", absent.code == 404, absent.body)


def _stop_leader(scene: StepContext) -> None:
    scene.do("stop node-1", lambda: scene.cluster.stop("node-1"))
    scene.check_wait("after the election timeout node-2 leads in term 2", follows("node-2", 2))
    scene.status("node-2")
    scene.log("node-2", "Election timeout", "LEADER")
    scene.log("node-3", "Waiting for node-2")


def _write_to_new_leader(scene: StepContext) -> None:
    answer = scene.put("newleader", "node-2", "node-2")
    if scene.cluster.settings.mode == "sync":
        unknown = answer.outcome is Outcome.UNKNOWN
        scene.check("in mode sync, with node-1 down, it cannot be confirmed", unknown, answer.body)
        return
    as_said = answer.code == 200 and answer.body.get("leader_id") == "node-2"
    scene.check('node-2 stores newleader = "node-2"', as_said, answer.body)


def _restart_old_leader(scene: StepContext) -> None:
    scene.do("start node-1", lambda: scene.cluster.start("node-1"))
    scene.check_wait("node-1 comes back as a follower of node-2 in term 2", follows("node-2", 2))
    answer = scene.read_replica("newleader", "node-1")
    scene.check("it catches up: it has what was written while it was away", answer.value == "node-2", answer.body)
    seen = scene.status("node-1")
    keys = sorted([*LESSON_DATA, "newleader"])
    told = seen.raw.get("keys")
    complete = isinstance(told, list) and all(isinstance(key, str) for key in told) and sorted(told) == keys
    scene.check(f"it holds all {len(keys)} keys", complete, seen.raw)


STEPS: tuple[LessonStep, ...] = (
    LessonStep(1, "Start the 3-node cluster", "An election happens by itself.", _start),
    LessonStep(2, "Check the nodes' status", "One leads, the others follow, and all know it.", _check_status),
    LessonStep(3, "Write to the leader", "Writes go through the leader.", _write_to_leader),
    LessonStep(4, "Read from followers", "The data has been copied to every follower.", _read_from_followers),
    LessonStep(5, "Try to write to a follower", "It refuses, and says who leads.", _write_to_follower),
    LessonStep(6, "Stop the leader", "The others notice, and elect a new one.", _stop_leader),
    LessonStep(7, "Write to the new leader", "The cluster goes on without node-1.", _write_to_new_leader),
    LessonStep(8, "Restart the old leader", "It follows the new leader and catches up.", _restart_old_leader),
)


def run_step(cluster: Cluster, step: LessonStep) -> StepReport:
    """Walk one step; those before it must have been walked on this cluster."""
    report = StepReport(step.number, step.title, step.says)
    started = time.perf_counter()
    step.run(StepContext(cluster, report))
    report.seconds = time.perf_counter() - started
    return report


def walk(cluster: Cluster) -> Iterator[StepReport]:
    """All steps, one after the other, on a cluster of three nodes that has not been started yet."""
    for step in STEPS:
        yield run_step(cluster, step)
