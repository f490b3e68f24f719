"""A workload's history can be saved, read and judged."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from unittest.mock import Mock

import pytest

from labs.cluster import SimulatedCluster
from labs.cluster.base import FAST, ClusterError, Outcome
from labs.history import is_linearizable, load, save
from labs.history.operations import Operation
from labs.history.workload import CLIENTS, KEYS, Workload


def wait_for(workload: Workload, count: int) -> None:
    while len(workload.operations) < count:
        time.sleep(0.001)


def test_what_clients_saw_of_a_calm_cluster_is_saved_and_linearizable(tmp_path: Path) -> None:
    with SimulatedCluster() as cluster:
        cluster.start()
        cluster.wait_for(lambda c: c.leader())
        with Workload(cluster) as workload:
            wait_for(workload, 60)
    save(tmp_path / "history.jsonl", workload.operations)

    operations = load(tmp_path / "history.jsonl")

    assert operations == workload.operations
    assert {operation.client for operation in operations} == {f"client-{number}" for number in range(1, CLIENTS + 1)}
    assert {operation.key for operation in operations} == set(KEYS)
    assert {operation.kind for operation in operations} == {"get", "put", "delete"}
    assert sum(operation.outcome is Outcome.OK for operation in operations) > 50


def test_stale_reads_are_in_the_history() -> None:
    with SimulatedCluster() as cluster:
        cluster.start()
        cluster.wait_for(lambda c: c.leader())
        cluster.delay_replication(2000)
        with Workload(cluster) as workload:
            wait_for(workload, 120)

    assert not is_linearizable(workload.operations)


def test_what_a_client_raises_is_raised_where_the_workload_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = SimulatedCluster()
    monkeypatch.setattr(cluster, "sleep", Mock(side_effect=ClusterError("the engine is gone")))

    with pytest.raises(ClusterError, match="the engine is gone"), Workload(cluster):
        pass


def test_in_a_simulation_a_seed_gives_one_history_and_no_thread_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading.Thread, "start", lambda thread: pytest.fail("a thread was started"))

    def history(seed: int) -> list[Operation]:
        with SimulatedCluster(FAST) as cluster:
            cluster.start()
            cluster.wait_for(lambda c: c.leader())
            began = cluster.now()
            workload = Workload(cluster, seed)
            workload.run(3)
            assert began + 3 <= cluster.now() < began + 6
            return workload.operations

    first = history(1)
    assert len(first) > 20
    assert {operation.client for operation in first} == {f"client-{number}" for number in range(1, CLIENTS + 1)}
    assert history(1) == first
    assert history(2) != first
