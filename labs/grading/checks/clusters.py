"""The simulated clusters that checks hand to student code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from random import Random
from typing import Any

from labs.cluster.base import Cluster, Settings
from labs.cluster.simulated import SimulatedCluster
from labs.grading.check import Scene
from labs.grading.dice import mixed, mixed_number
from labs.grading.errors import GraderError
from labs.simulation.hosts import Network
from labs.trace import kinds
from labs.trace.events import Event
from replstore.core.bully import Bully
from replstore.core.election import Election, ElectionContext
from replstore.core.lowest_id import LowestId
from replstore.core.node import Node


@dataclass(frozen=True)
class Kind:
    """A good kind of cluster: its size, who is elected, and when a write counts."""

    nodes: int
    mode: str
    election: Callable[[ElectionContext], Election]
    name: str
    lag: float = 0.0
    """Election timeouts that a copy takes."""

    def __str__(self) -> str:
        slow = f", copies take {self.lag:g} election timeouts" if self.lag else ""
        return f"{self.nodes} nodes, {self.name}, {self.mode}{slow}"


STUDENT_KINDS = (
    Kind(3, "async", LowestId, "LowestId"),
    Kind(3, "quorum", LowestId, "LowestId"),
    Kind(5, "async", LowestId, "LowestId", lag=0.5),
)

SYNC = Kind(3, "sync", LowestId, "LowestId")
"""For an instructor's table: while a node is down, a write is carried out and never acknowledged (unknown)."""


def good_kinds(level: str) -> list[Kind]:
    """An instructor's have majority votes, too, where two of three stopped nodes leave no leader at all."""
    if level != "instructor":
        return list(STUDENT_KINDS)
    votes = majority_election()
    return [
        *STUDENT_KINDS,
        Kind(3, "quorum", votes, "majority votes"),
        Kind(5, "quorum", votes, "majority votes"),
        Kind(3, "async", Bully, "Bully"),
        Kind(3, "async", votes, "majority votes"),
    ]


def broken_kinds(level: str, fault: int, dice: str) -> list[Kind]:
    """Stores with the fault of this number are of these. With votes a node that is behind never leads, so that no
    leader shows it.

    All good kinds are among those of all faults, and which of them has which fault is a matter of chance: the kind of
    a store tells nothing.
    """
    if level != "instructor":
        return list(STUDENT_KINDS)
    first, *always, votes, large, bully, votes_async = good_kinds(level)
    changing = [first, votes, large, bully]
    Random(mixed("broken kinds", dice)).shuffle(changing)
    return [changing[fault % len(changing)], *always, votes_async]


def impatient_kinds(seed: int) -> Iterator[tuple[Kind, int]]:
    """Majority votes where one node leads as soon as it can, and the others take three to six election timeouts to
    begin. So of the pairs that stop, one is often the two others, and the leader is left without a majority, which it
    takes nearly the two election timeouts that it may take to notice; and an election may need longer than a table's
    two. Each node is that one in turn, the first by the seed; each kind comes with a seed of its own.
    """
    votes = _notices_late(majority_election())

    def election(first: str) -> Callable[[ElectionContext], Election]:
        return lambda seat: votes(replace(seat, rng=_Hurried(seat.rng.random(), seat.me == first)))

    for mine in range(seed, seed + 6):
        yield Kind(3, "quorum", election(f"node-{1 + mine % 3}"), "majority votes, most of them late"), mine


class _Hurried(Random):
    """Dice that fall low, or very high: beyond what dice can show, so that patience lasts several timeouts."""

    def __init__(self, seed: float, low: bool) -> None:
        super().__init__(seed)
        self._low = low

    def random(self) -> float:
        return 0.3 * super().random() if self._low else 2.0 + 3.0 * super().random()


def _notices_late(votes: Any) -> Any:
    """This election with a leader that takes 1.8 election timeouts to step down without a majority."""

    class NoticesLate(votes):  # type: ignore[misc]
        def step_down_without_quorum(self, now: float) -> None:
            super().step_down_without_quorum(now - 0.8 * self.timeout)

    return NoticesLate


def majority_election() -> Callable[[ElectionContext], Election]:
    """The reference election. Raises `GraderError` where the solutions are not at hand, as with students."""
    try:
        return import_module("solutions.ex3_election").MyElection  # type: ignore[no-any-return]
    except ImportError as error:
        raise GraderError(
            "an instructor's checks need the folder solutions/; without it, grade with --student"
        ) from error


def make(
    kind: Kind,
    seed: int,
    node_class: type[Node] = Node,
    election: Callable[[ElectionContext], Election] | None = None,
    cluster_class: type[SimulatedCluster] = SimulatedCluster,
    dice: str = "",
) -> SimulatedCluster:
    """A started cluster. Timings and network vary a little with the seed, so that nothing can be read off a clock."""
    seed = mixed_number(seed, dice)
    rng = Random(f"cluster/{seed}")
    settings = Settings(
        nodes=kind.nodes,
        heartbeat_ms=100,
        election_timeout_ms=rng.choice([400, 440, 500]),
        mode=kind.mode,
        seed=seed,
    )
    network = Network(0.001, rng.choice([0.003, 0.005, 0.01]))
    cluster = cluster_class(settings, election or kind.election, network, node_class)
    cluster.start()
    if kind.lag:
        cluster.delay_replication(1000 * kind.lag * settings.election_timeout)
    cluster.sleep(3 * settings.election_timeout)
    cluster.wait_for(Cluster.leader)
    return cluster


def scene(cluster: SimulatedCluster) -> Scene:
    """The cluster as it is now, to be opened again later, also when it has been closed."""
    return Scene(cluster.now(), reopen=cluster.bookmark())


def applied_at(events: list[Event], node: str, index: int, term: int) -> float | None:
    """When `node` had applied the entry `index`, going by what it noted; None: it never did."""
    for event in events:
        if event.node == node and event.event == "note" and event.kind == kinds.COMMITTED:
            details = event.details
            if (details["term"], details["index"]) >= (term, index):
                return event.time
    return None
