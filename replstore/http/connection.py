"""One client's connection to the HTTP server: its state, its requests in order, and its time.

Law of this module: a connection is always in exactly one `State`, and `TRANSITIONS` says what may follow. Each complete
request goes to the server's handler, which answers at once (it returns the answer's bytes) or later (it returns None,
and somebody calls `Connection.respond`). Answers leave in the order of the requests: while one is owed, nothing further
is parsed.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import Transport
from collections.abc import Callable
from typing import Protocol, cast

from replstore.http.connection_state import (
    ASKING,
    BLOCKED,
    GONE,
    IDLE,
    LEAVING,
    NEW,
    OWING,
    RECEIVING,
    SERVING,
    State,
)
from replstore.http.limits import Limits
from replstore.http.parser import RequestParser
from replstore.http.reads import bound_reads
from replstore.http.syntax import Admit, HttpError, Request, Stage, whole_request
from replstore.http.writing import CONTINUE, without_content

logger = logging.getLogger(__name__)

WRITE_BUFFER = 16 * 2**10
"""Bytes of answers that one client may leave unread without being counted."""


class Owner(Protocol):
    """What a connection needs of its server."""

    @property
    def handler(self) -> Handler: ...

    @property
    def admit(self) -> Admit: ...

    @property
    def limits(self) -> Limits: ...

    @property
    def time(self) -> Callable[[], float]: ...

    @property
    def connections(self) -> set[Connection]: ...

    @property
    def slow(self) -> dict[Connection, None]: ...

    @property
    def closing(self) -> bool: ...

    def lost(self, connection: Connection) -> None:
        """The connection has ended."""

    def received(self, change: int) -> None:
        """The connection holds `change` bytes more than before."""

    def blocked(self, connection: Connection) -> None:
        """The client does not read its answers."""


class Connection(asyncio.Protocol):
    """One client. `state` says what it is doing, `_since` since when.

    While OWING it has no time limit here; the handler has. Two facts are independent of the state: `_at_end`, the
    client will send no more; and whether reading is paused, which the transport knows.
    """

    __slots__ = (
        "_at_end", "_gone", "_held", "_parser", "_request", "_server", "_since", "_transport", "state",
    )  # fmt: skip

    def __init__(self, server: Owner) -> None:
        self._server = server
        self._parser = RequestParser(server.admit)
        self._transport: Transport | None = None
        self._request: Request | None = None
        self._gone: Callable[[], None] | None = None
        self._held = 0
        self._since = server.time()
        self._at_end = False
        self.state = NEW

    # -- for the handler ------------------------------------------------------------------------------

    def respond(self, answer: bytes) -> None:
        """Answer the request for which the handler returned None. If the client has gone, nothing happens.

        Call it once for each such request. Raises RuntimeError when no answer is owed.
        """
        state = self.state
        if state is GONE:
            return
        request = self._request
        if request is None:
            raise RuntimeError("this connection is owed no answer")
        self.state = SERVING
        self._gone = None
        self._answer(request, answer)
        if state is OWING and self.state is SERVING:
            if self._parser.pending:
                self._serve(None)
            else:
                self._wait(None)

    def when_gone(self, callback: Callable[[], None]) -> None:
        """Call `callback` once if, before the answer that is owed, the client hangs up, or only closes its sending
        half, or sends more than is read in advance. Nothing happens where no answer is owed."""
        if self._request is None or self._transport is None:
            return
        if self._at_end or not self._transport.is_reading():
            callback()
        else:
            self._gone = callback

    # -- called by asyncio ----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(Transport, transport)
        self._transport.set_write_buffer_limits(WRITE_BUFFER)
        bound_reads(transport)
        self._server.connections.add(self)

    def data_received(self, data: bytes) -> None:
        state = self.state
        if state is IDLE or state is NEW:
            if self._serve_whole(data):
                return
        elif state is LEAVING:
            return
        self._parser.feed(data)
        if state is IDLE or state is NEW or state is RECEIVING:
            self._serve(self._parser.stage)
        elif self._parser.pending > self._server.limits.read_ahead:
            self._hold_up(True)
            self._tell_gone()
        self._account()

    def eof_received(self) -> bool:
        """The client will send no more. It may still be waiting for its answers: True keeps the connection."""
        self._at_end = True
        self._tell_gone()
        return self.state is OWING or self.state is BLOCKED

    def pause_writing(self) -> None:
        self._since = self._server.time()
        if self.state is not LEAVING:
            self.state = BLOCKED
        self._server.blocked(self)

    def resume_writing(self) -> None:
        self._since = self._server.time()
        self._server.slow.pop(self, None)
        if self.state is BLOCKED:
            self.state = SERVING
            self._serve(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._request = None
        self.state = GONE
        self._parser.clear()
        self._account()
        self._tell_gone()
        self._server.lost(self)

    # -- serving --------------------------------------------------------------------------------------

    def _serve(self, before: Stage | None) -> None:
        """Answer whatever has arrived completely, until an answer is owed or the client must read first.

        `before` is the stage in which we waited until now, None if we did not wait for the client.
        """
        self.state = SERVING
        try:
            while self.state is SERVING:
                request = self._parser.next()
                if request is None:
                    self._wait(before)
                    return
                before = None
                self._request = request
                self.state = ASKING
                answer = self._ask(request)
                if answer is not None:
                    self.state = SERVING
                    self._answer(request, answer)
                elif self.state is ASKING:
                    self._owe(request)
        except HttpError as error:
            self._refuse(error)
        finally:
            self._account()

    def _serve_whole(self, data: bytes) -> bool:
        """The short way to do what `_serve` does, for data that is exactly one simple request, as most is."""
        try:
            request = whole_request(data)
            if request is None:
                return False
            request.admitted = self._server.admit(request.method, request.path, request.headers, len(request.body))
        except HttpError as error:
            self._refuse(error)
            return True
        self._request = request
        self.state = ASKING
        answer = self._ask(request)
        if answer is not None:
            self.state = IDLE
            self._answer(request, answer)
            self._since = self._server.time()
        elif self.state is ASKING:
            self._owe(request)
        elif self.state is SERVING:
            self._wait(None)
        return True

    def _ask(self, request: Request) -> bytes | None:
        try:
            return self._server.handler(request, self)
        except HttpError as error:
            error.headers += request.admitted
            return error.response(request.keep_alive)
        except Exception:
            # A mistake of ours. This client is told; the others must not suffer.
            logger.exception("%s %.200s failed", request.method, request.path)
            return HttpError(500, "Internal error; the node's log says more").response(request.keep_alive)

    def _owe(self, request: Request) -> None:
        """Keep of the request what its answer needs; the handler has the rest."""
        request.body = b""
        self.state = OWING

    def _answer(self, request: Request, answer: bytes) -> None:
        self._request = None
        if self._transport is not None:
            if request.method == "HEAD":
                answer = without_content(answer)
            self._transport.write(answer)
            if not request.keep_alive or self._server.closing:
                self.close()

    def _wait(self, before: Stage | None) -> None:
        """Nothing more to serve; wait for the client. `before`: see `_serve`."""
        stage = self._parser.stage
        self.state = IDLE if stage is Stage.START else RECEIVING
        if stage is not before:
            # The time for a head runs from its first byte: one more byte must not start it anew.
            self._since = self._server.time()
        if self._at_end or (self._server.closing and stage is Stage.START):
            self.close()
            return
        self._hold_up(False)
        if stage is Stage.BODY and self._parser.wants_continue and self._transport is not None:
            self._parser.wants_continue = False
            self._transport.write(CONTINUE)

    def _hold_up(self, held_up: bool) -> None:
        if self._transport is not None and held_up is self._transport.is_reading():
            if held_up:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def _account(self) -> None:
        """Tell the server how many bytes are held here."""
        held = self._parser.pending
        change, self._held = held - self._held, held
        if change:
            self._server.received(change)

    def _tell_gone(self) -> None:
        gone, self._gone = self._gone, None
        if gone is not None:
            gone()

    # -- leaving --------------------------------------------------------------------------------------

    @property
    def held(self) -> int:
        """Bytes of requests that are kept."""
        return self._held

    @property
    def unread(self) -> int:
        """Bytes of answers that the client has not fetched."""
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    def close(self) -> None:
        """Close as soon as everything is written."""
        self.state = LEAVING
        self._since = self._server.time()
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def give_up(self) -> None:
        """Too many bytes are held: let these go. A client that is still sending can be told so."""
        if self.state is RECEIVING:
            self._refuse(HttpError(503, "Too much is being sent to this node at once; try again later"))
        else:
            self.abort()
        self._parser.clear()
        self._account()

    def make_room(self) -> None:
        """Give the place up: at once if the client does not read, else as soon as everything is written."""
        if self.state is BLOCKED or self.state is LEAVING:
            self.abort()
        else:
            self.close()

    def _refuse(self, error: HttpError) -> None:
        """The last answer of this connection. The client closes when it has read it, or else `sweep` does."""
        self._request = None
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self.state = LEAVING
        self._since = self._server.time()
        answer = error.response()
        transport.write(without_content(answer) if self._parser.method_is_head else answer)
        self._parser.clear()
        if self._at_end:
            transport.close()
            return
        self._hold_up(False)
        try:
            transport.write_eof()
        except OSError:  # the client is gone already
            transport.abort()

    # -- time -----------------------------------------------------------------------------------------

    @property
    def idle(self) -> bool:
        return self.state is IDLE or self.state is NEW

    def rank(self, now: float) -> tuple[int, float] | None:
        """When a place is needed, the connection with the smallest rank is closed; None: not this one.

        Idle connections come first: their clients have their answers. Then those who have sent nothing yet or not all
        of a request, or a thousand clients that send a byte a second would lock everybody out; then those who do not
        read; and last those who were only just let in, since their request may be on its way.
        """
        is_late = now - self._since > self._server.limits.slow_time
        match self.state:
            case State.IDLE:
                return (0, self._since)
            case State.NEW:
                return (1 if is_late else 4, self._since)
            case State.RECEIVING:
                return (2, self._since)
            case State.BLOCKED | State.LEAVING if is_late:
                return (3, self._since)
        return None

    def sweep(self, now: float) -> None:
        """Close what has taken too long."""
        limits = self._server.limits
        elapsed = now - self._since
        if self.state is BLOCKED or self in self._server.slow:
            if elapsed > limits.write_time:
                self.abort()
        elif self.state is LEAVING:
            if elapsed > limits.linger_time:
                self.abort()
        elif self.state is not OWING and elapsed > limits.time_for(self._parser.stage):
            self._time_out()

    def _time_out(self) -> None:
        if self.idle:
            self.close()
        else:
            self._refuse(HttpError(408, f"Waited too long for {self._parser.stage.value} of the request"))
            self._account()


Handler = Callable[[Request, Connection], bytes | None]
"""May raise `HttpError`. Anything else that it raises is logged and answered with 500."""
