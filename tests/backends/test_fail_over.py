"""The leader is killed while clients write: what was promised is kept, and what `async` lost is said."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from labs.cluster import FAST, Cluster, Outcome, ProcessCluster

pytestmark = pytest.mark.processes


def write_until(cluster: Cluster, enough: threading.Event, name: str) -> dict[str, int]:
    """Write one key after the other; returns those that were acknowledged."""
    acknowledged = {}
    number = 0
    while not enough.is_set():
        number += 1
        answer = cluster.put(f"{name}-{number}", number, timeout=1.0)
        if answer.outcome is Outcome.OK:
            acknowledged[f"{name}-{number}"] = number
    return acknowledged


@pytest.mark.sample(1)
@pytest.mark.parametrize("mode", ["quorum", "sync"])
def test_nothing_acknowledged_is_lost_when_the_leader_is_killed_with_writes_in_flight(mode: str) -> None:
    with ProcessCluster(replace(FAST, mode=mode)) as cluster:
        cluster.start()
        cluster.wait_for(lambda c: c.leader() == "node-1")
        enough = threading.Event()
        kept: list[dict[str, int]] = []
        writers = [
            threading.Thread(target=lambda n=n: kept.append(write_until(cluster, enough, f"writer{n}")))
            for n in range(4)
        ]
        for writer in writers:
            writer.start()
        cluster.wait_for(lambda c: (c.status()["node-2"].total_keys or 0) > 50)
        cluster.kill("node-1")
        cluster.wait_for(lambda c: c.leader() == "node-2")
        enough.set()
        for writer in writers:
            writer.join(timeout=30)
        cluster.start("node-1")
        promised = {key: value for one in kept for key, value in one.items()}
        assert len(promised) > 50
        cluster.wait_for(lambda c: len({s.raw.get("commit_index") for s in c.status().values()}) == 1)

        for node in cluster.node_ids:
            missing = [key for key, value in promised.items() if cluster.get(key, via=node).value != value]
            assert missing == [], node


def test_a_write_that_async_lost_is_reported_by_the_node_that_drops_it() -> None:
    with ProcessCluster(FAST) as cluster:
        cluster.start()
        cluster.wait_for(lambda c: c.leader() == "node-1")
        cluster.put("before", 1)
        cluster.wait_for(lambda c: c.get("before", via="node-2").value == 1)
        cluster.partition(["node-1"], ["node-2", "node-3"])
        assert cluster.put("lost", "x", via="node-1").ok, "async acknowledges what nobody else has"
        cluster.wait_for(lambda c: c.leader() == "node-2")
        cluster.heal()

        cluster.wait_for(
            lambda c: c.status()["node-1"].leader_id == "node-2" and c.get("lost", via="node-1").code == 404
        )
        notes = [e for e in cluster.events() if e.event == "note" and e.kind == "write_lost"]
        assert [(e.node, e.details["key"], e.details["value"]) for e in notes] == [("node-1", "lost", "x")]
        assert any("Lost an acknowledged write" in line for line in cluster.logs("node-1"))


@pytest.mark.slow
def test_a_follower_that_missed_more_than_the_log_keeps_gets_a_snapshot() -> None:
    with ProcessCluster(FAST) as cluster:
        cluster.start()
        cluster.wait_for(lambda c: c.leader() == "node-1")
        cluster.stop("node-3")
        large = "x" * 500_000
        for number in range(45):  # more than twice the 8 MiB that the log keeps
            assert cluster.put(f"k{number % 3}", f"{number}{large}").ok
        cluster.start("node-3")

        cluster.wait_for(lambda c: (c.get("k2", via="node-3").value or "")[:2] == "44", timeout=30)
        assert any(e.kind == "installed_snapshot" and e.node == "node-3" for e in cluster.events())
