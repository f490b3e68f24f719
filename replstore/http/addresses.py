"""Name look-ups for a link: where does a peer live now?

Law of this module: nobody waits for a look-up that hangs. The system's resolver blocks for as long as it likes (a
container's name that has gone can take 10 s and more) and cannot be stopped, so each look-up has a thread of its own,
which is left behind when its time is over. How many may be left behind at a time is limited.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Callable

MOST_LEFT_BEHIND = 4
"""Look-ups of one name that may hang at the same time."""


class Addresses:
    """The addresses of one host. It is asked again for each connection: a container may come back with another one."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._running = 0

    async def look_up(self, urgent: bool = False) -> list[str]:
        """Raises `OSError`, or `UnicodeError` where the name cannot be a host's. Without a limit in time: cancel it.

        `urgent`: there is a reason to hope for another answer than the look-ups that hang will give.
        """
        if _is_address(self._host):
            return [self._host]
        if self._running >= MOST_LEFT_BEHIND * (2 if urgent else 1):
            raise OSError(f"looking up {self._host} takes too long")
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[str]] = loop.create_future()
        self._running += 1
        threading.Thread(target=self._ask, args=(loop, found), daemon=True).start()
        return await found

    def _ask(self, loop: asyncio.AbstractEventLoop, found: asyncio.Future[list[str]]) -> None:
        """In the thread."""
        tell: Callable[[], None]
        try:
            answers = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            failure = error  # the name `error` ends with this block
            tell = lambda: found.set_exception(failure)  # noqa: E731
        else:
            addresses = [str(address[0]) for *_, address in answers]
            tell = lambda: found.set_result(addresses)  # noqa: E731

        def finish() -> None:
            self._running -= 1
            if not found.done():  # it was cancelled: nobody waits any more
                tell()

        try:
            loop.call_soon_threadsafe(finish)
        except RuntimeError:  # the loop was closed meanwhile: the node has stopped
            return


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
