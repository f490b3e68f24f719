"""What every backend must do: elect, read and write, stop and start, and refuse a caller's mistakes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from labs.cluster import Cluster, ClusterError, ConditionTimeout, NoSuchNode, Outcome

from .conftest import QUICK, ClusterOf, faults, has, lacks, not_the_lessons, one_leader, same_in_containers

# -- who leads --------------------------------------------------------------------------------------------


def test_a_fresh_cluster_elects_node_1_in_term_1(cluster: Cluster) -> None:
    seen = cluster.status()

    assert [status.role for status in seen.values()] == ["leader", "follower", "follower"]
    assert {status.term for status in seen.values()} == {1}
    assert cluster.leader() == "node-1"


@same_in_containers
@pytest.mark.parametrize("size", [1, 2, 5])
def test_a_cluster_of_any_size_elects_a_leader_and_stores(cluster_of: ClusterOf, size: int) -> None:
    cluster = cluster_of(replace(QUICK, nodes=size))
    cluster.wait_for(one_leader("node-1"))

    assert cluster.put("size", size).ok
    for node in cluster.node_ids:
        cluster.wait_for(has(node, "size", size))


def test_when_the_leader_stops_node_2_leads_in_term_2(cluster: Cluster) -> None:
    cluster.stop("node-1")

    cluster.wait_for(one_leader("node-2"))
    assert cluster.status()["node-2"].term == 2
    assert cluster.status()["node-1"].state == "stopped"


@same_in_containers
def test_when_node_2_stops_too_the_lowest_id_takes_the_next_term(cluster: Cluster) -> None:
    cluster.stop("node-1")
    cluster.wait_for(one_leader("node-2"))
    cluster.start("node-1")
    cluster.wait_for(one_leader("node-2", ("node-1", "node-3")))
    cluster.stop("node-2")

    cluster.wait_for(one_leader("node-1"))
    assert cluster.status()["node-1"].term == 3


def test_a_paused_leader_is_replaced_and_follows_when_it_wakes_up(cluster: Cluster) -> None:
    cluster.pause("node-1")
    cluster.wait_for(one_leader("node-2"))
    assert cluster.status()["node-1"].state == "paused"
    assert not cluster.status()["node-1"].answers

    cluster.resume("node-1")

    cluster.wait_for(one_leader("node-2", cluster.node_ids))


# -- reading and writing ----------------------------------------------------------------------------------


def test_a_write_to_the_leader_reaches_every_follower(cluster: Cluster) -> None:
    answer = cluster.put("name", "Alice")

    assert (answer.outcome, answer.code, answer.node) == (Outcome.OK, 200, "node-1")
    assert answer.body["leader_id"] == "node-1"
    for node in ("node-2", "node-3"):
        cluster.wait_for(has(node, "name", "Alice"))
        assert cluster.get("name", via=node).body["node_role"] == "follower"


@same_in_containers
def test_a_follower_refuses_a_write_and_names_the_leader(cluster: Cluster) -> None:
    answer = cluster.put("test", "should fail", via="node-2")

    assert (answer.outcome, answer.code) == (Outcome.FAILED, 503)
    assert answer.body["error"] == "Not the leader"
    assert (answer.body["current_role"], answer.body["leader_id"]) == ("follower", "node-1")
    assert cluster.get("test").code == 404


@same_in_containers
def test_every_json_value_comes_back_as_it_went(cluster: Cluster) -> None:
    values: tuple[Any, ...] = (None, 0, False, "", [], {"a": [1, 2.5, None]}, "naïve ☃ 👑")
    for value in values:
        assert cluster.put("key", value).ok

        answer = cluster.get("key")
        assert (answer.code, answer.value) == (200, value)
        assert type(answer.value) is type(value)


@same_in_containers
def test_every_key_is_taken_as_it_is(cluster: Cluster) -> None:
    keys = ["a key", "a/b", "..", ".", "%", "%41", "ключ", "?x=1#y", "k" * 2000]
    for key in keys:
        assert cluster.put(key, 1).ok
        assert cluster.get(key).body["key"] == key

    assert cluster.status()["node-1"].raw["keys"] == sorted(keys)


@same_in_containers
def test_a_missing_key_is_a_certain_answer(cluster: Cluster) -> None:
    for answer in (cluster.get("nothing"), cluster.delete("nothing")):
        assert (answer.outcome, answer.code) == (Outcome.OK, 404)
        assert answer.body["error"] == "Key not found"


@same_in_containers
def test_a_delete_reaches_every_follower(cluster: Cluster) -> None:
    cluster.put("name", "Alice")
    cluster.wait_for(has("node-3", "name", "Alice"))

    assert cluster.delete("name").code == 200

    for node in cluster.node_ids:
        cluster.wait_for(lacks(node, "name"))


@not_the_lessons
@pytest.mark.parametrize("mode", ["quorum", "sync"])
def test_a_write_confirmed_by_copies_survives_the_crash_of_the_leader(cluster_of: ClusterOf, mode: str) -> None:
    cluster = cluster_of(replace(QUICK, mode=mode))
    cluster.wait_for(one_leader("node-1"))
    assert cluster.put("name", "Alice").ok

    cluster.kill("node-1")

    cluster.wait_for(one_leader("node-2"))
    if mode == "sync":  # nothing is confirmed, and so nothing new is shown, until all copies are back
        cluster.start("node-1")
    assert cluster.get("name", linearizable=True).value == "Alice"


@not_the_lessons
@same_in_containers
def test_a_linearizable_read_sees_the_write_before_it(cluster: Cluster) -> None:
    cluster.put("name", "Alice")

    answer = cluster.get("name", linearizable=True)
    assert (answer.node, answer.value) == ("node-1", "Alice")


def test_a_write_finds_the_new_leader_by_itself(cluster: Cluster) -> None:
    cluster.kill("node-1")

    answer = cluster.put("after", "the crash")

    assert (answer.outcome, answer.node) == (Outcome.OK, "node-2")


@same_in_containers
def test_a_write_to_a_stopped_node_has_certainly_failed(cluster: Cluster) -> None:
    cluster.stop("node-1")

    answer = cluster.put("name", "Alice", via="node-1")

    assert (answer.outcome, answer.code) == (Outcome.FAILED, None)


def test_a_write_to_a_paused_leader_is_of_unknown_outcome(cluster: Cluster) -> None:
    cluster.pause("node-1")

    answer = cluster.put("name", "Alice", via="node-1", timeout=0.3)

    assert (answer.outcome, answer.code) == (Outcome.UNKNOWN, None)


@same_in_containers
def test_with_every_node_stopped_a_write_has_certainly_failed(cluster: Cluster) -> None:
    for node in cluster.node_ids:
        cluster.stop(node)

    answer = cluster.put("name", "Alice", timeout=0.3)

    assert answer.outcome is Outcome.FAILED
    assert cluster.leader() is None


# -- stop and start ---------------------------------------------------------------------------------------


def test_a_returning_leader_follows_and_catches_up_deletes_included(cluster: Cluster) -> None:
    cluster.put("old", 1)
    cluster.put("doomed", 2)
    cluster.wait_for(has("node-2", "doomed", 2))  # `async`: the answer comes before the copies
    cluster.stop("node-1")
    cluster.wait_for(one_leader("node-2"))
    assert cluster.put("new", 3, via="node-2").ok
    assert cluster.delete("doomed", via="node-2").code == 200

    cluster.start("node-1")

    cluster.wait_for(one_leader("node-2", cluster.node_ids))
    cluster.wait_for(has("node-1", "new", 3))
    cluster.wait_for(lacks("node-1", "doomed"))
    assert cluster.get("old", via="node-1").value == 1
    assert cluster.status()["node-1"].term == 2


@not_the_lessons
def test_a_durable_cluster_that_was_killed_finds_its_data_again(cluster: Cluster) -> None:
    cluster.put("name", "Alice")
    cluster.wait_for(has("node-3", "name", "Alice"))
    for node in cluster.node_ids:
        cluster.kill(node)

    cluster.start()

    cluster.wait_for(has("node-3", "name", "Alice"))
    cluster.wait_for(lambda c: c.leader())
    assert cluster.get("name").value == "Alice"
    assert (cluster.status()["node-1"].term or 0) >= 2


def test_a_cluster_in_memory_begins_anew(cluster_of: ClusterOf) -> None:
    cluster = cluster_of(replace(QUICK, durable=False))
    cluster.wait_for(one_leader("node-1"))
    cluster.put("name", "Alice")
    for node in cluster.node_ids:
        cluster.stop(node)

    cluster.start()

    cluster.wait_for(one_leader("node-1"))
    assert cluster.get("name").code == 404
    assert cluster.status()["node-1"].term == 1


def test_restart_is_stop_and_start(cluster: Cluster) -> None:
    cluster.restart("node-3")

    cluster.wait_for(one_leader("node-1", cluster.node_ids))
    assert [event.kind for event in faults(cluster) if event.node == "node-3"] == ["start", "stop", "start"]


@same_in_containers
def test_what_is_already_so_is_not_done_again(cluster: Cluster) -> None:
    cluster.start("node-2")
    cluster.resume("node-2")
    cluster.stop("node-3")
    cluster.stop("node-3")
    cluster.kill("node-3")
    cluster.pause("node-3")

    assert [event.kind for event in faults(cluster) if event.node == "node-2"] == ["start"]
    assert [event.kind for event in faults(cluster) if event.node == "node-3"] == ["start", "stop"]
    assert cluster.status()["node-3"].state == "stopped"


def test_a_paused_node_can_be_stopped_killed_and_started_again(cluster: Cluster) -> None:
    for end in (cluster.stop, cluster.kill):
        cluster.pause("node-3")
        end("node-3")
        assert cluster.status()["node-3"].state == "stopped"
        cluster.start("node-3")
        assert cluster.status()["node-3"].answers


# -- mistakes of the caller -------------------------------------------------------------------------------


@same_in_containers
def test_every_verb_refuses_a_node_that_does_not_exist(cluster: Cluster) -> None:
    for verb in (cluster.start, cluster.stop, cluster.kill, cluster.pause, cluster.resume, cluster.restart,
                 cluster.url, cluster.logs):  # fmt: skip
        with pytest.raises(NoSuchNode, match="node-9"):
            verb("node-9")
    with pytest.raises(NoSuchNode):
        cluster.partition(["node-1", "node-9"])
    with pytest.raises(NoSuchNode):
        cluster.put("name", "Alice", via="node-9")
    with pytest.raises(NoSuchNode):
        cluster.get("name", via="node-9")
    with pytest.raises(NoSuchNode):
        cluster.delete("name", via="node-9")


@same_in_containers
def test_faults_that_make_no_sense_are_refused(cluster: Cluster) -> None:
    with pytest.raises(ClusterError, match="one side"):
        cluster.partition(["node-1", "node-2"], ["node-2", "node-3"])
    with pytest.raises(ClusterError, match="0 to 60000 ms"):
        cluster.delay_replication(-1)
    with pytest.raises(ClusterError, match="0 to 1"):
        cluster.lose_messages(drop=1.5)


@same_in_containers
def test_a_value_without_a_json_form_is_refused_before_it_is_sent(cluster: Cluster) -> None:
    for value in (float("nan"), {1, 2}, object()):
        with pytest.raises(ValueError, match="JSON"):
            cluster.put("name", value)


@same_in_containers
def test_waiting_in_vain_ends_with_the_nodes_status(cluster: Cluster) -> None:
    def pigs_fly(cluster: Cluster) -> bool:
        return False

    with pytest.raises(ConditionTimeout, match=r"pigs_fly did not come true(?s:.*)node-1: leader in term 1"):
        cluster.wait_for(pigs_fly, timeout=0.2)
    with pytest.raises(ConditionTimeout, match="What was waited for did not come true"):
        cluster.wait_for(lambda c: False, timeout=0.2)


@same_in_containers
def test_closing_twice_does_no_harm(cluster: Cluster) -> None:
    cluster.close()
    cluster.close()
