"""What every backend must do with a network that cuts, delays, loses and repeats messages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labs.cluster import Cluster, NoSuchNode

from .conftest import QUICK, ClusterOf, has, one_leader, same_in_containers


def test_a_leader_that_is_cut_off_goes_on_believing_and_the_others_elect_a_new_one(cluster: Cluster) -> None:
    cluster.partition(["node-1"], ["node-2", "node-3"])

    cluster.wait_for(one_leader("node-2", ("node-2", "node-3")))
    assert cluster.status()["node-1"].role == "leader"
    assert cluster.leader() == "node-2"
    assert cluster.put("name", "Alice").node == "node-2"

    cluster.heal()

    cluster.wait_for(one_leader("node-2", cluster.node_ids))
    cluster.wait_for(has("node-1", "name", "Alice"))


def test_a_client_still_reaches_a_node_that_is_cut_off(cluster: Cluster) -> None:
    cluster.put("name", "Alice")
    cluster.wait_for(has("node-3", "name", "Alice"))
    cluster.partition(["node-1", "node-2"])

    assert cluster.get("name", via="node-3").value == "Alice"
    assert cluster.put("name", "Bob", via="node-1").ok
    cluster.wait_for(has("node-2", "name", "Bob"))
    assert cluster.get("name", via="node-3").value == "Alice"


def test_a_partition_holds_for_a_node_that_is_restarted(cluster: Cluster) -> None:
    cluster.partition(["node-1", "node-2"], ["node-3"])
    cluster.restart("node-3")
    assert cluster.put("name", "Alice", via="node-1").ok
    cluster.wait_for(has("node-2", "name", "Alice"))

    assert cluster.get("name", via="node-3").code == 404

    cluster.heal()
    cluster.wait_for(has("node-3", "name", "Alice"))


@same_in_containers
def test_a_partition_holds_for_a_node_that_slept_through_its_beginning(cluster: Cluster) -> None:
    cluster.pause("node-3")
    cluster.partition(["node-1", "node-2"], ["node-3"])
    cluster.resume("node-3")
    assert cluster.put("name", "Alice", via="node-1").ok
    cluster.wait_for(has("node-2", "name", "Alice"))

    assert cluster.get("name", via="node-3").code == 404


def test_a_cut_in_one_direction_loses_only_what_goes_that_way(cluster: Cluster) -> None:
    cluster.put("before", 1)
    cluster.wait_for(has("node-3", "before", 1))
    cluster.cut("node-1", "node-3")
    assert cluster.put("name", "Alice", via="node-1").ok
    cluster.wait_for(has("node-2", "name", "Alice"))

    assert cluster.get("name", via="node-3").code == 404

    cluster.heal()
    cluster.wait_for(lambda c: c.get("name", via="node-3").value == "Alice")


def test_the_status_tells_what_is_lost_on_the_way_to_a_node(cluster: Cluster) -> None:
    cluster.cut("node-1", "node-3")
    assert cluster.status()["node-3"].raw["faults"]["lost_from"] == ["node-1"]
    assert cluster.status()["node-1"].raw["faults"]["lost_from"] == []

    cluster.heal()
    assert cluster.status()["node-3"].raw["faults"]["lost_from"] == []


@same_in_containers
def test_only_nodes_that_there_are_can_be_cut(cluster: Cluster) -> None:
    with pytest.raises(NoSuchNode):
        cluster.cut("node-1", "node-9")


@same_in_containers
def test_a_new_partition_takes_the_place_of_the_old_one(cluster: Cluster) -> None:
    cluster.partition(["node-1"], ["node-2", "node-3"])
    cluster.partition(["node-1", "node-2"], ["node-3"])
    assert cluster.put("name", "Alice", via="node-1").ok

    cluster.wait_for(has("node-2", "name", "Alice"))


def test_delayed_replication_makes_a_follower_stale_for_that_long(cluster: Cluster) -> None:
    cluster.delay_replication(500)
    began = cluster.now()
    assert cluster.put("name", "Alice").ok

    assert cluster.get("name", via="node-2").code == 404
    cluster.wait_for(has("node-2", "name", "Alice"))
    assert cluster.now() - began >= 0.5

    cluster.delay_replication(0)
    began = cluster.now()
    cluster.put("name", "Bob")
    cluster.wait_for(has("node-2", "name", "Bob"))
    assert cluster.now() - began < 0.5


@same_in_containers
def test_a_delayed_copy_is_gone_with_the_node_that_was_to_send_it(cluster: Cluster) -> None:
    others = ["node-2", "node-3"]
    cluster.put("early", 1)
    cluster.wait_for(lambda c: all(c.get("early", via=node).value == 1 for node in others))
    cluster.delay_replication(1000)
    assert cluster.put("late", 2).ok
    cluster.stop("node-1")
    stopped = cluster.now()
    cluster.wait_for(lambda c: c.now() - stopped > 1.5 and c.leader() in others)

    assert [cluster.get("early", via=node).value for node in others] == [1, 1]
    assert [cluster.get("late", via=node).code for node in others] == [404, 404]


@same_in_containers
def test_a_delay_holds_for_a_leader_that_is_restarted(cluster_of: ClusterOf) -> None:
    cluster = cluster_of(replace(QUICK, nodes=2))
    cluster.wait_for(one_leader("node-1"))
    cluster.delay_replication(500)
    cluster.stop("node-2")
    cluster.restart("node-1")
    cluster.wait_for(lambda c: c.leader() == "node-1")
    cluster.start("node-2")
    cluster.wait_for(one_leader("node-1", cluster.node_ids))
    cluster.put("name", "Alice", via="node-1")

    assert cluster.get("name", via="node-2").code == 404


@same_in_containers
def test_a_write_gets_through_a_network_that_loses_and_repeats_messages(cluster: Cluster) -> None:
    cluster.lose_messages(drop=0.2, duplicate=0.2)
    for number in range(10):
        assert cluster.put("count", number).ok
    final = cluster.get("count").value

    cluster.lose_messages(0)

    for node in cluster.node_ids:
        cluster.wait_for(has(node, "count", final))
