"""A container of 256 MB survives clients of every bad kind, and still answers. The kernel ends one that takes more."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from labs.cluster import Settings
from labs.cluster.docker.cluster import DockerCluster
from labs.cluster.docker.engine import Engine
from tests.attacks import MEGABYTE, Target, attack, large_messages, large_writes, long_polls, many_sockets, statuses


def test_a_container_survives_large_messages_large_writes_and_long_polls_at_once(
    engine: Engine, make: Callable[..., DockerCluster]
) -> None:
    """Only the leader is left of a cluster in mode quorum, so that what is written waits for its copies."""
    cluster = make(Settings(mode="quorum", heartbeat_ms=200, election_timeout_ms=5000))
    cluster.start()
    cluster.wait_for(lambda c: c.leader() == "node-1", timeout=60)
    assert cluster.put("treasure", 1).ok
    assert cluster.put("large", "x" * MEGABYTE).ok
    cluster.kill("node-2")
    cluster.kill("node-3")
    container = cluster._containers["node-1"]
    before = engine.client.api.inspect_container(container)
    address = urlsplit(cluster.url("node-1") or "")
    target = Target(str(address.hostname), int(address.port or 0), cluster.token, lambda: memory_of(engine, container))

    with many_sockets():
        messages, writes = attack(target, large_messages(target, "wrong"), large_writes(target))
        # With the long polls there are more connections than a node keeps: it closes some without an answer.
        attacks = large_messages(target, "wrong"), large_writes(target), long_polls(target, 6)
        attack(target, *attacks)

    after = engine.client.api.inspect_container(container)
    assert after["HostConfig"]["Memory"] == 256 * 2**20
    assert (after["State"]["OOMKilled"], after["RestartCount"]) == (False, 0)
    assert after["State"]["StartedAt"] == before["State"]["StartedAt"]
    assert statuses(messages) <= {b"403"}
    assert statuses(writes) == {b"503", b"504"}
    assert cluster.get("treasure", via="node-1").value == 1
    cluster.start()
    cluster.wait_for(lambda c: c.put("afterwards", 2).ok, timeout=60)


def memory_of(engine: Engine, container: str) -> int:
    """What counts towards the limit, without files in the cache, which the kernel gives up when it needs the room."""
    told = engine.client.api.stats(container, stream=False, one_shot=True)["memory_stats"]
    cached = told.get("stats", {})
    return int(told["usage"] - cached.get("inactive_file", cached.get("total_inactive_file", 0)))
