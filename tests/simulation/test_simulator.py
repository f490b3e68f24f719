"""The pretended world is as bad as it says, and no worse: seeds, clocks, the codec and clients."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from labs.simulation.hosts import Network
from labs.simulation.simulator import Simulator
from replstore.core.contract import Done, Put, State
from replstore.core.lowest_id import LowestId
from replstore.core.messages import Message
from tests.simulation.pings import ONE_REIGN, Pings, pinging, ticks
from tests.simulation.simulated import ask, node

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


# -- clocks ----------------------------------------------------------------------------------------------


def test_clocks_drift_within_the_bound_and_each_in_its_own_way() -> None:
    sim = pinging(5, drift=0.05)
    sim.run_for(20.0)
    rates = [len(ticks(sim, name)) / 800 for name in sim.node_ids]

    assert all(0.945 <= rate <= 1.055 for rate in rates)
    assert len({round(rate, 2) for rate in rates}) >= 3


def test_a_node_sees_its_own_clock_and_it_never_goes_back() -> None:
    sim = pinging(3, drift=0.1, seed=4)
    sim.run_for(5.0)
    for name in sim.node_ids:
        times = ticks(sim, name)

        assert times == sorted(times)
        assert times[-1] == pytest.approx(5.0 * sim.hosts[name].rate, abs=0.05)


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
