"""The cluster that a student's function is given."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from labs.cluster.base import Outcome, Settings
from labs.cluster.simulated import SimulatedCluster
from labs.grading.cluster_gateway import VERBS, ClusterGateway
from labs.grading.errors import ErrorKind, StudentError
from labs.grading.session import Session
from labs.lesson.exercises import BY_ID
from tests.grading.toys import QUICK


@pytest.fixture
def cluster() -> Iterator[SimulatedCluster]:
    with SimulatedCluster(Settings(heartbeat_ms=100, election_timeout_ms=400, seed=4711)) as cluster:
        cluster.start()
        yield cluster


def session(source: str) -> Session:
    return Session(BY_ID["ex2"], {"ex2_replication_lag.py": source}, limits=QUICK)


def fault_of(child: Session, name: str, *arguments: object) -> StudentError:
    with pytest.raises(StudentError) as caught:
        child.call(name, *arguments)
    return caught.value


TOUR = """
from labs.cluster import Answer, Cluster, ConditionTimeout, NodeStatus, NoSuchNode, Outcome, Settings
from labs.events import Event

def tour(cluster: Cluster):
    assert isinstance(cluster, Cluster)
    assert isinstance(cluster.settings, Settings) and cluster.settings.seed == 0
    assert cluster.node_ids == ("node-1", "node-2", "node-3")
    leader = cluster.wait_for(lambda c: c.leader())
    answer = cluster.put("k", {"a": [1, None]})
    assert isinstance(answer, Answer) and answer.outcome is Outcome.OK and answer.ok
    cluster.sleep(1)
    seen = {node: cluster.get("k", via=node).value for node in cluster.node_ids}
    assert cluster.get("k", linearizable=True).ok
    assert cluster.delete("k").ok and cluster.get("k").code == 404
    cluster.delay_replication(100, jitter_ms=5)
    cluster.lose_messages(0.1, 0.1)
    cluster.lose_messages(0)
    cluster.stop(leader)
    statuses = cluster.status()
    assert isinstance(statuses[leader], NodeStatus) and statuses[leader].state == "stopped"
    follower = cluster.wait_for(lambda c: c.leader())
    cluster.start(leader)
    cluster.restart(leader)
    cluster.pause(leader); cluster.resume(leader); cluster.kill(leader); cluster.start()
    cluster.partition(["node-1"], ["node-2", "node-3"]); cluster.cut("node-2", "node-3"); cluster.heal()
    assert all(isinstance(event, Event) for event in cluster.events())
    try:
        cluster.stop("node-9")
    except NoSuchNode as error:
        refused = str(error)
    try:
        cluster.wait_for(lambda c: False, timeout=0.3)
    except ConditionTimeout as error:
        timed_out = str(error)
    with cluster:
        pass
    return {"leader": leader, "seen": seen, "follower": follower, "refused": refused, "late": timed_out,
            "now": cluster.now(), "url": cluster.url("node-1")}
"""


def test_every_verb_works_from_the_students_side(cluster: SimulatedCluster) -> None:
    gateway = ClusterGateway(cluster)
    with session(TOUR) as child:
        answer = child.call("tour", gateway)

    assert answer["leader"] == "node-1"
    assert answer["seen"] == {node: {"a": [1, None]} for node in cluster.node_ids}
    assert answer["follower"] in ("node-2", "node-3")
    assert answer["refused"].startswith("there is no 'node-9' here")
    assert "did not come true within 0.3 s" in answer["late"]
    assert answer["now"] == cluster.now() > 1
    assert {call.method for call in gateway.calls} == set(VERBS)


def test_the_desk_remembers_what_was_asked(cluster: SimulatedCluster) -> None:
    gateway = ClusterGateway(cluster)
    with session(
        "def f(c):\n    c.sleep(2)\n    c.put('k', 1)\n    c.get('k', via='node-2')\n    c.get('k')\n"
    ) as child:
        child.call("f", gateway)

    reads = [call for call in gateway.calls if call.method == "get"]
    assert [call.arguments["via"] for call in reads] == ["node-2", None]
    assert [call.result.outcome for call in reads] == [Outcome.OK, Outcome.OK]
    assert 2 <= reads[0].began <= reads[0].ended <= reads[1].began


def test_an_object_of_the_students_lives_between_calls(cluster: SimulatedCluster) -> None:
    source = """
class Session:
    def __init__(self, cluster):
        self.cluster, self.seen = cluster, 0

    def write(self, value):
        self.seen += 1
        return self.cluster.put("k", value).ok

    def read(self):
        return (self.seen, self.cluster.get("k").value)
"""
    cluster.sleep(2)
    gateway = ClusterGateway(cluster)
    with session(source) as child:
        one, other = child.create("Session", gateway), child.create("Session", gateway)
        assert one.call("write", "a") is True
        assert one.call("read") == (1, "a")
        assert other.call("read") == (0, "a")
        with pytest.raises(StudentError, match="does not define delete"):
            one.call("delete")


BAD_ARGUMENTS = {
    "c.put(3, 1)": "cluster.put: key must be a string",
    "c.put('k', float('nan'))": "not JSON compliant",
    "c.put('k', {1, 2})": "not JSON serializable",
    "c.put('k', 10**30)": "cluster.put: value must be JSON, not an integer of more than 64 bits",
    "c.put('k', 'x' * 200_000)": "cluster.put: value must be JSON of at most",
    "c.get('k', via=3)": "cluster.get: via must be",
    "c.get('k', timeout=-1)": "cluster.get: timeout must be a number from 0",
    "c.get('k', linearizable=1)": "cluster.get: linearizable must be True or False",
    "c.sleep(-1)": "cluster.sleep: seconds must be a number from 0",
    "c.sleep(True)": "cluster.sleep: seconds must be a number",
    "c.partition([1])": "cluster.partition: groups must be groups of node ids",
    "c.partition(['node-1'], ['node-1'])": "a node can be on one side of a partition only",
    "c.stop('node-9')": "there is no 'node-9'",
    "c._ask('close')": "cluster.close is not available here",
    "c._ask('put', key='k')": "cluster.put takes key, value, via, timeout",
    "c._ask('simulator')": "cluster.simulator is not available here",
}


@pytest.mark.sample(4)
@pytest.mark.parametrize("call", BAD_ARGUMENTS)
def test_a_bad_argument_is_the_students_exception(call: str, cluster: SimulatedCluster) -> None:
    with session(f"def f(c):\n    {call}\n") as child:
        fault = fault_of(child, "f", ClusterGateway(cluster))

    assert fault.kind is ErrorKind.RAISED
    assert BAD_ARGUMENTS[call] in fault.message


def test_a_verb_that_is_not_allowed_is_refused(cluster: SimulatedCluster) -> None:
    with session("def f(c):\n    c.events()\n") as child:
        fault = fault_of(child, "f", ClusterGateway(cluster, allowed=("get", "put")))

    assert "cluster.events is not available here" in fault.message


def test_too_many_calls_end_the_check(cluster: SimulatedCluster) -> None:
    with session("def f(c):\n    while True:\n        try: c.now()\n        except BaseException: pass\n") as child:
        child.limits = replace(QUICK, cluster_calls=50)
        fault = fault_of(child, "f", ClusterGateway(cluster))

    assert (fault.kind, fault.message) == (ErrorKind.RESOURCE_LIMIT, "more than 50 calls of the cluster")


@pytest.mark.parametrize("code", ["c.sleep(10**8)", "while True: c.sleep(4)"])
def test_too_much_of_the_clusters_time_ends_the_check(code: str, cluster: SimulatedCluster) -> None:
    with session(f"def f(c):\n    {code}\n") as child:
        child.limits = replace(QUICK, cluster_seconds=10.0)
        fault = fault_of(child, "f", ClusterGateway(cluster))

    assert (fault.kind, fault.message) == (ErrorKind.RESOURCE_LIMIT, "more than 10 s of the cluster's own time")


def test_a_cluster_that_was_not_handed_out_cannot_be_asked() -> None:
    with session(
        "def f():\n    import gc, labs.grading.child.wire as w\n"
        "    wire = next(o for o in gc.get_objects() if type(o) is w.Wire)\n"
        "    wire.request(1, 'now', {})\n"
    ) as child:
        fault = fault_of(child, "f")

    assert fault.kind is ErrorKind.INVALID_REPLY


def test_the_graders_time_does_not_count_as_the_students(cluster: SimulatedCluster) -> None:
    with session("def f(c):\n    c.sleep(60)\n    return c.now()\n") as child:
        begun = time.monotonic()
        child.call("f", ClusterGateway(cluster))

        assert child.seconds < (time.monotonic() - begun) / 2


def _waiting(limit: float) -> str:
    return f"""
from labs import ConditionTimeout
def f(cluster):
    seen = [cluster.now()]
    for step in (0.25, 0.5, 1, 0.01):
        cluster.sleep(step)
        seen.append(cluster.now())
    cluster.stop(cluster.leader())
    try:
        cluster.wait_for(lambda c: c.leader(), timeout={limit})
    except ConditionTimeout:
        seen.append(-1.0)
    seen += [cluster.now(), cluster.put("a", 1).seconds, cluster.now()]
    cluster.sleep(0.75)
    return seen
"""


@pytest.mark.parametrize("limit", [5.0, 0.03])
def test_waiting_in_the_sandbox_is_the_same_as_waiting_beside_the_cluster(limit: float) -> None:
    """Also what is slept last, when nothing is asked afterwards."""
    seen, traces = list[object](), list[object]()
    for where in ("beside it", "sandbox"):
        with SimulatedCluster(Settings(heartbeat_ms=100, election_timeout_ms=400, seed=4711)) as cluster:
            cluster.start()
            cluster.sleep(1)
            if where == "sandbox":
                gateway = ClusterGateway(cluster)
                with session(_waiting(limit)) as child:
                    seen.append(child.call("f", gateway))
                assert sum(call.method == "now" for call in gateway.calls) == 2  # at first, and for the last sleep
            else:
                names: dict[str, Any] = {}
                exec(_waiting(limit), names)  # our own text
                seen.append(names["f"](cluster))
            traces.append((cluster.now(), cluster.events()))

    assert seen[0] == seen[1]
    assert traces[0] == traces[1]


def test_looking_at_the_clock_for_ever_uses_up_what_may_be_asked(cluster: SimulatedCluster) -> None:
    with session("def f(c):\n    while c.now() < 1e9:\n        pass\n") as child:
        child.limits = replace(QUICK, cluster_calls=50)
        fault = fault_of(child, "f", ClusterGateway(cluster))

    assert fault.kind is ErrorKind.RESOURCE_LIMIT
