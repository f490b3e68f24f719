"""One interface to a cluster of store nodes, whatever the nodes are: processes, containers, or a simulation.

Notebooks, panels, exercises and graders know only this.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Self, TypeVar

from labs.trace.events import Event
from labs.trace.prose import counted

if TYPE_CHECKING:  # every process of the grader imports this module: it takes no more than it needs
    from pathlib import Path
    from types import TracebackType

T = TypeVar("T")


class ClusterError(Exception):
    """Something is wrong with the cluster itself; the message says what, and what to do about it."""


class NoSuchNode(ClusterError):
    """A node id that this cluster does not have."""


class StartFailed(ClusterError):
    """A node could not be started: its last log lines are in the message."""


class BackendUnavailable(ClusterError):
    """This backend cannot work here (no Docker engine, no permission, …)."""


class ConditionTimeout(ClusterError, TimeoutError):
    """`wait_for` gave up; the message shows the cluster's last status."""


class Outcome(Enum):
    """What a client may believe about its operation."""

    OK = "ok"
    FAILED = "failed"  # certain: it did not take effect and never will
    UNKNOWN = "unknown"  # it may have taken effect, or may yet, or never


@dataclass(frozen=True)
class Answer:
    """What came back for one request. `code` is the HTTP status, None where no answer came."""

    outcome: Outcome
    code: int | None
    body: dict[str, Any]
    node: str
    """The node that was asked last."""
    seconds: float = 0.0
    """How long it took, in the cluster's own time."""
    attempts: int = 1

    @property
    def ok(self) -> bool:
        return self.outcome is Outcome.OK

    @property
    def value(self) -> Any:
        """The value that was read or written; None where there is none."""
        return self.body.get("value")


@dataclass(frozen=True)
class Settings:
    """What a cluster is made of. Times in milliseconds, as in the nodes' environment."""

    nodes: int = 3
    heartbeat_ms: int = 2000
    election_timeout_ms: int = 6000
    mode: str = "async"
    election: str = "lowest-id"
    """`lowest-id`, `bully`, or `module:Class` of an `Election`."""
    durable: bool = True
    """Whether nodes keep a journal (a restarted node then finds its data again)."""
    first_port: int | None = None
    """None: free ports. 4001: node-1 on 4001, node-2 on 4002, …"""
    seed: int = 0
    """For the simulator, and for the randomness of elections there."""
    python_path: tuple[Path, ...] = ()
    """Folders in which the nodes find the module of `election`, before the usual ones."""

    @property
    def node_ids(self) -> tuple[str, ...]:
        return tuple(f"node-{number}" for number in range(1, self.nodes + 1))

    @property
    def election_timeout(self) -> float:
        """In seconds."""
        return self.election_timeout_ms / 1000


FAST = Settings(heartbeat_ms=100, election_timeout_ms=400)
"""Short timings: for tests, and for a classroom that does not want to wait six seconds."""


@dataclass(frozen=True)
class NodeStatus:
    """One node as seen from outside. `state` is `running`, `paused` or `stopped`; the rest is None or empty where
    the node did not answer."""

    node_id: str
    state: str
    answers: bool = False
    role: str | None = None
    term: int | None = None
    leader_id: str | None = None
    total_keys: int | None = None
    raw: dict[str, Any] = field(default_factory=dict)
    """The whole answer to `GET /status`."""


class Cluster(ABC):
    """A running cluster. A context manager: leaving it stops every node and removes everything it made.

    Node ids are `node-1`, `node-2`, …. Every verb about a node raises `NoSuchNode` for an id it does not know, and does
    nothing where the node is already in the state asked for.
    """

    backend: str
    settings: Settings

    # -- nodes ----------------------------------------------------------------------------------------

    @property
    def node_ids(self) -> tuple[str, ...]:
        return self.settings.node_ids

    @abstractmethod
    def start(self, node: str | None = None) -> None:
        """Start `node`, or all of them; returns when they answer. Raises `StartFailed`."""

    @abstractmethod
    def stop(self, node: str) -> None:
        """Ask the node to leave (SIGTERM) and wait until it has."""

    @abstractmethod
    def kill(self, node: str) -> None:
        """Crash it (SIGKILL): it saves nothing more and says goodbye to nobody."""

    @abstractmethod
    def pause(self, node: str) -> None:
        """Freeze it: it keeps its memory and its connections, and notices nothing."""

    @abstractmethod
    def resume(self, node: str) -> None:
        """Thaw it: it wakes up believing what it believed."""

    def restart(self, node: str) -> None:
        self.stop(node)
        self.start(node)

    # -- network --------------------------------------------------------------------------------------

    @abstractmethod
    def partition(self, *groups: Sequence[str]) -> None:
        """Cut the network between the groups; a node that no group names is alone. Clients still reach every node.

        A new partition takes the place of the old one. It holds also for nodes that are (re)started later.
        """

    @abstractmethod
    def cut(self, sender: str, to: str) -> None:
        """Lose what `sender` says to `to`; the other direction is not touched. Adds to the cuts there are."""

    @abstractmethod
    def heal(self) -> None:
        """Undo every partition and cut."""

    @abstractmethod
    def delay_replication(self, ms: float, jitter_ms: float = 0) -> None:
        """Hold every replication message back by `ms` plus up to `jitter_ms`; heartbeats are not delayed."""

    @abstractmethod
    def lose_messages(self, drop: float, duplicate: float = 0.0) -> None:
        """Lose (and repeat) this share, 0…1, of all messages between nodes."""

    # -- clients --------------------------------------------------------------------------------------

    @abstractmethod
    def put(self, key: str, value: Any, via: str | None = None, timeout: float | None = None) -> Answer:
        """Write. `via=None`: find the leader, and ask again as long as a refusal is certain and `timeout` (seconds)
        allows. `via=node`: ask just that node, once. A write whose answer got lost is `UNKNOWN`, never repeated."""

    @abstractmethod
    def get(self, key: str, via: str | None = None, linearizable: bool = False, timeout: float | None = None) -> Answer:
        """Read from `via`'s own copy (None: the leader's). A missing key is outcome OK with code 404."""

    @abstractmethod
    def delete(self, key: str, via: str | None = None, timeout: float | None = None) -> Answer:
        """Delete, as `put`. A missing key is outcome OK with code 404."""

    # -- looking --------------------------------------------------------------------------------------

    @abstractmethod
    def status(self) -> dict[str, NodeStatus]:
        """Every node, in order."""

    @abstractmethod
    def events(self) -> list[Event]:
        """All that the nodes and this object reported since the cluster started, by time."""

    def events_since(self, position: int) -> tuple[list[Event], int]:
        """What became known after the first `position` events, in the order in which it became known, and the position
        to ask from next time. For those who look often: it costs what is new, not what there is."""
        everything = self.events()
        return everything[position:], len(everything)

    @abstractmethod
    def now(self) -> float:
        """The cluster's time in seconds: wall clock (as in `Event.time`), or virtual in the simulator."""

    @abstractmethod
    def sleep(self, seconds: float) -> None:
        """Let the cluster's time pass; costs no wall time in the simulator."""

    @abstractmethod
    def url(self, node: str) -> str | None:
        """The node's address as a browser or `curl` takes it; None in the simulator."""

    @abstractmethod
    def logs(self, node: str, lines: int = 20) -> list[str]:
        """The node's last log lines."""

    def leader(self) -> str | None:
        """The node that leads, as seen from outside: of several that say so, the one with the highest term."""
        leaders = [s for s in self.status().values() if s.role == "leader"]
        return max(leaders, key=lambda s: s.term or 0).node_id if leaders else None

    def wait_for(self, condition: Callable[[Self], T], timeout: float | None = None) -> T:
        """Ask `condition(cluster)` again and again until it gives something true, and return that.

        Raises `ConditionTimeout` after `timeout` seconds of the cluster's time (default: ten election timeouts).
        """
        limit = 10 * self.settings.election_timeout if timeout is None else timeout
        deadline = self.now() + limit
        while True:
            found = condition(self)
            if found:
                return found
            if self.now() >= deadline:
                name = getattr(condition, "__name__", "<lambda>")
                name = "What was waited for" if name == "<lambda>" else name
                lines = "\n".join(f"  {describe(s)}" for s in self.status().values())
                raise ConditionTimeout(f"{name} did not come true within {limit:g} s. The nodes now:\n{lines}")
            self.sleep(self.settings.heartbeat_ms / 1000 / 10)

    # -- life -----------------------------------------------------------------------------------------

    @abstractmethod
    def close(self) -> None:
        """Stop every node and remove everything this object made. Safe to call twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def describe(status: NodeStatus) -> str:
    """One node in one line."""
    if not status.answers:
        return f"{status.node_id}: {status.state}, does not answer"
    keys = "its number of keys is not told" if status.total_keys is None else counted(status.total_keys, "key")
    return (
        f"{status.node_id}: {_told('role', status.role)} in {_told('term', status.term, 'term ')}, "
        f"follows {status.leader_id or 'nobody'}, {keys}"
    )


def _told(name: str, value: object, before: str = "") -> str:
    return f"a {name} that it does not tell" if value is None else f"{before}{value}"
