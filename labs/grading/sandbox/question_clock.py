"""When an answer of the sandboxed process is too late."""

from __future__ import annotations

import time

from labs.grading.sandbox.channel import Late
from labs.grading.sandbox.limits import MOST_EXTENSION


class QuestionClock:
    """When a question is too late: as soon as `seconds` were charged for it, or so much time has passed that no load of
    the machine explains it. `before`: what was charged until then."""

    def __init__(self, seconds: float, before: float, wall: float) -> None:
        now = time.monotonic()
        self._until = before + seconds
        self._wall = now + wall
        self.last = min(now + MOST_EXTENSION * seconds, self._wall)
        self.deadline = min(now + seconds, self._wall)

    def postpone(self, seconds: float) -> None:
        """By what the grader took for itself."""
        self.deadline = min(self.deadline + seconds, self._wall)
        self.last = min(self.last + seconds, self._wall)

    def extend(self, charged: float) -> None:
        """Go on if not all of the time was charged. Raises `Late`."""
        now = time.monotonic()
        left = min(self._until - charged, self.last - now)
        if left < 0.05:
            raise Late
        self.deadline = now + left
