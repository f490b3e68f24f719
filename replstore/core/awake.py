"""A clock that stands still while its node sleeps.

Law of this module: arithmetic on the times that it is given; it reads no clock.
"""

from __future__ import annotations


class AwakeTime:
    """A node sleeps when it is paused, or when its machine is too busy to run it. While it sleeps it can hear nobody,
    and it must not take that for the others' silence.

    Asked for the time at every tick and message, this takes a gap of more than `longest` seconds for sleep.
    """

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._slept = 0.0
        self.woke = False
        """Whether the node has slept, until somebody who asked sets it back."""
        self._last: float | None = None

    def at(self, now: float) -> float:
        """The awake time at the node's time `now`."""
        gap = 0.0 if self._last is None else now - self._last
        self._last = now
        if gap > self._longest:
            self._slept += gap - self._longest
            self.woke = True
        return now - self._slept
