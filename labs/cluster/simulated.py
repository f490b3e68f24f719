"""The cluster in pretended time: the same nodes in one deterministic simulation. Waiting costs no wall time.

Law of this module: virtual time passes only inside the verbs (`sleep`, a client's request, `wait_for`, `start`), and
one seed with the same calls gives the same run. There are no sockets: a request is answered by the node's own tables.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

from labs.cluster.base import Answer, Cluster, ClusterError, NodeStatus, NoSuchNode, Outcome, Settings, StartFailed
from labs.cluster.environment import check_delay, check_loss, check_settings
from labs.cluster.simulated_client import SimulatedClient
from labs.simulation import by_hand
from labs.simulation.by_hand import InFlight, NoSuchMessage
from labs.simulation.hosts import Network
from labs.simulation.schedule import Schedule, Step
from labs.simulation.simulator import Simulator
from labs.trace.events import Event
from replstore.core.election import Election, ElectionContext
from replstore.core.node import Node
from replstore.settings import load_election
from replstore.wire.answers import found
from replstore.wire.log_lines import LOG_LINES

P = ParamSpec("P")
T = TypeVar("T")


STEPS: dict[str, Callable[..., tuple[str, tuple[Any, ...]]]] = {
    **{name: lambda node=None, name=name: (name, (node,)) for name in ("stop", "kill", "pause", "resume")},
    "start": lambda node=None: ("start", (node,)) if node else ("start_all", ()),
    "partition": lambda *groups: ("partition", tuple(tuple(group) for group in groups)),
    "cut": lambda sender, to: ("cut", (sender, to)),
    "heal": lambda: ("heal", ()),
    "delay_replication": lambda ms, jitter_ms=0: (
        "delay",
        ((("replication_delay_ms", ms), ("jitter_ms", jitter_ms)),),
    ),
    "lose_messages": lambda drop, duplicate=0.0: ("loss", ((("drop", drop), ("duplicate", duplicate)),)),
    **{name: lambda it, name=name: (name, (it,)) for name in ("deliver", "drop_message", "hold_back", "run_out")},
}
"""How each verb is told as a step of a schedule: its action and that one's arguments. (Clients' requests are told by
the client, see `simulated_client`.)"""


class Act(NamedTuple):
    """What was done to the run: when, how to do it again, and whether it was done beside what somebody does."""

    moment: float
    again: Callable[[], object]
    beside: bool


def verb(
    method: Callable[Concatenate[SimulatedCluster, P], T],
) -> Callable[Concatenate[SimulatedCluster, P], T]:
    """A method that acts on the run: by one thread at a time, and remembered so that `rewind` can do it again."""

    def remembered(self: SimulatedCluster, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with self._lock:
            self._done.append(Act(self.now(), lambda: remembered(self, *args, **kwargs), self._beside))
            place, told = len(self._done), len(self.steps)
            if method.__name__ in STEPS:
                self.steps.append(Step(self.now(), *STEPS[method.__name__](*args, **kwargs)))
            try:
                return method(self, *args, **kwargs)
            except Exception:
                del self._done[place - 1 :], self.steps[told:]
                raise

    functools.update_wrapper(remembered, method)
    return remembered


class SimulatedCluster(Cluster):
    """`Settings.election` may also be given as a class or factory through `election`; `network` says how messages
    travel. Its verbs may be called from several threads; they take turns."""

    backend = "simulated"

    def __init__(
        self,
        settings: Settings | None = None,
        election: Callable[[ElectionContext], Election] | None = None,
        network: Network | None = None,
        node_class: type[Node] = Node,
    ) -> None:
        self.settings = check_settings(settings or Settings())
        self._election = election or self._load_election()
        self._network = network
        self._node_class = node_class
        self._lock = threading.RLock()
        self._done: list[Act] = []
        self._beside = False
        self._begin()

    def _begin(self) -> None:
        self.simulator = self._simulation()
        self.steps: list[Step] = []
        self._client = SimulatedClient(self)

    def _simulation(self) -> Simulator:
        """The world at time 0."""
        return Simulator(
            self.node_ids,
            self._election,
            seed=self.settings.seed,
            heartbeat=self.settings.heartbeat_ms / 1000,
            timeout=self.settings.election_timeout,
            mode=self.settings.mode,
            network=self._network,
            durable=self.settings.durable,
            node_class=self._node_class,
        )

    def rewind(self, to: float) -> None:
        """Go back to virtual time `to` (or to the end of the request that was under way then): the simulation begins
        again from its seed, and everything that this object's verbs did until then is done again at its time."""
        with self._lock:
            done, self._done = self._done, []
            self._begin()
            for act in done:
                if act.moment > to:
                    break
                self.simulator.run_until(act.moment)
                with self.unattended(act.beside):
                    act.again()
            self.simulator.run_until(to)

    def undo(self) -> bool:
        """Take back the last thing that somebody did, and go back to its moment; what was done `unattended` since then
        goes with it. Returns whether there was anything."""
        with self._lock:
            acts = [place for place, act in enumerate(self._done) if not act.beside]
            if len(acts) < 2:  # the first is the start
                return False
            moment = self._done[acts[-1]].moment
            del self._done[acts[-1] :]
            self.rewind(moment)
            return True

    @contextmanager
    def unattended(self, beside: bool = True) -> Iterator[None]:
        """What is done within belongs to the run, and `rewind` does it again; but nobody did it by hand, so `undo` goes
        past it."""
        with self._lock:
            before, self._beside = self._beside, beside
            try:
                yield
            finally:
                self._beside = before

    def schedule(self) -> Schedule:
        """All that was done until now as a schedule: `carry_out` and `replab replay` run it again, message by message.
        Raises `ClusterError` for a run that began otherwise than with the start of all nodes at time 0."""
        with self._lock:
            begin, *steps = self.steps or [Step(0.0, "")]
            network = self.simulator.network
            if (begin.time, begin.action) != (0.0, "start_all") or network.slow:
                raise ClusterError("Only a run that begins with the start of all nodes can be saved.")
            return Schedule(
                nodes=len(self.node_ids),
                mode=self.settings.mode,
                seed=self.settings.seed,
                steps=tuple(steps),
                heartbeat=self.settings.heartbeat_ms / 1000,
                timeout=self.settings.election_timeout,
                fastest=network.fastest,
                slowest=network.slowest,
                drift=0.0,
                length=self.now() + 0.001,  # the last step, too, comes before all is mended
                durable=self.settings.durable,
            )

    def bookmark(self) -> Callable[[], SimulatedCluster]:
        """Call the result to come back to this moment and its past, whatever was done in between (closing included)."""
        done, moment = list(self._done), self.now()

        def turn_back() -> SimulatedCluster:
            with self._lock:
                self._done = list(done)
                self.rewind(moment)
            return self

        return turn_back

    def _load_election(self) -> type[Election]:
        try:
            return load_election(self.settings.election)
        except ValueError as error:
            raise StartFailed(f"election {self.settings.election!r}: {error}") from error

    # -- nodes ----------------------------------------------------------------------------------------

    @verb
    def start(self, node: str | None = None) -> None:
        self.simulator.start(*([self._known(node)] if node else []))

    @verb
    def stop(self, node: str) -> None:
        self.simulator.crash(self._known(node), "stop")

    @verb
    def kill(self, node: str) -> None:
        self.simulator.crash(self._known(node), "kill")

    @verb
    def pause(self, node: str) -> None:
        self.simulator.pause(self._known(node))

    @verb
    def resume(self, node: str) -> None:
        self.simulator.resume(self._known(node))

    def _known(self, node: str) -> str:
        if node not in self.simulator.hosts:
            raise NoSuchNode(f"there is no {node!r} here; the nodes are {', '.join(self.node_ids)}")
        return node

    # -- network --------------------------------------------------------------------------------------

    @verb
    def partition(self, *groups: Sequence[str]) -> None:
        named = [self._known(node) for group in groups for node in group]
        if len(named) != len(set(named)):
            raise ClusterError("a node can be on one side of a partition only")
        self.simulator.partition(*groups)

    @verb
    def cut(self, sender: str, to: str) -> None:
        self.simulator.cut(self._known(sender), self._known(to))

    @verb
    def heal(self) -> None:
        self.simulator.heal()

    @verb
    def delay_replication(self, ms: float, jitter_ms: float = 0) -> None:
        check_delay(ms, jitter_ms)
        self.simulator.set_faults("delay", replication_delay_ms=ms, jitter_ms=jitter_ms)

    @verb
    def lose_messages(self, drop: float, duplicate: float = 0.0) -> None:
        check_loss(drop, duplicate)
        self.simulator.set_faults("loss", drop=drop, duplicate=duplicate)

    # -- by hand --------------------------------------------------------------------------------------

    def in_flight(self) -> list[InFlight]:
        """The messages on their way."""
        with self._lock:
            return by_hand.in_flight(self.simulator)

    @verb
    def deliver(self, message: str) -> None:
        """Let the message of this id arrive now. Raises `ClusterError` where it is not on its way any more."""
        self._by_hand(by_hand.deliver, message)

    @verb
    def drop_message(self, message: str) -> None:
        """Lose it."""
        self._by_hand(by_hand.drop, message)

    @verb
    def hold_back(self, message: str) -> None:
        """Keep it until it is delivered or dropped."""
        self._by_hand(by_hand.hold_back, message)

    def _by_hand(self, act: Callable[[Simulator, str], None], message: str) -> None:
        try:
            act(self.simulator, message)
        except NoSuchMessage as error:
            raise ClusterError(f"{error}.") from error

    @verb
    def run_out(self, node: str) -> None:
        """Put this node's clock forward until its election does something."""
        by_hand.run_out(self.simulator, self._known(node))

    # -- clients --------------------------------------------------------------------------------------

    @verb
    def put(self, key: str, value: Any, via: str | None = None, timeout: float | None = None) -> Answer:
        return self._client.put(key, value, self._target(via), self._request_timeout(via, timeout))

    @verb
    def get(self, key: str, via: str | None = None, linearizable: bool = False, timeout: float | None = None) -> Answer:
        return self._client.get(key, self._target(via), linearizable, self._request_timeout(via, timeout))

    @verb
    def delete(self, key: str, via: str | None = None, timeout: float | None = None) -> Answer:
        return self._client.delete(key, self._target(via), self._request_timeout(via, timeout))

    def _target(self, via: str | None) -> str | None:
        return None if via is None else self._known(via)

    def _request_timeout(self, via: str | None, timeout: float | None) -> float:
        if timeout is not None:
            return timeout
        return self._client.request_timeout * (1 if via is not None else 2)

    # -- looking --------------------------------------------------------------------------------------

    def status(self) -> dict[str, NodeStatus]:
        with self._lock:
            return {node: self._status_of(node) for node in self.node_ids}

    def leader(self) -> str | None:
        """As everywhere, but without asking every node for its whole status: who waits for a leader asks very often."""
        with self._lock:
            nodes = [host.node for host in self.simulator.hosts.values() if host.running]
            leading = [node for node in nodes if node is not None and node.role == "leader"]
            return max(leading, key=lambda node: node.election.term).id if leading else None

    def _status_of(self, node: str) -> NodeStatus:
        host = self.simulator.hosts[node]
        if host.node is None or host.paused:
            return NodeStatus(node, "stopped" if host.node is None else "paused")
        raw = {**host.node.status(), "faults": self._faults_of(node), "uptime_s": self.now()}
        return NodeStatus(node, "running", True, raw["role"], raw["term"], raw["leader_id"], raw["total_keys"], raw)

    def _faults_of(self, node: str) -> dict[str, Any]:
        unheard = sorted(sender for sender, to in self.simulator.cuts if to == node)
        blocked = [peer for peer in unheard if (node, peer) in self.simulator.cuts]
        lost_from = [peer for peer in unheard if peer not in blocked]
        return {**self.simulator.faults.to_json(), "blocked": blocked, "lost_from": lost_from}

    def events(self) -> list[Event]:
        return self.events_since(0)[0]

    def events_since(self, position: int) -> tuple[list[Event], int]:
        with self._lock:
            return self.simulator.trace[position:], len(self.simulator.trace)

    def peek(self, node: str, key: str) -> Answer:
        """As `get` from this node, but seen from outside the simulation: no time passes and no request is recorded."""
        with self._lock:
            host = self.simulator.hosts[self._known(node)]
            if host.node is None or host.paused:
                return Answer(Outcome.FAILED, None, {"error": "no answer"}, node)
            code, body = found(key, host.node.read(key), host.node.role)
            return Answer(Outcome.OK, code, body, node)

    def now(self) -> float:
        return self.simulator.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.simulator.run_for(max(0.0, seconds))

    def url(self, node: str) -> str | None:
        self._known(node)
        return None

    def logs(self, node: str, lines: int = 20) -> list[str]:
        self._known(node)
        statement = [
            f"[{node}] {LOG_LINES[e.kind].format_map({'port': 4000, **e.details})}"
            for e in self.simulator.trace
            if e.node == node and e.event == "note" and e.kind in LOG_LINES
        ]
        return statement[-lines:]

    def close(self) -> None:
        for node in self.node_ids:
            self.simulator.crash(node, "stop")
