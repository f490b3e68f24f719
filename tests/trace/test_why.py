"""Why it is so: the chain of events behind a leader, or behind there being none, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labs.cluster import FAST, SimulatedCluster
from labs.simulation.schedule import Schedule, carry_out, random_schedule
from labs.trace.why import Explanation, explain
from solutions.ex3_election import MyElection

VOTES = "solutions.ex3_election:MyElection"


def started(election: str = VOTES, nodes: int = 3) -> SimulatedCluster:
    cluster = SimulatedCluster(replace(FAST, election=election, nodes=nodes, seed=7))
    cluster.start()
    cluster.wait_for(lambda c: c.leader())
    cluster.sleep(0.5)
    return cluster


def explained(cluster: SimulatedCluster) -> list[Explanation]:
    return explain(cluster.events(), cluster.node_ids, cluster.now())


def texts(explanation: Explanation) -> list[str]:
    return [reason.text for reason in explanation.reasons]


@pytest.mark.parametrize("fault", ["kill", "stop", "pause"])
def test_a_fail_over_is_led_back_to_what_was_done_to_the_leader(fault: str) -> None:
    cluster = started()
    old = cluster.leader()
    assert old
    getattr(cluster, fault)(old)
    new = cluster.wait_for(lambda c: next((s.node_id for s in c.status().values() if s.role == "leader"), None))

    [why] = explained(cluster)

    assert why.question == f"Why does {new} lead?"
    won, votes, called, silence = why.reasons
    assert won.text.startswith(f"{new} became leader of term ")
    assert "voted for it: with its own vote 2 of 3, and more than half is enough" in votes.text
    assert {message.receiver for message in votes.messages} == {new}
    assert called.text.startswith(f"{new} called an election: its last message from {old} was ")
    assert [message.sender for message in called.messages] == [old]
    assert silence.text in (f"{old} is killed", f"{old} is stopped", f"{old} is paused")
    assert [reason.time for reason in why.reasons] == sorted((reason.time for reason in why.reasons), reverse=True)


def test_both_leaders_of_a_cut_network_are_explained_by_the_cut() -> None:
    cluster = started("lowest-id")
    cluster.partition(["node-1"], ["node-2", "node-3"])
    cluster.wait_for(lambda c: c.status()["node-2"].role == "leader")

    new, old = explained(cluster)

    assert new.question == "Why does node-2 lead?"
    rule = "under LowestId the lowest id leads of those that are not taken for dead"
    assert f"no votes decided this: {rule}" in texts(new)
    assert texts(new)[-1] == "the network was cut: node-1 | node-2, node-3"
    assert texts(old)[:2] == [
        "node-1 still believes that it leads: it has heard nothing of node-2's term 2",
        "the network was cut: node-1 | node-2, node-3",
    ]


def test_without_a_leader_it_says_who_led_and_what_ended_that() -> None:
    cluster = started()
    old = cluster.leader()
    assert old
    cluster.kill(old)

    [why] = explained(cluster)

    assert why.question == "Why does nobody lead?"
    assert texts(why)[0] == "no node has called an election yet"
    assert texts(why)[-1] == f"{old} is killed"


def test_a_minority_says_how_many_nodes_run() -> None:
    cluster = started()
    old = cluster.leader()
    for node in cluster.node_ids[1:] if old == cluster.node_ids[0] else cluster.node_ids[:2]:
        cluster.kill(node)
    if old:
        cluster.kill(old)
    cluster.sleep(1.0)

    [why] = explained(cluster)

    assert any(text.startswith("only ") and text.endswith(" of 3 nodes run") for text in texts(why))


def test_messages_that_were_lost_are_a_reason() -> None:
    cluster = started()
    old = cluster.leader()
    assert old
    for node in cluster.node_ids:
        if node != old:
            cluster.cut(old, node)
    cluster.wait_for(lambda c: any(s.role == "leader" and s.node_id != old for s in c.status().values()))

    why = explained(cluster)[0]

    assert any(text.startswith(f"{old} can no longer reach ") for text in texts(why))


def test_before_anything_happened_nothing_is_claimed() -> None:
    cluster = SimulatedCluster(FAST)

    [why] = explained(cluster)

    assert texts(why)[-1] == "no node has become leader since these events began"


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happened_each_moment_is_explained_by_what_came_before_it(seed: int) -> None:
    schedule = random_schedule(seed, Schedule(nodes=3, length=4.0, calm=1.0))
    run = carry_out(schedule, MyElection)
    moments = [5.0 * number / 20 for number in range(21)]

    for at in moments:
        found = explain(run.trace, run.node_ids, at)
        assert found
        for why in found:
            assert why.question.startswith("Why does ")
            assert why.reasons
            assert all(reason.time <= at + 1e-9 for reason in why.reasons)
            assert all(message.sent <= at for reason in why.reasons for message in reason.messages)
