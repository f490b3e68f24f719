"""What every backend tells of a run: faults, leaders, messages, and clients' requests."""

from __future__ import annotations

from labs.cluster import Cluster

from .conftest import faults, has, one_leader, same_in_containers


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
