"""Both ends of a link to a peer: its owner, which collects what it tells, and a peer that answers or does not."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from replstore.http.connection import Connection
from replstore.http.limits import Limits
from replstore.http.link import LinkLimits, PeerLink
from replstore.http.server import Server
from replstore.http.syntax import Request
from replstore.http.writing import response
from tests.replstore.http.scenes import HOST

QUICK = LinkLimits(connect_time=1, stall_time=0.2, first_retry=0.01, last_retry=0.05)
PATH = "/internal/replicate"


class Peer:
    """A node that writes down what it is sent and answers with the same, or later, or not at all."""

    def __init__(self, **limits: Any) -> None:
        self.got: list[bytes] = []
        self.tokens: set[str | None] = set()
        self.owed: list[Connection] = []
        self.silent = False
        self.status = 200
        self.port = 0
        self._limits = Limits(close_time=0.1, **limits)
        self._server: Server | None = None

    async def start(self) -> None:
        self._server = Server(self._handle, self._limits)
        await self._server.start(HOST, self.port)
        self.port = self._server.port

    async def stop(self) -> None:
        assert self._server is not None
        await self._server.close()

    def _handle(self, request: Request, connection: Connection) -> bytes | None:
        self.got.append(request.body)
        self.tokens.add(request.headers.get("x-cluster-token"))
        if self.silent:
            self.owed.append(connection)
            return None
        return response(self.status, request.body)


class Owner:
    """Collects what a link tells."""

    def __init__(self) -> None:
        self.replies: list[bytes] = []
        self.errors: list[tuple[int, bytes]] = []
        self.states: list[bool] = []
        self.reasons: list[str] = []

    def changed(self, connected: bool, reason: str) -> None:
        self.states.append(connected)
        self.reasons.append(reason)

    @asynccontextmanager
    async def link(self, port: int, limits: LinkLimits = QUICK, host: str = HOST) -> AsyncIterator[PeerLink]:
        link = PeerLink(
            host,
            port,
            on_reply=self.replies.append,
            on_error=lambda status, body: self.errors.append((status, body)),
            on_state=self.changed,
            headers=(("X-Cluster-Token", "secret"),),
            limits=limits,
        )
        link.start()
        try:
            yield link
        finally:
            await link.close()


@asynccontextmanager
async def running(peer: Peer) -> AsyncIterator[Peer]:
    await peer.start()
    try:
        yield peer
    finally:
        await peer.stop()


def free_port() -> int:
    with socket.create_server((HOST, 0)) as server:
        return int(server.getsockname()[1])


def numbers(count: int) -> list[bytes]:
    return [b"%d" % n for n in range(count)]


NEVER_BY_ITSELF = LinkLimits(connect_time=60, first_retry=60, last_retry=60)
