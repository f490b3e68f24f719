"""Marks in nbgrader's gradebook, with the real nbgrader (as in `test_graders.py`); read back without its library."""

from __future__ import annotations

import csv
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import nbformat
import pytest
from typer.testing import CliRunner

from labs.cli.app import app
from labs.grading.submission.reading import open_submission
from tests.grading.test_graders import HAND_INS, NOTEBOOK, call, hand_in, handout, has_no_solution
from tests.grading.test_marks import EX2, SOLVED

GRADE = ("grade", "submitted", "--student", "--only", "ex2", "--format", "nbgrader")
MARKS = {"ann": (100, None), "bob": (0, None), "cid": (90, None)}
"""What `HAND_INS` are worth; a teacher has given nothing."""


def ask(gradebook: Path, question: str, *values: object) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(gradebook)) as database, database:
        return database.execute(question, values).fetchall()


def in_gradebook(gradebook: Path, notebook: str = NOTEBOOK) -> dict[object, tuple[object, object]]:
    """For each student the automatic score and the teacher's own."""
    rows = ask(
        gradebook,
        "SELECT student_id, auto_score, manual_score FROM grade"
        " JOIN submitted_notebook handed_in ON grade.notebook_id = handed_in.id"
        " JOIN submitted_assignment whole ON handed_in.assignment_id = whole.id"
        " JOIN notebook ON handed_in.notebook_id = notebook.id WHERE name = ?",
        notebook.removesuffix(".ipynb"),
    )
    return {student: (automatic, own) for student, automatic, own in rows}


def everything(gradebook: Path) -> list[str]:
    with closing(sqlite3.connect(gradebook)) as database:
        return list(database.iterdump())


def exported(course: Path) -> dict[str, float]:
    call("nbgrader", "export", "--to", "exported.csv", here=course)
    with (course / "exported.csv").open(encoding="utf-8", newline="") as file:
        return {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As a teacher has it when the hand-ins have been collected: an assignment, three hand-ins, and a fourth student.
    `Term` goes through it, step by step."""
    course = handout(tmp_path_factory.mktemp("term") / "course", "nbgrader")
    for other in ("ex1_fault_tolerance", "ex3_election"):
        (course / "source" / "replication-lab" / f"{other}.ipynb").unlink()
    call("nbgrader", "generate_assignment", "replication-lab", here=course)
    released = course / "release" / "replication-lab" / NOTEBOOK
    for student, code in HAND_INS.items():
        hand_in(released, course / "submitted" / student / "replication-lab" / NOTEBOOK, code)
    call("nbgrader", "db", "student", "add", "dan", here=course)
    return course


class Term:
    """What happens in a course, one after the other: each step finds what the ones before it left."""

    def marks_of_the_notebooks_that_were_handed_in_are_in_the_gradebook_and_nbgrader_exports_them(
        self, course: Path
    ) -> None:
        told = call("replab", *GRADE, here=course)

        assert "3 marks in the gradebook, 3 new or changed" in told
        assert "Students that are new in it: ann, bob and cid" in told
        assert "Nothing handed in by: dan." in told
        assert in_gradebook(course / "gradebook.db") == MARKS
        assert exported(course) == {"ann": 100, "bob": 0, "cid": 90, "dan": 0}

    def done_again_nothing_changes(self, course: Path) -> None:
        before = everything(course / "gradebook.db")

        assert "3 marks in the gradebook, 0 new or changed" in call("replab", *GRADE, here=course)
        assert everything(course / "gradebook.db") == before

    def a_teachers_score_and_comment_stay_and_count(self, course: Path) -> None:
        book = course / "gradebook.db"
        ask(book, "UPDATE grade SET manual_score = 7, extra_credit = 1 WHERE auto_score = 0")
        ask(book, "UPDATE comment SET manual_comment = 'well tried'")
        hand_in(
            course / "release" / "replication-lab" / NOTEBOOK,
            course / "submitted" / "bob" / "replication-lab" / NOTEBOOK,
            SOLVED,
        )

        told = call("replab", *GRADE, "--gradebook", str(book), here=course.parent / "course")

        assert "look again: bob (ex2)" in told
        assert in_gradebook(book) == MARKS | {"bob": (100, 7)}
        assert ask(book, "SELECT DISTINCT manual_comment FROM comment") == [("well tried",)]
        assert exported(course)["bob"] == 8
        assert ask(book, "SELECT count(*) FROM grade WHERE needs_manual_grade") == [(1,)]

    def nbgraders_autograder_gives_the_same_marks_for_the_same_hand_ins(self, course: Path) -> None:
        call("nbgrader", "autograde", "replication-lab", here=course)

        assert in_gradebook(course / "gradebook.db") == MARKS | {"bob": (100, 7)}
        assert "3 marks in the gradebook, 0 new or changed" in call("replab", *GRADE, here=course)

    def what_is_not_handed_in_the_next_time_keeps_its_mark(self, course: Path) -> None:
        (course / "again").mkdir()
        (course / "again" / "ann").mkdir()
        (course / "again" / "ann" / "ex3_election.py").write_text("x = 1\n", encoding="utf-8")

        told = call("replab", "grade", "again", *GRADE[2:], "--out", "again-grades", here=course)

        assert "so the earlier mark stays: ann (ex2)" in told
        assert in_gradebook(course / "gradebook.db") == MARKS | {"bob": (100, 7)}

    def another_assignment_is_refused_before_anything_is_graded_and_nothing_is_written(self, course: Path) -> None:
        before = everything(course / "gradebook.db")

        told = call("replab", *GRADE, "--assignment", "homework", "--out", "none", here=course, code=2)

        assert "the gradebook has no assignment 'homework' (it has replication-lab)" in told
        assert everything(course / "gradebook.db") == before
        assert not (course / "none").exists()

    def a_gradebook_that_another_program_writes_into_keeps_its_marks_and_the_table_has_the_new_ones(
        self, course: Path
    ) -> None:
        before = everything(course / "gradebook.db")
        with closing(sqlite3.connect(course / "gradebook.db")) as other:
            other.execute("BEGIN IMMEDIATE")
            ann = course / "submitted" / "ann" / "replication-lab" / NOTEBOOK
            hand_in(course / "release" / "replication-lab" / NOTEBOOK, ann, HAND_INS["cid"])

            told = call("replab", *GRADE, here=course, code=3)

        assert "database is locked; another program is writing into it" in told
        assert everything(course / "gradebook.db") == before
        assert "ann,,,,90,0,90,100" in (course / "grades" / "grades.csv").read_text(encoding="utf-8")
        call("replab", *GRADE, here=course)
        assert in_gradebook(course / "gradebook.db")["ann"] == (90, None)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_gradebook_keeps_what_it_should_through_a_courses_term(course: Path) -> None:
    term = Term()
    term.marks_of_the_notebooks_that_were_handed_in_are_in_the_gradebook_and_nbgrader_exports_them(course)
    term.done_again_nothing_changes(course)
    term.a_teachers_score_and_comment_stay_and_count(course)
    term.nbgraders_autograder_gives_the_same_marks_for_the_same_hand_ins(course)
    term.what_is_not_handed_in_the_next_time_keeps_its_mark(course)
    term.another_assignment_is_refused_before_anything_is_graded_and_nothing_is_written(course)
    term.a_gradebook_that_another_program_writes_into_keeps_its_marks_and_the_table_has_the_new_ones(course)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_plain_files_make_a_gradebook_where_the_teacher_asks_for_it(tmp_path: Path) -> None:
    (tmp_path / "submitted").mkdir()
    (tmp_path / "submitted" / f"ann_{EX2}").write_text(SOLVED, encoding="utf-8")

    refused = call("replab", *GRADE, here=tmp_path, code=2)
    told = call("replab", *GRADE, "--gradebook", "sqlite:///mine.db", "--add-assignment", here=tmp_path)

    assert "there is no gradebook" in refused
    assert "--add-assignment" in refused
    assert "1 mark in the gradebook, 1 new or changed" in told
    assert in_gradebook(tmp_path / "mine.db") == {"ann_ex2_replication_lag": (100, None)}
    assert ask(tmp_path / "mine.db", "SELECT max_score FROM grade_cells") == [(100.0,)]
    assert ask(tmp_path / "mine.db", "SELECT auto_comment FROM comment")[0][0] is not None


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_database_that_is_no_gradebook_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "submitted").mkdir()
    (tmp_path / "submitted" / EX2).write_text(SOLVED, encoding="utf-8")
    ask(tmp_path / "other.db", "CREATE TABLE mine (x)")
    (tmp_path / "text.db").write_text("this is no database at all, only some text" * 100, encoding="utf-8")

    for words in (("--gradebook", "other.db"), ("--gradebook", "other.db", "--add-assignment")):
        assert "is a database, but no gradebook" in call("replab", *GRADE, *words, here=tmp_path, code=2)
    assert "not a database" in call("replab", *GRADE, "--gradebook", "text.db", here=tmp_path, code=2)
    told = call("replab", *GRADE, "--gradebook", "what://x", here=tmp_path, code=2)
    assert "the gradebook what://x cannot be used" in told

    words = ("--gradebook", "nowhere/book.db", "--add-assignment")
    assert f"there is no folder {tmp_path / 'nowhere'} for" in call("replab", *GRADE, *words, here=tmp_path, code=2)
    assert not (tmp_path / "grades").exists(), "all of it is said before anything is graded"

    assert len(everything(tmp_path / "other.db")) == 3  # BEGIN, the table, COMMIT


def test_without_nbgrader_it_is_said_what_to_install(tmp_path: Path) -> None:
    (tmp_path / EX2).write_text(SOLVED, encoding="utf-8")
    code = "import sys; sys.modules['nbgrader'] = None; from labs.cli import main; main(sys.argv[1:])"
    words = ("grade", EX2, "--format", "nbgrader")

    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "needs nbgrader in the environment of this replab" in done.stderr
    assert "pip install 'replication-lab[graders]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "grades").exists()


def test_a_part_of_an_exercise_is_no_mark_for_a_gradebook(tmp_path: Path) -> None:
    words = ["grade", str(tmp_path), "--format", "nbgrader", "--only", "ex2.fraction"]

    done = CliRunner().invoke(app, words)

    assert done.exit_code == 2
    assert "only a part of an exercise" in " ".join(done.output.split())


def test_the_notebooks_that_are_given_out_for_nbgrader_can_be_handed_in_to_replab(tmp_path: Path) -> None:
    source = handout(tmp_path / "course", "nbgrader") / "source" / "replication-lab"
    notebook = nbformat.read(source / NOTEBOOK, as_version=4)
    [cell] = [cell for cell in notebook.cells if cell.source.startswith("%%writefile")]
    (tmp_path / "as_run.py").write_text(cell.source.partition("\n")[2] + "\n", encoding="utf-8")

    read = open_submission(source)
    assert sorted(read.sources) == ["ex1", "ex2", "ex3"]
    assert read.sources["ex2"] == (tmp_path / "as_run.py").read_text(encoding="utf-8")
    assert not has_no_solution(source / NOTEBOOK)
