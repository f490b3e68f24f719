"""A node that lost its journal counts as absent in elections until it holds everything again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from labs.simulation.hosts import ClientCall
from labs.simulation.simulator import Simulator
from replstore.core.bully import Bully
from replstore.core.contract import Done, LinearizableGet, Put, State, Value
from replstore.core.election import Election, ElectionContext
from replstore.core.lowest_id import LowestId
from replstore.wire.codec import decode_record, encode_record
from solutions.ex3_election import MyElection

ALL = (LowestId, Bully, MyElection)
Strategy = Callable[[ElectionContext], Election]


def lose_journal(sim: Simulator, node: str) -> State:
    """What is left is what the folder's `owner` file holds: term and vote."""
    sim.crash(node)
    machine = sim.hosts[node]
    state = next(record for record in map(decode_record, reversed(machine.disk)) if isinstance(record, State))
    machine.disk = [encode_record(State(state.term, state.vote, recovering=True))]
    return state


def leader(sim: Simulator) -> str | None:
    leading = [name for name, machine in sim.hosts.items() if machine.node is not None and machine.node.leads]
    return leading[0] if len(leading) == 1 else None


def wait_for_leader(sim: Simulator) -> str:
    assert sim.run_while(lambda: leader(sim) is None, 20.0)
    found = leader(sim)
    assert found is not None
    return found


def put(sim: Simulator, key: str, value: object) -> ClientCall:
    call = sim.request(wait_for_leader(sim), Put(key, value))
    assert sim.run_while(lambda: not call.done, 10.0)
    assert isinstance(call.result, Done)
    return call


def kinds(sim: Simulator, node: str) -> list[str]:
    return [event.kind for event in sim.trace if event.node == node and event.event == "note"]


def recovering(sim: Simulator, node: str) -> bool:
    running = sim.hosts[node].node
    return running is not None and running.recovering


@pytest.mark.parametrize("strategy", ALL)
@pytest.mark.parametrize("mode", ["quorum", "sync"])
@pytest.mark.parametrize("keys", [3, pytest.param(9000, marks=pytest.mark.slow)])
def test_it_fetches_everything_and_is_a_full_member_again(strategy: Strategy, mode: str, keys: int) -> None:
    sim = Simulator(3, strategy, mode=mode, seed=1)
    sim.start()
    for number in range(3):
        put(sim, f"k{number}", number)
    first = leader(sim)
    others = [name for name in sim.node_ids if name != first]
    if keys > 3:  # so many that only a snapshot can bring them back
        calls = [sim.request(str(first), Put(f"k{number}", number)) for number in range(3, keys)]
        assert sim.run_while(lambda: not all(call.done for call in calls), 60.0)

    lose_journal(sim, others[0])
    sim.start(others[0])
    assert recovering(sim, others[0])
    sim.run_for(3.0)

    assert not recovering(sim, others[0])
    assert kinds(sim, others[0]).count("data_lost") == 1
    assert "caught_up" in kinds(sim, others[0])
    node = sim.hosts[others[0]].node
    assert node is not None
    assert len(node.store) == keys
    # It counts: the two of them elect a leader, and nothing is missing.
    sim.crash(str(first) if mode == "quorum" else others[1])
    if mode == "sync":
        sim.start(others[1])
    new = wait_for_leader(sim)
    call = sim.request(new, LinearizableGet(f"k{keys - 1}"))
    assert sim.run_while(lambda: not call.done, 10.0)
    assert isinstance(call.result, Value)
    assert call.result.entry is not None
    assert call.result.entry.value == keys - 1


@pytest.mark.parametrize("strategy", ALL)
@pytest.mark.parametrize("seed", range(5))
def test_a_majority_that_only_it_completes_elects_nobody_until_the_other_holder_is_back(
    strategy: Strategy, seed: int
) -> None:
    """The write is on two of three. One of the two loses its journal, the other is down: nobody else can know of it."""
    sim = Simulator(3, strategy, mode="quorum", seed=seed)
    sim.start()
    put(sim, "first", 0)
    first = leader(sim)
    holder, absent = (name for name in sim.node_ids if name != first)
    sim.crash(absent)
    put(sim, "kept", "by two")
    sim.crash(str(first))
    lose_journal(sim, holder)

    sim.start(holder, absent)
    sim.run_for(10.0)
    assert not any(machine.node is not None and machine.node.leads for machine in sim.hosts.values())

    sim.start(str(first))
    new = wait_for_leader(sim)
    assert sim.run_while(lambda: recovering(sim, holder), 20.0)
    call = sim.request(wait_for_leader(sim), LinearizableGet("kept"))
    assert sim.run_while(lambda: not call.done, 10.0)
    assert isinstance(call.result, Value), new
    assert call.result.entry is not None
    assert call.result.entry.value == "by two"


@pytest.mark.parametrize("strategy", ALL)
def test_it_says_nothing_in_elections_while_it_recovers(strategy: Strategy) -> None:
    sim = Simulator(3, strategy, mode="quorum", seed=2)
    sim.start()
    put(sim, "k", 1)
    for name in ("node-2", "node-3"):
        sim.crash(name)
    state = lose_journal(sim, "node-1")
    begin = len(sim.trace)

    sim.start("node-1")
    sim.run_for(5.0)

    assert [event for event in sim.trace[begin:] if event.event == "sent"] == []
    node = sim.hosts["node-1"].node
    assert node is not None
    assert (node.election.term, node.election.vote) == (state.term, state.vote)
    assert node.role == "follower" or state.vote == "node-1"


@pytest.mark.parametrize("strategy", ALL)
def test_a_crash_while_it_recovers_leaves_it_recovering(strategy: Strategy) -> None:
    sim = Simulator(3, strategy, mode="quorum", seed=3)
    sim.start()
    put(sim, "k", 1)
    victim = next(name for name in sim.node_ids if name != leader(sim))
    lose_journal(sim, victim)
    sim.start(victim)
    sim.run_for(0.2)
    sim.crash(victim)

    sim.start(victim)
    assert recovering(sim, victim)
    sim.run_for(5.0)
    assert not recovering(sim, victim)


def test_a_leader_that_lost_its_journal_is_followed_by_nobody_and_comes_back_as_a_follower() -> None:
    """The lowest id would take over at once in the lesson's own election."""
    sim = Simulator(3, LowestId, mode="quorum", seed=4)
    sim.start()
    put(sim, "k", 1)
    assert leader(sim) == "node-1"
    lose_journal(sim, "node-1")
    sim.start("node-1")

    assert wait_for_leader(sim) == "node-2"
    assert sim.run_while(lambda: recovering(sim, "node-1"), 10.0)
    assert sim.hosts["node-1"].node.read("k") is not None  # type: ignore[union-attr]


def test_a_lone_node_can_only_say_what_happened() -> None:
    sim = Simulator(1, LowestId, seed=5)
    sim.start()
    put(sim, "k", 1)
    lose_journal(sim, "node-1")

    sim.start("node-1")
    assert wait_for_leader(sim) == "node-1"

    assert "data_lost" in kinds(sim, "node-1")
    assert not recovering(sim, "node-1")


def test_a_node_without_the_rule_would_lose_the_write() -> None:
    """That the schedule above can fail: the same, with a node that begins with nothing as if nothing had been."""
    sim = Simulator(3, MyElection, mode="quorum", seed=0)
    sim.start()
    put(sim, "first", 0)
    first = leader(sim)
    holder, absent = (name for name in sim.node_ids if name != first)
    sim.crash(absent)
    put(sim, "kept", "by two")
    sim.crash(str(first))
    sim.crash(holder)
    sim.hosts[holder].disk.clear()

    sim.start(holder, absent)
    call = sim.request(wait_for_leader(sim), LinearizableGet("kept"))
    assert sim.run_while(lambda: not call.done, 10.0)
    assert isinstance(call.result, Value)
    assert call.result.entry is None
