"""The clusters on which checks are made: one at a time, used again as long as nothing went wrong on it.

Law of this module: whatever is started here has ended when the bench is closed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, TypeVar

from labs.cluster.base import ConditionTimeout, Settings, StartFailed
from labs.cluster.foreign import START_TIMEOUT, ForeignCluster
from labs.conform.confined import Confinement

T = TypeVar("T")

SPARE = 2.0
"""Seconds that a busy machine gets on top of what the lesson allows."""


MOMENT = 0.2
"""Seconds for whatever else is waited for after a wait in vain: nobody is to wait out one limit after the other."""


@dataclass(frozen=True)
class Nodes:
    """What is examined: a command for each node, and how it is to be started."""

    commands: Mapping[str, Sequence[str]]
    settings: Settings
    named_peers: bool = False
    folder: Path | None = None
    start_timeout: float = START_TIMEOUT
    confinement: Confinement | None = None
    """What is around each stranger's node; None: nothing."""
    ours: frozenset[str] = frozenset()
    """Nodes that are the lab's own."""

    def started(self, node: str, command: Sequence[str]) -> Sequence[str]:
        """What is really started for this command."""
        return command if self.confinement is None or node in self.ours else self.confinement.around(command)

    def named(self) -> Nodes:
        """The same, and PEERS tell the peers' names: the lab's protocol needs them."""
        return replace(self, named_peers=True)


class TimedCluster(ForeignCluster):
    """A cluster that keeps how long each wait took, and what it was allowed. A wait has the time of two elections,
    where nothing else is said."""

    def __init__(self, nodes: Nodes, mode: str) -> None:
        settings = replace(nodes.settings, mode=mode)
        super().__init__(settings, nodes.commands, nodes.folder, nodes.named_peers, nodes.start_timeout, nodes.started)
        self.waits: list[tuple[float, float]] = []
        """Seconds that were measured, and allowed."""
        self.late = False
        """Something was waited for in vain."""

    @property
    def election_allowed(self) -> float:
        """Seconds in which the others must have a leader. A follower notices the silence after one timeout; one that
        then waits for another node, which is gone as well, needs a second."""
        return 2 * self.settings.election_timeout + 2 * self.settings.heartbeat_ms / 1000 + SPARE

    def wait_for(self, condition: Callable[[Self], T], timeout: float | None = None) -> T:
        limit = self.election_allowed if timeout is None else timeout
        if self.late:
            limit = min(limit, MOMENT)
        started = time.monotonic()
        try:
            found = super().wait_for(condition, limit)
        except ConditionTimeout:
            self.late = True
            self.waits.append((limit, limit))
            raise
        self.waits.append((time.monotonic() - started, limit))
        return found


class Bench:
    """A context manager. `walked`: how many of Steps 1–8 the present cluster has behind it."""

    def __init__(self, nodes: Nodes) -> None:
        self.nodes = nodes
        self.walked = 0
        self.without_leader = ""
        """Why checks that need a leader need not wait for one again; empty: they may."""
        self.closed = False
        self.spent = False
        """The present cluster is only good to be looked at."""
        self._cluster: TimedCluster | None = None
        self._mode = ""

    def fresh(self, mode: str = "async", nodes: Nodes | None = None) -> TimedCluster:
        """A new cluster, not started. `nodes`: others than those that are examined. Raises `StartFailed` once the bench
        is closed."""
        self.discard()
        if self.closed:
            raise StartFailed("this bench has been closed")
        self._cluster, self._mode = TimedCluster(nodes or self.nodes, mode), mode if nodes is None else ""
        return self._cluster

    def started(self, mode: str = "async") -> TimedCluster:
        """The present cluster if it is in this mode, all nodes running and the network whole; else a new one. Raises
        `StartFailed`."""
        cluster = self._cluster if self._mode == mode and not self.spent else None
        if cluster is None:
            cluster = self.fresh(mode)
        mend(cluster)
        return cluster

    @property
    def present(self) -> TimedCluster | None:
        return self._cluster

    def discard(self) -> None:
        """The present cluster is of no more use."""
        cluster, self._cluster, self._mode, self.walked, self.spent = self._cluster, None, "", 0, False
        if cluster is not None:
            cluster.close()

    def close(self) -> None:
        """May be called from another thread: what is asked there ends at once."""
        self.closed = True
        self.discard()

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def mend(cluster: ForeignCluster) -> None:
    """Undo all that was done to the nodes and to the network."""
    cluster.heal()
    cluster.lose_messages(0)
    cluster.delay_replication(0)
    for node in cluster.node_ids:
        cluster.resume(node)
    cluster.start()
