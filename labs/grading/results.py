"""Checks, what came of them, and the report.

Law of this module: values only, and every text in them is clean: no control characters, no half characters, so that
what a student's code printed or raised can be written into any format. Times and printed output differ from run to run
and stand apart, in `Report.run`; the rest of a report is the same each time, byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import Enum
from typing import TYPE_CHECKING, Any

from labs.grading.faults import FaultKind

if TYPE_CHECKING:
    from labs.cluster.simulated import SimulatedCluster
    from labs.grading.session import Session
    from labs.simulation import schedule as schedules

SCHEMA = "replication-lab/report"
VERSION = 1
MAX_MESSAGE = 2000
MAX_EVIDENCE = 40
NOT_REPORTED = ("run", "again", "twice")
"""What of a check is nobody's business but the runner's."""


class Status(Enum):
    PASSED = "passed"
    FAILED = "failed"
    """Wrong, wholly or in part: `earned` may be more than nothing."""
    SKIPPED = "skipped"
    """Another check that this one builds on did not pass."""
    NOT_ATTEMPTED = "not_attempted"
    ERROR = "error"
    """The grader failed. There is no mark."""


@dataclass(frozen=True)
class Scene:
    """Where something went wrong, to look closer: at `moment` (virtual seconds) of an election's `run`, with the
    numbers of the events that prove it; or on the cluster that `reopen` gives, as the student's function left it."""

    moment: float
    run: schedules.Run | None = None
    proof: tuple[Any, ...] = ()
    reopen: Callable[[], SimulatedCluster] | None = None


@dataclass(frozen=True)
class Outcome:
    """What a check found. Make one with `passed` or `failed`."""

    passed: bool
    message: str = ""
    """What happened, in one or two sentences to the student."""
    evidence: tuple[str, ...] = ()
    """Facts that show it: events of the run, values that were read."""
    share: float = 0.0
    """Of the points, 0…1."""
    picture: str | None = None
    """An SVG of the run."""
    page: Callable[[], str] | None = field(default=None, compare=False)
    """Makes an HTML page of it, to look closer: for `replab check`, not for reports."""
    scene: Scene | None = field(default=None, compare=False)
    """For panels: the failure in the simulator, to be opened."""
    replay: str = ""
    """The command that shows the same again; empty: the default for the check."""
    fault: FaultKind | None = None
    """Set by the runner: what broke the check off."""


def passed(message: str = "") -> Outcome:
    return Outcome(True, message, share=1.0)


def failed(
    message: str,
    *,
    evidence: tuple[str, ...] = (),
    share: float = 0.0,
    picture: str | None = None,
    page: Callable[[], str] | None = None,
    scene: Scene | None = None,
    replay: str = "",
) -> Outcome:
    """`share`: the part of the points that is earned nevertheless."""
    return Outcome(False, message, evidence, min(1.0, max(0.0, share)), picture, page, scene, replay)


@dataclass(frozen=True)
class Check:
    """One thing that is graded. `id` is unique in its suite; `run` asks the student's code and judges."""

    id: str
    exercise: str
    title: str
    points: float
    run: Callable[[Session], Outcome] = field(compare=False, repr=False)
    rule: str = ""
    """What must hold, in one sentence."""
    hint: str = ""
    """Where to look when it does not."""
    depends_on: tuple[str, ...] = ()
    hidden: bool = False
    """Only the instructor's: not named in what is handed to students before the marks are out."""
    again: int | None = None
    """How many of the seeds the second run takes, where the check goes from seed to seed and says so
    (`Session.settle`); None: all."""
    twice: bool = True
    """Run it a second time, with another hash seed, and compare."""

    def to_json(self) -> dict[str, Any]:
        return {one.name: _json(getattr(self, one.name)) for one in fields(self) if one.name not in NOT_REPORTED}


def _json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


@dataclass(frozen=True)
class CheckResult:
    """`check` is a check's `to_json()`, so that a report read from a file is the same as a fresh one."""

    check: Mapping[str, Any]
    status: Status
    earned: float
    message: str = ""
    evidence: tuple[str, ...] = ()
    replay_command: str = ""
    picture: str | None = None
    """The name of the picture's file."""
    deterministic: bool | None = None
    """Whether two runs gave the same answers; None: it was run once."""

    @property
    def id(self) -> str:
        return str(self.check["id"])

    @property
    def points(self) -> float:
        return float(self.check["points"])

    def to_json(self) -> dict[str, Any]:
        own = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in ("check", "status")}
        return {**self.check, **own, "status": self.status.value, "evidence": list(self.evidence)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> CheckResult:
        own = {one.name for one in fields(cls)} - {"check"}
        values = {name: data[name] for name in own}
        values |= {"status": Status(data["status"]), "evidence": tuple(data["evidence"])}
        return cls({name: value for name, value in data.items() if name not in own}, **values)


@dataclass(frozen=True)
class ExerciseSummary:
    id: str
    title: str
    file: str
    present: bool
    earned: float
    points: float


@dataclass(frozen=True)
class Run:
    """What differs from run to run."""

    finished_at: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """By check; of the whole submission under `total`."""
    output: Mapping[str, str] = field(default_factory=dict)
    """What the student's code printed, in part, by check."""
    errors: Mapping[str, str] = field(default_factory=dict)
    """The grader's own tracebacks, by check."""


@dataclass(frozen=True)
class Report:
    """All about one submission. `pictures` are kept beside the JSON, by file name."""

    submission: str
    level: str
    suite: str
    seeds: tuple[int, ...]
    isolation: str
    fingerprint: str
    exercises: tuple[ExerciseSummary, ...]
    checks: tuple[CheckResult, ...]
    notes: tuple[str, ...] = ()
    run: Run = field(default_factory=Run)
    pictures: Mapping[str, str] = field(default_factory=dict)

    @property
    def graded(self) -> bool:
        """False if the grader failed anywhere: then there is no mark at all."""
        return all(result.status is not Status.ERROR for result in self.checks)

    @property
    def earned(self) -> float:
        return round(sum(result.earned for result in self.checks), 2)

    @property
    def points(self) -> float:
        return round(sum(result.points for result in self.checks), 2)

    def of(self, exercise: str) -> list[CheckResult]:
        return [result for result in self.checks if result.check["exercise"] == exercise]

    def to_json(self) -> dict[str, Any]:
        """Everything but the pictures. All of it but `run` is the same for the same submission."""
        return {
            "schema": SCHEMA,
            "version": VERSION,
            "submission": self.submission,
            "level": self.level,
            "suite": self.suite,
            "seeds": list(self.seeds),
            "isolation": self.isolation,
            "fingerprint": self.fingerprint,
            "graded": self.graded,
            "earned": self.earned if self.graded else None,
            "points": self.points,
            "exercises": [asdict(exercise) for exercise in self.exercises],
            "checks": [result.to_json() for result in self.checks],
            "notes": list(self.notes),
            "run": asdict(self.run),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Report:
        """Raises `ValueError` for what is no report of this version."""
        if data.get("schema") != SCHEMA or data.get("version") != VERSION:
            raise ValueError(f"no {SCHEMA} of version {VERSION}")
        texts = {name: data[name] for name in ("submission", "level", "suite", "isolation", "fingerprint")}
        return cls(
            **texts,
            seeds=tuple(data["seeds"]),
            exercises=tuple(ExerciseSummary(**one) for one in data["exercises"]),
            checks=tuple(map(CheckResult.from_json, data["checks"])),
            notes=tuple(data["notes"]),
            run=Run(**data["run"]),
        )


# --------------------------------------------------------------------------------------------------------
# Texts

_ESCAPE_SEQUENCE = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|.)?")
_UNFIT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
"""What XML forbids, what moves a terminal's cursor, and what turns the direction of writing round."""


def clean(text: str, limit: int = MAX_MESSAGE) -> str:
    """`text` fit for any report, and not longer than `limit`."""
    text = _UNFIT.sub("\N{REPLACEMENT CHARACTER}", _ESCAPE_SEQUENCE.sub("", text.replace("\r\n", "\n")))
    return text if len(text) <= limit else text[: limit - 1] + "…"


def clean_all(texts: tuple[str, ...]) -> tuple[str, ...]:
    shown = [clean(text) for text in texts[:MAX_EVIDENCE]]
    return (*shown, f"… and {len(texts) - MAX_EVIDENCE} more") if len(texts) > MAX_EVIDENCE else tuple(shown)
