"""In `quorum` and `sync` a leader ships an entry before it has saved it: that promises nothing, and loses nothing.

(Ongaro's thesis, §10.2.1: the leader's disk and the followers' work side by side.)
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.rules import Claims, check_run
from labs.simulation.schedule import HARSH, Schedule, Step, carry_out, random_schedule
from labs.simulation.simulator import Simulator
from replstore.core.contract import (
    Append,
    Done,
    Effect,
    Flush,
    FlushAfter,
    Input,
    Put,
    Received,
    Reply,
    Request,
    Save,
    Send,
    State,
    Tick,
)
from replstore.core.election import Election
from replstore.core.lowest_id import LowestId
from replstore.core.messages import Message, NodeId, Replicate, Replicated
from replstore.core.node import Node
from replstore.core.replication import PACE
from solutions.ex3_election import MyElection
from tests.simulation.simulated import TIMEOUT, node, put, settle, values
from tools.mutants import FULL

CRASHES_BEFORE_SAVES = replace(HARSH, weights={**HARSH.weights, "crash_before_save": 6})


class LeadsAtOnce(Election):
    """node-1 leads in term 1, in every one of its lives: what no strategy should do, but one may."""

    def tick(self, now: float) -> None:
        if self.me == "node-1" and self.leader is None:
            self.term, self.vote, self.leader = 1, self.me, self.me

    def receive(self, sender: NodeId, message: Message, now: float) -> None:
        if self.me != "node-1" and sender == "node-1":
            self.term, self.leader = 1, sender


def leader(mode: str) -> Node:
    """node-1 leads, its first entry is saved and shipped, and node-2 has agreed to it."""
    made = Node("node-1", ["node-2", "node-3"], LeadsAtOnce, heartbeat=0.1, timeout=0.4, mode=mode, rng=Random(1))
    made.handle(Tick(), 0.0)
    for peer in made.peers:
        made.handle(Received(peer, Replicated(1, True, 1)), 0.001)
    made.handle(Flush(), 0.001)
    return made


def write(node: Node, now: float) -> list[Effect]:
    node.handle(Request(1, Put("k", 1)), now)
    return node.handle(Flush(), now)


def places(effects: list[Effect], kind: type) -> list[int]:
    return [at for at, effect in enumerate(effects) if type(effect) is kind]


# -- the order of effects ---------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["quorum", "sync"])
def test_where_a_write_needs_copies_it_is_shipped_before_it_is_saved(mode: str) -> None:
    effects = write(leader(mode), 0.05)

    [save] = places(effects, Save)
    assert [effects[at].to for at in places(effects, Send) if at < save] == ["node-2", "node-3"]  # type: ignore[union-attr]
    assert not places(effects, Reply)


def test_where_its_own_copy_is_enough_it_is_saved_before_anybody_hears_of_it() -> None:
    effects = write(leader("async"), 0.05)

    [save] = places(effects, Save)
    assert min(places(effects, Send)) > save
    assert min(places(effects, Reply)) > save
    shipped = [effect.message for effect in effects if type(effect) is Send]
    assert all(type(message) is Replicate and message.commit == 2 for message in shipped)


def test_a_leader_counts_its_own_copy_only_once_it_is_saved() -> None:
    """What a follower holds of entries that this node has not even been told to save counts for the follower alone."""
    made = leader("quorum")
    made.handle(Request(1, Put("k", 1)), 0.05)
    made.handle(Received("node-2", Replicated(1, True, 2)), 0.05)

    effects = made.handle(Flush(), 0.05)

    assert not places(effects, Reply)
    assert places(made.handle(Flush(), 0.05), Reply)


# -- crashes between the two ------------------------------------------------------------------------------


def test_a_crash_before_the_save_leaves_the_entry_with_the_followers_alone() -> None:
    sim = Simulator(3, LowestId, seed=5, timeout=TIMEOUT, mode="quorum")
    sim.start()
    settle(sim)
    put(sim, "node-1", "before", 0)
    sim.run_for(0.1)
    sim.crash_before_save("node-1")
    call = sim.request("node-1", Put("k", 1))
    sim.run_for(0.05)

    assert sim.hosts["node-1"].node is None
    assert '"k"' not in sim.hosts["node-1"].disk[-1]
    assert call.result is None, "nobody may be told of a write that is on no leader's disk"
    assert all('"k"' in sim.hosts[name].disk[-1] for name in ("node-2", "node-3"))

    sim.start("node-1")
    sim.run_for(10 * TIMEOUT)
    assert values(sim, "k") == [1] * 3, "the next leader has it, so it takes effect everywhere"


def test_a_node_does_not_lead_a_second_time_in_a_term_of_an_earlier_life() -> None:
    """Else two entries could have one identity: the one that was shipped and not saved, and the one in its place."""
    made = Node(
        "node-1",
        ["node-2", "node-3"],
        LeadsAtOnce,
        heartbeat=0.1,
        timeout=0.4,
        mode="quorum",
        rng=Random(1),
        records=[State(1, "node-1"), Append((), 0)],
    )

    effects = made.handle(Tick(), 0.0) + made.handle(Request(1, Put("k", 1)), 0.1) + made.handle(Flush(), 0.1)

    assert made.election.leader == "node-1"
    assert (made.leads, made.leader) == (False, None)
    assert not [effect for effect in effects if type(effect) is Send]
    assert not [effect for effect in effects if type(effect) is Reply and isinstance(effect.result, Done)]


class LeadsInOldTerms(Node):
    """Forgets in which terms it may have led."""

    _earlier_term = property(lambda self: -1, lambda self, term: None)


def twice_in_one_term(node_class: type[Node]) -> list[str]:
    """Which rules are broken when node-1 ships k=1, crashes before it saved that, and leads term 1 again."""
    steps = [Step(1.0, "crash_before_save", ("node-1",)), Step(1.05, "write_to_leader", ("k", "v"))]
    steps += [Step(1.3, "start_all"), Step(1.6, "write_to_leader", ("other", "w"))]
    schedule = Schedule(nodes=3, length=3.0, steps=tuple(steps), drift=0.0)
    run = carry_out(schedule, LeadsAtOnce, node_class)
    return [violation.rule for violation in check_run(run, Claims())]


def test_the_rules_find_a_node_that_does() -> None:
    assert twice_in_one_term(LeadsInOldTerms)


class AnswersBeforeItSaved(Node):
    """Counts its own copy at once, as if saving took no time."""

    def handle(self, event: Input, now: float) -> list[Effect]:
        effects = super().handle(event, now)
        return sorted(effects, key=lambda effect: type(effect) is Save)


@pytest.mark.slow
@settings(deadline=None)  # a run takes as long as the machine lets it
@given(st.integers(0, 10**9), st.sampled_from(["quorum", "sync"]), st.sampled_from([3, 5]))
def test_whenever_a_leader_crashes_between_shipping_and_saving_nothing_acknowledged_is_lost(
    seed: int, mode: str, nodes: int
) -> None:
    schedule = random_schedule(seed, Schedule(mode=mode, nodes=nodes), CRASHES_BEFORE_SAVES)

    assert check_run(carry_out(schedule, MyElection), FULL) == []


@pytest.mark.slow
def test_the_same_schedules_find_a_node_whose_promises_do_not_wait_for_its_disk() -> None:
    found = set()
    for seed in range(30):
        schedule = random_schedule(seed, Schedule(), CRASHES_BEFORE_SAVES)
        found |= {
            violation.rule for violation in check_run(carry_out(schedule, MyElection, AnswersBeforeItSaved), FULL)
        }

    assert found


# -- the commit index travels with company ----------------------------------------------------------------


def test_that_something_is_committed_waits_a_moment_for_entries_to_travel_with() -> None:
    made = leader("quorum")
    write(made, 0.05)
    made.handle(Received("node-2", Replicated(1, True, 2)), 0.051)

    effects = made.handle(Flush(), 0.051)
    assert [effect.seconds for effect in effects if type(effect) is FlushAfter] == [pytest.approx(PACE)]
    assert not places(effects, Send)

    sent = [effect for effect in write(made, 0.052) if type(effect) is Send and effect.to == "node-2"]
    assert [(len(e.message.entries), e.message.commit) for e in sent if isinstance(e.message, Replicate)] == [(1, 2)]


def test_where_no_entries_come_the_commit_travels_alone() -> None:
    made = leader("quorum")
    write(made, 0.05)
    for peer in made.peers:
        made.handle(Received(peer, Replicated(1, True, 2)), 0.051)
    made.handle(Flush(), 0.051)

    effects = made.handle(Flush(), 0.051 + PACE)

    sent = [effect.message for effect in effects if type(effect) is Send]
    assert [(len(m.entries), m.commit) for m in sent if isinstance(m, Replicate)] == [(0, 2), (0, 2)]


@pytest.mark.parametrize("mode", ["quorum", "sync"])
def test_followers_show_a_write_soon_after_it_was_acknowledged(mode: str) -> None:
    """Long before the next tick (a quarter of a heartbeat)."""
    sim = Simulator(3, LowestId, seed=5, heartbeat=2.0, timeout=6.0, mode=mode)
    sim.start()
    sim.run_for(30)
    put(sim, "node-1", "k", 1)
    sim.run_for(0.05)

    assert node(sim, "node-1").leads
    assert values(sim, "k") == [1] * 3
