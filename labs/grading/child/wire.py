"""One JSON object a line, to the grader and back.

The pipes are the process's standard input and output as it was started with; `Wire` moves them out of the way before
any student code is loaded, so that `print` and `input` cannot get between.
"""

from __future__ import annotations

import os
import threading
from json import JSONDecoder, JSONEncoder
from typing import Any, Protocol

from labs.cluster import base

# Bound before student code runs: a patched `json.dumps` is no concern of ours.
_encode = JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode
_decode = JSONDecoder().decode

ERRORS: dict[str, type[Exception]] = {
    name: getattr(base, name)
    for name in ("ClusterError", "NoSuchNode", "StartFailed", "BackendUnavailable", "ConditionTimeout")
} | {"ValueError": ValueError, "TypeError": TypeError}


class GraderWire(Protocol):
    """The way to the grader."""

    question: int
    """The number of the question that is open."""

    def request(self, cluster: int, method: str, arguments: dict[str, Any]) -> Any:
        """Ask the grader to do something with its cluster, and wait for the answer."""
        ...


class Wire:
    def __init__(self) -> None:
        source, self._sink = os.dup(0), os.dup(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)  # input() meets the end of file at once
        os.dup2(2, 1)  # what is printed goes where errors go, and is kept for the report
        os.close(nothing)
        self._lines = os.fdopen(source, "rb")
        self._lock = threading.Lock()
        self._owner = os.getpid()
        self._calls = 0
        self.question = 0

    def read(self) -> dict[str, Any] | None:
        """The grader's next line; None when there will be no more."""
        line = self._lines.readline()
        data: dict[str, Any] | None = _decode(line.decode()) if line else None
        return data

    def write(self, data: dict[str, Any]) -> None:
        if os.getpid() != self._owner:
            os._exit(0)  # student code forked, and this is the copy: it has nothing to say
        rest = _encode(data).encode() + b"\n"
        while rest:
            rest = rest[os.write(self._sink, rest) :]

    def request(self, cluster: int, method: str, arguments: dict[str, Any]) -> Any:
        """Ask the grader to do something with its cluster, and wait for the answer."""
        with self._lock:
            self._calls += 1
            self.write(
                {
                    "id": self.question,
                    "call": self._calls,
                    "cluster": cluster,
                    "method": method,
                    "arguments": arguments,
                }
            )
            answer = self.read()
        if answer is None:
            os._exit(0)  # the grader is gone
        if "raise" in answer:
            name, text = answer["raise"]
            raise ERRORS.get(name, base.ClusterError)(text)
        return answer["ok"]
