"""Banks of the three exercises as students write them: known mistakes, each with the checks that name it, and right
designs.

The tests judge a mistake by its own checks alone. `python -m tools.banks` judges every entry by all checks, at the
instructor's level, as a grading would.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from labs.grading.check import CheckOutcome
from labs.simulation.loading import election_from_source
from labs.simulation.schedule import Run, Schedule
from tools.banks import ex3
from tools.direct import changed, changed_source, outcome, the_checks

EXERCISES = ("ex1", "ex2", "ex3")


@dataclass(frozen=True)
class Entry:
    """A design of `solutions` with some texts replaced. `checks`: all of these name its mistake; `one_of`: one does.

    `level`: a mistake that shows in no student's cluster is named at the instructor's level only.
    """

    exercise: str
    design: str
    changes: tuple[tuple[str, str], ...] = ()
    checks: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    level: str = "student"

    @property
    def source(self) -> str:
        return changed_source(self.design, *self.changes)

    def module(self) -> Any:
        if self.exercise == "ex3":
            return SimpleNamespace(MyElection=election_from_source(self.source))
        return changed(self.design, *self.changes)

    def is_caught(self, lost: dict[str, str]) -> bool:
        """`lost`: the checks that did not pass, each with what it said."""
        return set(self.checks) <= lost.keys() and (not self.one_of or any(name in lost for name in self.one_of))

    def loses(self, seed: int) -> dict[str, str]:
        """Which of the checks that name its mistake it does not pass. Of `one_of` the first such check is enough."""
        module, known = self.module(), the_checks(self.exercise, self.level, (seed,))
        runs: dict[Schedule, Run] = {}

        def judged(name: str) -> CheckOutcome:
            return outcome(known[name], module, (seed,), self.level, runs)

        lost = {name: found.message for name in self.checks if not (found := judged(name)).passed}
        for name in self.one_of:
            if not (found := judged(name)).passed:
                return lost | {name: found.message}
        return lost


def bank(exercise: str) -> tuple[dict[str, Entry], dict[str, Entry]]:
    """The wrong ones and the right ones, by name."""
    if exercise == "ex3":
        return (
            {name: _election(changes, check) for name, (check, changes) in ex3.WRONG.items()},
            {name: _election(changes) for name, changes in ex3.RIGHT.items()},
        )
    found = tomllib.loads((Path(__file__).parent / f"{exercise}.toml").read_text(encoding="utf-8"))
    return _entries(exercise, found["wrong"]), _entries(exercise, found["right"])


def _election(changes: ex3.Changes, *checks: str) -> Entry:
    return Entry("ex3", "ex3_election", changes, tuple(f"ex3.{check}" for check in checks))


def _entries(exercise: str, found: dict[str, dict[str, Any]]) -> dict[str, Entry]:
    def ids(names: list[str]) -> tuple[str, ...]:
        return tuple(f"{exercise}.{name}" for name in names)

    return {
        name: Entry(
            exercise,
            one["design"],
            tuple((old, new) for old, new in one.get("changes", ())),
            ids(one.get("checks", [])),
            ids(one.get("one_of", [])),
            one.get("level", "student"),
        )
        for name, one in found.items()
    }
