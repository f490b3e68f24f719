"""Reaching a Docker engine, and saying in a student's words why it cannot be reached.

Everything that talks to the engine goes through `connect` and, for single calls, `engine_errors`: no exception of the
`docker` package leaves this folder. Nothing here makes or removes anything.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import docker
import requests
from docker import DockerClient
from docker.context import ContextAPI
from docker.context.config import get_current_context_name
from docker.errors import APIError, DockerException, NotFound

from labs.cluster.base import BackendUnavailable, ClusterError

LOCALHOST = "127.0.0.1"
OLDEST_API = (1, 40)
"""Engine 19.03, the oldest that has all that the lab asks for."""

_LOCAL_SCHEMES = {"unix", "http+unix", "npipe", "http+docker"}


class EngineGone(BackendUnavailable):
    """The engine answered before and does so no more. What it held may still be there."""


@dataclass(frozen=True)
class Engine:
    """An engine that answered."""

    client: DockerClient
    endpoint: str
    """Where it was asked: `unix:///var/run/docker.sock`, `tcp://…`, `ssh://…`."""
    version: str

    @property
    def host(self) -> str:
        """The host on which published ports appear, as this machine reaches it."""
        return published_host(self.endpoint)

    @property
    def is_local(self) -> bool:
        return self.host == LOCALHOST

    def __str__(self) -> str:
        return f"Docker engine {self.version} at {self.endpoint}"


def connect(timeout: float = 60) -> Engine:
    """The engine that `docker` itself would use: `DOCKER_HOST`, else `DOCKER_CONTEXT` or the current context.

    `timeout`, in seconds, holds for each later call. Raises `BackendUnavailable`, saying what to do.
    """
    where = endpoint()
    try:
        _knock(where)
        client = docker.from_env(timeout=int(timeout), max_pool_size=32)
    except (DockerException, requests.RequestException, OSError, ValueError) as error:
        raise BackendUnavailable(explain(error, where)) from error
    try:
        return Engine(client, where, _checked_version(client, where))
    except BaseException:
        client.close()
        raise


def _knock(where: str) -> None:
    """Raises the `OSError` of a local socket that cannot be used: the `docker` package would leave its own end open."""
    scheme, _, path = where.partition("://")
    if scheme in ("unix", "http+unix"):
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(5)
            probe.connect(path)


def _checked_version(client: DockerClient, where: str) -> str:
    try:
        version = client.version()
    except (DockerException, requests.RequestException, OSError, ValueError) as error:
        raise BackendUnavailable(explain(error, where)) from error
    api = tuple(int(part) for part in version["ApiVersion"].split("."))
    if api < OLDEST_API:
        raise BackendUnavailable(
            f"The Docker engine {version['Version']} at {where} speaks API {version['ApiVersion']}, and the lab needs "
            f"{OLDEST_API[0]}.{OLDEST_API[1]} or later: update Docker, or use --backend process."
        )
    return str(version["Version"])


def endpoint() -> str:
    """The address of the engine that would be used, whether or not one answers there."""
    if host := os.environ.get("DOCKER_HOST"):
        return host
    chosen = os.environ.get("DOCKER_CONTEXT")
    name = chosen or get_current_context_name()
    context = ContextAPI.get_context(name)
    if context is None:
        who = "DOCKER_CONTEXT" if chosen else "`currentContext` in Docker's config.json"
        raise BackendUnavailable(
            f"There is no Docker context {name!r}, which {who} names: `docker context ls` shows those that there are."
            f" `{'unset DOCKER_CONTEXT' if chosen else 'docker context use default'}` takes this machine's engine."
        )
    return str(context.Host)


def published_host(where: str) -> str:
    """The host part of a remote engine's address; 127.0.0.1 for an engine of this machine."""
    parts = urlsplit(where if "://" in where else f"tcp://{where}")
    if parts.scheme in _LOCAL_SCHEMES:
        return LOCALHOST
    host = parts.hostname or LOCALHOST
    return LOCALHOST if host in ("localhost", "::1") else host


def explain(error: BaseException, where: str) -> str:
    """What is wrong with the engine at `where`, and what to do."""
    causes = list(_causes(error))
    text = " ".join(str(cause) for cause in causes)
    if any(isinstance(cause, PermissionError) for cause in causes):
        return (
            f"Permission to use the Docker engine at {where} is missing. On Linux: `sudo usermod -aG docker $USER`, "
            "then log in again. (Members of that group have the rights of root on this machine.)"
        )
    if any(isinstance(cause, FileNotFoundError) for cause in causes):
        return (
            f"No Docker engine at {where}: install Docker, or start it (`sudo systemctl start docker`, Docker Desktop)."
        )
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return f"The Docker engine at {where} is stopped: start it (`sudo systemctl start docker`, Docker Desktop)."
    if any(isinstance(cause, (TimeoutError, requests.Timeout)) for cause in causes):
        return f"The Docker engine at {where} does not answer in time: restart it, or check DOCKER_HOST."
    if "too old" in text or "too new" in text or "minimum supported API version" in text:
        return f"The Docker engine at {where} and Python's `docker` package do not fit: update both. ({error})"
    return f"The Docker engine at {where} cannot be used: {error}. Check DOCKER_HOST and `docker context ls`."


@contextmanager
def engine_errors(doing: str, engine: Engine) -> Iterator[None]:
    """Turn what the `docker` package raises in the block into one `ClusterError` that says what was being done.

    `NotFound` passes: what a missing thing means, only the caller knows.
    """
    try:
        yield
    except NotFound:
        raise
    except APIError as error:
        statement = error.explanation or str(error)
        raise ClusterError(f"Docker could not {doing}: {statement}{_hint(statement)}") from error
    except (DockerException, requests.RequestException, OSError) as error:
        raise EngineGone(
            f"The Docker engine at {engine.endpoint} went away (could not {doing}). Start it again; "
            "`replab down` then removes what it still holds."
        ) from error


def _hint(said: str) -> str:
    for phrase, advice in _HINTS.items():
        if phrase in said.lower():
            return f"\n{advice}"
    return ""


_HINTS = {
    "no space left": "The engine's disk is full: see `docker system df`; `replab down` frees the lab's share.",
    "port is already allocated": "Another container has that port: `docker ps` names it.",
    "address already in use": "Another program has that port: stop it, or let the cluster choose free ports.",
    "non-overlapping ipv4 address pool": "Too many networks: `replab down` removes the lab's.",
    "is already in use by container": "A container of that name exists: remove it, or choose another name.",
    "network with name": "A network of that name exists: choose another name, or remove it (`docker network rm`).",
}


def _causes(error: BaseException) -> Iterator[BaseException]:
    """`error` and all that it was made from: requests and urllib3 hide the cause in `args` as well."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        found = waiting.pop()
        if not isinstance(found, BaseException) or id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        waiting += [found.__cause__, found.__context__, *found.args]
        waiting.append(getattr(found, "reason", None))
