"""How long a process was kept from running, because others had the processor.

A loaded machine must not fail a student: that time is taken off what a submission is charged. Linux tells it; where it
does not, the limits are wall time.
"""

from __future__ import annotations

import os
import sys


class Starvation:
    """Of the process `pid`, and of our own thread: a reply waits, too, until we are let run to read it."""

    def __init__(self, pid: int) -> None:
        self._theirs, self._ours = _open(str(pid)), _open("thread-self")
        self._before = _waited(self._theirs)
        self._most = 0.0

    def seconds(self) -> float:
        """In which the process was kept waiting, since this began."""
        self._most = max(self._most, _waited(self._theirs) - self._before)  # of an ended process nothing is told
        return self._most

    def own_seconds(self) -> float:
        """In which our own thread was kept waiting, ever."""
        return _waited(self._ours)

    def close(self) -> None:
        for file in (self._theirs, self._ours):
            if file is not None:
                os.close(file)
        self._theirs = self._ours = None


def _open(name: str) -> int | None:
    if sys.platform != "linux":
        return None
    try:
        return os.open(f"/proc/{name}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None


def _waited(file: int | None) -> float:
    if file is None:
        return 0.0
    try:
        fields = os.pread(file, 100, 0).split()
    except OSError:  # the process has ended
        return 0.0
    return int(fields[1]) / 1e9 if len(fields) == 3 else 0.0
