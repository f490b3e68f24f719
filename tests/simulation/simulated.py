"""What the tests of the core say again and again, about a `Simulator`."""

from __future__ import annotations

from random import Random
from typing import Any

from labs.simulation.simulator import Simulator
from replstore.core.contract import Delete, Done, LinearizableGet, Put, Result
from replstore.core.election import Election, ElectionContext
from replstore.core.log import Log
from replstore.core.messages import Message
from replstore.core.node import Node

TIMEOUT = 0.4
PATIENCE = 3 * TIMEOUT


def lonely_strategy(
    strategy: type[Election], term: int, me: str = "node-2"
) -> tuple[Election, list[tuple[str, Message]]]:
    """One of three, without its node, and what it will have sent."""
    sent: list[tuple[str, Message]] = []
    peers = tuple(name for name in ("node-1", "node-2", "node-3") if name != me)


    def send(to: str, message: Message) -> None:
        sent.append((to, message))

    election = strategy(ElectionContext(me, peers, Log(), Random(1), TIMEOUT, TIMEOUT / 4, send, lambda *_, **__: None))
    election.term = term
    return election, sent


def tick(election: Election, begin: float, end: float) -> None:
    """Ticks as a node gives them, from `begin` to `end`."""
    for number in range(round((end - begin) / (TIMEOUT / 16)) + 1):
        election.tick(begin + number * TIMEOUT / 16)


def node(sim: Simulator, name: str) -> Node:
    running = sim.hosts[name].node
    assert running is not None, f"{name} is down"
    return running


def leaders(sim: Simulator) -> dict[str, int]:
    """Who leads, and in which term."""
    return {m.id: m.node.election.term for m in sim.hosts.values() if m.node and m.node.leads}


def settle(sim: Simulator, leader: str | None = None) -> str:
    """Wait until one node leads (that one, if given) and every running node follows it; returns its id."""

    def restless() -> bool:
        running = [m.node for m in sim.hosts.values() if m.node]
        views = {(n.election.leader, n.election.term) for n in running}
        names = {view[0] for view in views}
        wanted = {leader} if leader else names
        return len(views) > 1 or len(leaders(sim)) != 1 or names != set(leaders(sim)) or names != wanted

    assert sim.run_while(restless, 10), f"no agreement on a leader: {leaders(sim)}"
    return next(iter(leaders(sim)))


def ask(sim: Simulator, name: str, command: Put | Delete | LinearizableGet) -> Result | None:
    call = sim.request(name, command)
    sim.run_while(lambda: not call.done, 5)
    return call.result


def put(sim: Simulator, name: str, key: str, value: Any) -> Done:
    result = ask(sim, name, Put(key, value))
    assert isinstance(result, Done), result
    return result


def values(sim: Simulator, key: str) -> list[Any]:
    """The key's value at each running node, in order; None where it is absent."""
    found = [m.node.read(key) for m in sim.hosts.values() if m.node]
    return [entry.value if entry else None for entry in found]


def notes(sim: Simulator, kind: str, name: str | None = None) -> list[dict[str, Any]]:
    return [e.details for e in sim.trace if e.event == "note" and e.kind == kind and name in (None, e.node)]
