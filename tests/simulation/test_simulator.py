"""The pretended world is as bad as it says, and no worse."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

import pytest

from labs.simulation.hosts import Network
from labs.simulation.simulator import Simulator
from labs.trace.events import Event
from replstore.core.contract import Done, Put, State
from replstore.core.election import Election, ElectionContext
from replstore.core.lowest_id import LowestId
from replstore.core.messages import Message
from tests.simulation.scripted import Reign, scripted
from tests.simulation.simulated import ask, leaders, node, put, settle

ONE_REIGN = scripted(Reign(0.1, 1, "node-1", ("node-2", "node-3")))


@dataclass(frozen=True)
class Ping(Message):
    number: int


class Pings(Election):
    """Says something to everybody at every tick, and remembers when it ticked."""

    def __init__(self, seat: ElectionContext) -> None:
        super().__init__(seat)
        self.ticks: list[float] = []

    def tick(self, now: float) -> None:
        self.ticks.append(now)
        self.broadcast(Ping(len(self.ticks)))

    def receive(self, sender: str, message: Message, now: float) -> None:
        pass


class CountsTerms(Pings):
    """Its term is the number of its ticks: every tick saves, and then sends."""

    def tick(self, now: float) -> None:
        super().tick(now)
        self.term += 1


def pinging(nodes: int = 2, strategy: type[Election] = Pings, **options: object) -> Simulator:
    sim = Simulator(nodes, strategy, **options)  # type: ignore[arg-type]
    sim.start()
    return sim


def travel_times(sim: Simulator) -> dict[str, list[float]]:
    """For each message how long its copies were under way; none for a lost one."""
    sent = {e.id: e.time for e in sim.trace if e.event == "sent"}
    times: dict[str, list[float]] = {id: [] for id in sent}
    for event in sim.trace:
        if event.event == "received":
            times[event.id].append(event.time - sent[event.id])
    return times


def between(sim: Simulator, sender: str, to: str, event: str = "received") -> list[Event]:
    who, peer = (to, sender) if event == "received" else (sender, to)
    return [e for e in sim.trace if (e.event, e.node, e.peer) == (event, who, peer)]


# -- one seed, one run -----------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_trace() -> None:
    traces = []
    for _ in range(2):
        sim = Simulator(5, LowestId, seed=3, drift=0.02, network=Network(0.001, 0.2))
        sim.start()
        sim.set_faults(drop=0.1, duplicate=0.3)
        sim.run_for(5)
        traces.append(sim.trace)

    assert traces[0] == traces[1]


def test_things_at_the_same_time_happen_in_the_order_in_which_they_were_set() -> None:
    sim, done = Simulator(1, Pings), list[int]()
    for number in range(5):
        sim.at(1.0, done.append, number)
    sim.run_until(2.0)

    assert done == [0, 1, 2, 3, 4]
    assert sim.now == 2.0


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


def test_a_crash_within_a_step_keeps_the_order_of_effects() -> None:
    """What was sent had been saved before: of "save, note, send, send, send" a beginning happened, never a rest."""
    cut_at = set()
    for seed in range(40):
        sim = pinging(4, CountsTerms, seed=seed)
        sim.run_for(0.2)
        sim.crash_within_a_step("node-1")
        before = len(sim.trace)
        sim.run_while(lambda sim=sim: sim.hosts["node-1"].node is not None, 1.0)  # type: ignore[misc]
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
    node(sim, "node-1").election.kept = True  # type: ignore[attr-defined]
    sim.crash("node-1")
    sim.start("node-1")

    assert node(sim, "node-1").election.kept is False  # type: ignore[attr-defined]


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


# -- the network -----------------------------------------------------------------------------------------


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


# -- clocks ----------------------------------------------------------------------------------------------


def test_clocks_drift_within_the_bound_and_each_in_its_own_way() -> None:
    sim = pinging(5, drift=0.05)
    sim.run_for(20.0)
    rates = [len(node(sim, name).election.ticks) / 800 for name in sim.node_ids]  # type: ignore[attr-defined]

    assert all(0.945 <= rate <= 1.055 for rate in rates)
    assert len({round(rate, 2) for rate in rates}) >= 3


def test_a_node_sees_its_own_clock_and_it_never_goes_back() -> None:
    sim = pinging(3, drift=0.1, seed=4)
    sim.run_for(5.0)
    for name in sim.node_ids:
        ticks = node(sim, name).election.ticks  # type: ignore[attr-defined]

        assert ticks == sorted(ticks)
        assert ticks[-1] == pytest.approx(5.0 * sim.hosts[name].rate, abs=0.05)


# -- the real codec --------------------------------------------------------------------------------------


@pytest.mark.parametrize("vote", [("node-1", 3), ["node-1"], {"a": (1, 2)}, None])
def test_a_vote_comes_back_from_the_disk_as_it_was(vote: object) -> None:
    sim = pinging(2)
    sim.hosts["node-1"].save(State(7, vote))
    sim.crash("node-1")
    sim.start("node-1")

    assert node(sim, "node-1").election.vote == vote
    assert type(node(sim, "node-1").election.vote) is type(vote)


def test_a_message_that_json_cannot_carry_fails_here_as_it_would_on_the_wire() -> None:
    @dataclass(frozen=True)
    class Crowd(Message):
        who: set[str]

    class SendsASet(Pings):
        def tick(self, now: float) -> None:
            self.broadcast(Crowd({"node-1"}))

    with pytest.raises(ValueError, match="a set does not survive JSON"):
        pinging(2, SendsASet).run_for(1.0)


def test_a_receiver_gets_a_message_of_its_own_and_not_the_senders() -> None:
    @dataclass(frozen=True)
    class Letter(Message):
        words: list[str]

    received: list[Letter] = []
    sent: list[Letter] = []

    class Writes(Pings):
        def tick(self, now: float) -> None:
            if self.me == "node-1" and not sent:
                sent.append(Letter(["hello"]))
                self.broadcast(sent[0])

        def receive(self, sender: str, message: Message, now: float) -> None:
            assert isinstance(message, Letter)
            received.append(message)

    sim = pinging(3, Writes)
    sim.run_for(1.0)

    assert received == [Letter(["hello"])] * 2
    assert sent[0].words is not received[0].words
    assert received[0].words is not received[1].words


# -- clients ---------------------------------------------------------------------------------------------


def test_an_answer_takes_the_network_twice() -> None:
    sim = Simulator(3, ONE_REIGN, network=Network(0.05, 0.05))
    sim.start()
    sim.run_for(1.0)
    asked = sim.now

    assert isinstance(ask(sim, "node-1", Put("k", 1)), Done)
    assert sim.now - asked == pytest.approx(0.1)
