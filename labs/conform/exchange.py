"""One HTTP exchange with a node, kept as it was sent and as it came back.

Law of this module: nothing is tidied up. The path goes out as it is given, and names stay in the node's own spelling
(`raw`) beside the lab's (`body`).
"""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from labs.cluster.spelling import snake_case_fields

SHOWN = 300
"""Characters of a body that a report shows."""


@dataclass(frozen=True)
class Reply:
    """What came back. `code` is None where no complete answer came, and `problem` says why."""

    method: str
    path: str
    sent: bytes | None
    code: int | None
    headers: Mapping[str, str] = field(default_factory=dict)
    """By their names in small letters."""
    text: str = ""
    value: Any = None
    """The whole body as JSON; None where it is none, and then `problem` says so."""
    problem: str = ""
    seconds: float = 0.0

    @property
    def raw(self) -> dict[str, Any]:
        """The fields in the node's spelling; none where the body is no JSON object."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def body(self) -> dict[str, Any]:
        """The fields in snake_case."""
        return snake_case_fields(self.raw)

    def lines(self, node: str) -> list[str]:
        """The exchange for a reader."""
        sent = "" if self.sent is None else f" {_short(self.sent.decode('utf-8', 'backslashreplace'))}"
        back = f"{self.code} {_short(self.text)}" if self.code is not None else f"no answer: {self.problem}"
        return [f"> {node} {self.method} {self.path}{sent}", f"< {back}"]


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"


def exchange(url: str, method: str, path: str, body: bytes | None, headers: Mapping[str, str], timeout: float) -> Reply:
    """Send one request on a connection of its own. `timeout` (seconds) bounds the connecting and each wait."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=timeout)
    started = time.perf_counter()
    try:
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        content = answer.read()
    except (OSError, http.client.HTTPException) as error:
        return Reply(method, path, body, None, problem=_why(error, timeout), seconds=time.perf_counter() - started)
    finally:
        connection.close()
    seconds = time.perf_counter() - started
    named = {name.lower(): value for name, value in answer.getheaders()}
    text = content.decode("utf-8", "replace")
    value, problem = _parsed(content)
    return Reply(method, path, body, answer.status, named, text, value, problem, seconds)


def _why(error: Exception, timeout: float) -> str:
    if isinstance(error, socket.timeout):
        return f"nothing within {timeout:g} s"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, OSError):
        return f"the connection broke ({error.strerror or type(error).__name__})"
    return f"this is not HTTP ({type(error).__name__}: {error})"


def _parsed(content: bytes) -> tuple[Any, str]:
    try:
        return json.loads(content), ""
    except (ValueError, RecursionError):
        return None, "the body is not JSON"
