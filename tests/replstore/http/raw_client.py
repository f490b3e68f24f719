"""A server of a test's own, and a client that speaks to it byte by byte, over real sockets of this machine."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from replstore.http.connection import Connection, Handler
from replstore.http.limits import Limits
from replstore.http.server import Server
from replstore.http.syntax import Admit, Request, admit_all
from replstore.http.writing import response
from tests.replstore.http.scenes import HOST

GET = b"GET /key/name HTTP/1.1\r\nHost: n\r\n\r\n"
PLAIN = Limits(close_time=0.2)
QUICK = Limits(head_time=0.2, body_time=0.2, idle_time=0.2, write_time=0.3, linger_time=0.2, close_time=0.3)


def echo(request: Request, connection: Connection) -> bytes:
    """Answers with the path and the size of the body."""
    body = json.dumps([request.path, len(request.body)]).encode()
    return response(200, body, request.keep_alive)


@asynccontextmanager
async def serving(
    handler: Handler = echo, limits: Limits | None = None, admit: Admit = admit_all
) -> AsyncIterator[Server]:
    server = Server(handler, limits or PLAIN, admit)
    await server.start(HOST, 0)
    try:
        yield server
    finally:
        await server.close()


class Client:
    """Speaks to the server byte by byte, as badly as a test wants."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, server: Server) -> Client:
        return cls(*await asyncio.open_connection(HOST, server.port))

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> tuple[int, Any]:
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        return int(head.split()[1]), json.loads(await self.reader.readexactly(length))

    async def closed(self) -> bool:
        """Waits for the end; returns whether nothing more came before it."""
        try:
            return await self.reader.read() == b""
        except ConnectionError:
            return True

    def leave(self) -> None:
        self.writer.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.leave()
        try:
            await self.writer.wait_closed()
        except ConnectionError:
            return


def reset(client: Client) -> None:
    """Go as a process goes that was killed: without a farewell."""
    client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.writer.transport.abort()
