"""The source notebooks, tried with the real nbgrader and Otter: assign, hand in, grade.

They are looked for where `REPLAB_GRADERS` says (the folder of an environment's programs), else beside this Python.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from typer.testing import CliRunner

from labs.cli.app import app
from tests.grading.test_marks import EX2, SOLVED, WRONG_FRACTION
from tests.missing import skip_without

pytestmark = pytest.mark.slow
NOTEBOOK = "ex2_replication_lag.ipynb"
PROGRAMS = Path(os.environ.get("REPLAB_GRADERS") or Path(sys.executable).parent)
HAND_INS = {"ann": SOLVED, "bob": None, "cid": WRONG_FRACTION}
"""The reference, the notebook as it was given out, and a mistake that costs 10 points."""


def call(program: str, *words: str, here: Path, code: int = 0) -> str:
    """Its output; it must end with this exit code. Skips where it is not installed; in CI that is a failure."""
    path = shutil.which(program, path=str(PROGRAMS))
    if path is None:
        skip_without(program, f"no {program} in {PROGRAMS}: pip install 'replication-lab[graders]'")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHON"))}
    environment |= {"PATH": f"{PROGRAMS}{os.pathsep}{environment['PATH']}", "JUPYTER_PREFER_ENV_PATH": "1"}
    done = subprocess.run(
        [path, *words],
        cwd=here,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == code, done.stdout
    return done.stdout


def handout(folder: Path, use: str) -> Path:
    done = CliRunner().invoke(app, ["handout", str(folder), "--for", use])
    assert done.exit_code == 0, done.output
    return folder


def hand_in(released: Path, target: Path, code: str | None) -> None:
    """As a student does it: the cell that writes the file gets the code."""
    notebook = nbformat.read(released, as_version=4)
    if code is not None:
        [cell] = [cell for cell in notebook.cells if cell.source.startswith("%%writefile")]
        cell.source = f"%%writefile {EX2}\n{code}"
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, target)


def has_no_solution(notebook: Path) -> bool:
    text = notebook.read_text(encoding="utf-8")
    return "NotImplementedError" in text and not [word for word in ("SOLUTION", "_new_enough") if word in text]


@pytest.mark.timeout(600)
def test_nbgrader_assigns_and_grades(tmp_path: Path) -> None:
    course = handout(tmp_path / "course", "nbgrader")
    for other in ("ex1_fault_tolerance", "ex3_election"):
        (course / "source" / "replication-lab" / f"{other}.ipynb").unlink()

    call("nbgrader", "generate_assignment", "replication-lab", here=course)

    released = course / "release" / "replication-lab" / NOTEBOOK
    assert has_no_solution(released)
    for student, code in HAND_INS.items():
        hand_in(released, course / "submitted" / student / "replication-lab" / NOTEBOOK, code)
    call("nbgrader", "autograde", "replication-lab", here=course)
    call("nbgrader", "export", here=course)
    with (course / "grades.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["student_id"]: (float(row["score"]), float(row["max_score"])) for row in csv.DictReader(file)}
    assert rows == {"ann": (100, 100), "bob": (0, 100), "cid": (90, 100)}


@pytest.mark.timeout(600)
def test_otter_assigns_and_grades(tmp_path: Path) -> None:
    source = handout(tmp_path / "course", "otter")

    call("otter", "assign", NOTEBOOK, "dist", here=source)  # it grades the reference itself, and wants all points

    released = source / "dist" / "student" / NOTEBOOK
    assert has_no_solution(released)
    [autograder] = (source / "dist" / "autograder").glob("*.zip")
    scores = {}
    for student, code in HAND_INS.items():
        folder = tmp_path / student
        hand_in(released, folder / NOTEBOOK, code)
        call("otter", "run", "-a", str(autograder), "-o", str(folder), NOTEBOOK, here=folder)
        tests = json.loads((folder / "results.json").read_text(encoding="utf-8"))["tests"]
        scores[student] = sum(one.get("score", 0) for one in tests)
    assert scores == {"ann": 100, "bob": 0, "cid": 90}


@pytest.mark.parametrize("use", ["nbgrader", "otter"])
def test_the_same_notebooks_come_out_each_time(use: str, tmp_path: Path) -> None:
    first, second = handout(tmp_path / "first", use), handout(tmp_path / "second", use)

    for one in first.rglob("*.ipynb"):
        assert one.read_bytes() == (second / one.relative_to(first)).read_bytes()
        nbformat.validate(nbformat.read(one, as_version=4))


@pytest.mark.parametrize("exercise", ["ex1_fault_tolerance", "ex2_replication_lag", "ex3_election"])
def test_the_code_in_a_source_notebook_is_the_starter_and_behind_it_a_solution_with_all_points(
    exercise: str, tmp_path: Path
) -> None:
    course = handout(tmp_path / "course", "nbgrader")
    notebook = nbformat.read(course / "source" / "replication-lab" / f"{exercise}.ipynb", as_version=4)
    [cell] = [cell for cell in notebook.cells if cell.source.startswith("%%writefile")]
    (tmp_path / f"{exercise}.py").write_text(cell.source.partition("\n")[2], encoding="utf-8")

    done = CliRunner().invoke(app, ["check", exercise[:3], "--file", str(tmp_path / f"{exercise}.py")])

    assert "100 of 100 points" in done.output, done.output
