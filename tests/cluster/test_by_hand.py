"""A simulated cluster by hand: one message at a time, timers that run out, undo, and the whole as a schedule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.cluster import FAST, ClusterError, SimulatedCluster
from labs.simulation.schedule import Schedule, carry_out
from replstore.core.bully import Bully
from replstore.core.lowest_id import LowestId
from solutions.ex3_election import MyElection

ELECTIONS = {"lowest-id": LowestId, "bully": Bully, "solutions.ex3_election:MyElection": MyElection}
VOTES = "solutions.ex3_election:MyElection"


def started(**changes: Any) -> SimulatedCluster:
    cluster = SimulatedCluster(replace(FAST, **changes))
    cluster.start()
    cluster.wait_for(lambda c: c.leader())
    cluster.sleep(0.3)
    return cluster


def happened(events: Any) -> list[tuple[Any, ...]]:
    return [(e.time, e.node, e.event, e.kind, e.id, e.peer) for e in events]


def flying(cluster: SimulatedCluster) -> list[str]:
    """Ids of the messages on their way, after time has passed until there are some."""
    cluster.wait_for(lambda c: c.in_flight())
    return [message.id for message in cluster.in_flight()]


def test_a_message_that_is_delivered_has_arrived_and_no_time_has_passed() -> None:
    cluster = started()
    message, now = flying(cluster)[-1], cluster.now()

    cluster.deliver(message)

    assert message not in [one.id for one in cluster.in_flight()]
    assert any(e.event == "received" and e.id == message and e.time == now for e in cluster.events())
    assert cluster.now() == now


def test_a_message_that_is_dropped_never_arrives() -> None:
    cluster = started()
    message = flying(cluster)[0]

    cluster.drop_message(message)
    cluster.sleep(1.0)

    assert any(e.event == "dropped" and e.id == message for e in cluster.events())
    assert not any(e.event == "received" and e.id == message for e in cluster.events())


def test_a_message_that_is_held_back_arrives_when_it_is_delivered_and_not_before() -> None:
    cluster = started()
    message = flying(cluster)[0]
    cluster.hold_back(message)
    cluster.sleep(1.0)
    [held] = [one for one in cluster.in_flight() if one.due is None]
    assert held.id == message
    assert not any(e.event == "received" and e.id == message for e in cluster.events())

    cluster.deliver(message)

    assert any(e.event == "received" and e.id == message for e in cluster.events())


def test_what_is_not_on_its_way_is_a_sentence_and_leaves_no_step() -> None:
    cluster = started()
    before = list(cluster.steps)

    with pytest.raises(ClusterError, match="no message 'nonsense' is on its way any more"):
        cluster.deliver("nonsense")

    assert cluster.steps == before


@pytest.mark.parametrize("election", ELECTIONS)
def test_a_timer_that_is_let_run_out_makes_that_node_act_while_the_world_stands_still(election: str) -> None:
    cluster = started(election=election)
    now, leader = cluster.now(), cluster.leader()
    follower = next(node for node in cluster.node_ids if node != leader)
    before = len(cluster.events())

    cluster.run_out(follower)

    assert cluster.now() == now
    news = cluster.events()[before:]
    assert news[0][2:4] == ("fault", "run_out")
    assert {e.node for e in news} == {follower}
    assert len(news) > 1


def test_a_leader_has_no_timer_to_run_out() -> None:
    cluster = started()
    before = len(cluster.events())

    cluster.run_out(cluster.leader() or "")

    assert len(cluster.events()) == before


def test_an_election_can_be_played_by_hand_message_by_message() -> None:
    cluster = started(election=VOTES)
    other, candidate = (node for node in cluster.node_ids if node != cluster.leader())
    cluster.kill(cluster.leader() or "")
    now = cluster.now()
    cluster.run_out(other)  # while it believes in the leader it would not vote for anybody else
    for _ in range(40):
        if cluster.status()[candidate].role == "leader":
            break
        messages = [one for one in cluster.in_flight() if candidate in (one.sender, one.to)]
        if messages:
            cluster.deliver(messages[0].id)
        else:
            cluster.run_out(candidate)

    assert cluster.status()[candidate].role == "leader"
    assert cluster.now() == now


def test_undo_takes_back_one_thing_after_the_other() -> None:
    cluster = started()
    first = happened(cluster.events())
    cluster.kill("node-1")
    cluster.sleep(1.0)
    second = happened(cluster.events())
    cluster.put("x", 1)

    assert cluster.undo()
    assert happened(cluster.events()) == second
    assert cluster.undo()
    assert happened(cluster.events()) == first
    assert not cluster.undo()


def test_a_message_that_is_held_back_arrives_when_all_is_mended() -> None:
    cluster = started()
    cluster.wait_for(lambda c: c.in_flight())
    held = cluster.in_flight()[0]
    cluster.hold_back(held.id)
    cluster.sleep(1.0)
    assert [one.id for one in cluster.in_flight() if one.due is None] == [held.id]
    schedule = cluster.schedule()

    run = carry_out(schedule, LowestId)

    arrived = [event.time for event in run.trace if event.event == "received" and event.id == held.id]
    assert arrived == [schedule.length]


def test_undo_goes_past_what_nobody_did_by_hand() -> None:
    cluster = started()
    first = happened(cluster.events())
    cluster.kill("node-3")
    second = happened(cluster.events())
    with cluster.unattended():
        cluster.put("beside", 1)
    cluster.put("x", 1)
    with cluster.unattended():
        cluster.put("beside", 2)

    assert cluster.undo()
    assert cluster.get("beside").value == 1
    assert cluster.undo()  # the read
    assert cluster.undo()
    assert happened(cluster.events()) == first != second
    assert not cluster.undo()


ACTS = (
    *("deliver", "drop_message", "hold_back", "run_out", "kill", "start", "pause", "resume", "isolate", "heal"),
    *("put", "get", "delete", "delay", "loss", "sleep", "linearizable"),
)
acts = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 20)), max_size=12)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(acts, st.sampled_from(sorted(ELECTIONS)), st.sampled_from(("async", "quorum", "sync")))
def test_whatever_is_done_by_hand_a_saved_schedule_runs_again_event_for_event(
    todo: list[tuple[str, int]], election: str, mode: str
) -> None:
    cluster = started(election=election, mode=mode, seed=3)
    for act, number in todo:
        do(cluster, act, number)

    saved = Schedule.from_json(cluster.schedule().to_json())
    again = carry_out(saved, ELECTIONS[election])

    mine = happened(cluster.events())
    assert again.failure is None
    assert happened(again.trace)[: len(mine)] == mine


def do(cluster: SimulatedCluster, act: str, number: int) -> None:
    node = cluster.node_ids[number % 3]
    up = cluster.status()[node].answers
    match act:
        case "deliver" | "drop_message" | "hold_back":
            if messages := cluster.in_flight():
                getattr(cluster, act)(messages[number % len(messages)].id)
        case "isolate":
            cluster.partition([node], [other for other in cluster.node_ids if other != node])
        case "heal":
            cluster.heal()
        case "sleep":
            cluster.sleep(number / 40)
        case "delay":
            cluster.delay_replication(10 * number, number)
        case "loss":
            cluster.lose_messages(number / 40, number / 40)
        case "put":
            cluster.put("x", number, via=node, timeout=0.2)
        case "delete":
            cluster.delete("x", via=node, timeout=0.2)
        case "get" | "linearizable" if up:
            cluster.get("x", via=node, linearizable=act == "linearizable", timeout=0.2)
        case "run_out" | "kill" | "start" | "pause" | "resume":
            getattr(cluster, act)(node)
