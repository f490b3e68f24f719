"""What the store is compared with: etcd and Redis where they are installed, and the store itself, each on three nodes.

Law of this module: every system here has three nodes on 127.0.0.1 and fsyncs a write before it acknowledges it. What it
starts ends with its `with` block, or with this process; what it writes is in a temporary folder.

* *etcd* through its HTTP gateway (`/v3/kv/…`), which is what the store's clients speak too. Raft, fsync by default.
* *Redis*, a primary with two replicas, `appendfsync always`, each `SET` followed by `WAIT 1` on the same connection.
  That is less than the others promise: `WAIT` counts the replicas that have the write in memory, nobody is elected, and
  a fail-over may still lose it. It has no linearizable read.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_connection
from typing import Any, TypeVar
from urllib.error import URLError
from urllib.request import Request, urlopen

from benchmarks.closed_loop import Dialogue
from benchmarks.load import STRIDE, parse_answer
from benchmarks.processes import StartError, accepts
from labs.cluster import ports
from labs.cluster.base import Settings
from labs.cluster.process import ProcessCluster

T = TypeVar("T")

START_TIMEOUT = 30.0
KEYS = 1000
WAIT_MS = 5000
"""How long Redis may wait for a replica before it answers that there was none."""

WRITE, LINEARIZABLE_READ, LOCAL_READ = "write", "linearizable read", "local read"
OPERATIONS = (WRITE, LINEARIZABLE_READ, LOCAL_READ)


@dataclass(frozen=True)
class Peer:
    """A system that runs: what to say to `port`, its leader's, for each operation that it has."""

    name: str
    port: int
    dialogues: dict[str, Dialogue]


def key(number: int) -> str:
    return f"key-{number * STRIDE % KEYS}"


# --------------------------------------------------------------------------------------------------------
# HTTP


def _http_answer(buffer: bytes) -> tuple[bool, int] | None:
    found = parse_answer(buffer)
    return None if found is None else (200 <= found[0] < 300, found[1])


def _http(method: str, path: Callable[[int], str], body: Callable[[int], str] | None = None) -> Dialogue:
    def request(number: int) -> bytes:
        head = f"{method} {path(number)} HTTP/1.1\r\nHost: {ports.HOST}\r\n"
        if body is None:
            return f"{head}\r\n".encode()
        content = body(number)
        return f"{head}Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n{content}".encode()

    return Dialogue(request, _http_answer)


def _post(port: int, path: str, body: dict[str, Any]) -> dict[str, Any]:
    request = Request(f"http://{ports.HOST}:{port}{path}", json.dumps(body).encode(), method="POST")
    with urlopen(request, timeout=START_TIMEOUT) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


# --------------------------------------------------------------------------------------------------------
# The store


@contextmanager
def store(name: str, tree: Path | None = None) -> Iterator[Peer]:
    """The store in `quorum` with journals; `tree`: as another checkout of it has it."""
    # Patient timings: with nine processes on few cores, a heartbeat can be late without anybody dead.
    python_path = (tree,) if tree else ()
    settings = Settings(mode="quorum", heartbeat_ms=500, election_timeout_ms=5000, python_path=python_path)
    with ProcessCluster(settings) as cluster:
        cluster.start()
        leader = cluster.wait_for(lambda c: c.leader() or "", START_TIMEOUT)
        port = int((cluster.url(leader) or "").rpartition(":")[2])
        yield Peer(name, port, store_dialogues())


def store_dialogues() -> dict[str, Dialogue]:
    return {
        WRITE: _http("PUT", lambda n: f"/key/{key(n)}", lambda n: f'"value-{n}"'),
        LINEARIZABLE_READ: _http("GET", lambda n: f"/key/{key(n)}?read=linearizable"),
        LOCAL_READ: _http("GET", lambda n: f"/key/{key(n)}"),
    }


# --------------------------------------------------------------------------------------------------------
# etcd


@contextmanager
def etcd() -> Iterator[Peer]:
    clients, peers = ports.choose(3), ports.choose(3)
    members = ",".join(f"node-{n}=http://{ports.HOST}:{port}" for n, port in enumerate(peers, 1))
    with _processes() as start:
        for number, (client, peer) in enumerate(zip(clients, peers, strict=True), 1):
            client_url, peer_url = f"http://{ports.HOST}:{client}", f"http://{ports.HOST}:{peer}"
            command = ["etcd", "--name", f"node-{number}", "--data-dir", "data", "--initial-cluster", members]
            command += ["--listen-client-urls", client_url, "--advertise-client-urls", client_url]
            command += ["--listen-peer-urls", peer_url, "--initial-advertise-peer-urls", peer_url]
            start(command)
        leader = _until("an etcd leader", lambda: _etcd_leader(clients))
        yield Peer("etcd", leader, etcd_dialogues())


def _etcd_leader(clients: list[int]) -> int | None:
    for port in clients:
        try:
            status = _post(port, "/v3/maintenance/status", {})
        except (URLError, ConnectionError):  # not up yet
            return None
        if status.get("leader", "0") == status["header"]["member_id"]:
            return port
    return None


def etcd_dialogues() -> dict[str, Dialogue]:
    def text(plain: str) -> str:
        return base64.b64encode(plain.encode()).decode()

    def pair(n: int) -> str:
        return f'{{"key":"{text(key(n))}","value":"{text(f"value-{n}")}"}}'

    return {
        WRITE: _http("POST", lambda n: "/v3/kv/put", pair),
        LINEARIZABLE_READ: _http("POST", lambda n: "/v3/kv/range", lambda n: f'{{"key":"{text(key(n))}"}}'),
        LOCAL_READ: _http(
            "POST", lambda n: "/v3/kv/range", lambda n: f'{{"key":"{text(key(n))}","serializable":true}}'
        ),
    }


# --------------------------------------------------------------------------------------------------------
# Redis


@contextmanager
def redis() -> Iterator[Peer]:
    primary, *replicas = ports.choose(3)
    with _processes() as start:
        for port in (primary, *replicas):
            command = ["redis-server", "--port", str(port), "--bind", ports.HOST, "--save", ""]
            command += ["--appendonly", "yes", "--appendfsync", "always"]
            command += ["--replicaof", f"{ports.HOST} {primary}"] if port != primary else []
            start(command)
            _until("Redis", lambda port=port: accepts(port) or None)  # type: ignore[misc]
        _until("Redis's replicas", lambda: _redis_ready(primary) or None)
        yield Peer("redis", primary, redis_dialogues())


def _redis_ready(port: int) -> bool:
    """Whether both replicas have the primary's data."""
    with create_connection((ports.HOST, port), timeout=START_TIMEOUT) as connection:
        connection.sendall(_command("SET", "started", "1") + _command("WAIT", "2", "500"))
        data = b""
        while data.count(b"\r\n") < 2:
            data += connection.recv(100)
    return data == b"+OK\r\n:2\r\n"


def _command(*words: str) -> bytes:
    return "".join([f"*{len(words)}\r\n", *(f"${len(word)}\r\n{word}\r\n" for word in words)]).encode()


def redis_dialogues() -> dict[str, Dialogue]:
    wait = _command("WAIT", "1", str(WAIT_MS))
    return {
        WRITE: Dialogue(lambda n: _command("SET", key(n), f"value-{n}") + wait, redis_write_answer),
        LOCAL_READ: Dialogue(lambda n: _command("GET", key(n)), redis_read_answer),
    }


def redis_write_answer(buffer: bytes) -> tuple[bool, int] | None:
    """To `SET` and `WAIT`: two lines, the second with the number of replicas that have it."""
    first, _, rest = buffer.partition(b"\r\n")
    second, end, _ = rest.partition(b"\r\n")
    if not end:
        return None
    return first == b"+OK" and second.startswith(b":") and int(second[1:]) >= 1, len(first) + len(second) + 4


def redis_read_answer(buffer: bytes) -> tuple[bool, int] | None:
    head, end, _ = buffer.partition(b"\r\n")
    if not end:
        return None
    if not head.startswith(b"$") or head == b"$-1":
        return False, len(head) + 2
    length = len(head) + 2 + int(head[1:]) + 2
    return (True, length) if len(buffer) >= length else None


# --------------------------------------------------------------------------------------------------------
# Processes


@contextmanager
def _processes() -> Iterator[Callable[[list[str]], None]]:
    """What starts a command in a temporary folder of its own; all end with the block."""
    with ExitStack() as stack:

        def start(command: list[str]) -> None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-peers-"))
            log = stack.enter_context(open(Path(folder) / "log", "wb"))
            process = subprocess.Popen([*_with_parent(), *command], cwd=folder, stdout=log, stderr=subprocess.STDOUT)
            stack.callback(process.wait)
            stack.callback(process.kill)

        yield start


def _with_parent() -> list[str]:
    """A prefix that makes a command end when this process does, even by `kill -9` (util-linux has it, on Linux)."""
    return ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []


def _until(what: str, found: Callable[[], T | None]) -> T:
    deadline = time.monotonic() + START_TIMEOUT
    while (result := found()) is None:
        if time.monotonic() > deadline:
            raise StartError(f"{what} did not come up within {START_TIMEOUT:g} s")
        time.sleep(0.05)
    return result


def installed() -> dict[str, Callable[[], Any]]:
    """The systems beside the store that this machine has."""
    return {name: start for name, program, start in FOREIGN if shutil.which(program)}


FOREIGN = (("etcd", "etcd", etcd), ("redis", "redis-server", redis))
PACKAGES = {"etcd": "etcd-server", "redis": "redis-server"}
"""Debian's names."""
