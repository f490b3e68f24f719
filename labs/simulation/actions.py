"""What a step of a schedule can do to a simulated cluster, by name.

Law of this module: an action takes the simulator, the list of client calls so far, and the step's own arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labs.simulation import by_hand, stepwise
from labs.simulation.hosts import ClientCall
from labs.simulation.simulator import Simulator
from replstore.core.contract import Delete, Done, LinearizableGet, Put
from replstore.core.messages import Heartbeat


def _write(sim: Simulator, calls: list[ClientCall], node: str, key: str, value: Any) -> None:
    calls.append(sim.request(node, Put(key, value)))


def _write_to_leader(sim: Simulator, calls: list[ClientCall], key: str, value: Any) -> None:
    """As a client would that asks everybody who leads: whoever claims to, gets the write."""
    for host in sim.hosts.values():
        if host.node is not None and host.node.leads:
            calls.append(sim.request(host.id, Put(key, f"{value}@{host.id}")))


def _delete(sim: Simulator, calls: list[ClientCall], node: str, key: str) -> None:
    calls.append(sim.request(node, Delete(key)))


def _read_linearizably(sim: Simulator, calls: list[ClientCall], node: str, key: str) -> None:
    calls.append(sim.request(node, LinearizableGet(key)))


def _read_from_leaders(sim: Simulator, calls: list[ClientCall]) -> None:
    """Whoever claims to lead is asked for what was acknowledged last: if that can be missing, it is missing here."""
    done = [call for call in calls if isinstance(call.result, Done)]
    if done:
        newest = max(done, key=lambda call: call.answered)
        for leader in _leaders(sim):
            _read_linearizably(sim, calls, leader, newest.command.key)


def _leaders(sim: Simulator) -> list[str]:
    return [host.id for host in sim.hosts.values() if host.node is not None and host.running and host.node.leads]


def candidates(sim: Simulator) -> list[str]:
    """Who stands for an election, and runs."""
    running = [host for host in sim.hosts.values() if host.running]
    return [host.id for host in running if host.node is not None and host.node.role == "candidate"]


def _to_leaders(verb: Callable[[Simulator, str], None]) -> Callable[..., None]:
    def action(sim: Simulator, calls: list[ClientCall]) -> None:
        for leader in _leaders(sim):
            verb(sim, leader)

    return action


def _isolate_candidates(sim: Simulator) -> None:
    """Each alone; what they have just sent is lost, too."""
    if standing := candidates(sim):
        sim.partition([node for node in sim.node_ids if node not in standing])


def _delay_candidates(sim: Simulator) -> None:
    """They fall asleep, and what they have just said will arrive much later."""
    for node in candidates(sim):
        sim.pause(node)
        for other in sim.node_ids:
            if other != node and (node, other) not in sim.held:
                sim.hold(node, other, under_way=True)


def _crash_candidates(sim: Simulator) -> None:
    for node in candidates(sim):
        sim.crash(node)


def _read_copy(sim: Simulator, calls: list[ClientCall], node: str) -> None:
    """A plain read of one copy. It changes nothing, but its way to the node and back takes chance's next numbers."""

    def answered() -> None:
        host = sim.hosts[node]
        if host.running:
            sim.network.delay(node, node, sim.rng)

    sim.after(sim.network.delay(node, node, sim.rng), answered)


def _deafen(sim: Simulator, node: str) -> None:
    """The others hear it, and it hears nobody."""
    for other in sim.node_ids:
        if other != node:
            sim.cut(other, node)


def _put_aside(sim: Simulator, sender: str, to: str) -> None:
    """What was held back on this link stays on its way; what is said from now on arrives as usual."""
    kept = sim.held.pop((sender, to), [])
    sim.release(sender, to)
    for packet, message_id in kept:
        sim.set_aside[message_id] = (sender, to, packet, message_id)


def _arrive_late(sim: Simulator) -> None:
    """All that was put aside arrives now."""
    while sim.set_aside:
        sim.arrive(*sim.set_aside.pop(next(iter(sim.set_aside))))


def _the_past_arrives(sim: Simulator) -> None:
    """Of the heartbeats that were put aside each node gets the next one, if it has been in a later term since."""
    had: set[str] = set()
    for message_id, (_, to, packet, _) in list(sim.set_aside.items()):
        node = sim.hosts[to].node
        if to in had or node is None or packet.kind != Heartbeat.__name__:
            continue
        if packet.details["term"] < node.election.term:
            had.add(to)
            sim.arrive(*sim.set_aside.pop(message_id))


def _resume_all(sim: Simulator) -> None:
    for node in sim.node_ids:
        sim.resume(node)


def _followers(sim: Simulator) -> list[str]:
    """Who runs and does not lead, while somebody does."""
    leaders = _leaders(sim)
    return [host.id for host in sim.hosts.values() if leaders and host.running and host.id not in leaders]


def _to_a_follower(verb: Callable[[Simulator, str, str], None]) -> Callable[..., None]:
    """`verb` with a leader and the last of its followers, by name."""

    def action(sim: Simulator, calls: list[ClientCall]) -> None:
        if followers := _followers(sim):
            verb(sim, _leaders(sim)[0], followers[-1])

    return action


def _isolate_two_followers(sim: Simulator) -> None:
    """The last two, by name, away from all others but not from each other."""
    if len(followers := _followers(sim)) > 1:
        sim.partition(followers[-2:], [node for node in sim.node_ids if node not in followers[-2:]])


def _restart(sim: Simulator, node: str) -> None:
    sim.crash(node)
    sim.start(node)


def _leave_together(sim: Simulator, leader: str, follower: str) -> None:
    sim.partition([leader, follower], [node for node in sim.node_ids if node not in (leader, follower)])


def _isolate(sim: Simulator, node: str) -> None:
    sim.partition([node], [other for other in sim.node_ids if other != node])


ACTIONS: dict[str, Callable[..., None]] = {
    "crash": lambda sim, calls, node: sim.crash(node),
    "crash_within_a_step": lambda sim, calls, node: sim.crash_within_a_step(node),
    "crash_before_save": lambda sim, calls, node: sim.crash_before_save(node),
    "start": lambda sim, calls, node: sim.start(node),
    "start_all": lambda sim, calls: sim.start(),
    "pause": lambda sim, calls, node: sim.pause(node),
    "resume": lambda sim, calls, node: sim.resume(node),
    "resume_all": lambda sim, calls: _resume_all(sim),
    "partition": lambda sim, calls, *groups: sim.partition(*groups),
    "isolate": lambda sim, calls, node: _isolate(sim, node),
    "cut": lambda sim, calls, sender, to: sim.cut(sender, to),
    "disconnect": lambda sim, calls, sender, to: sim.disconnect(sender, to),
    "hold": lambda sim, calls, sender, to: sim.hold(sender, to),
    "release": lambda sim, calls, sender, to: sim.release(sender, to),
    "put_aside": lambda sim, calls, sender, to: _put_aside(sim, sender, to),
    "arrive_late": lambda sim, calls: _arrive_late(sim),
    "the_past_arrives": lambda sim, calls: _the_past_arrives(sim),
    "heal": lambda sim, calls: sim.heal(),
    "repeat_elections": lambda sim, calls: sim.repeat_elections(),
    "faults": lambda sim, calls, fields: sim.set_faults(**dict(fields)),
    "crash_leader": _to_leaders(Simulator.crash),
    "restart_leader": _to_leaders(_restart),
    "isolate_leader": _to_leaders(_isolate),
    "deafen_leader": _to_leaders(_deafen),
    "pause_leader": _to_leaders(Simulator.pause),
    "crash_follower": _to_a_follower(lambda sim, leader, follower: sim.crash(follower)),
    "isolate_follower": _to_a_follower(lambda sim, leader, follower: _isolate(sim, follower)),
    "isolate_two_followers": lambda sim, calls: _isolate_two_followers(sim),
    "cut_to_follower": _to_a_follower(lambda sim, leader, follower: sim.cut(leader, follower)),
    "cut_from_follower": _to_a_follower(lambda sim, leader, follower: sim.cut(follower, leader)),
    "isolate_leader_with_a_follower": _to_a_follower(_leave_together),
    "crash_candidates": lambda sim, calls: _crash_candidates(sim),
    "delay_candidates": lambda sim, calls: _delay_candidates(sim),
    "isolate_candidates": lambda sim, calls: _isolate_candidates(sim),
    "stop": lambda sim, calls, node: sim.crash(node, "stop"),
    "kill": lambda sim, calls, node: sim.crash(node, "kill"),
    "delay": lambda sim, calls, fields: sim.set_faults("delay", **dict(fields)),
    "loss": lambda sim, calls, fields: sim.set_faults("loss", **dict(fields)),
    "deliver": lambda sim, calls, message: by_hand.deliver(sim, message),
    "drop_message": lambda sim, calls, message: by_hand.drop(sim, message),
    "hold_back": lambda sim, calls, message: by_hand.hold_back(sim, message),
    "run_out": lambda sim, calls, node: by_hand.run_out(sim, node),
    "take_over": lambda sim, calls: stepwise.take_over(sim),
    "let_go": lambda sim, calls: stepwise.let_go(sim),
    "wait_by_steps": lambda sim, calls, node: stepwise.wait(sim, node),
    "restart_by_steps": lambda sim, calls, node: stepwise.restart(sim, node),
    "take_by_steps": lambda sim, calls, node, sender, what: stepwise.take(sim, node, sender, what),
    "write_by_steps": stepwise.write,
    "exchange": lambda sim, calls, one, other: stepwise.exchange(sim, one, other),
    "read_copy": _read_copy,
    "write": _write,
    "write_to_leader": _write_to_leader,
    "delete": _delete,
    "read": _read_linearizably,
    "read_from_leaders": _read_from_leaders,
}
"""What a step can do: each takes the simulator, the list of client calls so far, and the step's own arguments."""
