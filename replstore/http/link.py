"""The way to one peer: a kept-alive HTTP connection that is made again whenever it is lost.

Law of this module: `send` never waits, never raises and never promises. A message may be dropped: while the peer
cannot be reached only the newest few are kept, and what was under way when a connection broke is not sent again. The
protocol above resends what matters, and it alone knows what still does.

Requests are pipelined: the next one goes out before the last one's answer is back. HTTP answers in order, so nothing
needs a number. A peer that takes connections but does not answer (a paused process) is treated like one that is
down: nobody can tell the difference from here.

Nothing is waited for longer than it is worth: an attempt to connect is limited as a whole, name look-up included, and
when the peer shows itself (`peer_seen`) the link tries again at once, whatever it was waiting for.
"""

from __future__ import annotations

import asyncio
from asyncio import Future, Task, Transport
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from replstore.http.addresses import Addresses
from replstore.http.parser import ResponseParser
from replstore.http.reads import bound_reads
from replstore.http.syntax import HttpError
from replstore.http.writing import HeaderPairs, request


@dataclass(frozen=True)
class LinkLimits:
    """Times are in seconds, sizes in bytes."""

    connect_time: float = 2.0
    """For one attempt to connect, the look-up of the name included."""
    stall_time: float = 2.0
    """The connection is given up when answers are due and none has come for so long."""
    first_retry: float = 0.05
    last_retry: float = 1.0
    """Pauses between attempts to connect double from the first to the last."""
    queue_messages: int = 64
    queue_bytes: int = 2**20
    """What is kept while there is no connection; the oldest is dropped first, the newest never: so the largest message
    has its chance, too."""
    write_bytes: int = 4 * 2**20
    """What is kept for a peer that does not read; the newest is dropped, but not where it would be the only one."""
    answer_bytes: int = 16 * 2**20


class _Wire(asyncio.Protocol):
    """One connection, from its opening to its end. `lost` is done when it has ended."""

    def __init__(self, link: PeerLink) -> None:
        self._link = link
        self._loop = asyncio.get_running_loop()
        self._parser = ResponseParser(link.limits.answer_bytes)
        self._transport: Transport | None = None
        self._due = 0
        self._since = 0.0
        self.lost: Future[None] = self._loop.create_future()
        self.answered = False
        self.fault = ""
        """Why we closed it; empty if the peer did."""

    # -- called by asyncio ----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(Transport, transport)
        bound_reads(transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed(data)
        try:
            while self._transport is not None and (answer := self._parser.next()) is not None:
                self._settle()
                self._link.answered(answer.status, answer.body)
                if not answer.keep_alive:
                    self.close()
        except HttpError as error:
            self.abort(error.message)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if not self.lost.done():
            self.lost.set_result(None)

    # -- called by the link ---------------------------------------------------------------------------

    @property
    def open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def send(self, data: bytes) -> bool:
        """False: dropped, since the connection is gone or the peer does not keep up."""
        transport = self._transport
        if transport is None:
            return False
        waiting = transport.get_write_buffer_size()
        if waiting and waiting + len(data) > self._link.limits.write_bytes:
            return False
        if not self._due:
            self._since = self._loop.time()
        self._due += 1
        transport.write(data)
        return True

    def stalled(self) -> bool:
        return self._due > 0 and self._loop.time() - self._since > self._link.limits.stall_time

    def close(self) -> None:
        """What is written already still goes out, unless the peer does not read it."""
        if self._transport is not None and self._transport.get_write_buffer_size():
            self._transport.abort()
        elif self._transport is not None:
            self._transport.close()

    def abort(self, fault: str) -> None:
        self.fault = fault
        if self._transport is not None:
            self._transport.abort()

    def _settle(self) -> None:
        if not self._due:
            raise HttpError(502, "The peer answered a request that was not made")
        self._due -= 1
        self._since = self._loop.time()
        self.answered = True


class PeerLink:
    """Sends POST requests to `host:port` and hands back what comes of them.

    * `on_reply(body)`: the peer answered 200, and not with an empty body
    * `on_error(status, body)`: it answered something else
    * `on_state(connected, reason)`: it answers now, or does not any more; called on a change only, and not before
      the first answer or failure. Only a peer that has *answered* counts as connected: a paused one takes connections
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        on_reply: Callable[[bytes], None],
        on_error: Callable[[int, bytes], None],
        on_state: Callable[[bool, str], None],
        headers: HeaderPairs = (),
        limits: LinkLimits | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._on_reply = on_reply
        self._on_error = on_error
        self._on_state = on_state
        self._headers: HeaderPairs = (("Host", f"[{host}]:{port}" if ":" in host else f"{host}:{port}"), *headers)
        self.limits = limits or LinkLimits()
        self.connected: bool | None = None
        self.dropped = 0
        """Messages that were never written to a connection."""
        self._queue: deque[bytes] = deque()
        self._queued_bytes = 0
        self._addresses = Addresses(host, port)
        self._wire: _Wire | None = None
        self._seen = False
        self._waiting: asyncio.Timeout | None = None
        """Ends what the peer's showing itself may cut short."""
        self._task: Task[None] | None = None

    # -- for the owner --------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to connect, in the background of the running event loop."""
        self._task = asyncio.create_task(self._keep_connected())

    def send(self, path: str, body: bytes) -> None:
        data = request("POST", path, body, self._headers)
        if self._wire is None or not self._wire.open:
            self._enqueue(data)
        elif not self._wire.send(data):
            self.dropped += 1

    def peer_seen(self) -> None:
        """The peer has said something on a connection of its own, so it can be reached again: try at once. What an
        attempt was waiting for (an address that has gone, a look-up that hangs) is given up."""
        if self._wire is not None:
            return
        self._seen = True
        if self._waiting is not None and not self._waiting.expired():
            self._waiting.reschedule(asyncio.get_running_loop().time())
            self._waiting = None

    async def close(self) -> None:
        """Messages that wait for a connection are forgotten. No callback is called any more."""
        wire = self._wire
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if wire is not None:
            await wire.lost
        self._queue.clear()
        self._queued_bytes = 0

    # -- without a connection -------------------------------------------------------------------------

    def _enqueue(self, data: bytes) -> None:
        self._queue.append(data)
        self._queued_bytes += len(data)
        limits, queue = self.limits, self._queue
        while len(queue) > limits.queue_messages or (len(queue) > 1 and self._queued_bytes > limits.queue_bytes):
            self._queued_bytes -= len(queue.popleft())
            self.dropped += 1

    async def _keep_connected(self) -> None:
        pause = self.limits.first_retry
        while True:
            prompted, self._seen = self._seen, False
            wire = await self._attempt(prompted)
            if wire is not None:
                self._seen = False
                await self._use(wire)
                if wire.answered:
                    pause = self.limits.first_retry
            # A peer that says much, but cannot be reached, must not make us try without a break.
            await asyncio.sleep(self.limits.first_retry if prompted else 0)
            if not self._seen:
                await self._rest(pause)
            pause = min(2 * pause, self.limits.last_retry)

    async def _rest(self, pause: float) -> None:
        try:
            async with asyncio.timeout(pause) as self._waiting:
                await asyncio.Event().wait()
        except TimeoutError:
            return
        finally:
            self._waiting = None

    async def _attempt(self, prompted: bool) -> _Wire | None:
        """`prompted`: the peer has shown itself. Such an attempt is not cut short by its showing itself again."""
        try:
            async with asyncio.timeout(self.limits.connect_time) as limit:
                self._waiting = None if prompted else limit
                return await self._connect(urgent=prompted)
        except (OSError, UnicodeError) as error:  # UnicodeError: a name that cannot be a host's
            if prompted or not self._seen:
                self._changed(False, str(error) or f"no connection within {self.limits.connect_time:g} s")
            return None
        finally:
            self._waiting = None

    async def _connect(self, urgent: bool) -> _Wire:
        loop = asyncio.get_running_loop()
        end = loop.time() + self.limits.connect_time
        addresses = await self._addresses.look_up(urgent)
        failure: OSError = OSError(f"{self._host} has no address")
        for number, address in enumerate(addresses):
            share = (end - loop.time()) / (len(addresses) - number)  # one that is silent leaves time for the others
            try:
                async with asyncio.timeout(share):
                    _, wire = await loop.create_connection(lambda: _Wire(self), address, self._port)
                return wire
            except OSError as error:
                failure = error
        raise failure

    # -- with a connection ----------------------------------------------------------------------------

    async def _use(self, wire: _Wire) -> None:
        """Returns when the connection has ended."""
        self._wire = wire
        try:
            while self._queue:
                self.dropped += not wire.send(self._queue.popleft())
            self._queued_bytes = 0
            while not wire.lost.done():
                await asyncio.wait([wire.lost], timeout=self.limits.stall_time / 4)
                if wire.stalled():
                    wire.abort(f"no answer for {self.limits.stall_time:g} s")
        finally:
            self._wire = None
            wire.close()
        # A peer that closed an idle connection, or was started again, is no news; if it is down, connecting will tell.
        if wire.fault:
            self._changed(False, wire.fault)

    def answered(self, status: int, body: bytes) -> None:
        if self._task is None or self._task.cancelling():
            return
        self._changed(True, "")
        if status != 200:
            self._on_error(status, body)
        elif body:
            self._on_reply(body)

    def _changed(self, connected: bool, reason: str) -> None:
        if connected is not self.connected:
            self.connected = connected
            self._on_state(connected, reason)
