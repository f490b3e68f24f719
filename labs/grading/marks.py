"""Marks for a grade cell: the students' checks of one exercise, run from a notebook that nbgrader or Otter grades.

Law of this module: nothing is raised and nothing goes to stderr, for graders take either for a failed cell. What cannot
be graded earns nothing and is said in a line.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from labs.grading.checks import SUITE
from labs.grading.reports import words
from labs.grading.results import CheckResult, Report, Status
from labs.grading.runner import grade
from labs.grading.settings import GradingSettings, seeds_for
from labs.grading.submission.reading import open_exercise
from labs.grading.submission.submission import Submission
from labs.lesson.exercises import BY_ID, Exercise

SECRET = "REPLAB_SECRET"

_known: dict[str, Report] = {}
"""By what a mark depends on: several cells may ask for the same one."""


@dataclass(frozen=True, repr=False)
class Marks:
    """`earned` of `points`. As the last value of a cell it shows `earned` alone, the number that nbgrader looks for.

    `passed`: the ids of the checks that passed. `graded`: False where the grader itself failed; then `earned` is 0, and
    somebody should look. `earned, points = marks("ex2")` works, too.
    """

    earned: float
    points: float
    passed: frozenset[str] = frozenset()
    graded: bool = True

    def __repr__(self) -> str:
        return words.number(self.earned)

    def __float__(self) -> float:
        return self.earned

    def __iter__(self) -> Iterator[float]:
        return iter((self.earned, self.points))


def marks(exercise: str, file: str | Path | None = None, *, seed: int | None = None, quiet: bool = False) -> Marks:
    """Grade an exercise (`ex1`, `ex2`, `ex3`), print a line for each check, and return the marks. Never raises.

    `file`: where the code is; default: the exercise's file in the current folder, or in `exercises/` there. `seed`: at
    the instructor's level, with unseen seeds from this one on; that needs the folder `solutions/`. Students can read
    the seed in the notebook; what the environment variable REPLAB_SECRET holds is mixed into it, so that they cannot
    repeat these runs beforehand. `quiet`: print nothing.
    """
    said = io.StringIO()
    points = 0.0
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        try:
            wanted = BY_ID.get(exercise)
            if wanted is None:
                raise ValueError(f"there is no exercise {exercise!r}: there are {', '.join(BY_ID)}")
            points = sum(check.points for check in SUITE.checks("student", ()) if check.exercise == wanted.id)
            report = _report(wanted, None if file is None else Path(file), seed)
            made, lines = _marks_of(report), _lines(report, wanted)
        except Exception as error:  # noqa: BLE001  # whatever it is: a grade cell must not fail
            made, lines = Marks(0.0, points, graded=False), [f"NO MARK: {type(error).__name__}: {error}"]
    if not quiet:
        print("\n".join(lines))
    return made


def _marks_of(report: Report) -> Marks:
    passed = frozenset(result.id for result in report.checks if result.status is Status.PASSED)
    return Marks(report.earned if report.graded else 0.0, report.points, passed, report.graded)


def _report(exercise: Exercise, file: Path | None, seed: int | None) -> Report:
    level = "student" if seed is None else "instructor"
    secret = "" if seed is None else os.environ.get(SECRET, "")
    settings = GradingSettings(level=level, seeds=seeds_for(level, seed or 0), only=(exercise.id,), secret=secret)
    submission = _read(exercise, file)
    key = settings.fingerprint(submission, SUITE)
    if key not in _known:
        report = grade(submission, SUITE, settings)
        if not report.graded:
            return report  # perhaps it can be graded the next time
        _known[key] = report
    return _known[key]


def _read(exercise: Exercise, file: Path | None) -> Submission:
    if file is None:
        places = (Path(exercise.file_name), Path("exercises", exercise.file_name))
        file = next((one for one in places if one.is_file()), places[0])
    if not file.exists():
        why = f"there is no {file} in this folder: run the cell that writes it"
        return Submission("missing", {}, {exercise.id: why})
    return open_exercise(file, exercise)


def _lines(report: Report, exercise: Exercise) -> list[str]:
    lines = [_line(result) for result in report.checks]
    if not report.graded:
        return [*lines, f"{exercise.id}: NO MARK, the grader failed"]
    return [*lines, f"{exercise.id}: {words.number(report.earned)} of {words.number(report.points)} points"]


def _line(result: CheckResult) -> str:
    line = f"{words.MARKS[result.status]} {words.score(result):>6}  {result.check['title']}"
    hidden = result.check["hidden"] and result.status is Status.FAILED
    why = "" if result.status is Status.PASSED or hidden else " ".join(result.message.split())
    return f"{line}: {why}" if why else line
