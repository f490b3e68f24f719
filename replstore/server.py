"""The HTTP server: connections, their limits, and their time.

Law of this module: it knows bytes and clocks, never what a request means. Each complete request goes to one `handler`,
which answers at once (it returns the answer's bytes) or later (it returns None, and somebody calls
`Connection.respond`). Answers leave in the order of the requests: while one is owed, nothing further is parsed.

No client can make the server wait or grow: a connection that is slow to send, slow to read, or idle is closed in time,
the longest idle one is closed when a new one needs its place, and what is buffered for one connection is bounded.
One timer looks after all connections; there is none per request.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from asyncio import Event, Task, TimerHandle, Transport
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import cast

from replstore.http import CONTINUE, HttpError, Request, RequestParser, Sizes, Stage, whole_request

logger = logging.getLogger(__name__)

BACKLOG = 1024
"""Connections that the operating system holds for us until we accept them (it may hold fewer)."""

SPARE_FILES = 64
"""Open files beside clients' connections: listener, journal, peer links, standard streams, the event loop's own."""

EVICT_SHARE = 32

RETRY_ACCEPT = 0.1
"""Seconds after which we look again for a place when there was none, nor a connection to close for it."""


@dataclass(frozen=True)
class Limits:
    """What one client may ask for, and how long it may take. Times are in seconds."""

    sizes: Sizes = field(default_factory=Sizes)
    max_connections: int = 1024
    read_ahead: int = 64 * 2**10
    """Bytes taken in advance from a client that is still owed an answer; then its sending is held up."""
    head_time: float = 10.0
    body_time: float = 30.0
    idle_time: float = 75.0
    write_time: float = 30.0
    """A client must have fetched its answers by then."""
    linger_time: float = 2.0
    """After a refusal what the client still sends is read and dropped for so long: to close at once would reset
    the connection, and take the refusal with it before the client has read it."""
    close_time: float = 5.0
    """When the server closes, requests that are under way may take so long."""

    @property
    def sweep_interval(self) -> float:
        times = (self.head_time, self.body_time, self.idle_time, self.write_time, self.linger_time)
        return min(1.0, min(times) / 4)

    def time_for(self, stage: Stage) -> float:
        return {Stage.START: self.idle_time, Stage.HEAD: self.head_time, Stage.BODY: self.body_time}[stage]


class Connection(asyncio.Protocol):
    """One client. It is always in exactly one of these situations, and `_since` tells since when:

    * *answering*: `_request` is set, the handler owes its answer. It has no time limit here; the handler has.
    * *blocked*: the client does not read; nothing is parsed until it has.
    * *leaving*: the last answer is written; what still comes in is dropped.
    * else *waiting* for what `_stage` says: the next request (`_quiet`: nothing of it is there), or the rest of one.
    """

    __slots__ = (
        "_at_end", "_blocked", "_held_up", "_leaving", "_parser", "_quiet", "_request", "_server", "_serving", "_since",
        "_stage", "_transport",
    )  # fmt: skip

    def __init__(self, server: Server) -> None:
        self._server = server
        self._parser = RequestParser(server.limits.sizes)
        self._transport: Transport | None = None
        self._request: Request | None = None
        self._stage = Stage.START
        self._since = server.time()
        self._quiet = True
        self._serving = False
        self._blocked = False
        self._leaving = False
        self._held_up = False
        self._at_end = False

    # -- for the handler ------------------------------------------------------------------------------

    def respond(self, answer: bytes) -> None:
        """Answer the request for which the handler returned None. If the client has gone, nothing happens.

        Call it once for each such request. Raises RuntimeError when no answer is owed.
        """
        if self._transport is None:
            return
        if self._request is None:
            raise RuntimeError("this connection is owed no answer")
        self._answer(self._request, answer)
        if not self._serving:
            self._serve(None)

    # -- called by asyncio ----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(Transport, transport)
        self._server.connections.add(self)

    def data_received(self, data: bytes) -> None:
        if self._quiet and self._serve_whole(data):
            return
        if self._leaving:
            return
        self._quiet = False
        self._parser.feed(data)
        if self._request is None and not self._blocked:
            self._serve(self._stage)
        elif self._parser.pending > self._server.limits.read_ahead:
            self._hold_up(True)

    def eof_received(self) -> bool:
        """The client will send no more. It may still be waiting for its answers: True keeps the connection."""
        self._at_end = True
        return not self._leaving and (self._request is not None or self._blocked)

    def pause_writing(self) -> None:
        self._quiet = False
        self._blocked = True
        self._since = self._server.time()

    def resume_writing(self) -> None:
        self._blocked = False
        self._since = self._server.time()
        if self._request is None and not self._serving:
            self._serve(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._request = None
        self._leaving = True
        self._server.lost(self)

    # -- serving --------------------------------------------------------------------------------------

    def _serve(self, before: Stage | None) -> None:
        """Answer whatever has arrived completely, until an answer is owed or the client must read first.

        `before` is the stage in which we waited until now, None if we did not wait for the client.
        """
        self._serving = True
        try:
            while not self._leaving and not self._blocked:
                request = self._parser.next()
                if request is None:
                    self._wait(before)
                    break
                before = None
                self._request = request
                answer = self._ask(request)
                if answer is not None:
                    self._answer(request, answer)
                elif self._request is not None:
                    break
        except HttpError as error:
            self._refuse(error)
        finally:
            self._serving = False

    def _serve_whole(self, data: bytes) -> bool:
        """The short way to do what `_serve` does, for data that is exactly one simple request, as most is."""
        try:
            request = whole_request(data)
        except HttpError as error:
            self._refuse(error)
            return True
        if request is None:
            return False
        self._request = request
        answer = self._ask(request)
        if answer is not None:
            self._answer(request, answer)
            self._since = self._server.time()
        elif self._request is not None:
            self._quiet = False
        return True

    def _ask(self, request: Request) -> bytes | None:
        try:
            return self._server.handler(request, self)
        except HttpError as error:
            return error.response(request.keep_alive)
        except Exception:
            # A mistake of ours. This client is told; the others must not suffer.
            logger.exception("%s %.200s failed", request.method, request.path)
            return HttpError(500, "Internal error; the node's log says more").response(request.keep_alive)

    def _answer(self, request: Request, answer: bytes) -> None:
        self._request = None
        if self._transport is not None:
            self._transport.write(answer)
            if not request.keep_alive or self._server.closing:
                self.close()

    def _wait(self, before: Stage | None) -> None:
        """Nothing more to serve; wait for the client. `before`: see `_serve`."""
        stage = self._stage = self._parser.stage
        self._quiet = stage is Stage.START
        if stage is not before:
            # The time for a head runs from its first byte: one more byte must not start it anew.
            self._since = self._server.time()
        if self._at_end or (self._server.closing and stage is Stage.START):
            self.close()
            return
        if self._held_up:
            self._hold_up(False)
        if stage is Stage.BODY and self._parser.wants_continue and self._transport is not None:
            self._parser.wants_continue = False
            self._transport.write(CONTINUE)

    def _hold_up(self, held_up: bool) -> None:
        self._held_up = held_up
        if self._transport is not None and held_up:
            self._transport.pause_reading()
        elif self._transport is not None:
            self._transport.resume_reading()

    # -- leaving --------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close as soon as everything is written."""
        self._quiet = False
        self._leaving = True
        self._since = self._server.time()
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _refuse(self, error: HttpError) -> None:
        """The last answer of this connection. The client closes when it has read it, or else `sweep` does."""
        self._quiet = False
        self._request = None
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self._leaving = True
        self._since = self._server.time()
        transport.write(error.response())
        if self._at_end:
            transport.close()
            return
        if self._held_up:
            self._hold_up(False)
        try:
            transport.write_eof()
        except OSError:  # the client is gone already
            transport.abort()

    # -- time -----------------------------------------------------------------------------------------

    @property
    def idle(self) -> bool:
        return self.rank is not None and self._stage is Stage.START

    @property
    def rank(self) -> tuple[bool, float] | None:
        """When a place is needed, the connection with the smallest rank is closed; None: not this one.

        Idle connections come before those in the middle of a request. These come too, or else a thousand clients
        that send a byte a second would lock everybody out.
        """
        if self._leaving or self._blocked or self._request is not None:
            return None
        return (self._stage is not Stage.START, self._since)

    def sweep(self, now: float) -> None:
        """Close what has taken too long."""
        limits = self._server.limits
        elapsed = now - self._since
        if self._blocked:
            if elapsed > limits.write_time:
                self.abort()
        elif self._leaving:
            if elapsed > limits.linger_time:
                self.abort()
        elif self._request is None and elapsed > limits.time_for(self._stage):
            self._time_out()

    def _time_out(self) -> None:
        if self._stage is Stage.START:
            self.close()
        else:
            self._refuse(HttpError(408, f"Waited too long for {self._stage.value} of the request"))


Handler = Callable[[Request, Connection], bytes | None]
"""May raise `HttpError`. Anything else that it raises is logged and answered with 500."""


class Server:
    """Accepts connections until `close`. Make it and use it within one event loop."""

    def __init__(self, handler: Handler, limits: Limits | None = None) -> None:
        self.handler = handler
        self.limits = limits or Limits()
        self.connections: set[Connection] = set()
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
        ranked = [(rank, c) for c in self.connections if (rank := c.rank) is not None]
        for _, connection in nsmallest(max(1, self._max_connections // EVICT_SHARE), ranked, key=lambda pair: pair[0]):
            connection.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(RETRY_ACCEPT):
                await self._until_fewer_than(len(self.connections))

    async def _until_fewer_than(self, count: int) -> None:
        while len(self.connections) >= count:
            self._one_gone.clear()
            await self._one_gone.wait()

    def lost(self, connection: Connection) -> None:
        self.connections.discard(connection)
        self._one_gone.set()

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
