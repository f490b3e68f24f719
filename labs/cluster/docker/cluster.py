"""A cluster of containers, through the Docker SDK: the nodes' image, a private network, a volume for each node.

Law of this module: everything that it makes carries the cluster's label, and is removed by that label. What it made
outlives a killed Python process, so the next cluster that starts names such leftovers; `DockerCluster.adopt` takes
one over, and `replab down` removes them.

Partitions are the nodes' fault settings, not Docker's networks (see docs/docker.md): a container that is taken off its
network loses its published port too, and nobody could look at a node that is cut off.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import threading
import weakref
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Self

from docker.errors import NotFound

from labs.cluster.base import ClusterError, Settings, StartFailed
from labs.cluster.docker import sigterm
from labs.cluster.docker.code import strategy_files
from labs.cluster.docker.containers import ATTEMPTS, INNER_PORT, MEMORY, ContainerCluster, is_port_clash
from labs.cluster.docker.engine import LOCALHOST, Engine, EngineGone, connect, engine_errors
from labs.cluster.docker.image import ensure_image, tar
from labs.cluster.docker.leftovers import (
    ADOPTED_LABEL,
    LABEL,
    NODE_LABEL,
    SETTINGS_LABEL,
    ClusterOwner,
    FoundCluster,
    find,
    labels_of,
    leftovers,
    remove,
    settings_label,
)
from labs.cluster.http_cluster import PAUSED

START_LIMIT = 30.0
"""Seconds until every node must answer."""
PIDS = 64

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
_log = logging.getLogger(__name__)


class DockerCluster(ContainerCluster):
    """Nodes in containers.

    * `name`: the cluster's id, part of all names; None: a random one
    * `bind`: the address of the engine's host on which ports are published. None: 127.0.0.1 where the engine is on this
      machine, every address (0.0.0.0) where it is on another one, since nobody could reach the nodes otherwise
    * `engine`: None: the one that the `docker` command would use. Raises `BackendUnavailable` where none answers
    """

    backend = "docker"
    _poll = 0.05  # each look costs the engine some work, while it is starting the others

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        name: str | None = None,
        bind: str | None = None,
        engine: Engine | None = None,
    ) -> None:
        super().__init__(settings or Settings())
        if name is not None and not _NAME.fullmatch(name):
            raise ClusterError(f"a cluster's name is lower-case letters, digits and hyphens, not {name!r}")
        self._own_engine = engine is None
        self.engine = engine or connect()
        self.cluster_id = name or secrets.token_hex(4)
        self.bind = bind or (LOCALHOST if self.engine.is_local else "0.0.0.0")
        self._api = self.engine.client.api
        self._containers: dict[str, str] = {}
        self._environments: dict[str, dict[str, str]] = {}
        self._ports: dict[str, int] = {}
        self._image: str | None = None
        self._rebuilding = threading.Lock()
        self._closed = False
        self._finalizer: weakref.finalize[[Engine, str, int], DockerCluster] | None = None
        sigterm.listen()

    # -- leftovers of a crash -------------------------------------------------------------------------

    @classmethod
    def leftovers(cls, engine: Engine | None = None) -> list[FoundCluster]:
        """The clusters on this engine whose Python process is gone."""
        return leftovers(engine or connect())

    @classmethod
    def adopt(cls, cluster_id: str, *, engine: Engine | None = None) -> Self:
        """Take over a leftover cluster as it is, its nodes running or not; from now on it is this process's."""
        engine = engine or connect()
        found = next((found for found in find(engine) if found.cluster_id == cluster_id), None)
        if found is None or found.settings is None or not found.containers:
            raise ClusterError(
                f"There is no cluster {cluster_id!r} to adopt: `replab down --list` shows what there is."
            )
        if not found.is_leftover:
            raise ClusterError(f"Cluster {cluster_id} is in use by {found.owner}: close it there first.")
        cluster = cls(found.settings, name=cluster_id, engine=engine)
        cluster._take_over(found)
        return cluster

    def _take_over(self, found: FoundCluster) -> None:
        """Labels cannot be changed, so that a small volume says who the new owner is."""
        with engine_errors(f"adopt cluster {self.cluster_id}", self.engine):
            for container in self._api.containers(all=True, filters={"label": f"{LABEL}={self.cluster_id}"}):
                self._learn(self._api.inspect_container(container["Id"]))
            marker = f"replab-{self.cluster_id}-adopted"
            if marker in found.volumes:
                self._api.remove_volume(marker)
            self._api.create_volume(marker, labels={**self._labels(), ADOPTED_LABEL: "yes"})
        self._clean_up_later()

    def _learn(self, container: dict[str, Any]) -> None:
        node = container["Config"]["Labels"][NODE_LABEL]
        self._containers[node] = container["Id"]
        environment = dict(line.split("=", 1) for line in container["Config"]["Env"])
        self._environments[node] = environment
        self.token = environment["CLUSTER_TOKEN"]
        published = container["HostConfig"]["PortBindings"][f"{INNER_PORT}/tcp"][0]
        self._ports[node], self.bind = int(published["HostPort"]), published["HostIp"]
        self._image = container["Image"]

    # -- starting -------------------------------------------------------------------------------------

    def _start(self, nodes: Sequence[str]) -> None:
        if self._closed:
            raise StartFailed("this cluster has been closed; make a new one")
        self._prepare()
        try:
            with ThreadPoolExecutor(len(nodes)) as pool:
                list(pool.map(partial(self._launch, hold=len(nodes) > 1), nodes))
                if len(nodes) > 1:
                    list(pool.map(self._release, nodes))
            self._await_answers(nodes, START_LIMIT)
        except BaseException:
            self._abandon(nodes)
            raise

    def _prepare(self) -> None:
        """What all nodes need. Made once."""
        if self._image is not None:
            return
        for found in leftovers(self.engine):
            _log.warning("leftover of an earlier crash: %s. `replab down` removes it.", found)
        if any(found.cluster_id == self.cluster_id for found in find(self.engine)):
            raise ClusterError(
                f"There is a cluster named {self.cluster_id} on this engine already: `replab down {self.cluster_id}` "
                "removes it, DockerCluster.adopt takes a leftover over."
            )
        strategy = strategy_files(self.settings.election, self.settings.python_path)
        image = ensure_image(self.engine)
        # From here on there is something to remove.
        self._clean_up_later()
        self._make_network()
        if strategy:
            self._send_strategy(strategy, image)
        self._image = image

    def _make_network(self) -> None:
        with engine_errors(f"make the network {self._network}", self.engine):
            self._api.create_network(self._network, "bridge", labels=self._labels(), check_duplicate=True)

    def _send_strategy(self, files: dict[str, bytes], image: str) -> None:
        """Put a student's strategy into a volume, by way of a container that never runs."""
        with engine_errors("send the election strategy", self.engine):
            self._api.create_volume(self._code_volume, labels=self._labels())
            binds: dict[str, Mapping[str, str]] = {self._code_volume: {"bind": "/code", "mode": "rw"}}
            host_config = self._api.create_host_config(binds=binds)
            carrier = self._api.create_container(image, labels=self._labels(), host_config=host_config)["Id"]
            self._api.put_archive(carrier, "/code", tar(files).getvalue())
            self._api.remove_container(carrier, v=True)

    def _launch(self, node: str, hold: bool) -> None:
        """Start the node's container; make it first where there is none, or none with the right environment.

        Docker may need longer from one container to the next than an election timeout is long. So `hold` freezes the
        node while its Python is still loading, and `_release` lets all of them go at the same moment.
        """
        problem: Exception | None = None
        for _ in range(ATTEMPTS):
            try:
                with engine_errors(f"start {node}", self.engine):
                    container = self._container_for(node)
                    self._reconnect(node, container)
                    self._api.start(container)
                if hold:
                    self._hold(node)
                return
            except NotFound as error:
                problem = error
                self._rebuild_surroundings(node)
            except ClusterError as error:
                if not is_port_clash(error):
                    raise
                problem = error
                self._give_up_port(node, error)
        raise StartFailed(f"{node} could not be started in {ATTEMPTS} attempts; the last failed with: {problem}")

    def _reconnect(self, node: str, container: str) -> None:
        """Put a node back on the cluster's network: without it, it would have neither peers nor a published port."""
        if self._network not in self._api.inspect_container(container)["NetworkSettings"]["Networks"]:
            _log.warning("%s had been taken off its network (`docker network disconnect`?); it is put back", node)
            self._api.connect_container_to_network(container, self._network, aliases=[node])

    def _hold(self, node: str) -> None:
        """A node that cannot be frozen starts a little early, or ended at once: `_await_answers` will tell."""
        try:
            self._pause(node)
        except EngineGone:
            raise
        except ClusterError as error:
            _log.info("%s starts by itself: %s", node, error)

    def _release(self, node: str) -> None:
        if self._state(node) == PAUSED:
            self._resume(node)

    def _container_for(self, node: str) -> str:
        environment = self._environment_of(node)
        known = self._environments.get(node, {})
        if node in self._containers and environment.items() <= known.items():
            return self._containers[node]
        self._discard(node)
        container = self._make_container(node, environment)
        self._containers[node], self._environments[node] = container, environment
        return container

    def _make_container(self, node: str, environment: dict[str, str]) -> str:
        labels = {**self._labels(), NODE_LABEL: node, SETTINGS_LABEL: settings_label(self.settings)}
        with engine_errors(f"make the container of {node}", self.engine):
            if self.settings.durable:
                self._api.create_volume(self._name(node), labels=self._labels())
            made = self._api.create_container(
                self._image,
                name=self._name(node),
                hostname=node,
                environment=environment,
                labels=labels,
                ports=[INNER_PORT],
                host_config=self._host_config(node),
                networking_config={"EndpointsConfig": {self._network: {"Aliases": [node]}}},
            )
        return str(made["Id"])

    def _host_config(self, node: str) -> dict[str, Any]:
        """What the container may do: next to nothing."""
        binds: dict[str, Mapping[str, str]] = {}
        if self.settings.durable:
            binds[self._name(node)] = {"bind": "/data", "mode": "rw"}
        if ":" in self.settings.election and not self.settings.election.startswith("replstore."):
            binds[self._code_volume] = {"bind": "/code", "mode": "ro"}
        return self._api.create_host_config(
            binds=binds,
            # Without a volume of ours the image's own /data would make a nameless one.
            tmpfs={} if self.settings.durable else {"/data": "size=1m"},
            port_bindings={INNER_PORT: (self.bind, self._port(node))},
            network_mode=self._network,
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            mem_limit=MEMORY,
            pids_limit=PIDS,
        )

    def _environment_of(self, node: str) -> dict[str, str]:
        addresses = {peer: f"http://{peer}:{INNER_PORT}" for peer in self.node_ids}
        return self._environment(node, addresses) | {
            "HOST": "0.0.0.0",
            "PORT": str(INNER_PORT),
            "DATA_DIR": "/data" if self.settings.durable else "",
            # The name under which `url` reaches the nodes of another machine's engine; an address is taken anyway.
            "ALLOW_HOST": "" if ":" in self.engine.host else self.engine.host,
            "PYTHONPATH": "/app:/code",
        }

    def _rebuild_surroundings(self, node: str) -> None:
        """The container, or what it stands on, was removed behind our back. The data are in the volume."""
        _log.warning("something of %s had been removed; it is made again on its old data", node)
        self._discard(node)
        with self._rebuilding, engine_errors("look for the cluster's network", self.engine):
            self._image = ensure_image(self.engine)
            if not self._api.networks(filters={"label": f"{LABEL}={self.cluster_id}"}):
                self._make_network()

    def _abandon(self, nodes: Sequence[str]) -> None:
        """None of them is to be left running. The error that led here is the one to be shown."""
        for node in nodes:
            try:
                self._discard(node)
            except ClusterError as error:
                _log.warning("after a failed start: %s", error)

    def _discard(self, node: str) -> None:
        container = self._containers.pop(node, None)
        self._environments.pop(node, None)
        if container is None:
            return
        try:
            with engine_errors(f"remove the container of {node}", self.engine):
                self._api.remove_container(container, v=True, force=True)
        except NotFound:
            _log.debug("the container of %s was gone already", node)

    # -- life -----------------------------------------------------------------------------------------

    def close(self) -> None:
        """Remove the containers, the network and the volumes.

        Raises `EngineGone` where the engine does not answer any more; what it holds is then a leftover.
        """
        with self._lock:
            if self._finalizer is not None and self._finalizer.alive:
                remove(self.engine, self.cluster_id)
                self._finalizer.detach()
                self._containers.clear()
            self._closed = True
            if self._own_engine:
                self.engine.client.close()
        super().close()

    def _clean_up_later(self) -> None:
        """For the case that nobody closes this object: at the latest when the interpreter ends."""
        self._finalizer = weakref.finalize(self, _clean_up, self.engine, self.cluster_id, os.getpid())
        sigterm.remember(self._finalizer)

    def _labels(self) -> dict[str, str]:
        return labels_of(self.cluster_id, ClusterOwner.me())

    def _name(self, node: str) -> str:
        return f"replab-{self.cluster_id}-{node}"

    @property
    def _network(self) -> str:
        return f"replab-{self.cluster_id}"

    @property
    def _code_volume(self) -> str:
        return f"replab-{self.cluster_id}-code"


def _clean_up(engine: Engine, cluster_id: str, maker: int) -> None:
    """A finalizer. A forked child inherits it, but not the cluster."""
    if os.getpid() != maker:
        return
    try:
        remove(engine, cluster_id, at_once=False)
    except ClusterError as error:
        _log.warning("cluster %s is left behind: %s", cluster_id, error)
