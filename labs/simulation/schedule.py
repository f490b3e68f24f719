"""Fault schedules and runs as data: what is done to a simulated cluster and when, and everything that followed.

Law of this module: a `Schedule` is a plain value. The same schedule and the same strategy give the same `Run`, event
for event, so a failure can be kept, shown, sent to somebody and replayed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from random import Random
from typing import Any

from labs.simulation.hosts import ClientCall, Network
from labs.simulation.simulator import Simulator
from labs.trace.events import Event
from replstore.core.contract import Delete, Done, LinearizableGet, Put
from replstore.core.election import Election, ElectionContext
from replstore.core.node import Node

Strategy = Callable[[ElectionContext], Election]


@dataclass(frozen=True)
class Step:
    """At `time` (virtual seconds) do `action` with `args`: see `ACTIONS`."""

    time: float
    action: str
    args: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Schedule:
    """A run to be. Times in seconds. After the last step everything is mended, and `calm` seconds follow."""

    nodes: int = 5
    mode: str = "quorum"
    seed: int = 0
    steps: tuple[Step, ...] = ()
    heartbeat: float = 0.1
    timeout: float = 0.4
    fastest: float = 0.001
    slowest: float = 0.01
    drop: float = 0.0
    duplicate: float = 0.0
    drift: float = 0.01
    length: float = 10.0
    calm: float = 6.0
    durable: bool = True

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Schedule:
        """Raises `ValueError` for text that is no schedule."""
        try:
            data = json.loads(text)
            steps = tuple(Step(s["time"], s["action"], _tuples(s["args"])) for s in data.pop("steps"))
            return cls(steps=steps, **data)
        except KeyError as missing:
            raise ValueError(f"not a schedule: {missing.args[0]!r} is missing in it") from missing
        except (TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"not a schedule: {error}") from error


@dataclass
class Run:
    """The result of a schedule. `calls`: each client request with its answer; `nodes`: the nodes that run at the end;
    `error`: the exception that a strategy raised, after which the run was not continued."""

    schedule: Schedule
    trace: list[Event]
    calls: list[ClientCall]
    nodes: dict[str, Node]
    error: Exception | None = None
    strategy: str = ""
    node_ids: tuple[str, ...] = ()

    @property
    def failure(self) -> str | None:
        """`error` in words."""
        return None if self.error is None else f"{type(self.error).__name__}: {self.error}"

    @property
    def acknowledged(self) -> list[ClientCall]:
        return [call for call in self.calls if isinstance(call.result, Done)]


# --------------------------------------------------------------------------------------------------------
# Carrying a schedule out


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


def _candidates(sim: Simulator) -> list[str]:
    running = [host for host in sim.hosts.values() if host.running]
    return [host.id for host in running if host.node is not None and host.node.role == "candidate"]


def _to_leaders(verb: Callable[[Simulator, str], None]) -> Callable[..., None]:
    def action(sim: Simulator, calls: list[ClientCall]) -> None:
        for leader in _leaders(sim):
            verb(sim, leader)

    return action


def _isolate_candidates(sim: Simulator) -> None:
    """Each alone; what they have just sent is lost, too."""
    candidates = _candidates(sim)
    if candidates:
        sim.partition([node for node in sim.node_ids if node not in candidates])


def _delay_candidates(sim: Simulator) -> None:
    """They fall asleep, and what they have just said will arrive much later."""
    for node in _candidates(sim):
        sim.pause(node)
        for other in sim.node_ids:
            if other != node and (node, other) not in sim.held:
                sim.hold(node, other, under_way=True)


def _crash_candidates(sim: Simulator) -> None:
    for node in _candidates(sim):
        sim.crash(node)


def _deafen(sim: Simulator, node: str) -> None:
    """The others hear it, and it hears nobody."""
    for other in sim.node_ids:
        if other != node:
            sim.cut(other, node)


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
    "heal": lambda sim, calls: sim.heal(),
    "repeat_elections": lambda sim, calls: sim.repeat_elections(),
    "faults": lambda sim, calls, fields: sim.set_faults(**dict(fields)),
    "crash_leader": _to_leaders(Simulator.crash),
    "isolate_leader": _to_leaders(_isolate),
    "deafen_leader": _to_leaders(_deafen),
    "pause_leader": _to_leaders(Simulator.pause),
    "crash_follower": _to_a_follower(lambda sim, leader, follower: sim.crash(follower)),
    "isolate_follower": _to_a_follower(lambda sim, leader, follower: _isolate(sim, follower)),
    "cut_to_follower": _to_a_follower(lambda sim, leader, follower: sim.cut(leader, follower)),
    "cut_from_follower": _to_a_follower(lambda sim, leader, follower: sim.cut(follower, leader)),
    "isolate_leader_with_a_follower": _to_a_follower(_leave_together),
    "crash_candidates": lambda sim, calls: _crash_candidates(sim),
    "delay_candidates": lambda sim, calls: _delay_candidates(sim),
    "isolate_candidates": lambda sim, calls: _isolate_candidates(sim),
    "write": _write,
    "write_to_leader": _write_to_leader,
    "delete": _delete,
    "read": _read_linearizably,
    "read_from_leaders": _read_from_leaders,
}
"""What a step can do: each takes the simulator, the list of client calls so far, and the step's own arguments."""


def carry_out(
    schedule: Schedule,
    strategy: Strategy,
    node_class: type[Node] = Node,
    simulator_class: Callable[..., Simulator] = Simulator,
) -> Run:
    """Run it. An exception of the strategy ends the run and is kept in `Run.error`.

    `node_class`: for nodes that are broken on purpose. `simulator_class`: what makes the simulator.
    """
    sim = simulation(schedule, strategy, node_class, simulator_class)
    calls: list[ClientCall] = []
    failure = None
    try:
        _run_to_the_end(sim, schedule, calls)
    except Exception as error:  # noqa: BLE001 - whatever a student's strategy raises
        failure = error
    nodes = {host.id: host.node for host in sim.hosts.values() if host.node is not None}
    return Run(schedule, sim.trace, calls, nodes, failure, getattr(strategy, "__name__", ""), sim.node_ids)


def simulation(
    schedule: Schedule,
    strategy: Strategy,
    node_class: type[Node] = Node,
    simulator_class: Callable[..., Simulator] = Simulator,
) -> Simulator:
    """The simulator for this schedule; nothing has begun yet."""
    return simulator_class(
        schedule.nodes,
        strategy,
        seed=schedule.seed,
        heartbeat=schedule.heartbeat,
        timeout=schedule.timeout,
        mode=schedule.mode,
        network=Network(schedule.fastest, schedule.slowest),
        drift=schedule.drift,
        durable=schedule.durable,
        node_class=node_class,
    )


def begin(sim: Simulator, schedule: Schedule, calls: list[ClientCall]) -> None:
    """Start the nodes and put every step on the agenda."""
    sim.start()
    if schedule.drop or schedule.duplicate:
        sim.set_faults(drop=schedule.drop, duplicate=schedule.duplicate)
    for step in schedule.steps:
        sim.at(step.time, ACTIONS[step.action], sim, calls, *step.args)


def _run_to_the_end(sim: Simulator, schedule: Schedule, calls: list[ClientCall]) -> None:
    begin(sim, schedule, calls)
    sim.run_until(schedule.length)
    mend(sim)
    sim.run_for(schedule.calm)


def mend(sim: Simulator) -> None:
    """Everybody up and awake, nothing cut, nothing lost, a quick network: from here on the cluster must recover."""
    sim.heal()
    sim.set_faults(drop=0, duplicate=0, replication_delay_ms=0, jitter_ms=0)
    sim.repeating = False
    sim.network = Network(0.001, 0.005)
    for host in sim.hosts.values():
        host.crash_within = None
        host.crash_at_save = False
        sim.resume(host.id)
        sim.start(host.id)


# --------------------------------------------------------------------------------------------------------
# Making schedules


@dataclass(frozen=True)
class FaultProfile:
    """How likely each fault is, and the network's delay, loss and duplication.

    The defaults are harsh on purpose: calm random schedules miss classic mistakes.
    """

    every: float = 0.2
    """Mean seconds between two steps."""
    reads: float = 0.5
    """How many linearizable reads for one other step."""
    slowest: float = 0.4
    drop: float = 0.05
    duplicate: float = 0.2
    weights: dict[str, float] = field(
        default_factory=lambda: {
            "crash": 2,
            "crash_within_a_step": 3,
            "crash_leader": 2,
            "start_all": 7,
            "pause": 1,
            "pause_leader": 1,
            "resume_all": 4,
            "partition": 3,
            "isolate_leader": 2,
            "cut": 1,
            "heal": 6,
            "write_to_leader": 10,
        }
    )


HARSH = FaultProfile()


def random_schedule(seed: int, base: Schedule | None = None, profile: FaultProfile = HARSH) -> Schedule:
    """A schedule drawn from `seed` alone. Of `base` everything stays but steps, seed, delays, loss and duplication."""
    rng = Random(f"schedule/{seed}")
    base = base or Schedule()
    names = [f"node-{number}" for number in range(1, base.nodes + 1)]
    steps: list[Step] = []
    time = 2 * base.timeout * rng.random()
    while time < base.length:
        [action] = rng.choices(list(profile.weights), list(profile.weights.values()))
        steps.append(Step(round(time, 4), action, _arguments(action, names, len(steps), rng)))
        time += profile.every * 2 * rng.random()
    slowest = base.timeout * rng.choice([0.05, 0.3, profile.slowest / 0.4])
    steps = sorted([*steps, *_reads(seed, steps, profile)], key=lambda step: step.time)
    return replace(base, seed=seed, steps=tuple(steps), slowest=slowest, drop=profile.drop, duplicate=profile.duplicate)


def _reads(seed: int, steps: list[Step], profile: FaultProfile) -> Iterator[Step]:
    """Clients that read, soon after something happened. They have dice of their own: what else is done to a cluster
    does not depend on them."""
    rng = Random(f"reads/{seed}")
    for step in steps:
        if rng.random() < profile.reads:
            yield Step(round(step.time + profile.every * rng.random(), 4), "read_from_leaders")


def _arguments(action: str, names: list[str], number: int, rng: Random) -> tuple[Any, ...]:
    match action:
        case "crash" | "crash_within_a_step" | "crash_before_save" | "start" | "pause" | "resume" | "isolate":
            return (rng.choice(names),)
        case "cut":
            return tuple(rng.sample(names, 2)) if len(names) > 1 else (names[0], names[0])
        case "partition":
            shuffled = rng.sample(names, len(names))
            middle = rng.randint(1, max(1, len(names) - 1))
            return (tuple(shuffled[:middle]), tuple(shuffled[middle:]))
        case "write_to_leader":
            return (f"k{number}", f"v{number}")
    return ()


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
