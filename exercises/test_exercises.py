"""Your quick check: `pytest exercises/`, or one exercise with `-k ex3`, or one check with `-k ex3.votes`.

The checks are the same as `replab check`'s, which tells more and draws pictures. What you have not begun is skipped.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from labs.grading.check import Check
from labs.grading.checks import SUITE
from labs.grading.reports.words import explain
from labs.grading.results import CheckResult, Status
from labs.grading.runner import grade
from labs.grading.settings import VISIBLE_SEEDS, GradingSettings
from labs.grading.submission.reading import open_submission
from labs.grading.submission.submission import Submission

CHECKS = {check.id: check for check in SUITE.checks("student", VISIBLE_SEEDS)}


class Answers:
    """What each check says of this folder's files; asked once, and only when it is needed."""

    def __init__(self, submission: Submission) -> None:
        self._submission = submission
        self._known: dict[str, CheckResult] = {}

    def of(self, check: Check) -> CheckResult:
        if check.id not in self._known:
            [self._known[check.id]] = grade(self._submission, SUITE, GradingSettings(only=(check.id,))).checks
        return self._known[check.id]

    def missing(self, check: Check) -> Check | None:
        """A check that this one builds on and that does not pass yet."""
        needed = (CHECKS[name] for name in check.depends_on)
        return next((one for one in needed if self.missing(one) or self.of(one).status is not Status.PASSED), None)


@pytest.fixture(scope="session")
def answers() -> Answers:
    return Answers(open_submission(Path(__file__).parent))


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_exercise(check: Check, answers: Answers, record_property: Callable[[str, object], None]) -> None:
    builds_on = answers.missing(check)
    result = None if builds_on else answers.of(check)
    record_property("points", (check.exercise, result.earned if result else 0.0, check.points))
    if result is None or builds_on is not None:
        pytest.skip(f"builds on {builds_on.id if builds_on else ''}, which does not pass yet")
    if result.status is Status.NOT_ATTEMPTED:
        pytest.skip("not attempted")
    if result.status is not Status.PASSED:
        pytest.fail("\n".join([f"{result.earned:g} of {check.points:g} points", *explain(result)]), pytrace=False)
