"""One interface to a cluster of store nodes, four kinds of cluster behind it.

    from labs.cluster import Settings, open_cluster

    with open_cluster(settings=Settings(heartbeat_ms=100, election_timeout_ms=400)) as cluster:
        cluster.start()
        cluster.put("name", "Alice")

The backends are loaded when they are first named: whoever works with processes needs no Docker package.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from labs.cluster.base import (
    FAST,
    Answer,
    BackendUnavailable,
    Cluster,
    ClusterError,
    ConditionTimeout,
    NodeStatus,
    NoSuchNode,
    Outcome,
    Settings,
    StartFailed,
    describe,
)

if TYPE_CHECKING:
    from labs.cluster.client import Client
    from labs.cluster.docker.cluster import DockerCluster
    from labs.cluster.foreign import ForeignCluster
    from labs.cluster.http_cluster import HttpCluster
    from labs.cluster.opening import open_cluster
    from labs.cluster.process import ProcessCluster
    from labs.cluster.simulated import SimulatedCluster

_LOADED_WHEN_NAMED = {
    "Client": "client",
    "DockerCluster": "docker.cluster",
    "ForeignCluster": "foreign",
    "HttpCluster": "http_cluster",
    "ProcessCluster": "process",
    "SimulatedCluster": "simulated",
    "open_cluster": "opening",
}

__all__ = [
    "FAST",
    "Answer",
    "BackendUnavailable",
    "Client",
    "Cluster",
    "ClusterError",
    "ConditionTimeout",
    "DockerCluster",
    "ForeignCluster",
    "HttpCluster",
    "NoSuchNode",
    "NodeStatus",
    "Outcome",
    "ProcessCluster",
    "Settings",
    "SimulatedCluster",
    "StartFailed",
    "describe",
    "open_cluster",
]


def __getattr__(name: str) -> Any:
    if name not in _LOADED_WHEN_NAMED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LOADED_WHEN_NAMED[name]}"), name)
