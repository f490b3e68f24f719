"""docker-compose.yml through the compose tool, with the lesson's own commands."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from labs.cluster.docker.engine import Engine
from labs.cluster.docker.image import choose_base
from labs.cluster.docker.leftovers import COMPOSE, find
from tests.missing import skip_without

ROOT = Path(__file__).parent.parent.parent
Compose = Callable[..., str]


def tools() -> list[list[str]]:
    """The compose tools of this machine: 1.29 is a program of its own, v2 a part of `docker`."""
    found = []
    if shutil.which("docker-compose"):
        found.append(["docker-compose"])
    if shutil.which("docker") and subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0:
        found.append(["docker", "compose"])
    return found


@pytest.fixture
def ports() -> Iterator[None]:
    """The lesson's ports are fixed, and there may be several test processes."""
    with open(Path(tempfile.gettempdir()) / "replication-lab-ports-4001-4003", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


TOOLS: list[list[str] | None] = [*tools()] or [None]


@pytest.fixture(params=TOOLS, ids=lambda tool: "-".join(tool or ["no tool"]))
def compose(request: pytest.FixtureRequest, engine: Engine, ports: None) -> Iterator[Compose]:
    """Runs a compose command on a project of its own; what that made is removed after the test."""
    if request.param is None:
        skip_without("docker-compose", "neither docker-compose nor docker compose is installed")
    project = f"replab{secrets.token_hex(3)}"
    environment = os.environ | {"PYTHON_IMAGE": choose_base(engine)}  # and the file's own timings, the lesson's

    def run(*arguments: str) -> str:
        command = [*request.param, "-p", project, "-f", str(ROOT / "docker-compose.yml"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=110)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
        return done.stdout

    yield run
    run("down", "--volumes", "--rmi", "local", "--timeout", "2")


def curl(*arguments: str) -> Any:
    done = subprocess.run(["curl", "-s", "--max-time", "2", *arguments], capture_output=True, text=True)
    return json.loads(done.stdout) if done.stdout else None


def put(port: int, key: str, value: str) -> Any:
    url = f"http://localhost:{port}/key/{key}"
    return curl("-X", "PUT", url, "-H", "Content-Type: application/json", "-d", json.dumps(value))


def value(port: int, key: str) -> Any:
    """None, too, where nobody answers, or the key has not arrived yet."""
    return (curl(f"http://localhost:{port}/key/{key}") or {}).get("value")


def status(port: int) -> Any:
    return curl(f"http://localhost:{port}/status")


def eventually(condition: Callable[[], Any], timeout: float = 20) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"the nodes say {[status(port) for port in (4001, 4002, 4003)]}"
        time.sleep(0.05)


def all_follow(leader: str, term: int) -> Callable[[], bool]:
    def agreed() -> bool:
        seen = [status(port) for port in (4001, 4002, 4003)]
        return all(one is None or (one["leader_id"], one["term"]) == (leader, term) for one in seen) and any(seen)

    return agreed


def test_the_lesson_with_compose_and_curl(compose: Compose, engine: Engine) -> None:
    compose("up", "--build", "-d")
    eventually(lambda: all(status(port) for port in (4001, 4002, 4003)))
    eventually(all_follow("node-1", 1))

    assert put(4001, "name", "Alice")["success"] is True
    eventually(lambda: value(4003, "name") == "Alice")
    read = curl("http://localhost:4002/key/name")
    assert (read["key"], read["value"], read["node_role"]) == ("name", "Alice", "follower")
    refused = put(4002, "test", "should fail")
    assert (refused["error"], refused["leader_id"]) == ("Not the leader", "node-1")

    compose("stop", "node1")
    eventually(all_follow("node-2", 2))
    assert put(4002, "newleader", "node-2")["success"] is True

    compose("start", "node1")
    eventually(lambda: (status(4001) or {}).get("leader_id") == "node-2")
    eventually(lambda: value(4001, "newleader") == "node-2")
    assert status(4001)["role"] == "follower"
    assert status(4001)["total_keys"] == 2

    assert compose("port", "node1", "4000").strip() == "127.0.0.1:4001"
    assert "👑 Became LEADER for term 2" in compose("logs", "--no-color", "node2")
    made = next(found for found in find(engine) if found.cluster_id == COMPOSE)
    assert not made.is_leftover, "compose's nodes are not the lab's to remove unasked"

    names = compose("ps", "-q").split()
    eventually(lambda: {state(engine, name)["Health"]["Status"] for name in names} == {"healthy"}, timeout=40)
    compose("stop")
    assert [state(engine, name)["ExitCode"] for name in names] == [0, 0, 0]


def state(engine: Engine, container: str) -> dict[str, Any]:
    seen: dict[str, Any] = engine.client.api.inspect_container(container)["State"]
    return seen
