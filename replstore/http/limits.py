"""What one client of the HTTP server may ask for, and how long it may take.

Law of this module: figures only; `connection` and `server` keep to them.
"""

from __future__ import annotations

from dataclasses import dataclass

from replstore.http.syntax import Stage


@dataclass(frozen=True)
class Limits:
    """What one client may ask for, and how long it may take. Times are in seconds."""

    max_connections: int = 1024
    received_bytes: int = 32 * 2**20
    """Bytes that may be held of all requests together which have not arrived completely, or wait for their turn. Beyond
    that the client that holds most is refused."""
    unread_bytes: int = 24 * 2**20
    """Bytes of answers that may wait for clients that do not read. Beyond that the slowest client is dropped."""
    read_ahead: int = 64 * 2**10
    """Bytes taken in advance from a client that is still owed an answer; then its sending is held up."""
    head_time: float = 10.0
    body_time: float = 30.0
    idle_time: float = 75.0
    write_time: float = 30.0
    """A client must have fetched its answers by then."""
    slow_time: float = 1.0
    """A client that does not read for so long, or does not send its first request, may lose its place to a new one."""
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
