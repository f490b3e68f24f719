"""The HTTP server: it accepts connections, and bounds what all of them together may take.

Law of this module: it knows bytes and clocks, never what a request means. `admit` is asked as soon as a head is there,
before the body is read; each complete request goes to one `handler` (see `connection`).

No client can make the server wait or grow: a connection that is slow to send, slow to read, or idle is closed in time,
and the longest idle one when a new one needs its place. What is buffered is bounded for each connection and for all of
them together (`Limits.received_bytes`, `Limits.unread_bytes`). One timer looks after all connections.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from asyncio import Event, Task, TimerHandle
from contextlib import suppress
from heapq import nsmallest
from typing import cast

from replstore.http.connection import Connection, Handler
from replstore.http.limits import Limits
from replstore.http.syntax import Admit, admit_all

logger = logging.getLogger(__name__)

BACKLOG = 4096
"""Connections that the operating system holds for us until we accept them (it may hold fewer). A client that finds no
place there tries again only after 1, 2 and 4 seconds."""

SPARE_FILES = 64
"""Open files beside clients' connections: listener, journal, peer links, standard streams, the event loop's own."""

EVICT_SHARE = 32

RETRY_ACCEPT = 0.1
"""Seconds after which we look again for a place when there was none, nor a connection to close for it."""


class Server:
    """Accepts connections until `close`. Make it and use it within one event loop."""

    def __init__(self, handler: Handler, limits: Limits | None = None, admit: Admit = admit_all) -> None:
        self.handler = handler
        self.admit = admit
        self.limits = limits or Limits()
        self.connections: set[Connection] = set()
        self.slow: dict[Connection, None] = {}
        """Clients that do not read their answers, the longest waiting first."""
        self.held = 0
        """Bytes of requests that all connections keep."""
        self.closing = False
        self.time = asyncio.get_running_loop().time
        self._max_connections = self.limits.max_connections
        self._listener: socket.socket | None = None
        self._accepting: Task[None] | None = None
        self._sweeper: TimerHandle | None = None
        self._one_gone = Event()

    async def start(self, host: str, port: int) -> None:
        """Listen on one address; port 0 takes a free one (see `port`). Raises OSError when it cannot be had."""
        files = allow_open_files(self.limits.max_connections + SPARE_FILES)
        self._max_connections = max(1, min(self.limits.max_connections, files - SPARE_FILES))
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
        self._listener.setblocking(False)
        self._accepting = asyncio.create_task(self._accept(self._listener))
        self._sweep()

    @property
    def port(self) -> int:
        if self._listener is None:
            raise RuntimeError("the server has not started")
        return cast(int, self._listener.getsockname()[1])

    async def close(self) -> None:
        """Accept no more, close idle connections, let requests under way finish (for `Limits.close_time` at most)."""
        self.closing = True
        await self._stop_accepting()
        for connection in list(self.connections):
            if connection.idle:
                connection.close()
        try:
            async with asyncio.timeout(self.limits.close_time):
                await self._until_fewer_than(1)
        except TimeoutError:
            for connection in self.connections:
                connection.abort()
            await self._until_fewer_than(1)
        if self._sweeper is not None:
            self._sweeper.cancel()

    async def _stop_accepting(self) -> None:
        if self._accepting is not None:
            self._accepting.cancel()
            await asyncio.wait([self._accepting])
        if self._listener is not None:
            self._listener.close()

    # -- connections ----------------------------------------------------------------------------------

    async def _accept(self, listener: socket.socket) -> None:
        # Our own loop and not `create_server`, which neither knows a limit nor lets us close an idle
        # connection when the process runs out of file descriptors.
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, _ = await loop.sock_accept(listener)
            except OSError as error:
                await self._accept_failed(error)
                continue
            try:
                # asyncio sets this only on sockets that it made: without it a second short answer waits for the
                # client's acknowledgement of the first, which may take 40 ms (Nagle's algorithm).
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while len(self.connections) >= self._max_connections:
                    await self._make_room()
                await loop.connect_accepted_socket(lambda: Connection(self), client)
            except OSError as error:
                client.close()
                logger.debug("connection lost while it was accepted: %s", error)
            except BaseException:
                client.close()
                raise

    async def _accept_failed(self, error: OSError) -> None:
        """The client gave up while it was queued, or we are out of file descriptors: then close one to have one."""
        if not isinstance(error, ConnectionError):
            logger.debug("cannot accept a connection: %s", error)
            await self._make_room()

    async def _make_room(self) -> None:
        """Close the longest idle connections: one in `EVICT_SHARE`, since finding them means looking at all. If all
        are busy, wait for an end, or a moment: one may be idle then."""
        now = self.time()
        ranked = [(rank, c) for c in self.connections if (rank := c.rank(now)) is not None]
        for _, connection in nsmallest(max(1, self._max_connections // EVICT_SHARE), ranked, key=lambda pair: pair[0]):
            connection.make_room()
        with suppress(TimeoutError):
            async with asyncio.timeout(RETRY_ACCEPT):
                await self._until_fewer_than(len(self.connections))

    async def _until_fewer_than(self, count: int) -> None:
        while len(self.connections) >= count:
            self._one_gone.clear()
            await self._one_gone.wait()

    def lost(self, connection: Connection) -> None:
        self.connections.discard(connection)
        self.slow.pop(connection, None)
        self._one_gone.set()

    # -- bytes ----------------------------------------------------------------------------------------

    def received(self, change: int) -> None:
        """The connections hold `change` bytes more than before."""
        self.held += change
        if change > 0 and self.held > self.limits.received_bytes:
            max(self.connections, key=lambda connection: connection.held).give_up()

    def blocked(self, connection: Connection) -> None:
        """This client does not read fast enough. Those who have not read for longest go, if too much waits for all."""
        self.slow[connection] = None
        unread = sum(each.unread for each in self.slow)
        for each in list(self.slow):
            if unread <= self.limits.unread_bytes:
                return
            unread -= each.unread
            each.abort()

    def _sweep(self) -> None:
        self._sweeper = asyncio.get_running_loop().call_later(self.limits.sweep_interval, self._sweep)
        now = self.time()
        for connection in list(self.connections):
            connection.sweep(now)


def allow_open_files(wanted: int) -> int:
    """Raise this process's limit of open files to `wanted`, as far as it may. Returns the limit in force."""
    if sys.platform == "win32":
        return wanted  # sockets are not counted there
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    goal = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft < goal:
        resource.setrlimit(resource.RLIMIT_NOFILE, (goal, hard))
    return max(soft, goal)
