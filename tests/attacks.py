"""Clients of every bad kind, to be set on one node all at once, beside an ordinary one that must still be served.

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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from statistics import median

import pytest

from tests.docker.availability import patience

MEGABYTE = 10**6
CONTAINER = 256 * 2**20
SOCKETS = 4200
SLOWEST = 10.0
"""Seconds within which every ordinary client must be served, however many others come."""


@dataclass
class Target:
    """The node under attack. `memory` tells how many bytes it takes now, `peak` is the most that was seen. `answers`
    are the seconds that an ordinary client waited."""

    host: str
    port: int
    token: str
    memory: Callable[[], int]
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
        with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=float(sys.argv[3])) as client:
            client.sendall(b"GET /key/treasure HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
            status = client.recv(200)[9:12].decode()
    except OSError as error:
        status = type(error).__name__
    print(time.monotonic() - began, status or "closed", flush=True)
"""


@contextlib.asynccontextmanager
async def observed(target: Target, limit: float) -> AsyncIterator[None]:
    """Beside what happens within: an ordinary client, each time on a new connection, and a look at the memory. The
    client is a process of its own, so that it does not wait for those who attack; it gives up after `limit` seconds."""

    async def look() -> None:
        while True:
            target.peak = max(target.peak, await asyncio.to_thread(target.memory))
            await asyncio.sleep(0.02)

    looking = asyncio.create_task(look())
    command = [sys.executable, "-c", ORDINARY_CLIENT, target.host, str(target.port), str(limit)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        try:
            yield
        finally:
            looking.cancel()
            told, _ = await asyncio.to_thread(client.communicate, "enough")
    lines = [line.split() for line in told.splitlines()]
    assert {status for _, status in lines} == {"200"}, lines
    target.answers += [float(seconds) for seconds, _ in lines]


@contextlib.contextmanager
def many_sockets() -> Iterator[None]:
    """Let this process have enough open files. Skips where the system does not allow that."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = SOCKETS if hard == resource.RLIM_INFINITY else min(SOCKETS, hard)
    if wanted < SOCKETS:
        pytest.skip("this system does not allow enough open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def attack(target: Target, *attacks: Awaitable[list[bytes]]) -> list[list[bytes]]:
    """The answers to each attack. Raises `AssertionError` where the node took too much memory, or too long over an
    ordinary client."""
    busy = patience()

    async def all_at_once() -> list[list[bytes]]:
        async with observed(target, SLOWEST * busy):
            return await asyncio.gather(*attacks)

    with ThreadPoolExecutor(1) as own_thread:  # here a browser's loop may be running
        found = own_thread.submit(asyncio.run, all_at_once()).result()
    assert target.peak < CONTAINER * 0.9, f"{target.peak / 2**20:.0f} MiB"
    assert median(target.answers) < 2 * busy, sorted(target.answers)
    assert max(target.answers) < SLOWEST * busy, sorted(target.answers)[-5:]
    print(f"{target.peak / 2**20:.0f} MiB, {len(target.answers)} answers, slowest {max(target.answers):.2f} s")
    return found


def statuses(answers: list[bytes]) -> set[bytes]:
    return {answer.split()[1] for answer in answers if answer}
