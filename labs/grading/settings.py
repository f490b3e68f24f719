"""What is graded how: a suite of checks, and the settings of one grading.

Law of this module: values only. Two gradings with the same settings give the same marks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from importlib import import_module
from typing import Protocol

from labs.grading.check import Check
from labs.grading.dice import dice_for
from labs.grading.errors import GraderError
from labs.grading.sandbox.isolation import Isolation
from labs.grading.sandbox.limits import DEFAULT, SandboxLimits
from labs.grading.submission.submission import Submission

LEVELS = ("student", "instructor")
VISIBLE_SEEDS = (0, 1, 2)
HIDDEN_SEEDS = 5


class CheckSuite(Protocol):
    """Where the checks come from."""

    @property
    def name(self) -> str:
        """Changes whenever the checks do, so that old results are not taken for new ones: `ex-checks 3`."""
        ...

    def checks(self, level: str, seeds: tuple[int, ...]) -> Sequence[Check]:
        """In the order in which they run, each behind those that it depends on."""
        ...


def load_suite(spec: str) -> CheckSuite:
    """`module:attribute`. Raises `GraderError`."""
    module, _, attribute = spec.partition(":")
    try:
        suite: CheckSuite = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise GraderError(f"no checks at {spec}: {error}") from error
    return suite


def seeds_for(level: str, secret: int) -> tuple[int, ...]:
    """The visible ones; for an instructor also some that follow from `secret`."""
    hidden = range(secret, secret + HIDDEN_SEEDS) if level == "instructor" else ()
    return (*VISIBLE_SEEDS, *hidden)


@dataclass(frozen=True)
class GradingSettings:
    """How to grade. Two gradings with the same settings give the same marks."""

    level: str = "student"
    seeds: tuple[int, ...] = VISIBLE_SEEDS
    dice: str = ""
    """Mixed into every seed; the report of a graded run has them."""
    secret: str = field(default="", repr=False)
    """The grader's: each submission's dice come of it."""
    limits: SandboxLimits = DEFAULT
    isolation: Isolation | None = None
    """None: the best that works."""
    only: tuple[str, ...] = ()
    """Exercises or checks; empty: all."""

    def dice_of(self, submission: Submission) -> str:
        """What is mixed into every seed where this submission is graded."""
        return dice_for(self.secret, submission.fingerprint) if self.secret else self.dice

    def fingerprint(self, submission: Submission, suite: CheckSuite) -> str:
        """Tells whether a result found on disk is one of this submission under these settings."""
        dice = self.dice_of(submission)
        parts = (submission.fingerprint, suite.name, self.level, self.seeds, dice, self.only, self.limits)
        return sha256(repr(parts).encode()).hexdigest()
