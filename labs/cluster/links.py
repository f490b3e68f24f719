"""A proxy on every directed link between nodes: faults and message events that need no help from the nodes.

Law of this module: it knows messages, not nodes. One HTTP request is one message of the link's sender, its answer is
one message back; each of them is carried whole, late, twice or not at all, and is otherwise left as it is. It listens
and connects on 127.0.0.1 only.

A message that is lost is lost in silence, as on a real network: its sender's connection stays open without a word until
the sender gives up, or until the faults change.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
import weakref
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

import h11

from labs.cluster.link_messages import HttpMessage, Received, answer_kind, details_of, kind_of
from labs.cluster.ports import HOST
from labs.trace.kinds import family_of

MOST_BYTES = 64 * 1024 * 1024
"""A body longer than this ends its connection."""
ANSWER_LIMIT = 60.0
"""Seconds after which an answer is no longer waited for, and a connection without an answer no longer kept."""
PIECE = 64 * 1024

Pair = tuple[str, str]
Observer = Callable[[float, str, str, str, str, str, dict[str, Any]], None]
"""Is told `(time, node, event, kind, id, peer, details)`; `event` is `sent`, `received` or `dropped`."""


@dataclass(frozen=True)
class LinkFaults:
    """`lost`: pairs (sender, receiver) whose messages do not arrive. Delays in milliseconds, shares from 0 to 1."""

    lost: frozenset[Pair] = frozenset()
    delay_ms: float = 0
    jitter_ms: float = 0
    drop: float = 0
    duplicate: float = 0

    def loses(self, sender: str, to: str, dice: Random) -> bool:
        return (sender, to) in self.lost or (self.drop > 0 and dice.random() < self.drop)

    def delay(self, kind: str, dice: Random) -> float:
        """Seconds. Only data is delayed: delayed heartbeats would be another lesson."""
        late = family_of(kind) == "replication"
        return (self.delay_ms + self.jitter_ms * dice.random()) / 1000 if late else 0.0


class Lost(Exception):
    """The message, or its answer, does not arrive."""


class Links:
    """Links between all pairs of `ports`: node id to the port where that node listens. They exist until `close`."""

    def __init__(self, ports: Mapping[str, int], observer: Observer, seed: int = 0) -> None:
        self._ports = dict(ports)
        self._observer = observer
        self._dice = Random(seed)
        self._faults = LinkFaults()
        self._numbers = itertools.count(1)
        self._addresses: dict[Pair, int] = {}
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        self._connections: weakref.WeakSet[asyncio.WriteTransport] = weakref.WeakSet()
        self._ending = False
        self._loop = asyncio.new_event_loop()
        self._changed = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_forever, name="links", daemon=True)
        self._thread.start()
        try:
            self._do(self._listen())
        except BaseException:
            self.close()
            raise

    def url(self, sender: str, to: str) -> str:
        """Where `sender` finds `to`."""
        return f"http://{HOST}:{self._addresses[sender, to]}"

    def set_faults(self, faults: LinkFaults) -> None:
        """They hold for every message that is not delivered yet."""
        self._do(self._set(faults))

    def close(self) -> None:
        """End every connection. Safe to call twice."""
        if self._loop.is_closed():
            return
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _set(self, faults: LinkFaults) -> None:
        self._faults = faults
        self._changed.set()
        self._changed = asyncio.Event()

    async def _listen(self) -> None:
        for sender, to in itertools.permutations(self._ports, 2):
            server = await asyncio.start_server(self._accepting(sender, to), HOST, 0)
            self._servers.append(server)
            self._addresses[sender, to] = server.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        """Neither a task nor a connection is left on the loop, also none that was just being made, and none whose
        receiver takes nothing."""
        self._ending = True
        this = {asyncio.current_task()}
        # A server that is closed while it makes a connection leaves that connection half made (Python 3.11).
        while accepting := asyncio.all_tasks() - self._tasks - this:
            await asyncio.wait(accepting)
        for server in self._servers:
            server.close()
        while others := asyncio.all_tasks() - this:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(others)
        for connection in list(self._connections):
            connection.abort()
        for server in self._servers:
            await server.wait_closed()
        await asyncio.sleep(0)  # let the connections that were just ended say so

    # -- one connection of a sender -------------------------------------------------------------------

    def _accepting(self, sender: str, to: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._connections.add(writer.transport)
            if self._ending:
                return
            self._begin(self._serve(sender, to, reader, writer))

        return accept

    def _begin(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """A task that ends with the links."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _serve(self, sender: str, to: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = Wire(h11.Connection(h11.SERVER), reader, writer)
        try:
            while (message := await wire.receive()) is not None:
                changed = self._changed
                try:
                    answer = await self._carry(sender, to, message)
                except Lost:
                    await self._until_given_up(reader, changed)
                    return
                await wire.send(answer.head, answer.body)
                if not wire.ready_for_next():
                    return
        except (OSError, EOFError, TimeoutError, h11.ProtocolError):
            # A node that is down, ends, or speaks no HTTP: the other side sees a broken connection.
            return
        finally:
            writer.close()

    async def _until_given_up(self, reader: asyncio.StreamReader, changed: asyncio.Event) -> None:
        """Until the sender hangs up, or the faults change: then a sender without a time limit learns of it too."""

        async def hung_up() -> None:
            while await reader.read(PIECE):
                continue

        waits = [self._begin(hung_up()), self._begin(changed.wait())]
        try:
            await asyncio.wait(waits, timeout=ANSWER_LIMIT, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def _carry(self, sender: str, to: str, message: Received[h11.Request]) -> Received[h11.Response]:
        """Take a request to its receiver, and bring the answer. Raises `Lost`."""
        kind = kind_of(message)
        number = f"link-{next(self._numbers)}"
        details = details_of(message.body)
        self._tell(sender, "sent", kind, number, to, details)
        await asyncio.sleep(self._faults.delay(kind, self._dice))
        if self._faults.loses(sender, to, self._dice):
            self._tell(sender, "dropped", kind, number, to, details)
            raise Lost
        if self._faults.duplicate > 0 and self._dice.random() < self._faults.duplicate:
            await self._deliver(sender, to, kind, number, message)
        answer = await self._deliver(sender, to, kind, number, message)

        kind, details = answer_kind(kind), details_of(answer.body)
        self._tell(to, "sent", kind, f"{number}-answer", sender, details)
        if self._faults.loses(to, sender, self._dice):
            self._tell(to, "dropped", kind, f"{number}-answer", sender, details)
            raise Lost
        self._tell(sender, "received", kind, f"{number}-answer", to, details)
        return answer

    async def _deliver(
        self, sender: str, to: str, kind: str, number: str, message: Received[h11.Request]
    ) -> Received[h11.Response]:
        """Each time by a connection of its own: a node that was restarted knows nothing of the old ones."""
        reader, writer = await asyncio.open_connection(HOST, self._ports[to])
        self._connections.add(writer.transport)
        try:
            wire = Wire(h11.Connection(h11.CLIENT), reader, writer)
            await wire.send(message.closing().head, message.body)
            self._tell(to, "received", kind, number, sender, details_of(message.body))
            async with asyncio.timeout(ANSWER_LIMIT):
                answer: Received[h11.Response] | None = await wire.receive()
            if answer is None:
                raise EOFError("the node ended the connection without an answer")
            return answer.kept_open()
        finally:
            writer.close()

    def _tell(self, node: str, event: str, kind: str, number: str, peer: str, details: dict[str, Any]) -> None:
        self._observer(time.time(), node, event, kind, number, peer, details)


class Wire:
    """One end of an HTTP/1.1 connection; whole messages in and out."""

    def __init__(self, state: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._state, self._reader, self._writer = state, reader, writer

    async def receive(self) -> Any:
        """The next request or answer with its whole body; None where the connection ends before one begins."""
        head: HttpMessage | None = None
        body = bytearray()
        while True:
            event = self._state.next_event()
            if event is h11.NEED_DATA:
                if self._state.they_are_waiting_for_100_continue:
                    self._write(h11.InformationalResponse(status_code=100, headers=[]))
                self._state.receive_data(await self._reader.read(PIECE))
            elif isinstance(event, (h11.Request, h11.Response)):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > MOST_BYTES:
                    raise EOFError("a message longer than the links carry")
            elif isinstance(event, h11.EndOfMessage):
                assert head is not None
                return Received(head, bytes(body))
            elif isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
                return None

    async def send(self, head: HttpMessage, body: bytes) -> None:
        self._write(head)
        if body:
            self._write(h11.Data(data=body))
        self._write(h11.EndOfMessage())
        await self._writer.drain()

    def _write(self, event: Any) -> None:
        data = self._state.send(event)
        if data:
            self._writer.write(data)

    def ready_for_next(self) -> bool:
        """Whether the connection goes on: not after HTTP/1.0, nor where a side wants it closed."""
        if self._state.our_state is not h11.DONE or self._state.their_state is not h11.DONE:
            return False
        self._state.start_next_cycle()
        return True
