"""A node comes back, and for some seconds nobody can connect to it, though it can connect to the others: as a container
does whose old address the others still try. It must not take a term that has a leader already.

What tells it of that leader are the answers to its own messages, which come on the connections that it made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.simulation.hosts import Network
from labs.simulation.simulator import Simulator
from replstore.core.bully import Bully
from replstore.core.contract import Put
from replstore.core.election import Election
from replstore.core.lowest_id import LowestId
from solutions.ex3_election import MyElection
from tests.simulation.simulated import TIMEOUT, leaders, put, settle, values

HEARTBEAT = TIMEOUT / 4


@dataclass(frozen=True)
class Return:
    """`who` crashes after `settled` seconds of calm, comes back after `away` seconds, and cannot be reached for
    `silent` more. `leaderless`: when it comes back, whoever leads by then crashes."""

    strategy: type[Election]
    nodes: int
    who: str
    settled: float
    away: float
    silent: float
    durable: bool
    seed: int
    leaderless: bool = False

    def begin(self) -> Simulator:
        sim = Simulator(
            self.nodes,
            self.strategy,
            seed=self.seed,
            heartbeat=HEARTBEAT,
            timeout=TIMEOUT,
            drift=0.01,
            durable=self.durable,
            network=Network(0.001, 0.01),
        )
        sim.start()
        settle(sim)
        sim.run_for(self.settled)
        return sim

    def come_back(self, sim: Simulator) -> None:
        sim.crash(self.who)
        sim.run_for(self.away)
        for peer in sim.node_ids:
            if peer != self.who:
                sim.disconnect(peer, self.who)
        if self.leaderless:
            for leader in leaders(sim):
                sim.crash(leader)
        sim.start(self.who)
        sim.run_for(self.silent)


@st.composite
def returns(draw: st.DrawFn, *strategies: type[Election]) -> Return:
    nodes = draw(st.integers(2, 7))
    strategy = draw(st.sampled_from(strategies))
    durable = strategy is MyElection or draw(st.booleans())  # votes that are forgotten elect twice
    return Return(
        strategy,
        nodes,
        f"node-{draw(st.integers(1, nodes))}",
        settled=draw(st.floats(0, 2 * TIMEOUT)),
        away=draw(st.floats(0, 5 * TIMEOUT)),
        silent=draw(st.floats(0, 12 * TIMEOUT)),
        durable=durable,
        seed=draw(st.integers(0, 10_000)),
        # Of two, nobody would be left who knows. And a node without a disk, which forgot its term, can take it again
        # where nobody who knows is heard and the leader crashes (docs/protocol.md, Promises).
        leaderless=nodes > 2 and durable and draw(st.booleans()),
    )


def claims(sim: Simulator) -> dict[int, set[str]]:
    """For each term, who sent heartbeats in it: more than one node, and it had two leaders."""
    found: dict[int, set[str]] = {}
    for event in sim.trace:
        if event.event == "sent" and event.kind == "Heartbeat":
            found.setdefault(event.details["term"], set()).add(event.node)
    return found


def shared(sim: Simulator) -> dict[int, set[str]]:
    return {term: who for term, who in claims(sim).items() if len(who) > 1}


@settings(max_examples=100, deadline=None)
@given(returns(LowestId, Bully, MyElection))
def test_whoever_comes_back_takes_no_term_that_has_a_leader(case: Return) -> None:
    sim = case.begin()
    case.come_back(sim)

    assert not shared(sim)

    sim.heal()
    sim.start()
    settle(sim)
    sim.run_for(6 * TIMEOUT)
    assert not shared(sim)
    assert len(leaders(sim)) == 1


@settings(max_examples=40, deadline=None)
@given(returns(LowestId))
def test_with_the_lessons_rule_the_present_leader_goes_on_leading_and_the_returning_node_follows_it(
    case: Return,
) -> None:
    sim = case.begin()
    before = leaders(sim)
    if case.who in before:
        sim.crash(case.who)
        before = {settle(sim): 2}
    replace(case, leaderless=False).come_back(sim)
    sim.run_for(2 * HEARTBEAT)

    assert leaders(sim) == before


@pytest.mark.parametrize("nodes", [2, 3, 5, 9])
@pytest.mark.parametrize("strategy", [LowestId, Bully, MyElection])
def test_the_old_leader_comes_back_after_its_successor_was_elected(strategy: type[Election], nodes: int) -> None:
    if strategy is MyElection and nodes == 2:
        pytest.skip("of two nodes one alone is no majority")
    case = Return(strategy, nodes, "", 1.0, away=6 * TIMEOUT, silent=5.0, durable=True, seed=11)
    sim = case.begin()
    replace(case, who=settle(sim)).come_back(sim)

    assert not shared(sim)
    assert leaders(sim) == {"node-2": 2} or strategy is not LowestId


def test_a_term_whose_leader_has_died_meanwhile_is_not_taken_again_either() -> None:
    """Somebody else remembers the term, and says so."""
    for strategy, first, second in ((LowestId, "node-1", "node-2"), (Bully, "node-3", "node-2")):
        case = Return(strategy, 3, first, 1.0, away=6 * TIMEOUT, silent=5.0, durable=True, seed=3, leaderless=True)
        sim = case.begin()
        case.come_back(sim)

        assert not shared(sim)
        assert claims(sim)[2] == {second}
        assert list(leaders(sim)) == [first]


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(
    mode=st.sampled_from(["async", "quorum"]),
    away=st.floats(0.2 * TIMEOUT, 8 * TIMEOUT),
    slow=st.floats(0.001, HEARTBEAT / 3),
    seed=st.integers(0, 10_000),
)
def test_a_follower_that_comes_back_has_the_data_two_heartbeats_later(
    mode: str, away: float, slow: float, seed: int
) -> None:
    """Whatever the leader was waiting for while it was away, and whenever in a round its first answer comes."""
    sim = Simulator(
        3, LowestId, mode=mode, seed=seed, heartbeat=HEARTBEAT, timeout=TIMEOUT, network=Network(slow / 2, slow)
    )
    sim.start()
    settle(sim)
    sim.crash("node-3")
    for number in range(3):
        put(sim, "node-1", f"key{number}", number)
    sim.run_for(away)
    sim.start("node-3")
    sim.run_for(2 * HEARTBEAT + 8 * slow)

    assert [values(sim, f"key{number}") for number in range(3)] == [[0] * 3, [1] * 3, [2] * 3]


@settings(max_examples=60, deadline=None)
@given(
    asleep=st.floats(0.2 * TIMEOUT, 20 * TIMEOUT),
    late=st.floats(0, 0.5 * TIMEOUT),
    slow=st.floats(0.001, HEARTBEAT / 3),
    seed=st.integers(0, 10_000),
)
def test_after_a_leader_has_slept_its_followers_have_the_data_a_few_heartbeats_later(
    asleep: float, late: float, slow: float, seed: int
) -> None:
    """For the leader, an answer that came while it slept took very long. It must not wait as long for the next."""
    sim = Simulator(3, MyElection, seed=seed, heartbeat=HEARTBEAT, timeout=TIMEOUT, network=Network(slow / 2, slow))
    sim.start()
    leader = settle(sim)
    for node in sim.node_ids:  # with the others asleep as well, nobody takes its place
        sim.request(leader, Put("key", node))
        sim.pause(node)
    sim.run_for(asleep)
    sim.resume(leader)
    sim.run_for(late)
    for node in sim.node_ids:
        sim.resume(node)
    settle(sim)
    sim.run_for(4 * HEARTBEAT + 8 * slow)

    assert len(set(values(sim, "key"))) == 1


def test_while_it_cannot_be_reached_it_gets_its_data_in_answers_too() -> None:
    case = Return(LowestId, 3, "node-1", 1.0, away=6 * TIMEOUT, silent=5.0, durable=False, seed=5)
    sim = case.begin()
    put(sim, "node-1", "name", "Alice")
    sim.run_for(TIMEOUT)
    case.come_back(sim)

    assert values(sim, "name") == ["Alice"] * 3


def test_a_node_that_hears_no_answers_either_takes_the_term_again_since_nobody_is_asked_for_votes() -> None:
    """What no strategy without such votes can prevent (see docs/protocol.md). When the cut ends, the leader with a
    majority behind it goes on, in a term of its own."""
    sim = Return(LowestId, 3, "node-1", 1.0, 0, 0, durable=True, seed=5).begin()
    sim.crash("node-1")
    settle(sim)
    sim.partition(["node-1"], ["node-2", "node-3"])
    sim.start("node-1")
    sim.run_for(5 * TIMEOUT)
    assert leaders(sim) == {"node-1": 2, "node-2": 2}

    sim.heal()
    settle(sim, "node-2")
    assert leaders(sim) == {"node-2": 3}
