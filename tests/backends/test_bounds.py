"""A node holds within 256 MB, and still answers, while clients of every bad kind come at once."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import psutil
import pytest
import requests

from labs.cluster import ProcessCluster, Settings
from tests.attacks import (
    MEGABYTE,
    Target,
    attack,
    idle,
    large_messages,
    large_writes,
    long_polls,
    many_sockets,
    slow_readers,
    statuses,
)

pytestmark = [pytest.mark.processes, pytest.mark.slow]


@pytest.fixture(scope="module")
def cluster() -> Iterator[ProcessCluster]:
    """Only the leader is left of a cluster in mode quorum: what is written waits for its copies."""
    settings = Settings(mode="quorum", heartbeat_ms=200, election_timeout_ms=5000)
    with many_sockets(), ProcessCluster(settings) as cluster:
        cluster.start()
        cluster.wait_for(lambda c: c.leader() == "node-1")
        assert cluster.put("treasure", 1).ok
        assert cluster.put("large", "x" * MEGABYTE).ok
        cluster.kill("node-2")
        cluster.kill("node-3")
        yield cluster


@pytest.fixture
def target(cluster: ProcessCluster) -> Target:
    address = urlsplit(cluster.url("node-1") or "")
    assert address.hostname is not None
    assert address.port is not None
    process = psutil.Process(cluster.pid("node-1"))
    return Target(address.hostname, address.port, cluster.token, lambda: int(process.memory_info().rss))


def test_large_messages_without_the_token_are_refused_before_they_are_read(target: Target) -> None:
    before = target.memory()

    (found,) = attack(target, large_messages(target, "wrong"))

    assert statuses(found) <= {b"403"}
    assert target.peak - before < 32 * 2**20


def test_large_messages_of_a_confused_peer_do_not_fill_the_memory(target: Target) -> None:
    (found,) = attack(target, large_messages(target, target.token))

    assert statuses(found) <= {b"400", b"503"}


def test_large_writes_that_wait_for_their_copies_are_bounded_in_bytes(target: Target) -> None:
    (found,) = attack(target, large_writes(target))

    assert statuses(found) == {b"503", b"504"}


def test_who_waits_for_events_keeps_nobody_out_and_is_gone_when_it_hangs_up(target: Target) -> None:
    (found,) = attack(target, long_polls(target, 3))
    answer = requests.get(f"http://{target.host}:{target.port}/status", timeout=1)

    assert statuses(found) <= {b"200"}
    assert answer.status_code == 200


@pytest.mark.slow
def test_a_node_of_256_mb_survives_all_of_this_at_once(cluster: ProcessCluster, target: Target) -> None:
    attack(
        target,
        large_messages(target, ""),
        large_messages(target, target.token),
        large_writes(target),
        long_polls(target, 6),
        idle(target, 6),
        slow_readers(target, 6),
    )

    assert cluster.status()["node-1"].total_keys == 2
