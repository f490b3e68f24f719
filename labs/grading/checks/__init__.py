"""The checks of the three exercises.

Law of this package: a check states a rule and looks for a run that breaks it. It compares with what really happened in
its own simulated cluster, never with how the reference solution looks.
"""

from __future__ import annotations

from collections.abc import Sequence

from labs.grading.checks import ex1, ex2, ex3
from labs.grading.results import Check

VERSION = 2
"""Count on whenever a check changes: older results are then graded anew."""


class ExerciseSuite:
    """What students run, and what instructors run on more seeds."""

    name = f"exercises {VERSION}"

    def checks(self, level: str, seeds: tuple[int, ...]) -> Sequence[Check]:
        return [*ex1.checks(level), *ex2.checks(level), *ex3.checks(level)]


SUITE = ExerciseSuite()
