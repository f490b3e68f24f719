"""Nothing tells a good store from a broken one but what it does: not a name, not a number, not what was left behind."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from labs.grading.checks.broken_stores import FAULTS
from labs.grading.checks.clusters import broken_kinds, good_kinds, make
from labs.grading.checks.ex1 import checks
from labs.grading.checks.two_leaders import DISGUISES
from labs.grading.cluster_gateway import ClusterGateway
from labs.grading.sandbox.isolation import Isolation
from labs.grading.session import Session
from labs.lesson.exercises import BY_ID
from replstore.core.node import Node

FAULTY = [(fault.name, store) for fault in FAULTS for store in fault.stores]

SPY = """
import ctypes, gc, json, os, sys, time, types

calls = 0

def _shared_memory():
    libc = ctypes.CDLL(None, use_errno=True)
    found = libc.shmget(0x5EC2, 4096, 0o1000 | 0o2000 | 0o600)  # IPC_CREAT | IPC_EXCL
    return found >= 0

def _left_behind():
    found = []
    for folder in ("/tmp", "/dev/shm", "/var/tmp", os.environ["TMPDIR"], os.environ["HOME"], "."):
        try:
            name = os.path.join(folder, "i-was-here")
            found.append(os.path.exists(name))
            with open(name, "w") as file:
                file.write("x")
        except OSError as error:
            found.append(type(error).__name__)
    return found

def _ages():
    own = sys.modules[__name__].__file__
    folder = os.path.dirname(os.path.dirname(types.__file__))
    library = sys.modules["labs.grading.child.main"].__loader__.archive
    stamps = [os.stat(own), os.stat(library)]
    return [time.time() - stamp.st_ctime < 60 for stamp in stamps] + [stamp.st_mtime for stamp in stamps[1:]]

def survives(cluster):
    global calls
    calls += 1
    cluster.put("a", 1)
    cluster.sleep(1)
    status, events = cluster.status(), cluster.events()
    wire = cluster._wire
    facts = {
        "calls": calls,
        "types": [type(cluster).__name__, cluster.__class__.__module__, type(status["node-1"]).__name__],
        "settings": repr(cluster.settings),
        "backend": cluster.backend,
        "cluster": {k: v for k, v in vars(cluster).items() if type(v) in (int, str, bool)},
        "wire": {k: v for k, v in vars(wire).items() if type(v) in (int, str, bool) and k != "_owner"},
        "raw": sorted(status["node-1"].raw),
        "names": sorted({(e.event, e.kind) for e in events}),
        "details": sorted({(e.kind, *sorted(e.details)) for e in events}),
        "started": [e.details for e in events if e.kind == "started"],
        "ids": [e.seq for e in events] == list(range(1, len(events) + 1)),
        "environment": sorted((k, v) for k, v in os.environ.items() if "replab" not in v and k != "REPLAB_SANDBOX"),
        "arguments": sys.argv,
        "modules": sorted(name for name in sys.modules if name.startswith(("labs", "replstore"))),
        "clusters": sum(type(o).__name__ == "ProxyCluster" for o in gc.get_objects()),
        "ipc": _shared_memory(),
        "left": _left_behind(),
        "ages": _ages(),
    }
    return {"survives": True, "reason": json.dumps(facts)}
"""


class Spying(Session):
    """Writes down what the spy reports."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reports: list[dict[str, Any]] = []

    def call(self, name: str, *arguments: Any, seconds: float | None = None) -> Any:
        answer = super().call(name, *arguments, seconds=seconds)
        self.reports.append(json.loads(answer["reason"]))
        return answer


def spying(isolation: Isolation, **settings: Any) -> Spying:
    return Spying(BY_ID["ex1"], {"ex1_fault_tolerance.py": SPY}, isolation=isolation, **settings)


@pytest.mark.sample(1)
@pytest.mark.skipif(sys.platform != "linux", reason="System V's shared memory by number")
def test_a_spy_sees_no_difference_between_a_good_store_and_any_broken_one(isolation: Isolation) -> None:
    kind = good_kinds("student")[0]
    with spying(isolation) as session:
        for node_class, election in [(Node, None), (Node, None), *((s.node_class, s.election) for _, s in FAULTY)]:
            session.restart()
            with make(kind, 3, node_class, election) as cluster:
                session.call("survives", ClusterGateway(cluster, disguises=DISGUISES))
    first, *others = session.reports

    assert first["ids"]
    assert "started" in first
    for report, name in zip(others, ["good", *(name for name, _ in FAULTY)], strict=True):
        assert report == first, f"{name} can be told by {[key for key in first if report[key] != first[key]]}"


def test_the_checks_themselves_give_no_more_away() -> None:
    """A process is new for each store, in the check of good ones as in those of broken ones."""
    by_id = {check.id: check for check in checks("student")}
    from labs.grading.sandbox.sandbox import best_isolation

    with spying(best_isolation()) as session:
        by_id["ex1.good"].run(session)
        good = len(session.reports)
        by_id["ex1.broken.drops-deletes"].run(session)

    assert good == len(good_kinds("student")) < len(session.reports)
    for report in session.reports:
        assert (report["calls"], report["clusters"], report["cluster"]["_number"]) == (1, 1, 1)


def test_a_kind_of_store_says_nothing() -> None:
    """All good kinds are among the broken ones, whatever the dice; and the dice say which has which fault."""
    for dice in ("", "a", "b"):
        broken = [broken_kinds("instructor", number, dice) for number in range(len(FAULTS))]
        assert {str(kind) for kinds in broken for kind in kinds} == {str(kind) for kind in good_kinds("instructor")}
    assert len({str(broken_kinds("instructor", 0, dice)[0]) for dice in "abcdefgh"}) > 1


def test_messages_of_a_second_leader_look_like_those_of_a_good_store() -> None:
    [store] = [store for _, store in FAULTY if store.node_class.__name__ == "SecondLeader"]
    with make(good_kinds("student")[0], 1, store.node_class, store.election) as cluster:
        gateway = ClusterGateway(cluster, disguises=DISGUISES)
        cluster.stop("node-1")
        cluster.sleep(3)
        cluster.start("node-1")
        cluster.sleep(1)
        assert cluster.put("a", 1, via="node-3").ok or cluster.put("a", 1, via="node-1").ok, "a second leader took it"
        told = gateway.serve("events", {})["ok"]

    true = {event.kind for event in cluster.events()}
    assert set(DISGUISES) <= true, "otherwise this test would show nothing"
    assert not {event["kind"] for event in told} & set(DISGUISES)
    assert [event["seq"] for event in told] == list(range(1, len(told) + 1)), "no gap either"
    looks = {kind: {tuple(event["details"]) for event in told if event["kind"] == kind} for kind in DISGUISES.values()}
    for kind, shapes in looks.items():
        assert len({shape for shape in shapes if "gives_up_in_ms" not in shape}) == 1, (kind, shapes)
