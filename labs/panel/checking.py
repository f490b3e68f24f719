"""Runs an exercise's checks for a panel: first the student's code, then the reference solution on the same seeds.

Law of this module: it grades as `replab check` does, with the same function, checks and seeds, so the marks are the
same. It blocks; whoever calls it does so on a thread of its own, and may say `stop()` from any other. What the code
under test started has ended when a call returns.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from labs.grading.check import Check, CheckOutcome
from labs.grading.checks import SUITE
from labs.grading.errors import Stopped
from labs.grading.pulse import Pulse
from labs.grading.results import CheckResult, Report, Status
from labs.grading.runner import grade
from labs.grading.sandbox.limits import DEFAULT
from labs.grading.settings import VISIBLE_SEEDS, GradingSettings
from labs.lesson.exercises import Exercise
from labs.panel.marks import Marks
from labs.panel.sources import Code, fingerprint

NO_SOLUTIONS = "The reference solution is not in this copy of the lab, so there is nothing to compare with."
NOTHING_YET = "The reference solution is run on the same seeds as soon as there is something to compare."

_reference_results: dict[tuple[str, str], CheckResult] = {}
"""By the reference's text and the check: the same each time, so that it is run once in this process."""


class Ticket:
    """One run that was asked for. `only`: these checks alone. `over` is set when the student's part has ended, and
    `report` is then what came of it (None: it was stopped, or failed); `compared` when the reference's has, too."""

    def __init__(self, only: Sequence[str]) -> None:
        self.only = tuple(only)
        self.stop = threading.Event()
        self.pulse = Pulse(self.stop.is_set)
        self.over = threading.Event()
        self.compared = threading.Event()
        self.report: Report | None = None


class Checking:
    """Fills `marks`, under `lock`, and calls `publish()` after each change."""

    def __init__(
        self,
        exercise: Exercise,
        marks: Marks,
        reference: Code | None,
        lock: threading.RLock,
        publish: Callable[[], None],
    ) -> None:
        self._exercise = exercise
        self._marks = marks
        self._reference = reference
        self._lock = lock
        self._publish = publish
        marks.beside.why_not = NOTHING_YET if reference is not None else NO_SOLUTIONS

    def check(self, ticket: Ticket, code: Code) -> None:
        """The student's code. Raises what `grade` raises but `Stopped`."""
        self._change(lambda marks: marks.begin(ticket.only, code.fingerprint(self._exercise)))
        settings = GradingSettings(seeds=VISIBLE_SEEDS, only=ticket.only or (self._exercise.id,))
        try:
            report = grade(code.submission, SUITE, settings, self._take, ticket.pulse)
        except Stopped:
            self._change(lambda marks: marks.stop("Stopped. What had come so far stays."))
            return
        ticket.report = report
        self._change(lambda marks: marks.finish(report))

    def tick(self, ticket: Ticket | None) -> None:
        """Say how long the student's checks have been running, and that they seem to hang if they do."""
        if ticket is None or ticket.over.is_set():
            return
        clock = f"({ticket.pulse.elapsed:.0f} s of {DEFAULT.submission:g} s at most)"
        if said := ticket.pulse.sentence():
            clock += f" {said}"
        spent = ticket.pulse.elapsed / DEFAULT.submission
        self._change(lambda marks: marks.tick(clock, spent))

    def _take(self, result: CheckResult, outcome: CheckOutcome) -> None:
        self._change(lambda marks: marks.take(result, outcome))

    def compare(self, ticket: Ticket) -> None:
        """The reference, for the checks of `ticket` that student code has got to."""
        if self._reference is None or ticket.report is None or not _attempted(ticket.report):
            return
        asked = [result.id for result in ticket.report.checks]
        text = fingerprint(self._reference.text(self._exercise) or "")
        self._change(lambda marks: marks.begin_reference(asked))
        try:
            self._take_known(text, asked)
            if missing := tuple(name for name in asked if (text, name) not in _reference_results):
                settings = GradingSettings(seeds=VISIBLE_SEEDS, only=missing)
                grade(
                    self._reference.submission, SUITE, settings, lambda *r: self._compared(text, *r), ticket.stop.is_set
                )
        except Stopped:
            return
        finally:
            self._change(lambda marks: marks.end_reference())

    def _take_known(self, text: str, asked: Sequence[str]) -> None:
        known = [_reference_results[text, name] for name in asked if (text, name) in _reference_results]
        with self._lock:
            for result in known:
                self._marks.take_reference(result)
            self._publish()

    def _compared(self, text: str, result: CheckResult, _: CheckOutcome) -> None:
        if result.status is Status.PASSED:  # anything else was chance: the machine, not the reference
            _reference_results[text, result.id] = result
        self._change(lambda marks: marks.take_reference(result))

    def _change(self, change: Callable[[Marks], None]) -> None:
        with self._lock:
            change(self._marks)
            self._publish()


def _attempted(report: Report) -> bool:
    return any(result.status is not Status.NOT_ATTEMPTED for result in report.checks)


def checks_of(exercise: Exercise) -> list[Check]:
    """What a student's `replab check` runs, in its order."""
    return [check for check in SUITE.checks("student", VISIBLE_SEEDS) if check.exercise == exercise.id]
