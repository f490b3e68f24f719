"""A cluster of Python nodes becomes one of TypeScript nodes, node by node, while clients go on."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from random import Random

import pytest

from labs.cluster import ConditionTimeout, ForeignCluster
from labs.cluster.foreign import PATIENT
from labs.history import Operation, Recorder, RecordingClient, check, lost_writes, read_back
from tests import typescript_node

pytestmark = [pytest.mark.processes, pytest.mark.slow]

PYTHON = [sys.executable, "-m", "replstore"]
KEYS = ("a", "b", "c")


@pytest.fixture
def cluster() -> Iterator[ForeignCluster]:
    with ForeignCluster(replace(PATIENT, mode="quorum"), PYTHON, named_peers=True) as made:
        made.start()
        made.wait_for(lambda cluster: cluster.leader())
        yield made


def all_are_filled(cluster: ForeignCluster) -> bool:
    """Every node is up, and has what the leader has."""
    seen = list(cluster.status().values())
    ends = {status.raw.get("last_index") for status in seen}
    return all(status.answers for status in seen) and len(ends) == 1 and cluster.leader() is not None


@contextmanager
def clients(cluster: ForeignCluster) -> Iterator[Recorder]:
    """Two of them write and read all the time; the recorder has what they saw."""
    recorder, ending = Recorder(cluster), threading.Event()

    def work(client: RecordingClient, dice: Random) -> None:
        number = 0
        while not ending.is_set():
            number += 1
            if dice.random() < 0.6:
                client.put(dice.choice(KEYS), f"{client.name}-{number}", timeout=2)
            else:
                client.get(dice.choice(KEYS), linearizable=True, timeout=2)
            ending.wait(0.03)

    threads = [threading.Thread(target=work, args=(client, Random(client.name))) for client in recorder.clients(2)]
    for thread in threads:
        thread.start()
    try:
        yield recorder
    finally:
        ending.set()
        for thread in threads:
            thread.join()


def acknowledged(history: list[Operation]) -> int:
    return sum(operation.ok and not operation.is_read for operation in history)


def await_writes(cluster: ForeignCluster, recorder: Recorder, more: int) -> None:
    wanted = acknowledged(recorder.operations) + more
    try:
        cluster.wait_for(lambda _: acknowledged(recorder.operations) >= wanted, timeout=20)
    except ConditionTimeout as late:
        logs = [line for node in cluster.node_ids for line in cluster.logs(node, 10)]
        told = "\n".join([*map(str, recorder.operations[-20:]), *logs, *map(str, cluster.events()[-40:])])
        raise AssertionError(f"not {more} more writes: {late}\n{told}") from late


def test_one_at_a_time_and_filled_before_the_next_loses_nothing(cluster: ForeignCluster) -> None:
    command = typescript_node.command_or_skip("node-typescript-full")
    with clients(cluster) as recorder:
        for node in cluster.node_ids:
            await_writes(cluster, recorder, 5)
            cluster.replace(node, command)
            cluster.wait_for(all_are_filled, timeout=20)
    cluster.wait_for(all_are_filled, timeout=20)
    history = recorder.operations

    assert acknowledged(history) >= 15
    assert check(history).violations == ()
    assert lost_writes(history, read_back(cluster, KEYS)) == []


def test_one_at_a_time_but_not_filled_before_the_next_loses_what_was_acknowledged(cluster: ForeignCluster) -> None:
    command = typescript_node.command_or_skip("node-typescript-full")
    assert cluster.put("name", "Alice").ok
    cluster.wait_for(all_are_filled, timeout=20)
    cluster.partition(["node-1"], ["node-2"], ["node-3"])  # so nobody can fill anybody
    for node in cluster.node_ids:
        cluster.replace(node, command)
    cluster.heal()
    cluster.wait_for(lambda cluster: cluster.leader(), timeout=20)

    assert cluster.get("name").code == 404
