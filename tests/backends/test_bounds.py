"""A node holds within 256 MB, and still answers, while clients of every bad kind come at once.

All load stays on this machine, and is bounded: what is sent is counted here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from statistics import median
from urllib.parse import urlsplit

import psutil
import pytest
import requests

from labs.cluster import ProcessCluster, Settings

pytestmark = [pytest.mark.processes, pytest.mark.slow]

MEGABYTE = 10**6
CONTAINER = 256 * 2**20
SOCKETS = 4200


@dataclass
class Target:
    """The node under attack. `answers` are the seconds that an ordinary client waited, `peak` is the node's memory."""

    host: str
    port: int
    token: str
    process: psutil.Process
    answers: list[float] = field(default_factory=list)
    peak: int = 0

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self.host, self.port)


async def send(target: Target, head: bytes, size: int, pause: float = 0.0) -> bytes:
    """Send a head and `size` bytes, as far as the node takes them; returns the first bytes of its answer."""
    reader, writer = await target.connect()
    try:
        writer.write(head)
        for _ in range(size // 2**18):
            writer.write(b"1" * 2**18)
            await writer.drain()
            await asyncio.sleep(pause)
        return await reader.read(200)
    finally:
        writer.transport.abort()


async def large_messages(target: Target, token: str) -> list[bytes]:
    size = 16 * 2**20
    head = "POST /internal/replicate HTTP/1.1\r\nHost: localhost\r\n"
    head += f"X-Cluster-Token: {token}\r\nContent-Length: {size}\r\n\r\n"
    return await many(60, lambda _: send(target, head.encode(), size, pause=0.01))


async def large_writes(target: Target) -> list[bytes]:
    body = json.dumps("x" * MEGABYTE).encode()

    async def write(number: int) -> bytes:
        head = f"PUT /key/big-{number} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        return await send(target, head.encode() + body, 0)

    return await many(300, write)


async def long_polls(target: Target, seconds: float) -> list[bytes]:
    poll = b"GET /events?since=1000000000&wait=30 HTTP/1.1\r\nHost: localhost\r\n\r\n"

    async def watch(number: int) -> bytes:
        reader, writer = await target.connect()
        try:
            writer.write(poll)
            async with asyncio.timeout(seconds):
                return await reader.read(200)
        except TimeoutError:
            return b""
        finally:
            writer.transport.abort()

    return await many(1100, watch)


async def idle(target: Target, seconds: float) -> list[bytes]:
    async def wait(number: int) -> bytes:
        _, writer = await target.connect()
        try:
            await asyncio.sleep(seconds)
        finally:
            writer.transport.abort()
        return b""

    return await many(2000, wait)


async def slow_readers(target: Target, seconds: float) -> list[bytes]:
    async def read(number: int) -> bytes:
        _, writer = await target.connect()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        try:
            writer.write(b"GET /key/large HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20)
            await asyncio.sleep(seconds)
        finally:
            writer.transport.abort()
        return b""

    return await many(100, read)


async def many(count: int, one: Callable[[int], Awaitable[bytes]]) -> list[bytes]:
    """The answers that came; a connection that the node ended without one gave none."""
    found = await asyncio.gather(*map(one, range(count)), return_exceptions=True)
    strange = [each for each in found if isinstance(each, BaseException) and not isinstance(each, OSError)]
    assert strange == []
    return [each for each in found if isinstance(each, bytes)]


ORDINARY_CLIENT = """
import socket, sys, time
from select import select
while not select([sys.stdin], [], [], 0.05)[0]:
    began = time.monotonic()
    try:
        with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=10) as client:
            client.sendall(b"GET /key/treasure HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
            status = client.recv(200)[9:12].decode()
    except OSError as error:
        status = type(error).__name__
    print(time.monotonic() - began, status or "closed", flush=True)
"""


@contextlib.asynccontextmanager
async def observed(target: Target) -> AsyncIterator[None]:
    """Beside what happens within: an ordinary client, each time on a new connection, and a look at the memory. The
    client is a process of its own, so that it does not wait for those who attack."""

    async def look() -> None:
        while True:
            target.peak = max(target.peak, target.process.memory_info().rss)
            await asyncio.sleep(0.02)

    looking = asyncio.create_task(look())
    command = [sys.executable, "-c", ORDINARY_CLIENT, target.host, str(target.port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        try:
            yield
        finally:
            looking.cancel()
            told, _ = await asyncio.to_thread(client.communicate, "enough")
    lines = [line.split() for line in told.splitlines()]
    assert {status for _, status in lines} == {"200"}
    target.answers += [float(seconds) for seconds, _ in lines]


@pytest.fixture(scope="module")
def cluster() -> Iterator[ProcessCluster]:
    """Only the leader is left of a cluster in mode quorum: what is written waits for its copies."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = SOCKETS if hard == resource.RLIM_INFINITY else min(SOCKETS, hard)
    if wanted < SOCKETS:
        pytest.skip("this system does not allow enough open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    with ProcessCluster(Settings(mode="quorum", heartbeat_ms=200, election_timeout_ms=5000)) as cluster:
        cluster.start()
        cluster.wait_for(lambda c: c.leader() == "node-1")
        assert cluster.put("treasure", 1).ok
        assert cluster.put("large", "x" * MEGABYTE).ok
        cluster.kill("node-2")
        cluster.kill("node-3")
        yield cluster
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def target(cluster: ProcessCluster) -> Target:
    address = urlsplit(cluster.url("node-1") or "")
    assert address.hostname is not None
    assert address.port is not None
    return Target(address.hostname, address.port, cluster.token, psutil.Process(cluster.pid("node-1")))


def attack(target: Target, *attacks: Awaitable[list[bytes]]) -> list[list[bytes]]:
    async def all_at_once() -> list[list[bytes]]:
        async with observed(target):
            return await asyncio.gather(*attacks)

    found = asyncio.run(all_at_once())
    assert target.peak < CONTAINER * 0.9, f"{target.peak / 2**20:.0f} MiB"
    assert median(target.answers) < 2, sorted(target.answers)
    assert max(target.answers) < 10, sorted(target.answers)[-5:]
    print(f"{target.peak / 2**20:.0f} MiB, {len(target.answers)} answers, slowest {max(target.answers):.2f} s")
    return found


def statuses(answers: list[bytes]) -> set[bytes]:
    return {answer.split()[1] for answer in answers if answer}


def test_large_messages_without_the_token_are_refused_before_they_are_read(target: Target) -> None:
    before = target.process.memory_info().rss

    (found,) = attack(target, large_messages(target, "wrong"))

    assert statuses(found) <= {b"403"}
    assert target.peak - before < 32 * 2**20


def test_large_messages_of_a_confused_peer_do_not_fill_the_memory(target: Target) -> None:
    (found,) = attack(target, large_messages(target, target.token))

    assert statuses(found) <= {b"400", b"503"}


def test_large_writes_that_wait_for_their_copies_are_bounded_in_bytes(target: Target) -> None:
    (found,) = attack(target, large_writes(target))

    assert statuses(found) == {b"503", b"504"}


def test_who_waits_for_events_keeps_nobody_out_and_is_gone_when_it_hangs_up(target: Target) -> None:
    (found,) = attack(target, long_polls(target, 3))
    answer = requests.get(f"http://{target.host}:{target.port}/status", timeout=1)

    assert statuses(found) <= {b"200"}
    assert answer.status_code == 200


@pytest.mark.slow
def test_a_node_of_256_mb_survives_all_of_this_at_once(cluster: ProcessCluster, target: Target) -> None:
    attack(
        target,
        large_messages(target, ""),
        large_messages(target, target.token),
        large_writes(target),
        long_polls(target, 6),
        idle(target, 6),
        slow_readers(target, 6),
    )

    assert cluster.status()["node-1"].total_keys == 2
