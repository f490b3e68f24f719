"""Whether a student's code gives a sign of life, for whoever watches its checks.

Law of this module: it observes and decides nothing. What may take how long is for `sandbox.limits` to say.
"""

from __future__ import annotations

import time
from collections.abc import Callable

LONG = 8.0
"""Seconds of silence after which something is said. A right solution asks its cluster many times a second."""


class Pulse:
    """Give it to `grade` as `stop`: it says what `stop` says, and is told when the code is asked something and when it
    turns to its cluster. May be read from any thread."""

    def __init__(self, stop: Callable[[], bool] = lambda: False, clock: Callable[[], float] = time.monotonic) -> None:
        self._stop = stop
        self._clock = clock
        self._begun = clock()
        self._since: float | None = None

    def __call__(self) -> bool:
        return self._stop()

    def asked(self) -> None:
        """The code works from now on."""
        self._since = self._clock()

    def touched(self) -> None:
        """It has asked its cluster for something."""
        if self._since is not None:
            self._since = self._clock()

    def answered(self) -> None:
        """It has answered, or was ended."""
        self._since = None

    @property
    def elapsed(self) -> float:
        """Seconds since the checks began."""
        return self._clock() - self._begun

    @property
    def silent(self) -> float:
        """Seconds since the code gave a sign of life; 0 while nothing is asked of it."""
        since = self._since
        return 0.0 if since is None else self._clock() - since

    def sentence(self) -> str:
        """What to say about a long silence; empty where there is none."""
        silent = self.silent
        if silent < LONG:
            return ""
        return f"Your code has been running for {silent:.0f} s without touching the cluster. Does a loop never end?"
