"""Replication as the lesson tells it, on the real core with pretended time, network and disk."""

from __future__ import annotations

from random import Random

import pytest

from labs.simulation.hosts import Network
from labs.simulation.simulator import Simulator
from replstore.core import log as log_module
from replstore.core.contract import (
    Append,
    Delete,
    Done,
    Flush,
    LinearizableGet,
    NotLeader,
    Overloaded,
    Put,
    Received,
    Reply,
    Request,
    Save,
    Tick,
    Unknown,
    Value,
)
from replstore.core.leader import MAX_UNCOMMITTED, MAX_UNCOMMITTED_BYTES
from replstore.core.lowest_id import LowestId
from replstore.core.messages import Entry, EntryId, Snapshot
from replstore.core.node import Node
from tests.simulation.simulated import TIMEOUT, ask, node, notes, put, settle, values


def cluster(nodes: int = 3, mode: str = "async", **options: object) -> Simulator:
    sim = Simulator(nodes, LowestId, seed=5, timeout=TIMEOUT, mode=mode, **options)  # type: ignore[arg-type]
    sim.start()
    settle(sim)
    return sim


# -- single-leader replication ---------------------------------------------------------------------------


def test_what_the_leader_is_told_can_be_read_at_every_follower() -> None:
    sim = cluster()
    for key, value in {"name": "Alice", "age": 30, "city": None}.items():
        put(sim, "node-1", key, value)
    sim.run_for(TIMEOUT)

    assert values(sim, "name") == ["Alice"] * 3
    assert values(sim, "age") == [30] * 3
    assert [node(sim, name).read("city") is not None for name in sim.node_ids] == [True] * 3


def test_a_follower_refuses_a_write_and_names_the_leader() -> None:
    sim = cluster()

    assert ask(sim, "node-2", Put("k", 1)) == NotLeader("follower", "node-1")
    assert values(sim, "k") == [None] * 3


def test_a_node_that_knows_no_leader_says_so() -> None:
    sim = Simulator(3, LowestId, timeout=TIMEOUT)
    sim.start("node-2")

    assert ask(sim, "node-2", Put("k", 1)) == NotLeader("follower", None)


def test_a_delete_is_replicated_and_says_whether_the_key_was_there() -> None:
    sim = cluster()
    put(sim, "node-1", "k", 1)

    there, gone = ask(sim, "node-1", Delete("k")), ask(sim, "node-1", Delete("k"))
    sim.run_for(TIMEOUT)

    assert isinstance(there, Done)
    assert there.found
    assert isinstance(gone, Done)
    assert not gone.found
    assert values(sim, "k") == [None] * 3


# -- how many copies -------------------------------------------------------------------------------------


def test_async_answers_though_nobody_else_is_there() -> None:
    sim = cluster(3, "async")
    sim.crash("node-2")
    sim.crash("node-3")

    put(sim, "node-1", "k", 1)


def test_quorum_goes_on_with_one_of_three_down_and_stops_with_two() -> None:
    sim = cluster(3, "quorum")
    sim.crash("node-3")
    put(sim, "node-1", "k", 1)
    sim.crash("node-2")

    assert ask(sim, "node-1", Put("k", 2)) == Unknown()
    assert values(sim, "k") == [1]


def test_sync_needs_every_copy() -> None:
    sim = cluster(3, "sync")
    put(sim, "node-1", "k", 1)
    assert values(sim, "k")[0] == 1
    sim.crash("node-3")

    assert ask(sim, "node-1", Put("k", 2)) == Unknown()


def test_a_write_of_unknown_outcome_may_take_effect_later() -> None:
    sim = cluster(3, "quorum")
    sim.partition(["node-1"], ["node-2"], ["node-3"])
    assert ask(sim, "node-1", Put("k", 1)) == Unknown()

    sim.heal()
    settle(sim)
    sim.run_for(3 * TIMEOUT)

    assert len(set(values(sim, "k"))) == 1


def test_a_leader_without_followers_refuses_more_writes_than_it_can_remember() -> None:
    alone = Node(
        "node-1", ["node-2"], LowestId, heartbeat=0.1, timeout=0.4, mode="sync", rng=Random(1)
    )  # fmt: skip
    alone.election.leader, alone.election.term = "node-1", 1
    alone.handle(Tick(), 0.0)
    assert alone.leading is not None
    alone.leading.accept_writes()

    results = [
        effect.result
        for number in range(MAX_UNCOMMITTED + 5)
        for effect in alone.handle(Request(number, Put("k", number)), 0.0)
        if isinstance(effect, Reply)
    ]

    assert set(results) == {Overloaded()}


def test_a_leader_without_followers_refuses_what_it_cannot_remember_in_bytes_until_copies_are_there() -> None:
    leader = node(cluster(3, "quorum"), "node-1")
    size = MAX_UNCOMMITTED_BYTES // 3 + 1

    def write(number: int) -> list[object]:
        effects = leader.handle(Request(number, Put(f"k{number}", number), size), 0.0)
        return [effect.result for effect in effects if isinstance(effect, Reply)]

    assert [write(number) for number in range(3)] == [[], [], []]
    assert write(3) == [Overloaded()]

    leader.commit = leader.log.last_id
    assert write(4) == []


def test_a_snapshot_that_replaces_everything_is_taken_from_the_leader_alone() -> None:
    sim = cluster()
    put(sim, "node-1", "k", 1)
    sim.run_for(TIMEOUT)
    follower = node(sim, "node-3")
    forced = Snapshot(follower.election.term, EntryId(9, 1, "node-1"), 0, 0, (), force=True)

    assert [effect for effect in follower.handle(Received("node-2", forced), sim.now) if isinstance(effect, Save)] == []
    assert follower.read("k") is not None

    follower.handle(Received("node-1", forced), sim.now)
    assert follower.read("k") is None


def test_what_arrived_together_is_saved_together() -> None:
    alone = Node("node-1", [], LowestId, heartbeat=0.1, timeout=0.4, mode="async", rng=Random(1))
    alone.handle(Tick(), 0.0)
    for number in range(5):
        assert alone.handle(Request(number, Put(f"k{number}", number)), 0.0) == []

    effects = alone.handle(Flush(), 0.0)

    saves = [effect for effect in effects if isinstance(effect, Save)]
    replies = [effect for effect in effects if isinstance(effect, Reply)]
    assert len(saves) == 1
    assert isinstance(saves[0].record, Append)
    assert len(saves[0].record.entries) == len(replies) == 5
    assert effects.index(saves[0]) < effects.index(replies[0]), "a write is answered only once it is on disk"


# -- linearizable reads ----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["async", "quorum", "sync"])
def test_a_linearizable_read_sees_the_last_write(mode: str) -> None:
    sim = cluster(3, mode)
    put(sim, "node-1", "k", 1)

    result = ask(sim, "node-1", LinearizableGet("k"))

    assert isinstance(result, Value)
    assert result.entry is not None
    assert result.entry.value == 1


def test_a_follower_refuses_a_linearizable_read() -> None:
    assert ask(cluster(), "node-2", LinearizableGet("k")) == NotLeader("follower", "node-1")


def test_a_leader_that_was_deposed_unnoticed_does_not_answer_a_linearizable_read() -> None:
    sim = cluster(3, "quorum")
    sim.partition(["node-1"], ["node-2", "node-3"])
    sim.run_for(3 * TIMEOUT)
    put(sim, "node-2", "k", "new")

    assert node(sim, "node-1").leads, "it does not know better"
    assert ask(sim, "node-1", LinearizableGet("k")) == Unknown()


# -- falling behind --------------------------------------------------------------------------------------


def test_a_follower_that_is_far_behind_gets_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "KEEP_ENTRIES", 10)
    monkeypatch.setattr(log_module, "BATCH_ENTRIES", 4)
    sim = cluster()
    sim.crash("node-3")
    for number in range(60):
        put(sim, "node-1", f"k{number % 15}", number)
    sim.start("node-3")
    settle(sim)
    sim.run_for(3 * TIMEOUT)

    assert notes(sim, "installed_snapshot", "node-3")
    assert node(sim, "node-3").store.items() == node(sim, "node-1").store.items()


def test_a_follower_that_is_a_little_behind_gets_the_missing_entries_only() -> None:
    sim = cluster()
    put(sim, "node-1", "a", 1)
    sim.crash("node-3")
    put(sim, "node-1", "b", 2)
    sim.start("node-3")
    settle(sim)
    sim.run_for(3 * TIMEOUT)

    assert values(sim, "b") == [2] * 3
    assert not notes(sim, "installed_snapshot")


def test_the_log_follows_the_live_data_and_not_the_number_of_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "KEEP_ENTRIES", 20)
    sim = cluster()
    for number in range(300):
        put(sim, "node-1", "k", number)

    assert max(len(node(sim, name).log) for name in sim.node_ids) <= 2 * 20 + 1


def test_replication_goes_on_over_a_network_that_loses_and_repeats_messages() -> None:
    sim = cluster(3, "quorum", network=Network(0.001, 0.05))
    sim.set_faults(drop=0.3, duplicate=0.3)
    leader = settle(sim)
    for number in range(20):
        ask(sim, leader, Put(f"k{number}", number))
    sim.set_faults(drop=0, duplicate=0)
    leader = settle(sim)
    put(sim, leader, "last", True)
    sim.run_for(10 * TIMEOUT)

    stores = [node(sim, name).store.items() for name in sim.node_ids]
    assert stores[0] == stores[1] == stores[2]


def test_delayed_replication_leaves_followers_behind_for_about_as_long() -> None:
    sim = cluster()
    sim.set_faults(replication_delay_ms=500)
    put(sim, "node-1", "k", "new")
    sim.run_for(0.4)
    assert values(sim, "k") == ["new", None, None]

    sim.run_for(0.2)
    assert values(sim, "k") == ["new"] * 3
    assert node(sim, "node-1").leads, "heartbeats are not delayed"


# -- writes that are lost, and said to be ------------------------------------------------------------------


def test_async_loses_a_write_that_its_leader_did_not_ship_and_the_returning_leader_says_so() -> None:
    sim = cluster()
    put(sim, "node-1", "old", 1)
    sim.run_for(TIMEOUT)
    sim.partition(["node-1"], ["node-2", "node-3"])
    put(sim, "node-1", "new", 2)
    sim.run_for(3 * TIMEOUT)
    sim.heal()
    settle(sim)
    sim.run_for(3 * TIMEOUT)

    assert values(sim, "old") == [1] * 3
    assert values(sim, "new") == [None] * 3
    lost = notes(sim, "write_lost", "node-1")
    assert [(note["key"], note["value"]) for note in lost] == [("new", 2)]


def test_a_write_that_was_replaced_by_nobody_elses_is_not_reported_lost() -> None:
    sim = cluster(3, "quorum")
    put(sim, "node-1", "k", 1)
    sim.crash("node-1")
    settle(sim)
    put(sim, "node-2", "k", 2)
    sim.start("node-1")
    settle(sim)
    sim.run_for(3 * TIMEOUT)

    assert notes(sim, "write_lost") == []
    assert values(sim, "k") == [2] * 3


# -- crashes -----------------------------------------------------------------------------------------------


def test_a_whole_cluster_that_crashes_finds_its_data_and_its_term_again() -> None:
    sim = cluster(3, "quorum")
    put(sim, "node-1", "k", 1)
    for name in sim.node_ids:
        sim.crash(name)
    sim.start()
    settle(sim)
    sim.run_for(TIMEOUT)

    assert values(sim, "k") == [1] * 3
    assert node(sim, "node-1").election.term == 2


def test_a_write_appended_but_not_saved_when_the_leadership_ends_leaves_no_trace() -> None:
    lonely = Node("node-1", ["node-2"], LowestId, heartbeat=0.1, timeout=0.4, mode="async", rng=Random(1))
    lonely.election.leader, lonely.election.term = "node-1", 1
    lonely.handle(Tick(), 0.0)
    assert lonely.leading is not None
    lonely.leading.accept_writes()
    lonely.handle(Flush(), 0.0)
    before = lonely.log.last_id
    lonely.handle(Request(1, Put("k", 1)), 0.1)

    lonely.election.leader = None
    effects = lonely.handle(Tick(), 0.2)

    assert Reply(1, Unknown()) in effects
    assert lonely.log.last_id == before


def test_a_node_built_again_from_its_records_is_the_same() -> None:
    sim = cluster()
    for number in range(10):
        put(sim, "node-1", f"k{number % 4}", number)
    sim.run_for(TIMEOUT)
    before = {name: (node(sim, name).store.items(), node(sim, name).log.last_id) for name in sim.node_ids}
    for name in sim.node_ids:
        sim.crash(name)
    sim.start()

    assert {n: (node(sim, n).store.items(), node(sim, n).log.last_id) for n in sim.node_ids} == before


def test_an_entry_knows_who_led_when_it_was_made() -> None:
    sim = cluster()

    assert put(sim, "node-1", "k", 1).entry == Entry(2, 1, "node-1", "put", "k", 1)
