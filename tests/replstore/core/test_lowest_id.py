"""The course's election rule, sentence by sentence, in virtual time."""

from __future__ import annotations

import pytest

from labs.simulation.hosts import Network
from labs.simulation.simulator import Simulator
from replstore.core.lowest_id import Alive, LowestId
from tests.simulation.simulated import TIMEOUT, leaders, lonely_strategy, node, notes, put, settle, values


def cluster(nodes: int = 3, **options: object) -> Simulator:
    sim = Simulator(nodes, LowestId, seed=7, timeout=TIMEOUT, **options)  # type: ignore[arg-type]
    sim.start()
    return sim


def test_after_start_node_1_leads_in_term_1() -> None:
    sim = cluster()

    assert settle(sim) == "node-1"
    assert leaders(sim) == {"node-1": 1}


def test_when_the_leader_stops_node_2_leads_in_term_2_and_node_3_waits_for_it() -> None:
    sim = cluster()
    settle(sim)
    sim.crash("node-1")
    stopped_at = sim.now

    assert settle(sim) == "node-2"
    assert leaders(sim) == {"node-2": 2}
    assert {"leader": "node-2"} in notes(sim, "waiting_for", "node-3")
    assert sim.now - stopped_at <= 1.5 * TIMEOUT


def test_a_returning_leader_follows_the_present_one_and_catches_up_with_its_deletes() -> None:
    sim = cluster()
    settle(sim)
    put(sim, "node-1", "name", "Alice")
    put(sim, "node-1", "city", "Paris")
    sim.crash("node-1")
    settle(sim)
    from replstore.core.contract import Delete
    from tests.simulation.simulated import ask

    put(sim, "node-2", "name", "Bob")
    ask(sim, "node-2", Delete("city"))
    sim.start("node-1")
    settle(sim)
    sim.run_for(TIMEOUT)

    assert leaders(sim) == {"node-2": 2}
    assert values(sim, "name") == ["Bob"] * 3
    assert values(sim, "city") == [None] * 3


def test_when_node_2_stops_as_well_the_lowest_of_the_others_takes_the_next_term() -> None:
    sim = cluster()
    settle(sim)
    sim.crash("node-1")
    settle(sim)
    sim.crash("node-2")

    assert settle(sim) == "node-3"
    assert leaders(sim) == {"node-3": 3}


def test_node_1_leads_again_if_it_is_back_when_node_2_stops() -> None:
    sim = cluster()
    settle(sim)
    sim.crash("node-1")
    settle(sim)
    sim.start("node-1")
    settle(sim, "node-2")
    sim.crash("node-2")

    assert settle(sim) == "node-1"
    assert leaders(sim) == {"node-1": 3}


def test_node_2_goes_before_node_10() -> None:
    sim = cluster(12)
    settle(sim)
    sim.crash("node-1")

    assert settle(sim) == "node-2"


@pytest.mark.parametrize("nodes", [1, 2, 4, 5])
def test_a_cluster_of_any_size_elects_and_takes_writes(nodes: int) -> None:
    sim = cluster(nodes)
    leader = settle(sim)

    put(sim, leader, "k", 1)
    sim.run_for(TIMEOUT)

    assert values(sim, "k") == [1] * nodes


def test_a_node_that_never_started_is_not_waited_for_longer_than_two_timeouts() -> None:
    sim = Simulator(3, LowestId, timeout=TIMEOUT)
    sim.start("node-2", "node-3")

    assert settle(sim) == "node-2"
    assert sim.now <= 2.5 * TIMEOUT


def test_a_cut_network_gets_a_leader_on_either_side_and_the_higher_term_wins_when_it_heals() -> None:
    sim = cluster(5)
    settle(sim)
    sim.partition(["node-1", "node-2"], ["node-3", "node-4", "node-5"])
    sim.run_for(3 * TIMEOUT)

    assert leaders(sim) == {"node-1": 1, "node-3": 2}

    sim.heal()
    assert settle(sim) == "node-3"


def test_of_two_leaders_in_the_same_term_the_lower_id_leads_the_next_one_when_the_network_heals() -> None:
    sim = cluster(4)
    settle(sim)
    sim.crash("node-1")
    sim.partition(["node-2"], ["node-3", "node-4"])
    sim.run_for(3 * TIMEOUT)
    assert leaders(sim) == {"node-2": 2, "node-3": 2}
    put(sim, "node-2", "side", "left")
    put(sim, "node-3", "side", "right")

    sim.heal()
    assert settle(sim) == "node-2"
    sim.run_for(3 * TIMEOUT)

    assert leaders(sim) == {"node-2": 3}
    assert values(sim, "side") == ["left"] * 3


def test_of_two_leaders_in_the_same_term_the_one_with_a_majority_goes_on_in_the_next() -> None:
    sim = cluster(4)
    settle(sim)
    sim.partition(["node-1"], ["node-2", "node-3", "node-4"])
    sim.run_for(3 * TIMEOUT)
    sim.crash("node-1")
    sim.start("node-1")  # alone, it takes term 2, which node-2 leads already
    sim.run_for(4 * TIMEOUT)
    assert leaders(sim) == {"node-1": 2, "node-2": 2}

    sim.heal()
    assert settle(sim) == "node-2"

    assert leaders(sim) == {"node-2": 3}


def test_a_paused_leader_wakes_up_stale_and_steps_down() -> None:
    sim = cluster()
    settle(sim)
    sim.pause("node-1")
    sim.run_for(3 * TIMEOUT)
    assert node(sim, "node-2").leads

    sim.resume("node-1")

    assert settle(sim) == "node-2"
    assert notes(sim, "stepped_down", "node-1") == [{"term": 1}]


def test_whoever_is_told_an_earlier_term_says_so_in_the_answer() -> None:
    election, sent = lonely_strategy(LowestId, term=3)
    election.receive("node-1", Alive(2), 1.0)
    election.receive("node-1", Alive(3), 1.1)

    assert sent == [("node-1", Alive(3))]


def test_a_node_that_has_heard_nobody_waits_until_the_others_count_as_dead() -> None:
    sim = Simulator(3, LowestId, timeout=TIMEOUT)
    sim.start("node-1")
    sim.run_for(1.9 * TIMEOUT)
    assert not leaders(sim)

    assert settle(sim) == "node-1"


@pytest.mark.parametrize("seconds", [1.1 * TIMEOUT, 2 * TIMEOUT, 20 * TIMEOUT])
def test_a_follower_that_slept_does_not_take_its_own_sleep_for_the_leaders_silence(seconds: float) -> None:
    """A machine that is too busy stops all nodes at once, and they do not go on in the same instant."""
    sim = cluster()
    settle(sim)
    for name in sim.node_ids:
        sim.pause(name)
    sim.run_for(seconds)
    for name in reversed(sim.node_ids):
        sim.resume(name)
        sim.run_for(0.7 * TIMEOUT / 2)
    sim.run_for(3 * TIMEOUT)

    assert leaders(sim) == {"node-1": 1}
    assert len(notes(sim, "became_leader")) == 1


def test_a_node_that_was_frozen_while_it_started_waits_for_the_others_all_the_same() -> None:
    sim = Simulator(3, LowestId, timeout=TIMEOUT)
    sim.start("node-3")
    sim.run_for(TIMEOUT / 2)
    sim.pause("node-3")
    sim.run_for(5 * TIMEOUT)
    sim.resume("node-3")
    sim.run_for(TIMEOUT / 2)
    sim.start()

    assert settle(sim) == "node-1"
    assert leaders(sim) == {"node-1": 1}


def test_a_healthy_leader_is_left_alone() -> None:
    sim = cluster(5, network=Network(0.001, 0.02))
    settle(sim)
    sim.run_for(60)

    assert len(notes(sim, "became_leader")) == 1


def test_a_new_leader_fetches_what_it_lacks_before_it_takes_writes() -> None:
    sim = cluster(3, mode="quorum")
    settle(sim)
    sim.cut("node-1", "node-2")
    put(sim, "node-1", "name", "Alice")  # held by node-1 and node-3
    sim.crash("node-1")
    sim.heal()

    assert settle(sim) == "node-2"
    assert {"source": "node-3"} in notes(sim, "catching_up", "node-2")
    assert node(sim, "node-2").read("name").value == "Alice"  # type: ignore[union-attr]


def test_a_restarted_leader_without_memory_gets_its_data_back_from_the_others() -> None:
    sim = cluster(3, durable=False)
    settle(sim)
    put(sim, "node-1", "name", "Alice")
    sim.run_for(TIMEOUT)
    sim.crash("node-1")
    sim.start("node-1")
    sim.run_for(4 * TIMEOUT)

    assert len(leaders(sim)) == 1
    assert values(sim, "name") == ["Alice"] * 3
