"""What may be lost, and what reads may show: the limits of each mode's promise, for each election and fault."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

import pytest
from hypothesis import given

from labs.rules import lost_writes
from labs.simulation.hosts import Network
from labs.simulation.schedule import Schedule, Step, carry_out
from labs.simulation.simulator import Simulator
from replstore.core.contract import Done, LinearizableGet, Put, Value
from replstore.core.election import Election
from replstore.core.lowest_id import LowestId
from tests.replstore.core.test_recovery import lose_journal
from tests.simulation.simulated import ask, leaders, node, notes, put, settle, values
from tests.simulation.test_promises import EVERYTHING, NODES, every_election, few, seeds, troubles

# -- async: one copy is all it asks for -------------------------------------------------------------------


def slow_cluster(election: type[Election], mode: str = "async") -> tuple[Simulator, str]:
    """Three nodes that follow one, which has written `k=old` everywhere; every message takes 10 ms."""
    sim = Simulator(3, election, mode=mode, seed=5, network=Network(0.01, 0.01))
    sim.start()
    leader = settle(sim)
    put(sim, leader, "k", "old")
    sim.run_for(0.5)
    assert values(sim, "k") == ["old"] * 3
    return sim, leader


def write_what_nobody_else_gets(sim: Simulator, leader: str) -> None:
    """The leader ships the first of two writes at once and acknowledges both; before the second is shipped, the caller
    must strike."""
    sim.request(leader, Put("k", "shipped"))
    sim.run_for(0.001)
    sim.request(leader, Put("lost", 1))
    assert sim.run_while(lambda: node(sim, leader).read("lost") is None, 1.0)


def isolate(sim: Simulator, name: str) -> None:
    sim.partition([name], [other for other in sim.node_ids if other != name])


STRIKES: dict[str, tuple[Callable[[Simulator, str], None], Callable[[Simulator, str], None]]] = {
    "crash": (Simulator.crash, Simulator.start),
    "pause": (Simulator.pause, Simulator.resume),
    "cut": (isolate, lambda sim, leader: sim.heal()),
}


def others_lead(sim: Simulator, former: str) -> str:
    others = [name for name in sim.node_ids if name != former]
    assert sim.run_while(lambda: not any(name in leaders(sim) for name in others), 10)
    return next(name for name in others if name in leaders(sim))


@every_election
@pytest.mark.parametrize("fault", STRIKES)
def test_async_may_lose_what_nobody_else_had_and_the_node_that_drops_it_says_so(
    election: type[Election], fault: str
) -> None:
    sim, leader = slow_cluster(election)
    write_what_nobody_else_gets(sim, leader)
    strike, mend = STRIKES[fault]
    strike(sim, leader)
    new = others_lead(sim, leader)
    put(sim, new, "k", "new")
    mend(sim, leader)
    sim.run_for(4.0)

    replies = [e.details["outcome"] for e in sim.trace if e.event == "reply" and e.details["key"] == "lost"]
    assert replies == ["ok"]
    assert values(sim, "lost") == [None] * 3
    assert values(sim, "k") == ["new"] * 3
    assert "lost" in [note["key"] for note in notes(sim, "write_lost", leader)]


@every_election
def test_async_may_lose_in_a_crash_of_all_nodes_what_the_next_leader_lacks_and_says_so(
    election: type[Election],
) -> None:
    """It was on the former leader's disk; but that one is back only when the others have gone on without it."""
    sim, leader = slow_cluster(election)
    write_what_nobody_else_gets(sim, leader)
    for name in sim.node_ids:
        sim.crash(name)
    for name in sim.node_ids:
        if name != leader:
            sim.start(name)
    new = others_lead(sim, leader)
    put(sim, new, "k", "new")
    sim.start(leader)
    sim.run_for(4.0)

    assert values(sim, "lost") == [None] * 3
    assert "lost" in [note["key"] for note in notes(sim, "write_lost", leader)]


@every_election
@given(steps=troubles(EVERYTHING), seed=seeds)
@few
def test_async_keeps_what_every_node_had(election: type[Election], steps: tuple[Step, ...], seed: int) -> None:
    calm = Step(1.4, "write_to_leader", ("calm", "kept"))
    later = tuple(Step(step.time + 2.0, step.action, step.args) for step in steps)
    run = carry_out(Schedule(nodes=3, mode="async", seed=seed, steps=(calm, *later), length=8.0, calm=6.0), election)

    assert any(call.command.key == "calm" for call in run.acknowledged)
    assert [lost for lost in lost_writes(run) if lost.entry.key == "calm"] == []


# -- a lost disk ------------------------------------------------------------------------------------------


def lose_disk(sim: Simulator, node: str) -> None:
    """Everything, also the file that says what the folder held."""
    sim.crash(node)
    sim.hosts[node].disk.clear()
    sim.start(node)


def test_a_lost_disk_may_take_a_quorum_write_along() -> None:
    """Two of three have it, the leader and another; the leader loses its disk and forgets that it ever had one, and is
    elected by the one that was cut off."""
    sim, leader = slow_cluster(LowestId, "quorum")
    with_it, without = (name for name in sim.node_ids if name != leader)
    sim.partition([leader, with_it], [without])
    put(sim, leader, "lost", 1)
    sim.partition([leader, without], [with_it])
    lose_disk(sim, leader)
    sim.run_for(3.0)
    sim.heal()
    sim.run_for(4.0)

    assert values(sim, "lost") == [None] * 3


@every_election
@pytest.mark.parametrize("mode", ["async", "quorum", "sync"])
@pytest.mark.parametrize("victim", NODES)
def test_one_lost_disk_alone_takes_nothing_along_that_every_node_had(
    election: type[Election], mode: str, victim: str
) -> None:
    sim, _ = slow_cluster(election, mode)
    lose_disk(sim, victim)
    sim.run_for(4.0)

    assert values(sim, "k") == ["old"] * 3


@every_election
@pytest.mark.parametrize("victim", NODES)
@pytest.mark.parametrize("cut_off", NODES)
def test_one_lost_disk_takes_no_sync_write_along(election: type[Election], victim: str, cut_off: str) -> None:
    sim, leader = slow_cluster(election, "sync")
    put(sim, leader, "k", "kept")
    isolate(sim, cut_off)
    lose_disk(sim, victim)
    sim.run_for(4.0)
    sim.heal()
    sim.run_for(6.0)

    assert values(sim, "k") == ["kept"] * 3


@every_election
@pytest.mark.parametrize("mode", ["async", "quorum", "sync"])
def test_a_node_that_lost_its_journal_says_so_and_is_filled_again(election: type[Election], mode: str) -> None:
    sim, leader = slow_cluster(election, mode)
    victim = next(name for name in sim.node_ids if name != leader)
    lose_journal(sim, victim)
    sim.start(victim)
    sim.run_for(4.0)

    assert len(notes(sim, "data_lost", victim)) == 1
    assert values(sim, "k") == ["old"] * 3


# -- reads ------------------------------------------------------------------------------------------------


@every_election
@pytest.mark.parametrize("mode", ["async", "quorum", "sync"])
def test_a_local_read_may_be_old_in_every_mode(election: type[Election], mode: str) -> None:
    sim, leader = slow_cluster(election, mode)
    behind = next(name for name in sim.node_ids if name != leader)
    isolate(sim, behind)
    sim.request(leader, Put("k", "new"))
    sim.run_for(2.0)

    seen = {name: node(sim, name).read("k").value for name in sim.node_ids}  # type: ignore[union-attr]
    assert seen[behind] == "old"
    assert ("new" in seen.values()) == (mode != "sync"), "in sync it waits for the one that is cut off"


@every_election
@pytest.mark.parametrize("mode", ["async", "quorum", "sync"])
def test_a_linearizable_read_needs_a_majority_in_every_mode(election: type[Election], mode: str) -> None:
    sim, leader = slow_cluster(election, mode)
    isolate(sim, leader)
    asked = ask(sim, leader, LinearizableGet("k"))

    assert not isinstance(asked, Value), "one node alone cannot know whether it still leads"


@every_election
@pytest.mark.parametrize("mode", ["quorum", "sync"])
@pytest.mark.parametrize("fault", STRIKES)
def test_a_leader_of_yesterday_answers_no_linearizable_read_with_an_old_value(
    election: type[Election], mode: str, fault: str
) -> None:
    """Asked while it is away, and again when it is back: at no moment it shows what was there before the last write."""
    sim, former = slow_cluster(election, mode)
    strike, mend = STRIKES[fault]
    strike(sim, former)
    others_lead(sim, former)
    written = sim.request(others_lead(sim, former), Put("k", "new"))
    sim.run_for(0.2)
    asked = [sim.request(former, LinearizableGet("k"))]
    sim.run_for(0.2)
    mend(sim, former)
    for _ in range(40):
        asked.append(sim.request(former, LinearizableGet("k")))
        sim.run_for(0.05)
    sim.run_for(2.0)

    acknowledged = written.answered if isinstance(written.result, Done) else inf
    assert mode == "sync" or acknowledged < asked[0].asked
    later = [call.result for call in asked if call.asked > acknowledged and isinstance(call.result, Value)]
    assert {result.entry.value for result in later if result.entry} <= {"new"}


@every_election
def test_a_linearizable_read_in_async_may_miss_what_was_lost(election: type[Election]) -> None:
    sim, leader = slow_cluster(election)
    write_what_nobody_else_gets(sim, leader)
    sim.crash(leader)
    new = others_lead(sim, leader)
    sim.run_for(1.0)
    seen = ask(sim, new, LinearizableGet("lost"))

    assert isinstance(seen, Value)
    assert seen.entry is None
