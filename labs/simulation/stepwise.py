"""A cluster in which nothing happens by itself: clocks stand still and messages wait, until a step says otherwise.

Law of this module: what is done here could have happened: a message comes late, or again; a node hears nothing for a
while. With it a walk that a search has found (`explorer.walks`) is repeated with real nodes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from labs.simulation.explorer.findings import essence
from labs.simulation.explorer.walks import PATIENCE
from labs.simulation.hosts import ClientCall, Packet
from labs.simulation.simulator import Simulator
from labs.trace import kinds
from replstore.core.contract import Put, Tick
from replstore.core.messages import NODE_MESSAGES, NodeId

STANDSTILL = 1e-6
"""How fast a clock goes that stands still. (At 0 no time would be left to divide by.)"""
MOST_EXCHANGED = 20
_OF_THE_NODE = frozenset(kind.__name__ for kind in NODE_MESSAGES)


def take_over(sim: Simulator) -> None:
    """From now on nothing happens by itself."""
    for host in sim.hosts.values():
        _set_rate(sim, host.id, STANDSTILL)
    for sender in sim.node_ids:
        for to in sim.node_ids:
            if sender != to:
                sim.hold(sender, to, under_way=True)


def let_go(sim: Simulator) -> None:
    """All goes on by itself again, and what was held back arrives."""
    for host in sim.hosts.values():
        _set_rate(sim, host.id, 1.0)
        if host.node is not None:
            sim.after(host.node.tick_interval * sim.rng.random(), sim._tick, host, host.starts)
    sim.heal()


def wait(sim: Simulator, node: NodeId) -> None:
    """This node hears nothing for as long as it takes any node to act."""
    host = sim.hosts[node]
    if host.node is not None:
        sim.log(node, "fault", kinds.RUN_OUT)
        host.ahead += PATIENCE * host.node.timeout
        sim.feed(host, Tick())


def restart(sim: Simulator, node: NodeId) -> None:
    """It crashes, and is back and asked for the time."""
    sim.crash(node)
    sim.start(node)
    _set_rate(sim, node, STANDSTILL)
    sim.feed(sim.hosts[node], Tick())


def take(sim: Simulator, node: NodeId, sender: NodeId, what: str) -> None:
    """The first message of this content (`explorer.walks.essence`) from `sender` arrives: one that waits, or else one
    that has arrived before. If there is none, nothing happens."""
    waiting = sim.held.get((sender, node), [])
    arrived = sim.arrived.setdefault((sender, node), [])
    for place, (packet, message_id) in enumerate(waiting):
        if _essence_of(packet) == what:
            del waiting[place]
            arrived.append((packet, message_id))
            sim.arrive(sender, node, packet, message_id)
            return
    for packet, message_id in arrived:
        if _essence_of(packet) == what:
            sim.arrive(sender, node, packet, message_id)
            return


def exchange(sim: Simulator, one: NodeId, other: NodeId) -> None:
    """`one` sends a heartbeat if it leads. Then what the two nodes, not their strategies, have to say to each other
    arrives, until they are done."""
    host = sim.hosts[one]
    if host.node is not None:
        host.ahead += host.node.heartbeat
        sim.feed(host, Tick())
    for _ in range(MOST_EXCHANGED):
        found = next(_of_the_nodes(sim, one, other), None)
        if found is None:
            return
        sender, to, place = found
        packet, message_id = sim.held[sender, to].pop(place)
        sim.arrive(sender, to, packet, message_id)


def write(sim: Simulator, calls: list[ClientCall], node: NodeId, key: str) -> None:
    calls.append(sim.request(node, Put(key, 1)))


def _of_the_nodes(sim: Simulator, one: NodeId, other: NodeId) -> Iterator[tuple[NodeId, NodeId, int]]:
    for sender, to in ((one, other), (other, one)):
        for place, (packet, _) in enumerate(sim.held.get((sender, to), ())):
            if packet.kind in _OF_THE_NODE:
                yield sender, to, place


def _set_rate(sim: Simulator, node: NodeId, rate: float) -> None:
    """Its clock goes on from what it shows."""
    host = sim.hosts[node]
    host.ahead += sim.now * (host.rate - rate)
    host.rate = rate


def _essence_of(packet: Packet) -> str:
    text = json.loads(packet.text).get("text") if packet.kind == "StudentMessage" else packet.text
    return essence(text)
