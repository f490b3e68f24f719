"""Impure calls: wrappers that note which line of a strategy reads a clock or draws from a foreign random generator.

Law of this module: it is installed before the code to be watched is imported, in a process that ends soon; nothing is
ever put back. The functions go on working, only that the clocks are set to another time in every process.
"""

from __future__ import annotations

import datetime
import os
import random
import secrets
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType, ModuleType
from typing import Any

CLOCKS = ("time", "monotonic", "perf_counter", "process_time", "time_ns", "monotonic_ns", "perf_counter_ns")
DICE = tuple(name for name in dir(random) if getattr(getattr(random, name), "__self__", None) is random._inst)
SOURCES: dict[ModuleType, tuple[str, ...]] = {
    time: CLOCKS,
    random: DICE,
    os: ("urandom",),
    uuid: ("uuid1", "uuid4"),
    secrets: ("choice", "randbelow", "randbits", "token_bytes", "token_hex"),
}


@dataclass(frozen=True)
class ImpureCall:
    """`what` was called in this line of this file."""

    what: str
    file: str
    line: int

    def __str__(self) -> str:
        clock = self.what.startswith(("time", "datetime"))
        instead = "the time is handed in as `now`" if clock else "draw from self.rng"
        return f"{self.file}, line {self.line}: {self.what}() is another in every run; {instead}"


class Watch:
    """`ours`: packages that are not watched; neither is Python's own library."""

    def __init__(self, ours: tuple[str, ...]) -> None:
        self._unwatched = {*ours, *sys.stdlib_module_names} - {"__main__"}
        self._uses: dict[ImpureCall, None] = {}

    @property
    def uses(self) -> list[ImpureCall]:
        """Each place once, in the order in which they were come upon."""
        return list(self._uses)

    def install(self, dice: int) -> None:
        """`dice`: how the global `random` is seeded, and how far the clocks are set forward."""
        random.seed(dice)
        for module, names in SOURCES.items():
            for name in names:
                shift = dice * 1000.0 if module is time and not name.endswith("_ns") else 0.0
                setattr(module, name, self._wrapped(f"{module.__name__}.{name}", getattr(module, name), shift))
        datetime.datetime = self._dates()  # type: ignore[misc]

    def _wrapped(self, what: str, function: Callable[..., Any], shift: float) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            self._note(what, sys._getframe(1))
            result = function(*args, **kwargs)
            return result + shift if shift else result

        return watched

    def _dates(self) -> type[datetime.datetime]:
        """A class that was written in C takes no other methods, but it can be derived from."""
        note = self._note

        class Watched(datetime.datetime):
            @classmethod
            def now(cls, tz: datetime.tzinfo | None = None) -> Watched:
                note("datetime.now", sys._getframe(1))
                return super().now(tz)

        return Watched

    def _note(self, what: str, frame: FrameType) -> None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] not in self._unwatched:
            self._uses[ImpureCall(what, frame.f_code.co_filename, frame.f_lineno)] = None
