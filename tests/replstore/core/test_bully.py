"""The Bully algorithm (Garcia-Molina 1982, §4), in virtual time."""

from __future__ import annotations

from labs.simulation.simulator import Simulator
from replstore.core.bully import Bully, Challenge, Coordinator, LaterTerm
from tests.simulation.simulated import TIMEOUT, leaders, lonely_strategy, notes, put, settle, tick, values


def cluster(nodes: int = 3, **options: object) -> Simulator:
    sim = Simulator(nodes, Bully, seed=3, timeout=TIMEOUT, **options)  # type: ignore[arg-type]
    sim.start()
    return sim


def test_the_highest_id_wins() -> None:
    assert settle(cluster(5)) == "node-5"


def test_when_the_coordinator_fails_the_next_highest_takes_over() -> None:
    sim = cluster()
    settle(sim)
    sim.crash("node-3")

    assert settle(sim) == "node-2"


def test_a_higher_id_that_comes_back_takes_the_leadership_away_in_a_later_term() -> None:
    sim = cluster()
    settle(sim)
    sim.crash("node-3")
    settle(sim)
    before = leaders(sim)["node-2"]
    put(sim, "node-2", "name", "Alice")
    sim.start("node-3")

    assert settle(sim, "node-3") == "node-3"
    assert leaders(sim)["node-3"] > before
    sim.run_for(TIMEOUT)
    assert values(sim, "name") == ["Alice"] * 3


def test_a_challenger_that_hears_an_objection_leaves_it_to_the_objector() -> None:
    sim = cluster()
    settle(sim)
    sim.crash("node-3")
    settle(sim)

    assert [e.node for e in sim.trace if e.kind == "became_leader"] == ["node-3", "node-2"]
    assert any(e.kind == "Objection" and e.node == "node-2" and e.peer == "node-1" for e in sim.trace)


def test_whoever_is_told_an_earlier_term_says_so_in_the_answer() -> None:
    election, sent = lonely_strategy(Bully, term=3)
    election.receive("node-3", Challenge(2), 1.0)
    election.receive("node-3", Coordinator(2), 1.1)
    election.receive("node-3", Challenge(3), 1.2)

    assert sent == [("node-3", LaterTerm(3))] * 2


def test_a_challenge_by_a_higher_id_ends_ones_own_and_puts_the_next_one_off() -> None:
    for challenged_at in (0.75 * TIMEOUT, 1.125 * TIMEOUT):
        election, _ = lonely_strategy(Bully, term=0)
        tick(election, 0.0, challenged_at)
        election.receive("node-3", Challenge(0), challenged_at)
        tick(election, challenged_at, challenged_at + 1.125 * TIMEOUT)

        assert election.leader is None


def test_a_challenger_that_learns_a_later_term_goes_on_and_leads_after_that() -> None:
    election, _ = lonely_strategy(Bully, term=1, me="node-3")
    tick(election, 0.0, TIMEOUT)
    election.receive("node-2", LaterTerm(5), TIMEOUT)
    tick(election, TIMEOUT, 1.375 * TIMEOUT)

    assert (election.leader, election.term) == ("node-3", 6)


def test_a_settled_cluster_holds_no_more_elections() -> None:
    sim = cluster(5)
    settle(sim)
    sim.run_for(60)

    assert len(notes(sim, "became_leader")) == 1


def test_a_single_node_leads_itself() -> None:
    assert settle(cluster(1)) == "node-1"
