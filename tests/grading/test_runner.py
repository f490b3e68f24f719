"""Checks, points, dependencies, and whose fault it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from labs.grading.check import Check, CheckOutcome, StudentCode, failed, passed
from labs.grading.errors import GraderError
from labs.grading.results import Report, Status, clean
from labs.grading.runner import grade
from labs.grading.sandbox.isolation import Isolation
from labs.grading.settings import GradingSettings, load_suite, seeds_for
from labs.grading.submission.submission import Submission
from labs.simulation.schedule import Schedule
from tests.grading.conftest import grade_ex1, submission, the_result
from tests.grading.toys import BROKEN_SUITE, GOOD_EX1, GOOD_EX2, GOOD_EX3, ONCE, QUICK, SUITE, ToySuite

ALL_GOOD = {"ex1": GOOD_EX1, "ex2": GOOD_EX2, "ex3": GOOD_EX3}
HALF = "def double(n):\n    return 2 * n if n == 0 else 0\n"


def statuses(report: Report) -> dict[str, str]:
    return {result.id: result.status.value for result in report.checks}


def stable(report: Report) -> str:
    return json.dumps({**report.to_json(), "run": None})


@pytest.mark.sample(1)
def test_a_right_submission_gets_all_points(isolation: Isolation) -> None:
    report = grade(submission(**ALL_GOOD), SUITE, GradingSettings(limits=QUICK, isolation=isolation, seeds=(0,)))

    assert set(statuses(report).values()) == {"passed"}
    assert (report.earned, report.points, report.graded) == (14, 14, True)
    assert all(result.deterministic for result in report.checks)
    assert report.isolation == isolation.describe()


@pytest.mark.slow
def test_two_gradings_are_the_same_byte_for_byte() -> None:
    sources = {**ALL_GOOD, "ex1": "def double(n):\n    raise ValueError(object())\n"}

    first, second = (grade(submission(**sources), SUITE, GradingSettings(limits=QUICK, seeds=(0,))) for _ in range(2))

    assert "0x…" in first.checks[0].message
    assert stable(first) == stable(second)


def test_a_missing_file_costs_its_own_exercise_only() -> None:
    report = grade(submission(ex1=GOOD_EX1), ONCE, GradingSettings(limits=QUICK))

    assert statuses(report) == {
        "double": "passed",
        "text": "passed",
        "echo": "not_attempted",
        "elects": "not_attempted",
    }
    assert report.checks[2].message == "ex2_replication_lag.py is missing from the submission"
    assert [exercise.present for exercise in report.exercises] == [True, False, False]


def test_an_unreadable_file_costs_its_own_exercise_only() -> None:
    broken = Submission("test", {"ex2": GOOD_EX2}, {"ex1": "ex1_fault_tolerance.py is not UTF-8 (line 3)"})
    report = grade(broken, ONCE, GradingSettings(limits=QUICK, only=("ex1", "ex2")))

    assert statuses(report) == {"double": "failed", "text": "failed", "echo": "passed"}
    assert report.checks[0].message == "ex1_fault_tolerance.py is not UTF-8 (line 3)"


def test_points_are_given_in_part() -> None:
    result = the_result(grade_ex1(HALF))

    assert (result.status, result.earned) == (Status.FAILED, 1.33)
    assert result.evidence == ("right for [0]",)


def test_what_builds_on_a_failed_check_is_skipped_with_the_reason() -> None:
    report = grade_ex1(HALF, "ex1")

    assert report.checks[1].status is Status.SKIPPED
    assert report.checks[1].message == "builds on “Doubles numbers”, which did not pass"


def test_a_check_alone_can_be_asked_for() -> None:
    assert the_result(grade_ex1(GOOD_EX1, "text")).status is Status.PASSED


def test_the_instructor_has_more_checks_and_seeds() -> None:
    assert [check.id for check in SUITE.checks("instructor", ())][-1] == "any"
    assert seeds_for("student", 50) == (0, 1, 2)
    assert seeds_for("instructor", 50) == (0, 1, 2, 50, 51, 52, 53, 54)


def test_a_failure_tells_how_to_see_it_again() -> None:
    source = "from replstore.election import Election\nclass MyElection(Election):\n    def tick(self, now): pass\n"
    source += "    def receive(self, *_): pass\n"
    report = grade(submission(ex3=source), ONCE, GradingSettings(limits=QUICK, only=("ex3",)))

    assert the_result(report).replay_command == "replab check ex3 --seed 0"
    assert the_result(grade_ex1(HALF)).replay_command == "replab check ex1 --only double"


def test_a_picture_is_kept_beside_the_result() -> None:
    source = "def double(n):\n    return 2 * n if type(n) is int else n\n"
    report = grade_ex1(source, "text")

    assert the_result(report).picture == "text.svg"
    assert report.pictures == {"text.svg": "<svg></svg>"}


def test_printed_output_stands_apart() -> None:
    report = grade_ex1("def double(n):\n    print('\\x1b[31mhello\\x1b[0m', n)\n    return 2 * n\n")

    assert report.run.output["double"].startswith("hello 0\nhello 1")
    assert "hello" not in stable(report)


# --------------------------------------------------------------------------------------------------------
# The grader's own faults


def test_a_fault_of_the_grader_is_an_error_and_no_mark() -> None:
    report = grade(submission(ex1=GOOD_EX1), BROKEN_SUITE, GradingSettings(limits=QUICK, only=("ex1",)))

    assert statuses(report) == {"double": "passed", "text": "passed", "broken": "error"}
    assert not report.graded
    assert report.to_json()["earned"] is None
    assert "ZeroDivisionError" in report.run.errors["broken"]


def broken_outcome(code: StudentCode) -> CheckOutcome:
    return True  # type: ignore[return-value]


def test_a_check_that_returns_no_outcome_is_a_fault_of_the_grader() -> None:
    suite = ToySuite(Check("odd", "ex1", "Odd", 1, broken_outcome))

    assert the_result(grade_ex1(GOOD_EX1, "odd", suite=suite)).status is Status.ERROR


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (Check("double", "ex1", "Again", 1, broken_outcome), "two checks are called double"),
        (Check("a", "ex1", "A", 1, broken_outcome, depends_on=("any",)), "the check a stands before any"),
    ],
)
def test_a_suite_that_makes_no_sense_is_refused(extra: Check, message: str) -> None:
    with pytest.raises(GraderError, match=message):
        grade(submission(), ToySuite(extra), GradingSettings(level="instructor", limits=QUICK))


def test_a_suite_is_loaded_by_name() -> None:
    assert load_suite("tests.grading.toys:SUITE") is SUITE
    with pytest.raises(GraderError, match="no checks at"):
        load_suite("tests.grading.toys:NOTHING")


# --------------------------------------------------------------------------------------------------------
# Reports as values


def test_a_report_survives_its_json() -> None:
    report = grade_ex1(HALF, "ex1")
    data = json.loads(json.dumps(report.to_json()))

    assert Report.from_json(data).to_json() == report.to_json()
    with pytest.raises(ValueError, match="version"):
        Report.from_json({**data, "version": 0})


def test_the_fingerprint_follows_content_and_settings() -> None:
    settings = GradingSettings(limits=QUICK)
    base = settings.fingerprint(submission(ex1=GOOD_EX1), SUITE)

    assert settings.fingerprint(submission(ex1=GOOD_EX1), SUITE) == base
    assert settings.fingerprint(submission(ex1=HALF), SUITE) != base
    assert replace(settings, seeds=(9,)).fingerprint(submission(ex1=GOOD_EX1), SUITE) != base


def test_texts_are_cleaned() -> None:
    assert clean("a\x1b[31mred\x1b]0;title\x07 \x00\ud800 \u202eback\r\nb\tc") == "ared �� �back\nb\tc"
    assert clean("x" * 5000) == "x" * 1999 + "…"
    assert failed("", share=7).share == 1.0


def seed_by_seed(code: StudentCode) -> CheckOutcome:
    for seed in code.seeds:
        if code.call("double", seed) != 2 * seed:
            return failed(f"wrong for {seed}")
        code.settle()
    return passed()


SEED_BY_SEED = ToySuite(Check("seeds", "ex1", "Seed by seed", 1, seed_by_seed, again=1))
THREE_SEEDS = GradingSettings(limits=QUICK, seeds=(0, 1, 2), only=("seeds",))


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    ("body", "status", "same"),
    [
        ("2 * n", "passed", True),
        ("2 * n if n != 1 else 7", "failed", True),  # in a seed that the second run does not come to
        ("2 * n if n != 0 else 7", "failed", True),
        ("2 * n if n != 0 else hash('a')", "failed", False),
        ("(print(2 * n), 2 * n, hash('a'))[1]", "passed", True),  # what it answers is the same
    ],
)
def test_a_check_may_be_run_again_for_its_first_seed_only(body: str, status: str, same: bool) -> None:
    report = grade(submission(ex1=f"def double(n):\n    return {body}\n"), SEED_BY_SEED, THREE_SEEDS)

    assert statuses(report) == {"seeds": status}
    assert report.checks[0].deterministic is same


def case_by_case(code: StudentCode) -> CheckOutcome:
    right = [code.call("double", n) == 2 * n for n in code.cases(range(4), compared=2)]
    return passed() if all(right) else failed("wrong", share=sum(right) / len(right))


CASE_BY_CASE = ToySuite(Check("cases", "ex1", "Case by case", 4, case_by_case))


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    ("body", "earned", "same"),
    [
        ("2 * n", 4, True),
        ("2 * n if n else 7", 3, True),  # of the second run's cases it would be 2
        ("2 * n if n < 2 else 7", 2, True),
        ("2 * n if n != 1 else hash('a')", 2, False),
        ("2 * n if n != 3 else hash('a')", 3, True),  # the second run does not come so far
        ("2 * n + SECOND", 0, False),
        ("2 * n + SECOND * (n == 1)", 2, False),
    ],
)
def test_the_second_run_compares_the_first_cases_and_judges_where_they_differ(
    body: str, earned: float, same: bool
) -> None:
    source = f"import os\nSECOND = int(os.environ['PYTHONHASHSEED'])\ndef double(n):\n    return {body}\n"

    report = grade(submission(ex1=source), CASE_BY_CASE, GradingSettings(limits=QUICK, only=("cases",)))

    assert (report.earned, report.checks[0].deterministic) == (earned, same)


def test_the_second_run_of_the_first_seed_can_cost_the_points() -> None:
    right_once = "import os\ndef double(n):\n    return 2 * n + int(os.environ['PYTHONHASHSEED'])\n"

    report = grade(submission(ex1=right_once), SEED_BY_SEED, THREE_SEEDS)

    assert statuses(report) == {"seeds": "failed"}
    assert report.checks[0].deterministic is False


def test_a_run_that_an_earlier_check_has_made_counts_like_one_that_is_made_anew() -> None:
    quiet, busy = (Schedule(nodes=3, steps=(), length=length, calm=0.5) for length in (0.5, 1.0))

    def one_after_the_other(*schedules: Schedule) -> Callable[[StudentCode], CheckOutcome]:
        def run(code: StudentCode) -> CheckOutcome:
            fine = [code.simulate(one).error is None for one in code.cases(schedules, compared=1)]
            return passed() if all(fine) else failed("an error")

        return run

    suite = ToySuite(
        Check("both", "ex3", "Both", 1, one_after_the_other(quiet, busy)),
        Check("second", "ex3", "The second", 1, one_after_the_other(busy)),
    )
    report = grade(submission(ex3=GOOD_EX3), suite, GradingSettings(limits=QUICK, only=("both", "second")))

    assert statuses(report) == {"both": "passed", "second": "passed"}
    assert [result.deterministic for result in report.checks] == [True, True]
