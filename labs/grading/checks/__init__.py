"""The checks of the three exercises.

Law of this package: a check states a rule and looks for a run that breaks it. It compares with what really happened in
its own simulated cluster, never with how the reference solution looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

from labs.grading.check import Check
from labs.grading.checks import ex1, ex2, ex3

VERSION = 16
"""Count on whenever a check changes: older results are then graded anew."""

OWN = f"{__name__}.instructor"
"""A module that an instructor may add, and that no handout contains: `checks()` gives further checks, `VERSION` a
number to count on."""


class ExerciseSuite:
    """What students run, and what instructors run on more seeds and with checks of their own."""

    @property
    def name(self) -> str:
        own = _own()
        return f"exercises {VERSION}" + (f" with the instructor's {own.VERSION}" if own else "")

    def checks(self, level: str, seeds: tuple[int, ...]) -> Sequence[Check]:
        own = _own() if level == "instructor" else None
        return [*ex1.checks(level), *ex2.checks(level), *ex3.checks(level), *(own.checks() if own else ())]


def _own() -> ModuleType | None:
    try:
        return import_module(OWN)
    except ModuleNotFoundError as error:
        if error.name == OWN:
            return None
        raise


SUITE = ExerciseSuite()
