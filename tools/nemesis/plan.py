"""What is to be done to a cluster, and when: a plan drawn from a seed alone.

Law of this module: values only. The same seed gives the same plan. What comes of it also depends on the machine, which
decides how nodes and clients interleave.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

MOMENTS = ("at once", "write sent", "starting", "compacting", "snapshot", "catching up")
"""When a node is killed.

* `at once`: whatever it does
* `write sent`: up to a few milliseconds after a client sent a write
* `starting`: while it reads its journal, or looks for a leader
* `compacting`: while it rewrites its journal
* `snapshot`: while the leader ships a snapshot to a follower that was away
* `catching up`: while the leader ships entries to a follower that was away
"""

VICTIMS = ("leader", "follower", "two", "all")


@dataclass(frozen=True)
class Blow:
    """At `at` (seconds after the round's start) do `kind` with `details`; what it broke is mended `lasts` seconds
    later."""

    at: float
    kind: str
    lasts: float
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """One round: `blows` within `seconds`; `seed` is also the clients'."""

    seed: str
    seconds: float
    blows: tuple[Blow, ...]


@dataclass(frozen=True)
class Pace:
    """How hard it gets. Times in seconds."""

    every: float = 0.45
    """Between two blows, on average."""
    down: tuple[float, float] = (0.05, 1.2)
    """How long a killed or paused node stays away."""
    bad: tuple[float, float] = (0.3, 1.6)
    """How long the network stays bad."""
    kinds: tuple[str, ...] = ()
    """The only kinds of blows; empty: all of them."""


def draw(seed: str, seconds: float, nodes: tuple[str, ...], pace: Pace | None = None) -> Plan:
    """The plan that `seed` stands for."""
    pace = pace or Pace()
    rng = Random(f"nemesis/{seed}")
    blows: list[Blow] = []
    at = pace.every * rng.random()
    kinds = list(pace.kinds or KINDS)
    while at < seconds - pace.every:
        [kind] = rng.choices(kinds, [KINDS[kind][0] for kind in kinds])
        blows.append(KINDS[kind][1](round(at, 3), rng, nodes, pace))
        at += pace.every * 2 * rng.random()
    return Plan(seed, seconds, tuple(blows))


def _between(rng: Random, span: tuple[float, float]) -> float:
    return round(rng.uniform(*span), 3)


def _kill(at: float, rng: Random, nodes: tuple[str, ...], pace: Pace) -> Blow:
    [moment] = rng.choices(MOMENTS, (3, 6, 3, 3, 3, 3))
    [victims] = rng.choices(VICTIMS, (5, 3, 2, 2))
    delays = {"starting": 0.4, "write sent": 0.006, "compacting": 0.05}
    details = {"moment": moment, "victims": victims, "delay": round(delays.get(moment, 0.03) * rng.random(), 4)}
    return Blow(at, "kill", _between(rng, pace.down), details)


def _pause(at: float, rng: Random, nodes: tuple[str, ...], pace: Pace) -> Blow:
    return Blow(at, "pause", _between(rng, pace.down), {"victims": rng.choice(VICTIMS)})


def _isolate(at: float, rng: Random, nodes: tuple[str, ...], pace: Pace) -> Blow:
    return Blow(at, "isolate", _between(rng, pace.bad), {"victims": rng.choice(("leader", "follower"))})


def _split(at: float, rng: Random, nodes: tuple[str, ...], pace: Pace) -> Blow:
    """A cut that moves: each stage has groups of its own, so that each side may elect, and then meet another one."""
    stages = []
    for _ in range(rng.choice((1, 2, 2, 3))):
        shuffled = rng.sample(nodes, len(nodes))
        middle = rng.randint(1, len(nodes) - 1)
        stages.append([shuffled[:middle], shuffled[middle:]])
    return Blow(at, "split", _between(rng, pace.bad), {"stages": stages})


def _rivals(at: float, rng: Random, nodes: tuple[str, ...], pace: Pace) -> Blow:
    """Two sides that elect equally often, and a third node that meets first one leader and then the other."""
    return Blow(at, "rivals", round(rng.uniform(1.2, 2.5), 3), {"away": rng.random()})


def _one_way(at: float, rng: Random, nodes: tuple[str, ...], pace: Pace) -> Blow:
    pairs = [rng.sample(nodes, 2) for _ in range(rng.choice((1, 1, 2)))]
    return Blow(at, "one-way-cut", _between(rng, pace.bad), {"pairs": pairs})


def _slow(at: float, rng: Random, nodes: tuple[str, ...], pace: Pace) -> Blow:
    details = {"ms": rng.choice((5, 50, 200)), "jitter_ms": rng.choice((0, 100, 400))}
    return Blow(at, "slow-links", _between(rng, pace.bad), details)


def _loss(at: float, rng: Random, nodes: tuple[str, ...], pace: Pace) -> Blow:
    details = {"drop": rng.choice((0.02, 0.1, 0.3)), "duplicate": rng.choice((0.0, 0.2, 0.5))}
    return Blow(at, "loss", _between(rng, pace.bad), details)


KINDS: dict[str, tuple[int, Callable[[float, Random, tuple[str, ...], Pace], Blow]]] = {
    "kill": (18, _kill),
    "pause": (3, _pause),
    "isolate": (2, _isolate),
    "split": (3, _split),
    "rivals": (1, _rivals),
    "one-way-cut": (2, _one_way),
    "slow-links": (2, _slow),
    "loss": (2, _loss),
}
"""How often each kind comes, and how it is drawn."""
