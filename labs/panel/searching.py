"""The systematic search of a student's election, in a process of its own that can be stopped.

Law of this module: one search at a time; whatever the code does, the search ends at `LIMIT` or at `stop()`, and leaves
no process behind.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from labs.cluster.base import ClusterError
from labs.trace.events import Event

LIMIT = 60.0
"""Seconds. The search of an election that answers quickly takes two or three."""
STOPPED = "the search was stopped"


@dataclass(frozen=True)
class Found:
    """What a search told. `steps` and `events` are those of a shortest run that breaks the rule, empty without one."""

    told: str
    steps: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()


class SearchProcess:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._running = self._stopped = False
        self.seconds = 0.0
        """How long the last search took."""

    @property
    def running(self) -> bool:
        """Whether a search goes on or has been asked for."""
        return self._running

    def ask(self) -> None:
        """Somebody wants a search: from now on it can be stopped, also before it begins."""
        self._running, self._stopped = True, False

    def run(self, text: Callable[[], str]) -> Found:
        """Search the class `MyElection` in `text()`. Raises what that does, and `ClusterError` where the search did not
        come to an end."""
        try:
            with tempfile.TemporaryFile("w+", encoding="utf-8") as complaints:
                told = self._asked(text(), complaints)
                complaints.seek(0)
                last = (complaints.read().strip().splitlines() or [""])[-1]
        finally:
            self._running = False
        if self._stopped:
            raise ClusterError(STOPPED)
        if not told:
            raise ClusterError(
                f"the search ended without an answer: {last}"
                if self.seconds < LIMIT
                else f"the search was not over after {LIMIT:g} s: does your code loop for ever?"
            )
        answer = json.loads(told)
        events = tuple(Event.from_json(event) for event in answer.get("events", ()))
        return Found(answer["told"], tuple(answer.get("steps", ())), events)

    def _asked(self, text: str, complaints: IO[str]) -> str:
        """What the process answered; empty where it was ended."""
        pipe, began = subprocess.PIPE, time.monotonic()
        command = [sys.executable, "-m", "labs.simulation.explorer"]
        with self._lock:
            if self._stopped:
                return ""
            process = self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=complaints, text=True)
        limit = threading.Timer(LIMIT, process.kill)
        limit.start()
        try:
            with process:
                assert process.stdin is not None
                assert process.stdout is not None
                with contextlib.suppress(BrokenPipeError):  # it has been stopped already
                    process.stdin.write(json.dumps(text) + "\n")
                    process.stdin.flush()  # and it stays open: the process ends with it
                return process.stdout.read()
        finally:
            limit.cancel()
            with self._lock:
                self._process = None
            self.seconds = time.monotonic() - began

    def stop(self) -> None:
        """End the search that is running, if one is."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.kill()
