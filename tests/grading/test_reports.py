"""The same report in every format, with texts that would break a careless one."""

from __future__ import annotations

import base64
import csv
import io
import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from labs.grading import reports
from labs.grading.check import Check, failed
from labs.grading.reports import classroom, console, gradescope, html, junit, table
from labs.grading.results import CheckResult, ExerciseSummary, Particulars, Report, Status

EVIL = "</script><script>alert(1)</script> ]]> [red]=1+1 & \"'"


def result(name: str, status: Status, earned: float, hidden: bool = False) -> CheckResult:
    check = Check(
        name,
        "ex1",
        f"Title {EVIL}",
        2,
        lambda session: failed(""),
        rule="The rule.",
        hint=f"A hint {EVIL}",
        hidden=hidden,
    )
    return CheckResult(
        check.to_json(), status, earned, f"{name} said {EVIL}", (f"line {EVIL}",), "replab check", "a.svg"
    )


REPORT = Report(
    submission="=evil, <b>Ann</b>",
    level="instructor",
    suite="toys 1",
    seeds=(0, 1),
    isolation="bubblewrap",
    fingerprint="abc",
    exercises=(ExerciseSummary("ex1", "Fault tolerance", "ex1_fault_tolerance.py", True, 2.5, 8),),
    checks=(
        result("good", Status.PASSED, 2),
        result("part", Status.FAILED, 0.5),
        result("later", Status.SKIPPED, 0),
        result("secret", Status.FAILED, 0, hidden=True),
    ),
    notes=(f"not used: {EVIL}",),
    run=Particulars("2026-01-01T00:00:00+00:00", {"good": 0.25, "part": 1.5, "total": 2.0}, {"part": EVIL}, {}),
    pictures={"a.svg": f'<svg xmlns="http://www.w3.org/2000/svg"><script>{EVIL}</script></svg>'},
)
FAILED_GRADER = replace(REPORT, checks=(*REPORT.checks, result("broken", Status.ERROR, 0)))


class Elements(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.images: list[str] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.images += [value for name, value in attrs if name == "src" and value]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_html_shows_everything_and_runs_nothing() -> None:
    page = Elements(html.render(REPORT))
    words = "".join(page.words)

    assert "script" not in page.tags
    assert "b" not in page.tags
    assert f"part said {EVIL}" in words
    assert "2.5 of 8 points" in words
    assert len(page.images) == 2
    assert all(image.startswith("data:image/svg+xml;base64,") for image in page.images)
    assert "http" not in html.render(REPORT).replace("http-equiv", "")


def test_junit_is_well_formed_and_carries_the_points() -> None:
    root = ElementTree.fromstring(junit.render(REPORT))
    (suite,) = root
    points = [element.get("value") for element in suite.iter("property") if element.get("name") == "earned"]

    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped"), suite.get("errors")) == (
        "4",
        "2",
        "1",
        "0",
    )
    assert points == ["2", "0.5", "0", "0"]
    assert suite.findall(".//failure")[0].get("message") == f"part said {EVIL}"
    assert ElementTree.fromstring(junit.render(FAILED_GRADER)).findall(".//error")


def test_gradescope_adds_up_and_hides_no_test() -> None:
    data = gradescope.convert(REPORT)

    assert "score" not in data
    assert sum(test["score"] for test in data["tests"]) == REPORT.earned
    assert sum(test["max_score"] for test in data["tests"]) == REPORT.points
    assert {test["status"] for test in data["tests"]} == {"passed", "failed"}
    assert {test["visibility"] for test in data["tests"]} == {"visible"}


def test_a_hidden_check_gives_only_its_rule_and_hint_away() -> None:
    hidden = gradescope.convert(REPORT)["tests"][3]["output"]

    assert "Rule: The rule." in hidden
    assert "Hint:" in hidden
    assert "secret said" not in hidden
    assert "line" not in hidden


def test_gradescope_gets_no_mark_where_the_grader_failed() -> None:
    data = gradescope.convert(FAILED_GRADER)

    assert "tests" not in data
    assert "score" not in data
    assert "grader itself failed" in data["output"]


def test_classroom_gets_one_result_for_each_exercise() -> None:
    files = classroom.files(REPORT)
    data = json.loads(files["classroom-ex1.json"])

    assert json.loads(base64.b64decode(files["classroom-ex1.b64"])) == data
    assert (data["version"], data["status"], data["max_score"]) == (3, "fail", 8)
    assert [(test["status"], test["score"]) for test in data["tests"]] == [
        ("pass", 2),
        ("fail", 0.5),
        ("fail", 0),
        ("fail", 0),
    ]
    assert "\n" not in files["classroom-ex1.b64"]


def test_classroom_is_told_of_a_failed_grader() -> None:
    assert json.loads(classroom.files(FAILED_GRADER)["classroom-ex1.json"])["status"] == "error"


def test_the_table_has_nbgraders_columns_and_no_formula() -> None:
    rows = list(csv.DictReader(io.StringIO(table.render([REPORT], {REPORT.submission: "2026-01-01"}))))

    assert tuple(rows[0]) == table.COLUMNS
    assert rows[0]["student_id"] == "'=evil, <b>Ann</b>"
    assert (rows[0]["assignment"], rows[0]["score"], rows[0]["max_score"]) == ("ex1_fault_tolerance", "2.5", "8")
    assert rows[0]["timestamp"] == "2026-01-01"


def test_the_table_gives_no_score_where_the_grader_failed_and_no_time_where_nothing_came() -> None:
    missing = replace(REPORT, exercises=(replace(REPORT.exercises[0], present=False, earned=0.0),))
    first, second = csv.DictReader(io.StringIO(table.render([FAILED_GRADER, missing], {REPORT.submission: "2026"})))

    assert first["score"] == first["raw_score"] == ""
    assert (second["score"], second["timestamp"]) == ("0", "")


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@x", " =1", "\t=1"])
def test_a_cell_that_begins_like_a_formula_is_neutralized(cell: str) -> None:
    assert table.neutral(cell) == f"'{cell}"
    assert table.neutral(f"a{cell}") == f"a{cell}"


def test_the_console_takes_texts_literally() -> None:
    screen = Console(file=io.StringIO(), width=200, force_terminal=False)
    console.show(REPORT, screen)
    console.overview([REPORT, FAILED_GRADER], screen)
    text = screen.file.getvalue()  # type: ignore[attr-defined]

    assert f"part said {EVIL}" in text
    assert "2.5 of 8 points" in text
    assert "no mark" in text


def test_a_folder_holds_the_report_and_its_pictures(tmp_path: Path) -> None:
    reports.write(REPORT, tmp_path, reports.FORMATS)

    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {
        *("report.json", "report.html", "junit.xml", "results.json", "classroom-ex1.json", "classroom-ex1.b64", "a.svg")
    }
    again = reports.read(tmp_path)
    assert again is not None
    assert again.to_json() == REPORT.to_json()


def test_half_a_report_is_none(tmp_path: Path) -> None:
    assert reports.read(tmp_path) is None
    (tmp_path / "report.json").write_text("{")
    assert reports.read(tmp_path) is None
