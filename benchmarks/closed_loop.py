"""A closed loop of clients for any protocol: each connection sends a request, waits for its answer, sends the next.

Law of this module: one generator for everything that is compared, so that what it costs is the same for all. It sends
to 127.0.0.1 only, and every run ends. Plain sockets and one selector, because asyncio would cost more than some of what
it measures.
"""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from time import perf_counter

from benchmarks.load import PATIENCE, LoadError, Rate
from labs.cluster import ports

READ_BYTES = 64 * 2**10


@dataclass(frozen=True)
class Dialogue:
    """What one client says: `request(n)` is its n-th request, `answer` reads what comes back.

    `answer(buffer)` returns whether the server did as asked and the answer's length in bytes, or None while the answer
    is not all there.
    """

    request: Callable[[int], bytes]
    answer: Callable[[bytes], tuple[bool, int] | None]


@dataclass
class _Client:
    socket: socket.socket
    buffer: bytes = b""
    sent: float = 0.0


@dataclass
class _Count:
    latencies: list[float] = field(default_factory=list)
    refused: int = 0


def run(port: int, dialogue: Dialogue, connections: int, seconds: float) -> Rate:
    """Ask the server on `port` for `seconds`. Raises `LoadError` where nobody listens, or somebody hangs up."""
    with ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        clients = [_Client(stack.enter_context(_connect(port))) for _ in range(connections)]
        for client in clients:
            selector.register(client.socket, selectors.EVENT_READ, client)
        return _drive(selector, clients, dialogue, seconds)


def _connect(port: int) -> socket.socket:
    try:
        connection = socket.create_connection((ports.HOST, port), timeout=PATIENCE)
    except OSError as error:
        raise LoadError(f"port {port} does not take connections ({error}): is the server running?") from error
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _drive(selector: selectors.BaseSelector, clients: list[_Client], dialogue: Dialogue, seconds: float) -> Rate:
    counted = _Count()
    numbers = count()
    began = last = perf_counter()
    for client in clients:
        _send(client, dialogue, numbers)
    waiting = len(clients)
    while waiting:
        ready = selector.select(PATIENCE)
        if not ready:
            break
        for key, _ in ready:
            client = key.data
            if _answered(client, dialogue, counted):
                last = perf_counter()
                if last - began < seconds:
                    _send(client, dialogue, numbers)
                else:
                    waiting -= 1
    times = sorted(counted.latencies) or [0.0]
    p50, p99 = (1e3 * times[len(times) * share // 100] for share in (50, 99))
    return Rate(len(counted.latencies), max(last - began, 1e-9), counted.refused, waiting, p50, p99)


def _send(client: _Client, dialogue: Dialogue, numbers: Iterator[int]) -> None:
    client.sent = perf_counter()
    client.socket.sendall(dialogue.request(next(numbers)))


def _answered(client: _Client, dialogue: Dialogue, counted: _Count) -> bool:
    """Read what has come; returns whether that completes the answer."""
    data = client.socket.recv(READ_BYTES)
    if not data:
        raise LoadError("the server closed a connection while it owed an answer")
    client.buffer += data
    found = dialogue.answer(client.buffer)
    if found is None:
        return False
    done, length = found
    client.buffer = client.buffer[length:]
    counted.latencies.append(perf_counter() - client.sent)
    counted.refused += not done
    return True
