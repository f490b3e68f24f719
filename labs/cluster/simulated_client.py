"""The ordinary client over a simulation: requests are answered by the node's own tables, and take virtual time.

Law of this module: whatever it asks of the simulator is remembered in the cluster's `steps`, so that the run can be
told as a schedule.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import parse_qs

from labs.cluster.base import NodeStatus, Settings
from labs.cluster.client import Client, Clock
from labs.cluster.reply import HttpReply
from labs.simulation.schedule import Step
from labs.simulation.simulator import Simulator
from replstore.core.contract import Delete, LinearizableGet, Put
from replstore.http.syntax import HttpError, check_length
from replstore.wire.answers import answer, found
from replstore.wire.values import BadValue, read_key, read_value


class World(Protocol):
    """What the client needs of the simulated cluster that it belongs to."""

    simulator: Simulator
    settings: Settings
    steps: list[Step]

    @property
    def node_ids(self) -> tuple[str, ...]: ...

    def now(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...

    def status(self) -> dict[str, NodeStatus]: ...


class SimulatedClock(Clock):
    def __init__(self, cluster: World) -> None:
        self._cluster = cluster

    def monotonic(self) -> float:
        return self._cluster.now()

    def wall(self) -> float:
        return self._cluster.now()

    def sleep(self, seconds: float) -> None:
        self._cluster.sleep(seconds)


class SimulatedClient(Client):
    """The ordinary client, with the simulation in place of HTTP."""

    def __init__(self, cluster: World) -> None:
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

    def _role_and_term(self, node: str) -> Mapping[str, Any]:
        """Without the rest of its status, which takes a hundred times as long: this is asked for at every write."""
        host = self._cluster.simulator.hosts[node]
        if host.node is None or host.paused:
            return {}
        return {"role": host.node.role, "term": host.node.election.term}

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
        self._cluster.steps.append(_step_of(simulator.now, node, command))
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
        self._cluster.steps.append(Step(simulator.now, "read_copy", (node,)))
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


def _step_of(time: float, node: str, command: Put | Delete | LinearizableGet) -> Step:
    match command:
        case Put(key, value):
            return Step(time, "write", (node, key, value))
        case Delete(key):
            return Step(time, "delete", (node, key))
        case LinearizableGet(key):
            return Step(time, "read", (node, key))
