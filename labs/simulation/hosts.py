"""The simulated computers and the network between them: what survives a crash, and how long a message travels.

Law of this module: state only; the simulator decides what happens to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heapify
from random import Random
from typing import Any, NamedTuple

from replstore.core.contract import Command, Input, Install, Record, Result, State
from replstore.core.messages import NodeId
from replstore.core.node import Node
from replstore.wire.codec import decode_record, encode_record


@dataclass(frozen=True)
class Network:
    """How messages travel. Delays are in seconds; a message takes a random time between `fastest` and `slowest`, so
    messages overtake each other. `slow` multiplies the delays to and from the named nodes."""

    fastest: float = 0.001
    slowest: float = 0.005
    slow: dict[NodeId, float] = field(default_factory=dict)

    def delay(self, sender: NodeId, to: NodeId, rng: Random) -> float:
        factor = max(self.slow.get(sender, 1.0), self.slow.get(to, 1.0)) if self.slow else 1.0
        return factor * (self.fastest + (self.slowest - self.fastest) * rng.random())


class Packet(NamedTuple):
    """A message as it travels: its text, and what the trace tells of it."""

    text: str
    kind: str
    details: dict[str, Any]


class Unsent:
    """Messages that are delayed on purpose: they wait in their sender, as in the runtime, and are gone with it."""

    def __init__(self) -> None:
        self._until: dict[int, float] = {}

    def add(self, order: int, until: float) -> None:
        """The message of this `order` in the agenda leaves its sender at the time `until`."""
        self._until[order] = until

    def lost(self, agenda: list[Any], sender: NodeId, now: float) -> list[Any]:
        """What `sender` has not sent by now, as arguments of `arrive`; the agenda is without it then."""
        self._until = {order: until for order, until in self._until.items() if until > now}
        found = [entry for entry in sorted(agenda) if entry[1] in self._until and entry[3][0] == sender]
        for entry in found:
            agenda.remove(entry)
        if found:
            heapify(agenda)
        return [entry[3] for entry in found]


@dataclass(slots=True)
class ClientCall:
    """A client's request on its way. When `done`: `result` is the node's answer, or None where none will ever come;
    `refused` then says that the node was not there to be asked (certain), else the answer was lost (uncertain)."""

    node: NodeId
    command: Command
    done: bool = False
    result: Result | None = None
    refused: bool = False
    asked: float = 0.0
    """When the client sent it, and when it had the answer (virtual seconds)."""
    answered: float = 0.0
    number: int = 0
    """In the trace the request and its reply have the id `client:<number>`."""


class Host:
    """The computer that a node runs on: what survives a crash, and what does not."""

    def __init__(self, node_id: NodeId, rate: float) -> None:
        self.id = node_id
        self.rate = rate
        """How fast its clock goes: 1.01 gains a hundredth."""
        self.ahead = 0.0
        """By how many seconds its clock was put forward."""
        self.disk: list[str] = []
        self.node: Node | None = None
        self.starts = 0
        """Counts starts, so that timers and answers of an earlier start are recognised and dropped."""
        self.paused = False
        self.missed: list[Input] = []
        self.calls: dict[int, ClientCall] = {}
        self.crash_within: Random | None = None
        self.crash_at_save = False

    def clock(self, now: float) -> float:
        """What its clock shows at virtual time `now`."""
        return now * self.rate + self.ahead

    @property
    def running(self) -> bool:
        return self.node is not None and not self.paused

    def save(self, record: Record) -> None:
        text = encode_record(record)
        if isinstance(record, Install):
            state = next((line for line in reversed(self.disk) if isinstance(decode_record(line), State)), None)
            self.disk = [line for line in (state, text) if line]
        else:
            self.disk.append(text)
