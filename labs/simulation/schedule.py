"""Fault schedules and runs as data: what is done to a simulated cluster and when, and everything that followed.

Law of this module: a `Schedule` is a plain value. The same schedule and the same strategy give the same `Run`, event
for event, so a failure can be kept, shown, sent to somebody and replayed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from random import Random
from typing import Any

from labs.simulation.actions import ACTIONS
from labs.simulation.hosts import ClientCall, Network
from labs.simulation.simulator import Simulator
from labs.trace.events import Event
from replstore.core.contract import Done
from replstore.core.election import Election, ElectionContext
from replstore.core.node import Node

Strategy = Callable[[ElectionContext], Election]


@dataclass(frozen=True)
class Step:
    """At `time` (virtual seconds) do `action` with `args`: see `labs.simulation.actions`."""

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
    dice: str = ""
    """Mixed into the seed where it is not empty: whoever knows the seed alone cannot know the run."""

    def to_json(self) -> str:
        fields = asdict(self)
        if not self.dice:
            del fields["dice"]
        return json.dumps(fields, sort_keys=True)

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

    @cached_property
    def digest(self) -> bytes:
        """Of the trace, once it is complete: two runs with the same one went alike."""
        return sha256(repr(self.trace).encode("utf-8", "backslashreplace")).digest()

    @property
    def failure(self) -> str | None:
        """`error` in words."""
        return None if self.error is None else f"{type(self.error).__name__}: {self.error}"

    @property
    def acknowledged(self) -> list[ClientCall]:
        return [call for call in self.calls if isinstance(call.result, Done)]


# --------------------------------------------------------------------------------------------------------
# Carrying a schedule out


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
    except SystemExit as end:  # it would end whoever simulates, a worker among many included
        failure = RuntimeError(f"the strategy ends the program in which it runs (SystemExit: {end})")
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
        seed=f"{schedule.dice}/{schedule.seed}" if schedule.dice else schedule.seed,
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
        sim.at_last(step.time, ACTIONS[step.action], sim, calls, *step.args)


def _run_to_the_end(sim: Simulator, schedule: Schedule, calls: list[ClientCall]) -> None:
    begin(sim, schedule, calls)
    sim.run_until(schedule.length)
    mend(sim)
    sim.run_for(schedule.calm)


def mend(sim: Simulator) -> None:
    """Everybody up and awake, nothing cut, lost or held, a quick network: from here on the cluster must recover."""
    sim.heal()
    sim.set_faults(drop=0, duplicate=0, replication_delay_ms=0, jitter_ms=0)
    sim.repeating = False
    for held in sim.set_aside.values():
        sim.at(sim.now, sim.arrive, *held)
    sim.set_aside.clear()
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
