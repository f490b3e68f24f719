"""The simulated network cuts, delays, loses and repeats as much as it is told to."""

from __future__ import annotations

import statistics

import pytest

from labs.simulation.hosts import Network
from labs.simulation.simulator import Simulator
from tests.simulation.pings import ONE_REIGN, between, pinging, travel_times
from tests.simulation.simulated import put


def test_a_cut_works_in_one_direction_only() -> None:
    sim = pinging(2)
    sim.cut("node-1", "node-2")
    sim.run_for(1.0)

    assert between(sim, "node-1", "node-2") == []
    assert len(between(sim, "node-1", "node-2", "dropped")) == len(between(sim, "node-1", "node-2", "sent"))
    assert len(between(sim, "node-2", "node-1")) == pytest.approx(40, abs=2)


def test_a_cut_loses_what_is_under_way() -> None:
    sim = pinging(2, network=Network(0.1, 0.1))
    sim.run_for(0.15)
    sim.cut("node-1", "node-2")
    arrived = len(between(sim, "node-1", "node-2"))
    sim.run_for(1.0)

    assert len(between(sim, "node-1", "node-2")) == arrived


def test_a_partition_takes_the_place_of_the_one_before_and_unnamed_nodes_are_alone() -> None:
    sim = pinging(4)
    sim.partition(["node-1", "node-2"], ["node-3", "node-4"])
    sim.partition(["node-1", "node-3"])
    sim.run_for(0.5)
    heard = {(a, b) for a in sim.node_ids for b in sim.node_ids if between(sim, a, b)}

    assert heard == {("node-1", "node-3"), ("node-3", "node-1")}


def test_a_healed_network_brings_everything_to_everybody() -> None:
    sim = pinging(3)
    sim.partition(["node-1"])
    sim.heal()
    sim.run_for(0.5)

    assert all(between(sim, a, b) for a in sim.node_ids for b in sim.node_ids if a != b)


def test_messages_take_as_long_as_the_network_says_and_overtake_each_other() -> None:
    sim = pinging(2, network=Network(0.02, 0.2))
    sim.run_for(5.0)
    times = [time for copies in travel_times(sim).values() for time in copies]
    numbers = [e.details["number"] for e in between(sim, "node-1", "node-2")]

    assert 0.02 <= min(times) < 0.03
    assert 0.19 < max(times) <= 0.2
    assert numbers != sorted(numbers)


def test_a_slow_node_is_slow_in_both_directions() -> None:
    sim = pinging(3, network=Network(0.01, 0.01, slow={"node-3": 5.0}))
    sim.run_for(1.0)
    sent = {e.id: (e.time, e.node) for e in sim.trace if e.event == "sent"}
    took: dict[frozenset[str], list[float]] = {}
    for event in sim.trace:
        if event.event == "received":
            time, sender = sent[event.id]
            took.setdefault(frozenset((sender, event.node)), []).append(event.time - time)

    assert statistics.mean(took[frozenset(("node-1", "node-2"))]) == pytest.approx(0.01)
    assert statistics.mean(took[frozenset(("node-1", "node-3"))]) == pytest.approx(0.05)


def test_loss_and_duplication_hit_about_as_many_messages_as_they_are_told_to() -> None:
    sim = pinging(2)
    sim.set_faults(drop=0.3, duplicate=0.2)
    sim.run_for(30.0)
    copies = [len(times) for id, times in travel_times(sim).items()]

    assert copies.count(0) / len(copies) == pytest.approx(0.3, abs=0.04)
    assert copies.count(2) / len(copies) == pytest.approx(0.7 * 0.2, abs=0.04)


def test_only_data_is_held_back_by_the_delay_of_replication() -> None:
    sim = Simulator(3, ONE_REIGN, network=Network(0.001, 0.001))
    sim.start()
    sim.run_for(0.5)
    sim.set_faults(replication_delay_ms=100, jitter_ms=50)
    before = len(sim.trace)
    for number in range(20):
        put(sim, "node-1", "k", number)
    sim.run_for(1.0)
    kinds = {e.id: e.kind for e in sim.trace[before:] if e.event == "sent"}
    took = {id: times[0] for id, times in travel_times(sim).items() if id in kinds and times}

    assert all(0.1 <= time <= 0.152 for id, time in took.items() if kinds[id] == "Replicate")
    assert all(time < 0.01 for id, time in took.items() if kinds[id] != "Replicate")
    assert "Replicate" in kinds.values()
