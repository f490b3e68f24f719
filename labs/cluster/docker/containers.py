"""What is done to a running container, and what is read from it: the verbs of a Docker cluster, node by node.

Law of this module: it makes nothing and removes nothing; containers belong to `DockerCluster`.
"""

from __future__ import annotations

import random
from abc import abstractmethod
from typing import Any

from docker import APIClient
from docker.errors import NotFound

from labs.cluster.base import ClusterError, StartFailed
from labs.cluster.docker.engine import Engine, engine_errors
from labs.cluster.docker.leftovers import LABEL
from labs.cluster.http_cluster import PAUSED, RUNNING, STOPPED, HttpCluster
from labs.cluster.ports import HIGHEST, LOWEST, choose, holder

INNER_PORT = 4000
STOP_LIMIT = 5
"""Seconds that a node has to leave of its own after SIGTERM."""
MEMORY = "256m"
ATTEMPTS = 5
"""Times that something is tried which a busy machine may spoil: a port taken just before, a freeze in vain."""

_STATES = {"running": RUNNING, "paused": PAUSED}


class HostPortTaken(StartFailed):
    """Somebody else listens on the port that a node was to have."""


class ContainerCluster(HttpCluster):
    """A cluster whose nodes are containers on `engine`; `_containers` and `_ports` are by node."""

    engine: Engine
    bind: str
    _api: APIClient
    _containers: dict[str, str]
    _ports: dict[str, int]

    @abstractmethod
    def _discard(self, node: str) -> None:
        """Remove the node's container."""

    # -- ports ----------------------------------------------------------------------------------------

    def _port(self, node: str) -> int:
        """The node's port on the engine's host: once given it is kept, so that `curl` finds a restarted node."""
        if node not in self._ports:
            first = self.settings.first_port
            self._ports[node] = self._free_port() if first is None else first + self.node_ids.index(node)
        return self._ports[node]

    def _free_port(self) -> int:
        """A port that is probably free: of another machine's ports the engine will tell."""
        while True:
            port = choose(1)[0] if self.engine.is_local else random.randrange(LOWEST, HIGHEST)
            if port not in self._ports.values():
                return port

    def _give_up_port(self, node: str, error: ClusterError) -> None:
        self._discard(node)
        port = self._ports.pop(node)
        if self.settings.first_port is not None:
            raise HostPortTaken(self._who_has(port, node)) from error

    def _who_has(self, port: int, node: str) -> str:
        """Whose the wanted port is, as far as the engine knows."""
        with engine_errors("list containers", self.engine):
            for container in self._api.containers():
                if any(published.get("PublicPort") == port for published in container["Ports"]):
                    name = container["Names"][0].removeprefix("/")
                    cluster = container["Labels"].get(LABEL)
                    advice = f"`replab down {cluster}` removes it" if cluster else f"`docker stop {name}` frees it"
                    return f"Port {port}, wanted for {node}, is taken by the container {name}: {advice}."
        program = holder(port) if self.engine.is_local else ""
        return (
            f"Port {port}, wanted for {node}, is taken by another program on the engine's host{program}: stop that "
            "program, or let the cluster choose free ports (first_port=None)."
        )

    # -- ending, freezing -----------------------------------------------------------------------------

    def stop(self, node: str) -> None:
        self._check_presence(node)
        super().stop(node)

    def kill(self, node: str) -> None:
        self._check_presence(node)
        super().kill(node)

    def pause(self, node: str) -> None:
        self._check_presence(node)
        super().pause(node)

    def resume(self, node: str) -> None:
        self._check_presence(node)
        super().resume(node)

    def _check_presence(self, node: str) -> None:
        """A stopped container is one thing, a vanished one another: the user did not do that here."""
        if self._known(node) in self._containers and self._inspect(node) is None:
            raise ClusterError(
                f"The container of {node} is gone: somebody removed it (`docker rm`?). start({node!r}) makes it again"
                + (" on its old data." if self.settings.durable else ".")
            )

    def _stop(self, node: str) -> None:
        with engine_errors(f"stop {node}", self.engine):
            self._api.stop(self._containers[node], timeout=STOP_LIMIT)

    def _kill(self, node: str) -> None:
        with engine_errors(f"kill {node}", self.engine):
            self._api.kill(self._containers[node], "SIGKILL")
            self._api.wait(self._containers[node], timeout=STOP_LIMIT)

    def _pause(self, node: str) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with engine_errors(f"pause {node}", self.engine):
                    self._api.pause(self._containers[node])
                return
            except ClusterError as error:
                # On a busy machine the kernel may not get hold of every thread in the time that Docker gives it.
                if "unable to freeze" not in str(error) or attempt == ATTEMPTS:
                    raise

    def _resume(self, node: str) -> None:
        with engine_errors(f"resume {node}", self.engine):
            self._api.unpause(self._containers[node])

    def _state(self, node: str) -> str:
        found = self._inspect(node)
        return STOPPED if found is None else _STATES.get(found["State"]["Status"], STOPPED)

    def _inspect(self, node: str) -> dict[str, Any] | None:
        if node not in self._containers:
            return None
        try:
            with engine_errors(f"look at {node}", self.engine):
                found: dict[str, Any] = self._api.inspect_container(self._containers[node])
                return found
        except NotFound:
            return None

    # -- looking --------------------------------------------------------------------------------------

    def url(self, node: str) -> str | None:
        port = self._ports.get(self._known(node))
        host = self.engine.host if self.bind in ("0.0.0.0", "::") else self.bind
        return None if port is None else f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def logs(self, node: str, lines: int = 20) -> list[str]:
        if self._known(node) not in self._containers:
            return []
        try:
            with engine_errors(f"read the log of {node}", self.engine):
                text: bytes = self._api.logs(self._containers[node], tail=lines)
        except NotFound:
            return []
        return text.decode(errors="replace").splitlines()

    def _with_log(self, message: str, node: str) -> str:
        """The cause, where Docker knows more than the node."""
        text = super()._with_log(message, node)
        state = (self._inspect(node) or {}).get("State", {})
        if state.get("OOMKilled"):
            return f"{text}\nThe node took more than its {MEMORY} of memory and was killed by the kernel."
        if "No space left on device" in text:
            return (
                f"{text}\nThe engine's disk is full: `docker system df` shows what takes it; then start {node} again."
            )
        return text


def is_port_clash(error: ClusterError) -> bool:
    message = str(error).lower()
    return "port is already allocated" in message or "address already in use" in message
