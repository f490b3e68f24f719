"""What the lab has on a Docker engine, by label only: whose it is, and how it is removed.

Everything that the lab makes carries the label `replication-lab`: a cluster's id, or `compose` for what
`docker-compose.yml` made. A cluster's owner is the process that made it (or adopted it later). A cluster whose owner
no longer lives is a leftover of a crash. Nothing here ever goes by a name.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from docker.errors import APIError, NotFound

from labs.cluster.base import Settings
from labs.cluster.docker.engine import Engine, engine_errors

LABEL = "replication-lab"
NODE_LABEL = "replication-lab.node"
OWNER_LABEL = "replication-lab.owner"
ADOPTED_LABEL = "replication-lab.adopted"
SETTINGS_LABEL = "replication-lab.settings"

IMAGE, BASE_IMAGE, COMPOSE = "image", "base-image", "compose"
"""Values of `LABEL` that are no cluster's id."""


@dataclass(frozen=True)
class ClusterOwner:
    """A process, so that a later one under the same number is not taken for it."""

    host: str
    pid: int
    born: float

    @classmethod
    def me(cls) -> ClusterOwner:
        return cls(socket.gethostname(), os.getpid(), psutil.Process().create_time())

    @classmethod
    def from_label(cls, text: str) -> ClusterOwner:
        host, pid, born = text.rsplit(" ", 2)
        return cls(host, int(pid), float(born))

    @property
    def label(self) -> str:
        return f"{self.host} {self.pid} {self.born}"

    @property
    def is_gone(self) -> bool:
        """Certainly gone: of another host's processes we know nothing."""
        if self.host != socket.gethostname():
            return False
        try:
            return abs(psutil.Process(self.pid).create_time() - self.born) > 1
        except psutil.NoSuchProcess:
            return True

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


@dataclass
class FoundCluster:
    """One cluster, or what compose made, as the engine shows it."""

    cluster_id: str
    containers: dict[str, str] = field(default_factory=dict)
    """Name → state, as Docker calls it."""
    networks: list[str] = field(default_factory=list)
    volumes: list[str] = field(default_factory=list)
    owner: ClusterOwner | None = None
    adopted: bool = False
    settings: Settings | None = None

    @property
    def is_leftover(self) -> bool:
        return self.owner is not None and self.owner.is_gone

    def __str__(self) -> str:
        states = ", ".join(f"{name} ({state})" for name, state in sorted(self.containers.items())) or "no containers"
        whose = "made by docker-compose.yml" if self.cluster_id == COMPOSE else f"owner: {self.owner or 'unknown'}"
        gone = ", which is gone" if self.is_leftover else ""
        return f"{self.cluster_id}: {states}; {whose}{gone}"

    def read(self, labels: dict[str, str]) -> None:
        """Learn from one resource's labels. What an adopter wrote is newer than what the maker wrote."""
        adopted = ADOPTED_LABEL in labels
        if OWNER_LABEL in labels and (adopted or not self.adopted):
            self.owner, self.adopted = ClusterOwner.from_label(labels[OWNER_LABEL]), adopted
        if SETTINGS_LABEL in labels:
            self.settings = settings_from_label(labels[SETTINGS_LABEL])


def labels_of(cluster_id: str, owner: ClusterOwner) -> dict[str, str]:
    return {LABEL: cluster_id, OWNER_LABEL: owner.label}


def settings_label(settings: Settings) -> str:
    return json.dumps(asdict(settings), default=str)


def settings_from_label(text: str) -> Settings:
    known: dict[str, Any] = json.loads(text)
    known["python_path"] = tuple(Path(folder) for folder in known["python_path"])
    return Settings(**known)


def find(engine: Engine) -> list[FoundCluster]:
    """All that the lab has on this engine, by cluster id."""
    clusters: dict[str, FoundCluster] = {}

    def cluster(resource: dict[str, Any]) -> FoundCluster:
        labels = resource["Labels"]
        found = clusters.setdefault(labels[LABEL], FoundCluster(labels[LABEL]))
        found.read(labels)
        return found

    api, filters = engine.client.api, {"label": LABEL}
    with engine_errors("list what the lab has", engine):
        for container in api.containers(all=True, filters=filters):
            cluster(container).containers[container["Names"][0].removeprefix("/")] = container["State"]
        for network in api.networks(filters=filters):
            cluster(network).networks.append(network["Name"])
        for volume in api.volumes(filters=filters)["Volumes"] or []:
            cluster(volume).volumes.append(volume["Name"])
    return sorted(clusters.values(), key=lambda found: found.cluster_id)


def leftovers(engine: Engine) -> list[FoundCluster]:
    """Clusters whose owner is gone."""
    return [found for found in find(engine) if found.is_leftover]


def remove(engine: Engine, cluster_id: str, at_once: bool = True) -> list[str]:
    """Remove all that carries this cluster's label; gives back what it removed, as `container …`, `network …`.

    `at_once=False`: one after the other, for an interpreter that is about to end and starts no more threads.
    """
    api, filters = engine.client.api, {"label": f"{LABEL}={cluster_id}"}
    with engine_errors(f"remove cluster {cluster_id}", engine):
        containers = [(c["Id"], c["Names"][0].removeprefix("/")) for c in api.containers(all=True, filters=filters)]
        # v: also the nameless volume of a container that was given none
        end = partial(api.remove_container, v=True, force=True)
        removed = _remove_each("container", containers, end, at_once)
        networks = [(n["Id"], n["Name"]) for n in api.networks(filters=filters)]
        removed += _remove_each("network", networks, api.remove_network, at_once)
        volumes = [(v["Name"], v["Name"]) for v in api.volumes(filters=filters)["Volumes"] or []]
        removed += _remove_each("volume", volumes, api.remove_volume, at_once)
    return removed


def remove_images(engine: Engine) -> list[str]:
    """Remove the node's images; those in use by a container stay."""
    api = engine.client.api
    with engine_errors("remove the node's images", engine):
        images = api.images(filters={"label": f"{LABEL}={IMAGE}"})
        named = [(i["Id"], (i["RepoTags"] or [i["Id"]])[0]) for i in images]
        return _remove_each("image", named, api.remove_image, at_once=False)


def _remove_each(
    what: str, resources: Sequence[tuple[str, str]], remove_one: Callable[[str], Any], at_once: bool
) -> list[str]:
    """The names of those removed. Something that is gone already is not ours to name."""

    def attempt(resource: tuple[str, str]) -> str | None:
        try:
            remove_one(resource[0])
        except NotFound:
            return None
        except APIError as error:
            if error.status_code != 409:  # conflict: somebody else is at it, or an image is in use
                raise
            return None
        return f"{what} {resource[1]}"

    if not at_once or len(resources) < 2:
        return [name for name in map(attempt, resources) if name]
    with ThreadPoolExecutor(len(resources)) as pool:
        return [name for name in pool.map(attempt, resources) if name]
