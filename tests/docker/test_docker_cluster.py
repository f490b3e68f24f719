"""What is Docker's own about a cluster of containers; what all backends have in common is tested with the others."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from labs.cluster import FAST, ClusterError, Settings, StartFailed
from labs.cluster.docker.cluster import DockerCluster
from labs.cluster.docker.engine import Engine
from labs.cluster.docker.leftovers import FoundCluster, find
from tests import free_ports
from tests.docker.availability import patience

Make = Callable[..., DockerCluster]

LONELY = replace(FAST, nodes=1)


def of(cluster: DockerCluster) -> FoundCluster | None:
    """What the engine has of this cluster."""
    return next((found for found in find(cluster.engine) if found.cluster_id == cluster.cluster_id), None)


def container(cluster: DockerCluster, node: str) -> str:
    return f"replab-{cluster.cluster_id}-{node}"


# -- life ---------------------------------------------------------------------------------------------


def test_three_nodes_answer_within_five_seconds(make: Make) -> None:
    cluster = make()
    started = time.monotonic()
    cluster.start()

    assert time.monotonic() - started <= 5 * patience()
    assert all(status.answers for status in cluster.status().values())


def test_stop_takes_at_most_two_seconds_and_the_node_leaves_by_itself(cluster: DockerCluster) -> None:
    started = time.monotonic()
    cluster.stop("node-1")

    assert time.monotonic() - started <= 2 * patience()
    state = cluster.engine.client.api.inspect_container(container(cluster, "node-1"))["State"]
    assert state["ExitCode"] == 0, "it had to be killed, or failed"


def test_a_killed_node_had_no_time_to_say_goodbye(cluster: DockerCluster) -> None:
    cluster.kill("node-1")

    state = cluster.engine.client.api.inspect_container(container(cluster, "node-1"))["State"]
    assert state["ExitCode"] == 137
    assert cluster.status()["node-1"].state == "stopped"


def test_a_paused_node_is_frozen_and_can_still_be_stopped(cluster: DockerCluster) -> None:
    cluster.pause("node-3")
    assert cluster.status()["node-3"].state == "paused"

    cluster.resume("node-3")
    assert cluster.status()["node-3"].answers

    cluster.pause("node-3")
    cluster.stop("node-3")
    assert cluster.status()["node-3"].state == "stopped"


def test_a_restarted_node_has_its_address_and_its_data_again(make: Make) -> None:
    cluster = make(LONELY)
    cluster.start()
    url = cluster.url("node-1")
    assert cluster.put("name", "Alice").ok

    cluster.kill("node-1")
    cluster.start("node-1")
    cluster.wait_for(lambda c: c.leader())

    assert cluster.url("node-1") == url
    assert cluster.get("name").value == "Alice"


def test_without_durability_a_restarted_node_is_empty(make: Make) -> None:
    cluster = make(replace(LONELY, durable=False))
    cluster.start()
    assert cluster.put("name", "Alice").ok

    cluster.restart("node-1")
    cluster.wait_for(lambda c: c.leader())

    assert cluster.get("name").code == 404
    assert of(cluster).volumes == []  # type: ignore[union-attr]


def test_a_cut_off_node_still_answers_its_clients(cluster: DockerCluster) -> None:
    cluster.wait_for(lambda c: c.leader() == "node-1")
    cluster.partition(["node-1"], ["node-2", "node-3"])
    cluster.wait_for(lambda c: c.status()["node-2"].role == "leader")

    seen = requests.get(f"{cluster.url('node-1')}/status", timeout=2).json()
    assert seen["role"] == "leader", "it does not know yet that the others chose another"


def test_a_strategy_of_ones_own_runs_in_the_containers(make: Make, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "__init__.py").touch()
    (tmp_path / "mine" / "parts.py").write_text("from replstore.lowest_id import LowestId as Base\n")
    (tmp_path / "mine" / "strategy.py").write_text("from mine.parts import Base\n\n\nclass Mine(Base):\n    pass\n")
    cluster = make(replace(FAST, election="mine.strategy:Mine", python_path=(tmp_path,)))
    cluster.start()

    assert cluster.wait_for(lambda c: c.leader()) == "node-1"
    assert cluster.status()["node-1"].raw["election"] == "Mine"


def test_a_strategy_that_does_not_exist_is_refused_before_anything_is_made(make: Make, tmp_path: Path) -> None:
    cluster = make(replace(FAST, election="nowhere:Mine", python_path=(tmp_path,)))

    with pytest.raises(ClusterError, match="no module 'nowhere'"):
        cluster.start()
    assert of(cluster) is None


# -- what a container may do --------------------------------------------------------------------------


def test_containers_have_no_rights_that_they_do_not_need(cluster: DockerCluster) -> None:
    seen = cluster.engine.client.api.inspect_container(container(cluster, "node-1"))
    limits = seen["HostConfig"]

    assert seen["Config"]["User"] == "10001:10001"
    assert limits["ReadonlyRootfs"]
    assert limits["CapDrop"] == ["ALL"]
    assert limits["SecurityOpt"] == ["no-new-privileges"]
    assert limits["Memory"] == 256 << 20
    assert limits["PidsLimit"] == 64
    assert limits["PortBindings"]["4000/tcp"][0]["HostIp"] == "127.0.0.1"


def test_ports_are_open_to_others_only_when_asked(make: Make) -> None:
    cluster = make(LONELY, bind="0.0.0.0")
    cluster.start()

    published = cluster.engine.client.api.inspect_container(container(cluster, "node-1"))["NetworkSettings"]["Ports"]
    assert published["4000/tcp"][0]["HostIp"] == "0.0.0.0"
    assert requests.get(f"{cluster.url('node-1')}/status", timeout=2).ok


def test_everything_is_labelled_and_nothing_is_left(make: Make) -> None:
    cluster = make()
    volumes_before = {volume["Name"] for volume in cluster.engine.client.api.volumes()["Volumes"] or []}
    cluster.start()

    found = of(cluster)
    assert found is not None
    assert sorted(found.containers) == [container(cluster, node) for node in cluster.node_ids]
    assert found.networks == [f"replab-{cluster.cluster_id}"]
    assert sorted(found.volumes) == [container(cluster, node) for node in cluster.node_ids]
    new = {v["Name"] for v in cluster.engine.client.api.volumes()["Volumes"]} - volumes_before
    nameless = {name for name in new if len(name) == 64}
    assert not nameless & {
        mount.get("Name")
        for node in cluster.node_ids
        for mount in cluster.engine.client.api.inspect_container(container(cluster, node))["Mounts"]
    }

    cluster.close()
    assert of(cluster) is None
    with pytest.raises(StartFailed, match="has been closed"):
        cluster.start()


def test_an_exception_leaves_nothing_behind(engine: Engine) -> None:
    cluster = DockerCluster(LONELY, engine=engine)

    def visit() -> None:
        with cluster:
            cluster.start()
            assert of(cluster) is not None
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        visit()
    assert of(cluster) is None


# -- bad situations -----------------------------------------------------------------------------------


def test_a_taken_port_is_named_and_nothing_keeps_running(make: Make) -> None:
    first = free_ports.in_a_row(2)
    port = first + 1
    with socket.create_server(("127.0.0.1", port)):
        cluster = make(replace(FAST, nodes=2, first_port=first))
        with pytest.raises(StartFailed, match=f"Port {port}, wanted for node-2, is taken by another program"):
            cluster.start()
    assert not any(state == "running" for state in of(cluster).containers.values())  # type: ignore[union-attr]


def test_a_port_taken_by_a_container_names_that_container(make: Make) -> None:
    first = make(LONELY)
    first.start()
    port = int(str(first.url("node-1")).rsplit(":", 1)[1])
    second = make(replace(LONELY, first_port=port))

    with pytest.raises(StartFailed, match=f"taken by the container {container(first, 'node-1')}: `replab down"):
        second.start()


def test_a_name_that_is_in_use_is_refused_and_its_owner_is_not_touched(make: Make) -> None:
    first = make(LONELY)
    first.start()
    second = make(LONELY, name=first.cluster_id)

    with pytest.raises(ClusterError, match=f"a cluster named {first.cluster_id}"):
        second.start()
    second.close()
    assert first.status()["node-1"].answers


def test_a_network_name_that_is_taken_is_a_clear_error(make: Make, engine: Engine) -> None:
    cluster = make(LONELY)
    network = engine.client.networks.create(f"replab-{cluster.cluster_id}", labels={"replication-lab.test": "yes"})
    try:
        with pytest.raises(ClusterError, match="A network of that name exists"):
            cluster.start()
        cluster.close()
        network.reload()  # a stranger's network is not ours to remove
    finally:
        network.remove()


def test_a_container_that_was_removed_behind_our_back_is_told_and_can_be_made_again(cluster: DockerCluster) -> None:
    cluster.put("name", "Alice")
    cluster.wait_for(lambda c: c.get("name", via="node-3").value == "Alice")
    cluster.engine.client.api.remove_container(container(cluster, "node-3"), force=True)

    assert cluster.status()["node-3"].state == "stopped"
    with pytest.raises(
        ClusterError, match=r"container of node-3 is gone: .* start\('node-3'\) makes it again on its old"
    ):
        cluster.stop("node-3")
    cluster.start("node-3")
    assert cluster.get("name", via="node-3").value == "Alice"


def test_a_node_that_was_taken_off_its_network_is_put_back_by_a_restart(cluster: DockerCluster) -> None:
    cluster.wait_for(lambda c: c.leader() == "node-1")
    cluster.put("name", "Alice")
    api = cluster.engine.client.api
    api.disconnect_container_from_network(cluster._containers["node-3"], cluster._network)
    assert not cluster.status()["node-3"].answers

    begun = time.monotonic()
    cluster.restart("node-3")

    assert time.monotonic() - begun < 10 * patience()
    cluster.wait_for(lambda c: c.get("name", via="node-3").value == "Alice", timeout=10 * patience())


def test_all_containers_and_the_network_removed_behind_our_back_are_made_again(cluster: DockerCluster) -> None:
    api = cluster.engine.client.api
    for node in cluster.node_ids:
        api.remove_container(container(cluster, node), force=True)
    api.remove_network(f"replab-{cluster.cluster_id}")

    cluster.start()
    cluster.wait_for(lambda c: c.leader())
    assert len(of(cluster).networks) == 1  # type: ignore[union-attr]


def test_a_node_that_cannot_start_shows_its_log(make: Make, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("raise RuntimeError('forgot to finish this')\n")
    cluster = make(replace(LONELY, election="broken:Mine", python_path=(tmp_path,)))

    with pytest.raises(StartFailed, match="forgot to finish this"):
        cluster.start()


def test_a_full_disk_stops_the_write_and_is_named(make: Make, engine: Engine) -> None:
    cluster = make(LONELY)
    tiny = {"type": "tmpfs", "device": "tmpfs", "o": "size=64k,uid=10001"}
    cluster._prepare()
    engine.client.api.create_volume(container(cluster, "node-1"), driver_opts=tiny, labels=cluster._labels())
    cluster.start()
    cluster.wait_for(lambda c: c.leader())

    answers = [cluster.put(f"key-{number}", "x" * 10_000, via="node-1") for number in range(12)]
    assert not all(answer.ok for answer in answers)
    assert answers[0].ok
    told = cluster._with_log("node-1 refused", "node-1")
    assert "No space left on device" in told
    assert "The engine's disk is full: `docker system df`" in told


@pytest.mark.parametrize("name", ["Upper", "-dash", "with space", "x" * 40, ""])
def test_a_name_that_docker_would_not_take_is_refused_at_once(make: Make, name: str) -> None:
    with pytest.raises(ClusterError, match="a cluster's name is"):
        make(LONELY, name=name)


def test_an_idle_node_is_small_and_quiet(make: Make) -> None:
    cluster = make(Settings())
    cluster.start()
    cluster.wait_for(lambda c: c.leader())
    before = {node: _usage(cluster, node) for node in cluster.node_ids}
    began = time.monotonic()
    time.sleep(15)  # an interval to measure over, not a condition to wait for

    for node in cluster.node_ids:
        memory, cpu = _usage(cluster, node)
        share = (cpu - before[node][1]) / (time.monotonic() - began)
        assert memory <= 25e6, f"{node} takes {memory / 1e6:.1f} MB"
        assert share <= 0.01, f"{node} takes {share:.2%} of a core"


def _usage(cluster: DockerCluster, node: str) -> tuple[float, float]:
    """Resident memory in bytes and CPU seconds so far."""
    seen = cluster.engine.client.api.stats(container(cluster, node), stream=False)
    memory = seen["memory_stats"]
    resident = memory["stats"].get("rss", memory["stats"].get("anon"))
    return resident, seen["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9
