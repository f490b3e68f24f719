"""Local processes for the duration of a `with` block: the baseline's nodes and the ceiling.

Law of this module: what it starts ends with the block. Should this process be killed, its children's standard input
closes, and they end by themselves.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from labs.cluster import ports

PROJECT = Path(__file__).resolve().parent.parent
START_TIMEOUT = 15.0


class StartError(Exception):
    """A process that was to be compared with did not start; the message says which."""


class Served(NamedTuple):
    """A process that answers at `url`."""

    url: str
    pid: int


@contextmanager
def baseline(nodes: int = 3) -> Iterator[list[Served]]:
    """`nodes` baseline nodes that are each other's peers."""
    numbers = ports.choose(nodes)
    urls = [f"http://{ports.HOST}:{port}" for port in numbers]
    with ExitStack() as stack:
        yield [
            stack.enter_context(_serving("benchmarks.baseline", port, *(peer for peer in urls if peer != url)))
            for port, url in zip(numbers, urls, strict=True)
        ]


@contextmanager
def ceiling() -> Iterator[Served]:
    """The server of the fixed answer."""
    (port,) = ports.choose(1)
    with _serving("benchmarks.ceiling", port) as served:
        yield served


@contextmanager
def _serving(module: str, port: int, *arguments: str) -> Iterator[Served]:
    command = [sys.executable, "-m", module, str(port), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, cwd=PROJECT) as process:
        try:
            _await_port(module, process, port)
            yield Served(f"http://{ports.HOST}:{port}", process.pid)
        finally:
            process.kill()


def _await_port(module: str, process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while not accepts(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise StartError(f"{module} does not take connections on port {port}: see what it printed above")
        time.sleep(0.02)


def accepts(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex((ports.HOST, port)) == 0
