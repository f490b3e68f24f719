"""What every cluster does, whatever its nodes are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from labs.cluster import Cluster, ClusterError, ConditionTimeout, NoSuchNode, Outcome
from labs.trace.events import Event

from .conftest import QUICK, ClusterOf, has, lacks, not_the_lessons, one_leader, same_in_containers

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


# -- a bad network ----------------------------------------------------------------------------------------


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


# -- what is told about it --------------------------------------------------------------------------------


def faults(cluster: Cluster) -> list[Event]:
    """What was done to the cluster; a node's own notice that its settings changed does not count."""
    return [event for event in cluster.events() if event.event == "fault" and event.kind != "settings"]


def test_the_events_tell_what_was_done_in_order(cluster: Cluster) -> None:
    cluster.partition(["node-1"], ["node-2", "node-3"])
    cluster.heal()
    cluster.delay_replication(5, jitter_ms=1)
    cluster.lose_messages(0.01)
    cluster.pause("node-3")
    cluster.resume("node-3")
    cluster.kill("node-3")

    done = faults(cluster)[3:]
    assert [event.kind for event in done] == ["partition", "heal", "delay", "loss", "pause", "resume", "kill"]
    assert done[0].details == {"groups": [["node-1"], ["node-2", "node-3"]]}
    assert [event.node for event in done[-3:]] == ["node-3"] * 3


@same_in_containers
def test_the_events_tell_who_became_leader(cluster: Cluster) -> None:
    crowned = [event for event in cluster.events() if event.kind == "became_leader"]

    assert [(event.node, event.details["term"]) for event in crowned] == [("node-1", 1)]


def test_the_events_of_a_killed_node_are_kept_and_go_on_after_its_restart(cluster: Cluster) -> None:
    before = [event for event in cluster.events() if event.node == "node-1" and event.event == "note"]
    cluster.kill("node-1")
    cluster.wait_for(one_leader("node-2"))
    cluster.start("node-1")
    cluster.wait_for(one_leader("node-2", cluster.node_ids))

    after = [event for event in cluster.events() if event.node == "node-1" and event.event == "note"]
    assert after[: len(before)] == before
    assert [event.kind for event in after].count("started") == 2
    numbers = [event.seq for event in after]
    assert numbers == sorted(set(numbers))


@same_in_containers
def test_a_message_sent_and_the_same_message_received_are_joined_by_its_id(cluster: Cluster) -> None:
    cluster.put("name", "Alice")
    cluster.wait_for(has("node-2", "name", "Alice"))

    events = cluster.events()
    received = [event for event in events if event.event == "received" and event.kind == "Replicate"]
    sent = {event.id: event for event in events if event.event == "sent"}
    assert received
    for event in received:
        assert sent[event.id].kind == "Replicate"
        assert (sent[event.id].node, sent[event.id].peer) == (event.peer, event.node)


@same_in_containers
def test_a_clients_request_and_its_reply_are_joined_by_their_id(cluster: Cluster) -> None:
    cluster.put("name", "Alice", via="node-1")

    request, reply = (event for event in cluster.events() if event.event in ("request", "reply"))
    assert (request.event, request.kind, request.node) == ("request", "put", "node-1")
    assert (reply.event, reply.kind, reply.node) == ("reply", "put", "node-1")
    assert request.id == reply.id
    assert request.time <= reply.time


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


@same_in_containers
def test_closing_twice_does_no_harm(cluster: Cluster) -> None:
    cluster.close()
    cluster.close()
