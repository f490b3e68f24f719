"""Load for a node: GETs or PUTs over kept-alive connections, and what came of them.

Law of this module: requests go to this machine only, and every run ends, by number or by time. An answer that is not a
2xx is counted as refused, one that never came as lost; neither counts towards a rate.

Two generators: `wrk` where it is installed (it takes little of the processor it shares with the nodes), else one on
asyncio, which is slower than some of what it measures. The asyncio one also fills the store with keys.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count, islice
from pathlib import Path
from time import perf_counter
from typing import cast
from urllib.parse import urlsplit

STRIDE = 7919
"""Neighbouring requests touch keys this far apart; a prime, so that all keys get their turn. As in `walk.lua`."""

PATIENCE = 30.0
"""Seconds without any answer after which what is still outstanding counts as lost."""

SCRIPT = Path(__file__).with_name("walk.lua")


class LoadError(Exception):
    """The load could not be made, or was refused; the message says by whom and what to do."""


@dataclass(frozen=True)
class Workload:
    """`method` (GET or PUT) on `keys` keys: key-0, key-1, …"""

    method: str
    keys: int

    def request(self, number: int, host: str) -> bytes:
        path = f"{self.method} /key/key-{number * STRIDE % self.keys} HTTP/1.1\r\nHost: {host}\r\n"
        if self.method == "GET":
            return f"{path}\r\n".encode()
        body = f'"value-{number}"'
        return f"{path}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


@dataclass(frozen=True)
class Rate:
    """What one run gave. `requests` counts every answer, `refused` those of them that are no 2xx."""

    requests: int
    seconds: float
    refused: int
    lost: int
    p50_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        return (self.requests - self.refused) / self.seconds

    @property
    def clean(self) -> bool:
        return self.requests > 0 and self.refused == self.lost == 0


def local(url: str) -> tuple[str, int]:
    """Host and port of `url`; raises `LoadError` unless it is on this machine."""
    parts = urlsplit(url)
    if parts.hostname not in ("127.0.0.1", "localhost") or parts.port is None:
        raise LoadError(f"{url}: load is only ever sent to http://127.0.0.1:PORT")
    return parts.hostname, parts.port


def measure(url: str, workload: Workload, connections: int, seconds: float, generator: str = "auto") -> Rate:
    """Ask the node at `url` for `seconds`, one request at a time on each of `connections` connections.

    `generator` is `wrk`, `asyncio`, or `auto`: wrk where there is one.
    """
    if generator == "auto":
        generator = default_generator()
    if generator == "wrk":
        return measure_with_wrk(url, workload, connections, seconds)
    return asyncio.run(_measure_with_asyncio(url, workload, connections, seconds))


def default_generator() -> str:
    return "wrk" if shutil.which("wrk") else "asyncio"


# --------------------------------------------------------------------------------------------------------
# wrk


def measure_with_wrk(url: str, workload: Workload, connections: int, seconds: float) -> Rate:
    """Raises `LoadError` where wrk fails. wrk knows whole seconds only: `seconds` is rounded up."""
    local(url)
    whole = max(1, round(seconds + 0.49))
    command = ["wrk", "-t1", f"-c{connections}", f"-d{whole}s", "--timeout", f"{PATIENCE:g}s", "-s", str(SCRIPT)]
    command += [url, "--", workload.method, str(workload.keys)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=whole + 2 * PATIENCE, check=False)
    if run.returncode != 0:
        raise LoadError(f"wrk failed ({run.returncode}): {run.stderr.strip() or run.stdout.strip()}")
    return parse_wrk(run.stdout)


def parse_wrk(output: str) -> Rate:
    """The figures that `walk.lua` prints at the end of what wrk says."""
    for line in output.splitlines():
        if line.startswith("figures "):
            return Rate(**json.loads(line.removeprefix("figures ")))
    raise LoadError(f"wrk printed no figures; it said:\n{output}")


# --------------------------------------------------------------------------------------------------------
# asyncio


def parse_answer(buffer: bytes) -> tuple[int, int] | None:
    """Status code and length in bytes of the HTTP answer that `buffer` begins with; None if it is not all there yet.

    Knows answers with a Content-Length only, which is all that these nodes send; raises `LoadError` for others.
    """
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = buffer[:end].lower()
    at = head.find(b"\r\ncontent-length:")
    if not head.startswith(b"http/1.") or at < 0:
        raise LoadError(f"not an answer with a length: {buffer[:200]!r}")
    length = end + 4 + int(head[at + 17 :].split(b"\r\n", 1)[0])
    return (int(head[9:12]), length) if len(buffer) >= length else None


@dataclass
class _Run:
    """What the connections of one run share. `requests` gives the next one to send, and ends the run when it ends."""

    requests: Iterator[bytes]
    depth: int
    latencies: list[float] = field(default_factory=list)
    refused: int = 0
    lost: int = 0
    last_answer: float = 0.0


class _Connection(asyncio.Protocol):
    """Keeps `depth` requests under way until there are no more."""

    def __init__(self, run: _Run, done: asyncio.Future[None]) -> None:
        self._run = run
        self._done = done
        self._buffer = b""
        self._sent: deque[float] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._send(self._run.depth)

    def _send(self, number: int) -> None:
        requests = list(islice(self._run.requests, number))
        if requests:
            self._sent.extend([perf_counter()] * len(requests))
            self._transport.write(b"".join(requests))
        elif not self._sent:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        answered = 0
        try:
            while (answer := parse_answer(self._buffer)) is not None:
                self._answered(*answer)
                answered += 1
        except LoadError as error:
            self._finish(error)
            self._transport.abort()
            return
        self._send(answered)

    def _answered(self, status: int, length: int) -> None:
        run = self._run
        run.last_answer = perf_counter()
        run.latencies.append(run.last_answer - self._sent.popleft())
        run.refused += not 200 <= status < 300
        self._buffer = self._buffer[length:]

    def connection_lost(self, error: Exception | None) -> None:
        self._run.lost += len(self._sent)
        self._finish(None)

    def _finish(self, error: Exception | None) -> None:
        if self._done.done():
            return
        if error is None:
            self._done.set_result(None)
        else:
            self._done.set_exception(error)


async def _measure_with_asyncio(url: str, workload: Workload, connections: int, seconds: float) -> Rate:
    deadline = perf_counter() + seconds
    requests = _requests(workload, url, lambda number: perf_counter() < deadline)
    return await _run(url, requests, connections, depth=1)


def _requests(workload: Workload, url: str, more: Callable[[int], bool]) -> Iterator[bytes]:
    host = urlsplit(url).netloc
    for number in count():
        if not more(number):
            return
        yield workload.request(number, host)


async def _run(url: str, requests: Iterator[bytes], connections: int, depth: int) -> Rate:
    run = _Run(requests, depth)
    began = perf_counter()
    done, opened = await _connect(url, run, connections)
    try:
        await _until_silent(done, run)
    finally:
        for transport in opened:
            transport.abort()
    return Rate(len(run.latencies), max(run.last_answer - began, 1e-9), run.refused, run.lost, *_percentiles(run))


async def _connect(url: str, run: _Run, connections: int) -> tuple[list[asyncio.Future[None]], list[asyncio.Transport]]:
    host, port = local(url)
    loop = asyncio.get_running_loop()
    done: list[asyncio.Future[None]] = [loop.create_future() for _ in range(connections)]
    opened: list[asyncio.Transport] = []
    for one in done:
        try:
            transport, _ = await loop.create_connection(partial(_Connection, run, one), host, port)
        except OSError as error:
            raise LoadError(f"{url} does not take connections ({error}): is the node running?") from error
        opened.append(transport)
    return done, opened


async def _until_silent(done: list[asyncio.Future[None]], run: _Run) -> None:
    """Until all connections are through, or nothing has been answered for `PATIENCE` seconds."""
    waiting = asyncio.gather(*done)
    answers = -1
    while not waiting.done() and len(run.latencies) > answers:
        answers = len(run.latencies)
        await asyncio.wait([waiting], timeout=PATIENCE)
    if waiting.done():
        await waiting
    else:
        run.lost += sum(not one.done() for one in done)
        waiting.cancel()


def _percentiles(run: _Run) -> tuple[float, float]:
    """The median and the 99th percentile of the time to an answer, in milliseconds."""
    times = sorted(run.latencies) or [0.0]
    return 1e3 * times[len(times) // 2], 1e3 * times[len(times) * 99 // 100]


def fill(url: str, keys: int, writes: int | None = None, connections: int = 8, depth: int = 16) -> Rate:
    """Write each of `keys` keys (or make `writes` writes to them, in turn); raises `LoadError` if any was refused.

    Keeps `depth` requests under way on each connection: this is for getting data in, not for measuring.
    """
    limit = keys if writes is None else writes
    requests = _requests(Workload("PUT", keys), url, lambda number: number < limit)
    rate = asyncio.run(_run(url, requests, connections, depth))
    if not rate.clean:
        raise LoadError(
            f"{url} refused {rate.refused} of {limit} writes and left {rate.lost} unanswered: is it the leader, and up?"
        )
    return rate
