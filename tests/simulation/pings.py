"""An election that only says something to everybody at every tick, and what became of its messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from labs.simulation.simulator import Simulator
from labs.trace.events import Event
from replstore.core.election import Election, ElectionContext
from replstore.core.messages import Message
from tests.simulation.scripted import Reign, scripted
from tests.simulation.simulated import node

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


def pinging(nodes: int = 2, strategy: type[Election] = Pings, **options: Any) -> Simulator:
    sim = Simulator(nodes, strategy, **options)
    sim.start()
    return sim


def ticks(sim: Simulator, name: str) -> list[float]:
    """When the node ticked, by its own clock."""
    election = node(sim, name).election
    assert isinstance(election, Pings)
    return election.ticks


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
