"""What a simulated node loses by a crash, and what it does after a pause."""

from __future__ import annotations

from functools import partial

import pytest

from labs.simulation.simulator import Simulator
from replstore.core.contract import Put
from replstore.core.election import ElectionContext
from replstore.core.lowest_id import LowestId
from tests.simulation.pings import CountsTerms, Pings, pinging
from tests.simulation.simulated import leaders, node, put, settle

# -- crashes ---------------------------------------------------------------------------------------------


def test_a_crash_keeps_what_was_saved_and_loses_everything_else() -> None:
    sim = Simulator(3, LowestId, mode="quorum")
    sim.start()
    settle(sim)
    put(sim, "node-1", "k", 1)
    before = node(sim, "node-1")
    sim.crash("node-1")
    sim.start("node-1")

    assert node(sim, "node-1").log.last_id == before.log.last_id
    assert node(sim, "node-1").election.term == 1
    assert node(sim, "node-1").election is not before.election
    assert node(sim, "node-1").election.leader is None


def test_a_node_without_a_disk_begins_with_nothing() -> None:
    sim = Simulator(3, LowestId, mode="quorum", durable=False)
    sim.start()
    settle(sim)
    put(sim, "node-1", "k", 1)
    sim.crash("node-3")
    sim.start("node-3")

    assert node(sim, "node-3").read("k") is None
    assert node(sim, "node-3").election.term == 0


def lives(sim: Simulator, name: str) -> bool:
    return sim.hosts[name].node is not None


def test_a_crash_within_a_step_keeps_the_order_of_effects() -> None:
    """What was sent had been saved before: of "save, note, send, send, send" a beginning happened, never a rest."""
    cut_at = set()
    for seed in range(40):
        sim = pinging(4, CountsTerms, seed=seed)
        sim.run_for(0.2)
        sim.crash_within_a_step("node-1")
        before = len(sim.trace)
        sim.run_while(partial(lives, sim, "node-1"), 1.0)
        saved = sim.hosts["node-1"].disk[-1]
        sent = [e for e in sim.trace[before:] if e.event == "sent" and e.node == "node-1"]
        noted = [e for e in sim.trace[before:] if e.kind == "state" and e.node == "node-1"]
        sim.start("node-1")
        term = node(sim, "node-1").election.term
        cut_at.add((bool(noted), len(sent)))

        assert f'"term":{term}' in saved
        assert not sent or noted, "it sent before it had saved"
        assert not sent or sent[0].details["number"] == term, "what was sent does not match what was saved"

    assert len(cut_at) >= 4, f"always cut at the same place: {cut_at}"


def test_what_is_only_in_memory_does_not_survive() -> None:
    class Remembers(Pings):
        def __init__(self, seat: ElectionContext) -> None:
            super().__init__(seat)
            self.kept = False

    sim = pinging(2, Remembers)
    before = node(sim, "node-1").election
    assert isinstance(before, Remembers)
    before.kept = True
    sim.crash("node-1")
    sim.start("node-1")

    after = node(sim, "node-1").election
    assert isinstance(after, Remembers)
    assert after.kept is False


def test_a_client_of_a_crashed_node_never_gets_an_answer_and_one_who_comes_later_is_refused() -> None:
    sim = Simulator(3, LowestId, mode="sync")
    sim.start()
    settle(sim)
    sim.partition(["node-1"])
    waiting = sim.request("node-1", Put("k", 1))
    sim.run_for(0.1)
    sim.crash("node-1")
    late = sim.request("node-1", Put("k", 2))
    sim.run_for(0.1)

    assert (waiting.done, waiting.result, waiting.refused) == (True, None, False)
    assert (late.done, late.result, late.refused) == (True, None, True)


def test_timers_of_an_earlier_life_do_not_tick() -> None:
    sim = pinging(2)
    for _ in range(3):
        sim.run_for(0.01)
        sim.crash("node-1")
        sim.start("node-1")
    sim.run_for(1.0)
    election = node(sim, "node-1").election
    assert isinstance(election, Pings)

    assert len(election.ticks) == pytest.approx(40, abs=1)


# -- pauses ----------------------------------------------------------------------------------------------


def test_a_paused_node_neither_ticks_nor_answers_and_gets_its_mail_when_it_wakes() -> None:
    sim = pinging(2)
    sim.run_for(1.0)
    sim.pause("node-1")
    asleep = len(sim.trace)
    sim.run_for(1.0)
    said = [e for e in sim.trace[asleep + 1 :] if e.node == "node-1" and e.event != "received"]
    sim.resume("node-1")
    missed = [e for e in sim.trace[asleep:] if e.node == "node-1" and e.event == "received"]

    assert said == []
    assert len(missed) == pytest.approx(40, abs=1)


def test_a_paused_leader_wakes_up_and_still_thinks_that_it_leads() -> None:
    sim = Simulator(3, LowestId)
    sim.start()
    settle(sim)
    sim.pause("node-1")
    sim.run_for(2.0)
    asleep = leaders(sim)
    sim.resume("node-1")
    sim.run_for(0.5)

    assert asleep == {"node-1": 1, "node-2": 2}
    assert leaders(sim) == {"node-2": 2}
