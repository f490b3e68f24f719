"""The simulated clusters that checks hand to student code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from random import Random

from labs.cluster.base import Settings
from labs.cluster.simulated import SimulatedCluster
from labs.events import Event
from replstore.election import Election, Seat
from replstore.lowest_id import LowestId
from replstore.node import Node
from replstore.simulator import Network

TIMEOUT = 0.4


@dataclass(frozen=True)
class Kind:
    """A good kind of cluster: its size, who is elected, and when a write counts."""

    nodes: int
    mode: str
    election: Callable[[Seat], Election]
    name: str

    def __str__(self) -> str:
        return f"{self.nodes} nodes, {self.name}, {self.mode}"


def good_kinds(level: str) -> list[Kind]:
    kinds = [
        Kind(3, "async", LowestId, "LowestId"),
        Kind(3, "quorum", LowestId, "LowestId"),
        Kind(5, "async", LowestId, "LowestId"),
    ]
    if level == "instructor" and (majority := majority_election()) is not None:
        kinds += [Kind(3, "quorum", majority, "majority votes"), Kind(5, "quorum", majority, "majority votes")]
    return kinds


def majority_election() -> Callable[[Seat], Election] | None:
    """The reference election, where the solutions are at hand: they are not in what students are given."""
    try:
        return import_module("solutions.ex3_election").MyElection  # type: ignore[no-any-return]
    except ImportError:
        return None


def make(
    kind: Kind,
    seed: int,
    node_class: type[Node] = Node,
    election: Callable[[Seat], Election] | None = None,
) -> SimulatedCluster:
    """A started cluster. Timings and network vary a little with the seed, so that nothing can be read off a clock."""
    rng = Random(f"cluster/{seed}")
    settings = Settings(
        nodes=kind.nodes,
        heartbeat_ms=100,
        election_timeout_ms=rng.choice([400, 440, 500]),
        mode=kind.mode,
        seed=seed,
    )
    network = Network(0.001, rng.choice([0.003, 0.005, 0.01]))
    cluster = SimulatedCluster(settings, election or kind.election, network, node_class)
    cluster.start()
    cluster.sleep(3 * settings.election_timeout)
    return cluster


def applied_at(events: list[Event], node: str, index: int, term: int) -> float | None:
    """When `node` had applied the entry `index`, going by what it noted; None: it never did."""
    for event in events:
        if event.node == node and event.event == "note" and event.kind == "committed":
            details = event.details
            if (details["term"], details["index"]) >= (term, index):
                return event.time
    return None
