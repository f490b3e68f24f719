"""The results of checks, and the report about one submission.

Law of this module: values only, and every text in them is clean: no control characters, no half characters, so that
what a student's code printed or raised can be written into any format. Times and printed output differ from run to run
and stand apart, in `Report.run`; the rest of a report is the same each time, byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import Enum
from typing import Any

SCHEMA = "replication-lab/report"
VERSION = 1
MAX_MESSAGE = 2000
MAX_EVIDENCE = 40


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
class Particulars:
    """The part of a report that differs each time, though submission and settings are the same."""

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
    dice: str = ""
    """What was mixed into every seed (`labs.grading.dice`)."""
    run: Particulars = field(default_factory=Particulars)
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
            "dice": self.dice,
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
            dice=data.get("dice", ""),
            exercises=tuple(ExerciseSummary(**one) for one in data["exercises"]),
            checks=tuple(map(CheckResult.from_json, data["checks"])),
            notes=tuple(data["notes"]),
            run=Particulars(**data["run"]),
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
    visible = [clean(text) for text in texts[:MAX_EVIDENCE]]
    return (*visible, f"… and {len(texts) - MAX_EVIDENCE} more") if len(texts) > MAX_EVIDENCE else tuple(visible)
