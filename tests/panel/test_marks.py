"""The rows of an exercise panel: how a run of the checks looks while it goes on, and what is left of it."""

from __future__ import annotations

from typing import Any

import pytest

from labs.grading.check import Check, CheckOutcome, Scene, failed, passed
from labs.grading.results import CheckResult, Particulars, Report, Status
from labs.lesson.exercises import BY_ID
from labs.panel.marks import Marks

NAMES = ("a", "b", "c")


def check(name: str, points: float = 10) -> Check:
    return Check(
        f"ex3.{name}", "ex3", f"Check {name}", points, lambda session: passed(), rule="It holds.", hint="Look."
    )


def result(name: str, status: Status, earned: float = 0.0, message: str = "") -> CheckResult:
    return CheckResult(check(name).to_json(), status, earned, message, replay_command=f"replab check ex3 --only {name}")


@pytest.fixture
def marks() -> Marks:
    return Marks(BY_ID["ex3"], [check(name) for name in NAMES])


def states(marks: Marks) -> list[str]:
    return [row["state"] for row in marks.picture()["rows"]]


def take(marks: Marks, name: str, status: Status, earned: float = 0.0, outcome: CheckOutcome | None = None) -> None:
    marks.take(result(name, status, earned), outcome or passed())


def report(**more: Any) -> Report:
    empty: dict[str, Any] = {
        "submission": "s", "level": "student", "suite": "x", "seeds": (0,), "isolation": "",
        "fingerprint": "",
        "exercises": (), "checks": (),
    }  # fmt: skip
    return Report(**{**empty, **more})


def test_nothing_has_been_run_at_first(marks: Marks) -> None:
    assert states(marks) == ["idle"] * 3
    assert marks.headline() == "3 checks, 30 points. Nothing has been run yet."


def test_one_check_runs_while_the_next_ones_wait(marks: Marks) -> None:
    marks.begin((), "code")
    assert states(marks) == ["running", "waiting", "waiting"]
    assert marks.headline() == "Checking: Check a …"

    take(marks, "a", Status.PASSED, 10)

    assert states(marks) == ["passed", "running", "waiting"]


def test_a_failed_check_with_some_of_its_points_is_passed_in_part(marks: Marks) -> None:
    marks.begin((), "code")
    take(marks, "a", Status.FAILED, 4)
    take(marks, "b", Status.FAILED, 0)
    take(marks, "c", Status.SKIPPED)

    assert states(marks) == ["part", "failed", "skipped"]
    assert marks.headline() == "1 passed in part, 1 failed, 1 skipped."
    assert marks.picture()["total"]["earned"] == "4"


def test_all_passed_is_said_in_one_word_and_so_is_nothing_attempted(marks: Marks) -> None:
    marks.begin((), "code")
    for name in NAMES:
        take(marks, name, Status.NOT_ATTEMPTED)
    assert marks.headline() == "Not attempted yet: fill in ex3_election.py, save it, and run again."
    assert not marks.picture()["total"]["perfect"]

    marks.begin((), "code 2")
    for name in NAMES:
        take(marks, name, Status.PASSED, 10)
    assert marks.headline() == "All checks passed."
    assert marks.picture()["total"]["perfect"]


def test_where_the_grader_failed_there_is_no_mark(marks: Marks) -> None:
    marks.begin((), "code")
    take(marks, "a", Status.PASSED, 10)
    take(marks, "b", Status.ERROR)

    total = marks.picture()["total"]
    assert total["earned"] == "?"
    take(marks, "c", Status.PASSED, 10)
    assert marks.headline().startswith("No mark")


def test_one_check_alone_leaves_the_others_as_they_are(marks: Marks) -> None:
    marks.begin((), "code")
    for name in NAMES:
        take(marks, name, Status.FAILED)

    marks.begin(["ex3.b"], "code")
    assert states(marks) == ["failed", "running", "failed"]
    take(marks, "b", Status.PASSED, 10)

    assert states(marks) == ["failed", "passed", "failed"]
    assert marks.headline() == "1 passed, 2 failed."


def test_a_check_run_alone_counts_only_where_a_full_run_would_get_to_it() -> None:
    second = Check("ex3.b", "ex3", "Check b", 10, lambda session: passed(), depends_on=("ex3.a",))
    marks = Marks(BY_ID["ex3"], [check("a"), second])
    marks.begin((), "code")
    take(marks, "a", Status.FAILED)
    take(marks, "b", Status.SKIPPED)

    marks.begin(["ex3.b"], "code")
    marks.take(CheckResult(second.to_json(), Status.PASSED, 10), passed())
    assert [row["held_up"] for row in marks.picture()["rows"]] == ["", "Check a"]
    assert marks.earned == 0

    marks.begin(["ex3.a"], "code")
    take(marks, "a", Status.PASSED, 10)
    assert marks.earned == 20


def test_results_of_an_earlier_version_of_the_code_are_marked(marks: Marks) -> None:
    marks.begin((), "code")
    for name in NAMES:
        take(marks, name, Status.FAILED)

    marks.begin(["ex3.b"], "other code")
    take(marks, "b", Status.PASSED, 10)

    assert [row["old"] for row in marks.picture()["rows"]] == [True, False, True]


def test_stopping_keeps_what_had_come_and_says_so(marks: Marks) -> None:
    marks.begin((), "code")
    take(marks, "a", Status.PASSED, 10)

    marks.stop("Stopped.")

    assert states(marks) == ["passed", "idle", "idle"]
    assert marks.headline() == "Stopped."
    assert marks.earned == 10


def test_the_scene_of_a_failure_is_known_until_the_check_is_run_again(marks: Marks) -> None:
    marks.begin((), "code")
    take(marks, "a", Status.FAILED, outcome=failed("wrong", scene=Scene(1.0, reopen=lambda: None)))  # type: ignore[arg-type, return-value]
    assert marks.picture()["rows"][0]["scene"] == "cluster"

    marks.begin(["ex3.a"], "code")
    assert marks.picture()["rows"][0]["scene"] == ""


def test_what_the_code_printed_and_what_the_grader_noted_are_shown(marks: Marks) -> None:
    marks.begin((), "code")
    for name in NAMES:
        take(marks, name, Status.PASSED, 10)

    marks.finish(
        report(
            isolation="resource limits only, …",
            notes=("cell 2: left out", "not used: x"),
            run=Particulars(output={"ex3.b": "hi"}),
        )
    )

    picture = marks.picture()
    assert [row["output"] for row in picture["rows"]] == ["", "hi", ""]
    assert picture["total"]["notes"][0] == "cell 2: left out"
    assert "no sandbox" in picture["total"]["notes"][1]


def test_the_reference_stands_beside(marks: Marks) -> None:
    marks.begin_reference(["ex3.a", "ex3.b"])
    assert [row["reference"] for row in marks.picture()["rows"]] == ["waiting", "waiting", "idle"]

    marks.take_reference(result("a", Status.PASSED, 10))
    marks.end_reference()

    picture = marks.picture()
    assert [row["reference"] for row in picture["rows"]] == ["passed", "idle", "idle"]
    assert (picture["total"]["reference"], picture["total"]["reference_of"]) == ("10", "10")
    assert marks.earned == 0, "its points are not the student's"
