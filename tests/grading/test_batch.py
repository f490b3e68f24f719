"""A class of submissions, and the commands."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from labs.cli import grade as grade_command
from labs.cli import handout
from labs.grading import batch, reports
from labs.grading.errors import GraderError
from labs.grading.results import Report
from labs.grading.settings import GradingSettings
from labs.lesson import tree
from tests.grading.conftest import write_files
from tests.grading.toys import GOOD, GOOD_EX1, QUICK, SUITE_SPEC

SETTINGS = GradingSettings(limits=QUICK, only=("ex1",))
FORK_BOMB = """
import os, time
def double(n):
    for _ in range(100):
        if os.fork() == 0:
            while True: pass
    return 2 * n
"""


@pytest.fixture
def classroom(tmp_path: Path) -> Path:
    write_files(tmp_path / "class" / "ann", GOOD)
    write_files(tmp_path / "class" / "bob", {"ex1_fault_tolerance.py": "def double(n):\n    return 0\n"})
    write_files(tmp_path / "class" / "cid", {"ex1_fault_tolerance.py": FORK_BOMB})
    write_files(tmp_path / "class" / "dan", {"notes.txt": "sorry"})
    return tmp_path / "class"


def run(classroom: Path, out: Path, workers: int = 1, **options: Any) -> tuple[list[Report], list[bool]]:
    known: list[bool] = []
    jobs = batch.plan([classroom], out, SUITE_SPEC, SETTINGS).jobs
    graded = batch.run(jobs, workers, lambda report, was_known: known.append(was_known), **options)
    batch.write_table(jobs, graded, out)
    return graded, known


def stable(folder: Path) -> dict[str, Any]:
    """All results in `folder` but for times and output."""
    found = {path.parent.name: json.loads(path.read_text()) for path in folder.glob("*/report.json")}
    return {name: {**data, "run": None} for name, data in found.items()}


@pytest.mark.slow
def test_two_workers_give_the_same_results_as_one(classroom: Path, tmp_path: Path) -> None:
    one, _ = run(classroom, tmp_path / "one")
    run(classroom, tmp_path / "two", workers=2)

    assert [report.submission for report in one] == ["ann", "bob", "cid", "dan"]
    assert [report.earned for report in one] == [6, 1.33, 0, 0]
    assert stable(tmp_path / "one") == stable(tmp_path / "two")
    assert (tmp_path / "one" / "grades.csv").read_bytes() == (tmp_path / "two" / "grades.csv").read_bytes()


@pytest.mark.slow
def test_a_broken_off_batch_goes_on_where_it_stopped(classroom: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.rmtree(classroom / "cid")
    before, _ = run(classroom, out)
    (out / "bob" / "report.json").unlink()  # as if the machine had stopped just before writing it

    after, known = run(classroom, out)

    assert known == [True, True, False]
    assert [report.earned for report in after] == [report.earned for report in before]


@pytest.mark.slow
def test_a_changed_submission_is_graded_anew(classroom: Path, tmp_path: Path) -> None:
    shutil.rmtree(classroom / "cid")
    run(classroom, tmp_path / "out")
    write_files(classroom / "bob", {"ex1_fault_tolerance.py": GOOD_EX1})

    after, known = run(classroom, tmp_path / "out")

    assert known.count(False) == 1
    assert after[1].earned == 6


def test_names_that_collide_get_folders_of_their_own(tmp_path: Path) -> None:
    paths = [write_files(tmp_path / place, GOOD) for place in ("a/ann", "b/ann", "c/Ann", "d/ann.")]
    jobs = batch.plan(paths, tmp_path / "out", SUITE_SPEC, SETTINGS).jobs

    assert [job.name for job in jobs] == ["ann", "ann-2", "Ann-3", "ann.-2"]
    assert len({job.folder.name.lower() for job in jobs}) == 4


def test_a_path_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(GraderError, match="there is no"):
        batch.plan([tmp_path / "nobody"], tmp_path, SUITE_SPEC, SETTINGS)


# --------------------------------------------------------------------------------------------------------
# Commands


def app() -> typer.Typer:
    made = typer.Typer()
    grade_command.register(made)
    handout.register(made)
    return made


def call(*words: str) -> Any:
    return CliRunner().invoke(app(), list(words))


@pytest.mark.slow
def test_grade_grades_one(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "ann", GOOD)
    out = tmp_path / "out"

    done = call("grade", str(folder), "--out", str(out), "--suite", SUITE_SPEC, "--only", "ex1", "--format", "junit")

    assert done.exit_code == 0, done.output
    assert "7 of 7 points" in done.output
    assert "Isolation:" in done.output
    assert {path.name for path in (out / "ann").iterdir()} == {"report.json", "junit.xml"}
    report = reports.read(out / "ann")
    assert report is not None
    assert report.level == "instructor"


@pytest.mark.slow
def test_grade_ends_with_its_own_code_where_the_grader_failed(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "ann", GOOD)
    suite = "tests.grading.toys:BROKEN_SUITE"

    done = call("grade", str(folder), "--out", str(tmp_path / "out"), "--suite", suite, "--only", "broken")

    assert done.exit_code == grade_command.NO_MARK
    assert "NO MARK" in done.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--format", "pdf"), "no format 'pdf'"),
        (("--isolation", "moat"), "no isolation 'moat'"),
        (("--suite", "nothing.here:SUITE"), "no checks at nothing.here:SUITE"),
    ],
)
def test_grade_refuses_what_it_does_not_know(words: tuple[str, ...], message: str, tmp_path: Path) -> None:
    done = call("grade", str(write_files(tmp_path / "ann", GOOD)), "--out", str(tmp_path / "out"), *words)

    assert done.exit_code != 0
    assert message in done.output


def test_a_handout_has_neither_solutions_nor_tests(tmp_path: Path) -> None:
    done = call("handout", str(tmp_path / "lab"))

    assert done.exit_code == 0, done.output
    names = {str(path.relative_to(tmp_path / "lab")) for path in (tmp_path / "lab").rglob("*")}
    assert {"replstore/core/node.py", "labs/grading/runner.py", "pyproject.toml", "exercises"} <= names
    assert not [name for name in names if name.startswith(("solutions", "tests", ".git/")) or "__pycache__" in name]
    assert not [name for name in names if name.startswith(tree.INSTRUCTOR_ONLY)]


@pytest.mark.slow
def test_the_readmes_test_command_runs_the_exercises_checks_in_a_handout(tmp_path: Path) -> None:
    assert call("handout", str(tmp_path / "lab")).exit_code == 0
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}

    done = subprocess.run(
        # As a student has it: without the plug-ins that only the lab's own tests need.
        [sys.executable, "-m", "pytest", "-p", "no:xdist", "-p", "no:timeout", "-k", "ex3.elects"],
        cwd=tmp_path / "lab",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "ex3: 0 of 10 points" in done.stdout, done.stdout + done.stderr


def test_a_handout_greets_students_and_promises_only_what_it_has(tmp_path: Path) -> None:
    assert call("handout", str(tmp_path / "lab")).exit_code == 0
    text = (tmp_path / "lab" / "README.md").read_text(encoding="utf-8")

    assert "replab check" in text
    assert not [word for word in ("solutions", "replab grade", ".[test]") if word in text]


def test_every_link_in_a_handout_leads_somewhere(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    assert call("handout", str(lab)).exit_code == 0

    links = [
        (page.name, target)
        for page in [lab / "README.md", *(lab / "docs").glob("*.md")]
        for target in re.findall(r"\]\(([^)#:]+)[^):]*\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert links == []


def test_a_handout_withholds_the_instructors_checks_but_an_autograder_has_them(tmp_path: Path) -> None:
    root = write_files(
        tmp_path / "root",
        {
            "pyproject.toml": "",
            "exercises/ex9.py": "",
            "labs/grading/checks/__init__.py": "",
            "labs/grading/checks/instructor.py": "secret",
            "labs/grading/checks/__pycache__/instructor.pyc": "secret",
            "solutions/ex1.py": "secret",
        },
    )
    tree.copy_lab(root, tmp_path / "students", withhold=True)
    tree.copy_lab(root, tmp_path / "autograder", withhold=False)

    def files(folder: str) -> set[str]:
        return {path.name for path in (tmp_path / folder).rglob("*") if path.is_file()}

    assert files("students") == {"pyproject.toml", "ex9.py", "__init__.py"}
    # The instructor's checks also use the reference election, so that goes along; students see neither.
    assert files("autograder") == {"pyproject.toml", "ex9.py", "__init__.py", "instructor.py", "ex1.py"}


def test_a_handout_does_not_overwrite(tmp_path: Path) -> None:
    write_files(tmp_path, {"file": "x"})

    said = call("handout", str(tmp_path)).output.replace("│", " ")

    assert "is not empty" in " ".join(said.split())  # wherever the frame around it breaks the line


def test_the_gradescope_folder_has_its_two_scripts(tmp_path: Path) -> None:
    call("handout", str(tmp_path / "auto"), "--for", "gradescope")

    for name in ("setup.sh", "run_autograder"):
        script = tmp_path / "auto" / name
        assert script.stat().st_mode & 0o111
        subprocess.run(["bash", "-n", str(script)], check=True)
    assert (tmp_path / "auto" / "lab" / "pyproject.toml").is_file()
    assert re.fullmatch("[0-9a-f]{32}\n", (tmp_path / "auto" / "secret.txt").read_text())


def test_the_classroom_repository_has_its_workflow(tmp_path: Path) -> None:
    call("handout", str(tmp_path / "lab"), "--for", "classroom")
    text = (tmp_path / "lab" / ".github" / "workflows" / "classroom.yml").read_text()

    for exercise in ("ex1", "ex2", "ex3"):
        assert f"classroom-{exercise}.b64" in text
        assert f"{exercise.upper()}_RESULTS" in text


# --------------------------------------------------------------------------------------------------------
# Nobody vanishes


def test_what_is_no_submission_is_named_at_the_end(tmp_path: Path) -> None:
    write_files(tmp_path / "class", {f"ann/{name}": text for name, text in GOOD.items()})
    write_files(tmp_path / "class", {"bob.7z": "7z", "list.txt": ""})
    (tmp_path / "class" / "dan").symlink_to("ann")

    done = call(
        "grade", str(tmp_path / "class"), "--out", str(tmp_path / "out"), "--suite", SUITE_SPEC, "--only", "double"
    )

    assert done.exit_code == 0, done.output
    assert "not graded: dan: a link, which is not followed" in done.output
    assert "not graded: list.txt: no submission" in done.output
    rows = (tmp_path / "out" / "grades.csv").read_text().splitlines()[1:]
    assert [row.split(",")[3] for row in rows] == ["ann", "bob"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [("EX1", "did you mean ex1?"), ("doubel", "did you mean double?"), ("ex4", "There are ex1,"), ("", "")],
)
def test_an_unknown_check_is_refused_and_the_known_ones_are_named(name: str, hint: str, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "ann", GOOD)

    done = call("grade", str(folder), "--out", str(tmp_path / "out"), "--suite", SUITE_SPEC, "--only", name)

    said = " ".join(done.output.replace("│", " ").split())
    assert done.exit_code == 2
    assert f"there is no check '{name}'" in said
    assert hint in said
    assert not (tmp_path / "out").exists()


def test_a_submission_named_like_a_result_does_not_hide_it(tmp_path: Path) -> None:
    paths = [write_files(tmp_path / name, GOOD) for name in ("grades.csv", "a/con", "é", "b/e\u0301", "n" * 150)]
    jobs = batch.plan(paths, tmp_path / "out", SUITE_SPEC, SETTINGS).jobs

    assert [job.name for job in jobs][:2] == ["grades.csv-2", "con-2"]
    assert jobs[3].name.endswith("-2")
    assert len(jobs[4].folder.name) <= 100


def test_a_job_in_which_the_grader_fails_leaves_the_others_their_marks(classroom: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "bob").write_text("a file where bob's folder should be")
    shutil.rmtree(classroom / "cid")

    graded, _ = run(classroom, tmp_path / "out")

    assert [report.graded for report in graded] == [True, False, True]
    rows = (tmp_path / "out" / "grades.csv").read_text().splitlines()[1:]
    assert [(row.split(",")[3], row.split(",")[7]) for row in rows] == [("ann", "6"), ("bob", ""), ("dan", "0")]
