"""The cluster in pretended time: the same nodes in one deterministic simulation. Waiting costs no wall time.

Law of this module: virtual time passes only inside the verbs (`sleep`, a client's request, `wait_for`, `start`), and
one seed with the same calls gives the same run. There are no sockets: a request is answered by the node's own tables.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import parse_qs

from labs.cluster.base import Answer, Cluster, ClusterError, NodeStatus, NoSuchNode, Outcome, Settings, StartFailed
from labs.cluster.client import Client, Clock
from labs.cluster.environment import check_delay, check_loss, check_settings
from labs.cluster.reply import HttpReply
from labs.simulation.hosts import Network
from labs.simulation.simulator import Simulator
from labs.trace.events import Event
from replstore.core.contract import Delete, LinearizableGet, Put
from replstore.core.election import Election, ElectionContext
from replstore.core.node import Node
from replstore.http.syntax import HttpError, check_length
from replstore.settings import load_election
from replstore.wire.answers import answer, found
from replstore.wire.log_lines import LOG_LINES
from replstore.wire.values import BadValue, read_key, read_value

P = ParamSpec("P")
T = TypeVar("T")


def verb(
    method: Callable[Concatenate[SimulatedCluster, P], T],
) -> Callable[Concatenate[SimulatedCluster, P], T]:
    """A method that acts on the run: by one thread at a time, and remembered so that `rewind` can do it again."""

    def remembered(self: SimulatedCluster, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with self._lock:
            self._done.append((self.now(), lambda: remembered(self, *args, **kwargs)))
            place = len(self._done)
            try:
                return method(self, *args, **kwargs)
            except Exception:
                del self._done[place - 1 :]
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
        self._done: list[tuple[float, Callable[[], object]]] = []
        self._begin()

    def _begin(self) -> None:
        self.simulator = self._simulation()
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
            for moment, again in done:
                if moment > to:
                    break
                self.simulator.run_until(moment)
                again()
            self.simulator.run_until(to)

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


class SimulatedClock(Clock):
    def __init__(self, cluster: SimulatedCluster) -> None:
        self._cluster = cluster

    def monotonic(self) -> float:
        return self._cluster.now()

    def wall(self) -> float:
        return self._cluster.now()

    def sleep(self, seconds: float) -> None:
        self._cluster.sleep(seconds)


class SimulatedClient(Client):
    """The ordinary client, with the simulation in place of HTTP."""

    def __init__(self, cluster: SimulatedCluster) -> None:
        self._cluster = cluster
        super().__init__(
            lambda node: f"simulated://{node}",
            lambda: cluster.node_ids,
            request_timeout=cluster.settings.election_timeout + 2.0,
            trust=cluster.settings.heartbeat_ms / 1000,
            clock=SimulatedClock(cluster),
        )

    def exchange(
        self,
        node: str,
        method: str,
        path: str,
        body: bytes | None = None,
        timeout: float | None = None,
        headers: dict[str, str] | None = None,
    ) -> HttpReply:
        limit = self.request_timeout if timeout is None else timeout
        if path == "/status":
            return self._status(node)
        place, _, query = path.removeprefix("/key/").partition("?")
        try:
            check_length(len(body or b""))
            key = read_key(place)
            value = read_value(body or b"") if method == "PUT" else None
        except (BadValue, HttpError) as error:
            return self._refused(node, error)
        match method:
            case "PUT":
                return self._ask_node(node, Put(key, value), limit)
            case "DELETE":
                return self._ask_node(node, Delete(key), limit)
            case _ if parse_qs(query).get("read") == ["linearizable"]:
                return self._ask_node(node, LinearizableGet(key), limit)
            case _:
                return self._read(node, key, limit)

    def _status(self, node: str) -> HttpReply:
        seen = self._cluster.status()[node]
        if not seen.answers:
            return HttpReply(None, delivered=False, error="connection refused")
        return HttpReply(200, seen.raw)

    def _refused(self, node: str, error: BadValue | HttpError) -> HttpReply:
        """What a node says to what it does not take; one that is down says nothing."""
        host = self._cluster.simulator.hosts[node]
        if host.node is None:
            return HttpReply(None, delivered=False, error="connection refused")
        if host.paused:
            return HttpReply(None, error="no answer")
        return HttpReply(error.status if isinstance(error, HttpError) else 400, {"error": str(error)})

    def _ask_node(self, node: str, command: Put | Delete | LinearizableGet, limit: float) -> HttpReply:
        simulator = self._cluster.simulator
        call = simulator.request(node, command)
        simulator.run_while(lambda: not call.done, limit)
        if call.result is None:
            error = "connection refused" if call.refused else "no answer"
            return HttpReply(None, delivered=not call.refused, error=error)
        host = simulator.hosts[node]
        role = host.node.role if host.node else "leader"
        return HttpReply(*answer(call.result, role))

    def _read(self, node: str, key: str, limit: float) -> HttpReply:
        """A plain read takes its way to the node and back as any request does."""
        simulator = self._cluster.simulator
        host = simulator.hosts[node]
        simulator.run_for(simulator.network.delay(node, node, simulator.rng))
        if host.node is None:
            return HttpReply(None, delivered=False, error="connection refused")
        if host.paused:
            simulator.run_while(lambda: host.paused and host.node is not None, limit)
        if host.node is None or host.paused:
            return HttpReply(None, error="no answer")
        reply = HttpReply(*found(key, host.node.read(key), host.node.role))
        simulator.run_for(simulator.network.delay(node, node, simulator.rng))
        return reply
