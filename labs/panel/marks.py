"""An exercise's checks as rows on the screen: which waits, which runs, what came of each, and beside it the reference.

Law of this module: pure. No thread, no clock, no widget, no process: what the grader says goes in (`begin`, `take`,
`stop`, …), one JSON-able picture comes out (`picture`). Marks are the grader's; nothing is computed here but sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from labs.grading.check import Check, CheckOutcome, Scene
from labs.grading.reports.words import not_loaded, number
from labs.grading.results import CheckResult, Report, Status
from labs.lesson.exercises import Exercise

IDLE, WAITING, RUNNING = "idle", "waiting", "running"
DONE = ("passed", "part", "failed", "skipped", "not_attempted", "error")
"""What a check can come to. `part`: wrong, but some of the points are earned."""
COUNTED = {
    "passed": "passed", "part": "passed in part", "failed": "failed", "skipped": "skipped",
    "not_attempted": "not attempted", "error": "could not be graded",
}  # fmt: skip


@dataclass
class Row:
    """One check: the latest result, and the reference solution's."""

    check: Check
    state: str = IDLE
    result: CheckResult | None = None
    scene: Scene | None = None
    output: str = ""
    """What the code printed meanwhile, in part."""
    code: str = ""
    """The fingerprint of the code that `result` is about."""
    reference: str = IDLE
    reference_result: CheckResult | None = None

    @property
    def earned(self) -> float:
        return self.result.earned if self.result is not None else 0.0


@dataclass
class Beside:
    """The reference solution: `why_not` it is not run, if so; `on` while it is being run."""

    why_not: str = ""
    on: bool = False


@dataclass
class Marks:
    """All checks of one exercise."""

    exercise: Exercise
    checks: Sequence[Check]
    beside: Beside = field(default_factory=Beside)
    rows: dict[str, Row] = field(init=False)
    code: str = field(init=False, default="")
    """The fingerprint of the student's code as it is now, as far as anybody has looked."""
    trouble: str = field(init=False, default="")
    """Why the last run came to nothing, in a sentence."""
    clock: str = field(init=False, default="")
    """How long the checks have been running, in words."""
    spent: float = field(init=False, default=0.0)
    """The share of the time limit that they have used."""
    notes: tuple[str, ...] = field(init=False, default=())
    """What else is to be said about the last run."""

    def __post_init__(self) -> None:
        self.rows = {check.id: Row(check) for check in self.checks}

    # -- the student's code -------------------------------------------------------------------------------

    def begin(self, only: Iterable[str], code: str) -> None:
        """These checks (none: all) are about to be run on this code."""
        chosen = set(only) or set(self.rows)
        self.code, self.trouble, self.clock, self.spent, self.notes = code, "", "", 0.0, ()
        for row in self.rows.values():
            if row.check.id in chosen:
                row.state, row.result, row.scene, row.output, row.code = WAITING, None, None, "", code
        self._advance()

    def take(self, result: CheckResult, outcome: CheckOutcome) -> None:
        """One result is there; the next check that waits is being run."""
        row = self.rows[result.id]
        row.state, row.result, row.scene = state_of(result), result, outcome.scene
        self._advance()

    def tick(self, clock: str, spent: float = 0.0) -> None:
        """So much time has passed: in words, and as a share of the limit."""
        self.clock, self.spent = clock, round(min(1.0, spent), 3)

    def finish(self, report: Report) -> None:
        """All results are there. If no check could be run because of one and the same thing, that is told once."""
        if why := not_loaded(report):
            self.stop(why)
            for result in report.checks:
                row = self.rows[result.id]
                row.state, row.result, row.scene = IDLE, None, None
        for name, printed in report.run.output.items():
            self.rows[name].output = printed
        self.notes = tuple(note for note in report.notes if not note.startswith("not used: "))
        if report.isolation.startswith("resource limits only"):
            self.notes += ("There is no sandbox on this machine: your code ran as you yourself.",)

    def stop(self, trouble: str) -> None:
        """The run was broken off, for this reason; what had come so far stays."""
        self.trouble = trouble
        for row in self.rows.values():
            if row.state in (WAITING, RUNNING):
                row.state = IDLE

    def _advance(self) -> None:
        waiting = [row for row in self.rows.values() if row.state == WAITING]
        if waiting and not self.running:
            waiting[0].state = RUNNING

    @property
    def running(self) -> Row | None:
        """The check that is being run now."""
        return next((row for row in self.rows.values() if row.state == RUNNING), None)

    # -- the reference --------------------------------------------------------------------------------------

    def begin_reference(self, only: Iterable[str]) -> None:
        self.beside.on = True
        for name in only:
            if self.rows[name].reference_result is None:
                self.rows[name].reference = WAITING

    def take_reference(self, result: CheckResult) -> None:
        row = self.rows[result.id]
        row.reference, row.reference_result = state_of(result), result

    def end_reference(self) -> None:
        """It is through, or has been stopped."""
        self.beside.on = False
        for row in self.rows.values():
            if row.reference == WAITING:
                row.reference = IDLE

    # -- out ------------------------------------------------------------------------------------------------

    @property
    def done(self) -> list[Row]:
        return [row for row in self.rows.values() if row.state in DONE]

    @property
    def earned(self) -> float:
        return round(sum(row.earned for row in self.done if not self._held_up(row)), 2)

    def _held_up(self, row: Row) -> Row | None:
        """What keeps a check that was run alone from counting: in a full run it is skipped where one that it builds on
        does not pass."""
        needed = [self.rows[name] for name in row.check.depends_on if name in self.rows]
        return next((one for one in needed if row.earned and one.state in DONE and one.state != "passed"), None)

    @property
    def points(self) -> float:
        return round(sum(check.points for check in self.checks), 2)

    def picture(self) -> dict[str, Any]:
        """One entry for each of the widget's traits."""
        return {"rows": [self._row(row) for row in self.rows.values()], "total": self._total()}

    def _row(self, row: Row) -> dict[str, Any]:
        check, result, held_up = row.check, row.result, self._held_up(row)
        text = {
            "message": result.message if result else "", "evidence": list(result.evidence) if result else [],
            "replay": result.replay_command if result else "", "output": row.output,
        }  # fmt: skip
        return {
            "id": check.id, "title": check.title, "points": number(check.points), "share": check.points,
            "rule": check.rule, "hint": check.hint, "state": row.state, "earned": number(row.earned),
            "old": bool(result) and row.code != self.code, "held_up": held_up.check.title if held_up else "", **text,
            "reference": row.reference, "reference_earned": _points(row.reference_result),
            "scene": "" if row.scene is None else "run" if row.scene.run is not None else "cluster",
        }  # fmt: skip

    def _total(self) -> dict[str, Any]:
        results = [row.reference_result for row in self.rows.values() if row.reference_result is not None]
        beside = number(round(sum(result.earned for result in results), 2)) if results else ""
        graded = all(row.state != "error" for row in self.rows.values())
        return {
            "earned": number(self.earned) if graded else "?", "points": number(self.points),
            "done": len(self.done), "checks": len(self.rows), "headline": self.headline(),
            "perfect": len(self.done) == len(self.rows) and self.earned == self.points,
            "reference": beside, "reference_of": number(round(sum(result.points for result in results), 2)),
            "reference_on": self.beside.on, "reference_why": "" if results else self.beside.why_not,
            "notes": list(self.notes), "spent": self.spent if self.running is not None else None,
        }  # fmt: skip

    def headline(self) -> str:
        """How things stand, in a sentence."""
        running = self.running
        if running is not None:
            return f"Checking: {running.check.title} … {self.clock}".rstrip()
        if self.trouble:
            return self.trouble
        if not self.done:
            return f"{len(self.rows)} checks, {number(self.points)} points. Nothing has been run yet."
        return self._verdict()

    def _verdict(self) -> str:
        states = [row.state for row in self.done]
        if "error" in states:
            return "No mark: the grader itself failed, which is not your code's fault."
        if set(states) == {"passed"} and len(states) == len(self.rows):
            return "All checks passed."
        if set(states) == {"not_attempted"}:
            return f"Not attempted yet: fill in {self.exercise.file_name}, save it, and run again."
        counts = [f"{states.count(state)} {word}" for state, word in COUNTED.items() if state in states]
        missing = len(self.rows) - len(states)
        return ", ".join(counts) + (f", {missing} not run yet." if missing else ".")


def state_of(result: CheckResult) -> str:
    """A result as one word for the screen."""
    return "part" if result.status is Status.FAILED and result.earned > 0 else result.status.value


def _points(result: CheckResult | None) -> str:
    return "" if result is None else number(result.earned)
