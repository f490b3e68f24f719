"""A simulation by hand: the messages on their way, one at a time, and a node's timer that is let run out.

Law of this module: what is done here could have happened. A message may arrive early or late, or get lost; a node's
clock may be ahead of the others'. Every act is of the run like any other fault, so a run by hand can be repeated.
"""

from __future__ import annotations

from heapq import heapify
from typing import Any, NamedTuple

from labs.simulation.hosts import Host, Packet
from labs.simulation.simulator import Simulator
from labs.trace import kinds
from replstore.core.contract import Tick
from replstore.core.messages import NodeId

PATIENCE = 12
"""Election timeouts by which a clock is put forward at the most."""


class NoSuchMessage(ValueError):
    """There is no message of this id on its way."""


class InFlight(NamedTuple):
    """A message on its way. `due`: the virtual time at which it arrives; None: it is held back."""

    id: str
    kind: str
    sender: NodeId
    to: NodeId
    due: float | None
    details: dict[str, Any]


def in_flight(sim: Simulator) -> list[InFlight]:
    """All messages on their way, in the order in which they will arrive; those that are held back at the end."""
    moving = sorted((time, order, args) for time, order, action, args in sim.agenda if action == sim.arrive)
    found = [_seen(args, time) for time, _, args in moving]
    return found + [_seen(args, None) for args in sim.set_aside.values()]


def _seen(args: tuple[Any, ...], due: float | None) -> InFlight:
    sender, to, packet, message_id = args
    assert isinstance(packet, Packet)
    return InFlight(message_id, packet.kind, sender, to, due, packet.details)


def deliver(sim: Simulator, message_id: str) -> None:
    """Let it arrive now. Raises `NoSuchMessage`."""
    sim.arrive(*_take(sim, message_id))


def drop(sim: Simulator, message_id: str) -> None:
    """Lose it. Raises `NoSuchMessage`."""
    sender, to, packet, _ = _take(sim, message_id)
    sim.log(sender, "dropped", packet.kind, packet.details, message_id, to)


def hold_back(sim: Simulator, message_id: str) -> None:
    """Keep it until it is delivered or dropped. Raises `NoSuchMessage`."""
    sim.set_aside[message_id] = _take(sim, message_id)


def _take(sim: Simulator, message_id: str) -> tuple[Any, ...]:
    """The arguments of its arrival, which will not happen by itself any more. (Of a message that was duplicated, the
    copy that would come first.)"""
    if message_id in sim.set_aside:
        return sim.set_aside.pop(message_id)
    coming = [entry for entry in sim.agenda if entry[2] == sim.arrive and entry[3][3] == message_id]
    if not coming:
        raise NoSuchMessage(f"no message {message_id!r} is on its way any more")
    first = min(coming, key=lambda entry: entry[:2])
    sim.agenda.remove(first)
    heapify(sim.agenda)
    return first[3]


def run_out(sim: Simulator, name: NodeId) -> None:
    """Put the clock of this node forward, tick by tick, until its election does something: until its term, vote or
    leader changes, or it sends a message of its strategy. Nothing else moves meanwhile. A leader has no such timer."""
    host = sim.hosts[name]
    node = host.node
    if node is None or host.paused or node.election.leader == name:
        return
    sim.log(name, "fault", kinds.RUN_OUT)
    before, seen = _state(host), len(sim.trace)
    for _ in range(int(PATIENCE * node.timeout / node.tick_interval)):
        host.ahead += node.tick_interval
        sim.feed(host, Tick())
        news = sim.trace[seen:]
        acts = any(
            e.node == name and (e.kind == kinds.ELECTION_TIMEOUT or (e.event == "sent" and _is_strategys(e.kind)))
            for e in news
        )
        if host.node is not node or _state(host) != before or acts:
            return
        seen = len(sim.trace)


def _is_strategys(kind: str) -> bool:
    return kinds.family_of(kind) == "election"


def _state(host: Host) -> tuple[Any, ...]:
    assert host.node is not None
    election = host.node.election
    return election.leader, election.term, election.vote
