"""The most that a Python node on asyncio can reach here: a fixed answer to whatever arrives.

Law of this module: no parsing beyond finding the end of a request's head, no state, no replication. The distance
between a node and this is what the node's own work costs. Run as `python -m benchmarks.ceiling PORT`; it ends when its
standard input does. It takes requests without a body only.
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

BODY = b'{"key":"key-0","value":"value-0","node_role":"leader"}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


class FixedReply(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        *heads, self._rest = (self._rest + data).split(b"\r\n\r\n")
        if heads:
            self._transport.write(ANSWER * len(heads))


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(FixedReply, "127.0.0.1", port)
    async with server:
        await loop.run_in_executor(None, sys.stdin.read)  # until whoever started us closes it, or dies


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
