"""Which kind of cluster fits this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from labs.cluster.base import BackendUnavailable, Cluster, ClusterError, Settings

BACKENDS = ("auto", "process", "docker", "simulated")

BACKEND_VARIABLE = "REPLAB_BACKEND"
"""The environment variable that says which backend the notebooks use, where their cells name none."""


def open_cluster(
    backend: str = "auto", settings: Settings | None = None, say: Callable[[str], None] | None = None
) -> Cluster:
    """A cluster, not yet started.

    `auto` takes Docker where an engine answers, else processes. `say` is told in one line which it is and why.
    Raises `BackendUnavailable` where the backend asked for cannot work here.
    """
    if backend not in BACKENDS:
        raise ClusterError(f"backend must be one of {', '.join(BACKENDS)}, not {backend!r}")
    tell = say or (lambda line: None)
    chosen = settings or Settings()
    if backend == "auto":
        return _best(chosen, tell)
    tell(f"Backend: {backend}, as asked.")
    return _MAKERS[backend](chosen)


def processes_work() -> bool:
    """Whether programs can be started here. In a web page (Python on Emscripten) there are none."""
    return sys.platform != "emscripten"


def default_backend() -> str:
    """What `REPLAB_BACKEND` names, else `process`, which works on every machine; in a web page `simulated`. Raises
    `ClusterError` for a name that no backend has."""
    named = os.environ.get(BACKEND_VARIABLE) or ("process" if processes_work() else "simulated")
    if named not in BACKENDS:
        raise ClusterError(f"{BACKEND_VARIABLE}={named}: expected one of {', '.join(BACKENDS)}")
    return named


def _best(settings: Settings, tell: Callable[[str], None]) -> Cluster:
    why_not = why_no_docker()
    if why_not is None:
        tell("Backend: docker, because a Docker engine answers here.")
        return _docker(settings)
    tell(f"Backend: process, because Docker is no choice here: {why_not}")
    return _process(settings)


def why_no_docker(timeout: float = 3.0) -> str | None:
    """What keeps Docker from being used, and what to do about it; None where an engine answers."""
    try:
        from labs.cluster.docker.engine import connect

        connect(timeout).client.close()
    except ImportError as error:
        return f"a Python package is missing ({error.name})."
    except BackendUnavailable as error:
        return str(error)
    return None


def _process(settings: Settings) -> Cluster:
    from labs.cluster.process import ProcessCluster

    return ProcessCluster(settings)


def _docker(settings: Settings) -> Cluster:
    try:
        from labs.cluster.docker.cluster import DockerCluster
    except ImportError as error:
        raise BackendUnavailable(f"the docker backend cannot be loaded: {error}") from error
    return DockerCluster(settings)


def _simulated(settings: Settings) -> Cluster:
    try:
        from labs.cluster.simulated import SimulatedCluster
    except ImportError as error:
        raise BackendUnavailable(f"the simulated backend cannot be loaded: {error}") from error
    return SimulatedCluster(settings)


_MAKERS: dict[str, Callable[[Settings], Cluster]] = {
    "process": _process,
    "docker": _docker,
    "simulated": _simulated,
}
