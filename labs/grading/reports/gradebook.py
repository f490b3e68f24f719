"""The marks of a class in nbgrader's own gradebook, written with nbgrader's own library.

Law of this module: nothing that is there gets lost. It writes what an autograder writes (the automatic score and
comment of a cell) and whatever is missing for that; a teacher's scores, comments and extra credit stay, and count
before it. All of it is written or nothing. Done again with the same reports, it changes nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labs.grading.errors import GraderError
from labs.grading.reports import words
from labs.grading.results import ExerciseSummary, Report, Status
from labs.lesson.exercises import BY_ID
from labs.trace.prose import counted, listed

FORMAT = "nbgrader"
ASSIGNMENT = "replication-lab"
_TABLES = frozenset(("assignment", "grade", "student", "submitted_assignment"))
_OF_NO_COURSE = ""
"""nbgrader's library adds the course that it is opened with; with this one it adds none."""


def marks_cell(exercise: str) -> str:
    """The grade cell of an exercise's notebook, in the course that `replab handout --for nbgrader` makes."""
    return f"{exercise}-marks"


def code_cell(exercise: str) -> str:
    """The cell with the student's code, which has the comment."""
    return f"{exercise}-code"


@dataclass(frozen=True)
class Target:
    """`url`: of the database. `add`: make the assignment, and the gradebook, where they are not there."""

    url: str
    course: str
    assignment: str = ASSIGNMENT
    add: bool = False


@dataclass
class Written:
    """What was done. `without`: students of the gradebook who handed in nothing here. `reviews`: where a teacher's own
    score stands and the automatic one has changed."""

    marks: int = 0
    changed: int = 0
    new_students: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    ungraded: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    reviews: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        told = (
            ("Students that are new in it: {}", self.new_students),
            ("Nothing handed in by: {}. What the gradebook has of them stays", self.without),
            ("No mark, so nothing written: {}", self.ungraded),
            ("Not handed in this time, so the earlier mark stays: {}", self.kept),
            ("A teacher's own score counts, and the automatic one has changed; look again: {}", self.reviews),
        )
        first = f"{counted(self.marks, 'mark')} in the gradebook, {self.changed} new or changed"
        return [first, *(text.format(listed(names)) for text, names in told if names), *self.notes]


def find(place: str, assignment: str = ASSIGNMENT, add: bool = False) -> Target:
    """`place`: a database's URL, its file, or a course's folder, whose `nbgrader_config.py` counts.

    Raises `GraderError` where nbgrader is not installed, or the gradebook or its assignment is not there.
    """
    _library()
    course = "default_course"
    if "://" in place:
        url = place
    elif Path(place).is_dir():
        url, course = _of_course(Path(place))
    else:
        url = f"sqlite:///{Path(place).absolute()}"
    target = Target(url, course, assignment, add)
    _look(target)
    if not add or _exists(url):
        with _opened(target) as book:
            _check(book, target)
    return target


def write(target: Target, reports: Sequence[Report]) -> Written:
    """All marks of `reports`. Raises `GraderError` if the gradebook does not take them; then it is as it was."""
    with _opened(target) as book:
        if target.add:
            _add_what_is_missing(book, target, reports)
        done = _Writer(book, _check(book, target)).write(reports)
        book.db.commit()
    return done


# --------------------------------------------------------------------------------------------------------
# The gradebook and its assignment


def _library() -> Any:
    try:
        from nbgrader import api
    except ImportError as problem:
        raise GraderError(
            f"--format {FORMAT} needs nbgrader in the environment of this replab ({problem}):"
            " pip install 'replication-lab[graders]', in a checkout pip install -e '.[graders]'"
        ) from None
    return api


def _of_course(folder: Path) -> tuple[str, str]:
    """The URL of its gradebook, and its id, as nbgrader itself finds them there."""
    from nbgrader.apps import NbGrader
    from nbgrader.coursedir import CourseDirectory
    from sqlalchemy.engine import make_url

    with contextlib.chdir(folder):
        program = NbGrader(log_level="ERROR")  # it need not have a configuration
        program.load_config_file()
        course = CourseDirectory(parent=program)
        url = make_url(course.db_url)
        if _is_file(url):
            url = url.set(database=str(Path(url.database).absolute()))
        return url.render_as_string(hide_password=False), course.course_id or "default_course"


def _is_file(url: Any) -> bool:
    return url.get_backend_name() == "sqlite" and bool(url.database) and url.database != ":memory:"


def _exists(address: str) -> bool:
    from sqlalchemy.engine import make_url

    url = make_url(address)
    return not _is_file(url) or Path(url.database).is_file()


def _look(target: Target) -> None:
    """That this is a gradebook: nbgrader's library would turn any database into one."""
    from sqlalchemy import create_engine, inspect
    from sqlalchemy.exc import ArgumentError

    try:
        there = _exists(target.url)
    except ArgumentError as problem:
        raise GraderError(f"{target.url} is no address of a database: {problem}") from None
    if not there:
        if target.add and Path(_shown(target.url)).parent.is_dir():
            return
        if target.add:
            raise GraderError(f"there is no folder {Path(_shown(target.url)).parent} for the gradebook")
        raise GraderError(
            f"there is no gradebook {_shown(target.url)}: make it with nbgrader generate_assignment"
            f" {target.assignment}, name another one with --gradebook, or give --add-assignment"
        )
    with _plainly(target):
        engine = create_engine(target.url)
        try:
            tables = set(inspect(engine).get_table_names())
        finally:
            engine.dispose()
    if (tables or not target.add) and not tables >= _TABLES:
        raise GraderError(f"{_shown(target.url)} is a database, but no gradebook of nbgrader's")


@contextlib.contextmanager
def _opened(target: Target) -> Iterator[Any]:
    """nbgrader's gradebook. What was not committed is undone."""
    api = _library()
    with _plainly(target), api.Gradebook(target.url, course_id=_OF_NO_COURSE) as book:
        yield book


@contextlib.contextmanager
def _plainly(target: Target) -> Iterator[None]:
    """The database's errors in a sentence."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except SQLAlchemyError as problem:
        why = str(getattr(problem, "orig", None) or problem).splitlines()[0]
        advice = ""
        if "no such column" in why or "no such table" in why:
            advice = "; it is of another version of nbgrader, so call nbgrader db upgrade"
        elif "locked" in why:
            advice = "; another program is writing into it, so try again"
        raise GraderError(f"the gradebook {_shown(target.url)} cannot be used: {why}{advice}") from None


def _shown(address: str) -> str:
    from sqlalchemy.engine import make_url

    url = make_url(address)
    return str(url.database) if _is_file(url) else url.render_as_string(hide_password=True)


def _check(book: Any, target: Target) -> dict[str, Any]:
    """By exercise, the notebook of the assignment that is its. Raises `GraderError` if none is."""
    known = {one.name: one for one in book.assignments}
    if target.assignment not in known:
        if target.add:
            return {}
        has = f"it has {listed(sorted(known))}" if known else "it has none"
        raise GraderError(
            f"the gradebook has no assignment {target.assignment!r} ({has}): name it with --assignment, make it with"
            f" nbgrader generate_assignment {target.assignment}, or give --add-assignment"
        )
    notebooks = {one.name: one for one in known[target.assignment].notebooks}
    found = {
        exercise.id: notebook
        for exercise in BY_ID.values()
        if (notebook := notebooks.get(exercise.module)) is not None
        and any(cell.name == marks_cell(exercise.id) for cell in notebook.grade_cells)
    }
    if not found and not target.add:
        wanted = ", ".join(f"{exercise.module} with {marks_cell(exercise.id)}" for exercise in BY_ID.values())
        raise GraderError(
            f"no notebook of the assignment {target.assignment!r} has a grade cell for these marks; wanted is one of:"
            f" {wanted}. replab handout DIR --for nbgrader makes them, and --add-assignment adds them to the gradebook"
        )
    return found


def _add_what_is_missing(book: Any, target: Target, reports: Sequence[Report]) -> None:
    """The assignment, its notebooks and their cells, as `nbgrader generate_assignment` would record them."""
    api = _library()
    if target.assignment not in {one.name for one in book.assignments}:
        if book.db.get(api.Course, target.course) is None:
            book.db.add(api.Course(id=target.course))
        book.db.add(api.Assignment(name=target.assignment, course_id=target.course))
        book.db.flush()
    assignment = book.find_assignment(target.assignment)
    points = {exercise.id: exercise.points for report in reports for exercise in report.exercises if exercise.points}
    notebooks = {one.name: one for one in assignment.notebooks}
    for exercise in BY_ID.values():
        if exercise.id not in points:
            continue
        notebook = notebooks.get(exercise.module) or api.Notebook(name=exercise.module, assignment=assignment)
        book.db.add(notebook)
        if not any(cell.name == marks_cell(exercise.id) for cell in notebook.grade_cells):
            name = marks_cell(exercise.id)
            book.db.add(api.GradeCell(name=name, notebook=notebook, max_score=points[exercise.id], cell_type="code"))
        if not any(cell.name == code_cell(exercise.id) for cell in notebook.solution_cells):
            book.db.add(api.SolutionCell(name=code_cell(exercise.id), notebook=notebook))
    book.db.flush()
    book.db.expire_all()


# --------------------------------------------------------------------------------------------------------
# The marks


class _Writer:
    """`notebooks`: those of the assignment, by exercise."""

    def __init__(self, book: Any, notebooks: dict[str, Any]) -> None:
        self._api = _library()
        self._db = book.db
        self._notebooks = notebooks
        self._students = {one.id: one for one in book.students}
        self._done = Written()

    def write(self, reports: Sequence[Report]) -> Written:
        done = self._done
        for report in reports:
            if report.graded:
                self._write(report)
            else:
                done.ungraded.append(report.submission)
        done.without = sorted(set(self._students) - {report.submission for report in reports})
        graded = {exercise.id for report in reports for exercise in report.exercises if exercise.points}
        done.notes += [
            f"{BY_ID[one].title}: the assignment has no {BY_ID[one].module} with a grade cell {marks_cell(one)!r},"
            " so its marks are only in the table"
            for one in sorted(graded - set(self._notebooks))
        ]
        return done

    def _write(self, report: Report) -> None:
        exercises = [one for one in report.exercises if one.points and one.id in self._notebooks]
        if not exercises:
            return
        if report.submission not in self._students:
            self._students[report.submission] = self._added(self._api.Student(id=report.submission))
            self._done.new_students.append(report.submission)
        for exercise in exercises:
            self._write_exercise(report, exercise, self._notebooks[exercise.id])

    def _write_exercise(self, report: Report, exercise: ExerciseSummary, notebook: Any) -> None:
        handed_in = self._handed_in(report.submission, notebook)
        cell = next(one for one in notebook.grade_cells if one.name == marks_cell(exercise.id))
        grade = self._of(handed_in.grades, cell, self._api.Grade, handed_in)
        if not exercise.present and grade.auto_score:
            self._done.kept.append(f"{report.submission} ({exercise.id})")
            return
        score = round(exercise.earned * cell.max_score / exercise.points, 2)
        if grade.auto_score != score:
            self._done.changed += 1
            if grade.manual_score is not None:
                self._done.reviews.append(f"{report.submission} ({exercise.id})")
            # As nbgrader's autograder does: a teacher's score was given for another one.
            grade.needs_manual_grade = grade.manual_score is not None
            grade.auto_score = score
        elif grade.manual_score is None:
            grade.needs_manual_grade = False
        self._done.marks += 1
        for solution in notebook.solution_cells:
            if solution.name == code_cell(exercise.id):
                comment = self._of(handed_in.comments, solution, self._api.Comment, handed_in)
                comment.auto_comment = _comment(report, exercise)

    def _handed_in(self, student: str, notebook: Any) -> Any:
        """The student's notebook in the gradebook. A new hand-in gets all of the assignment's notebooks."""
        known = self._db.query(self._api.SubmittedAssignment).filter_by(
            assignment_id=notebook.assignment.id, student_id=student
        )
        whole = known.one_or_none()
        if whole is None:
            whole = self._added(
                self._api.SubmittedAssignment(assignment=notebook.assignment, student=self._students[student])
            )
        missing = {one.id: one for one in notebook.assignment.notebooks}
        for one in whole.notebooks:
            missing.pop(one.notebook.id, None)
        for one in missing.values():
            new = self._added(self._api.SubmittedNotebook(notebook=one, assignment=whole))
            for cell in (*one.grade_cells, *one.task_cells):
                self._of(new.grades, cell, self._api.Grade, new)
            for cell in (*one.solution_cells, *one.task_cells):
                self._of(new.comments, cell, self._api.Comment, new)
        return next(one for one in whole.notebooks if one.notebook.id == notebook.id)

    def _of(self, there: Any, cell: Any, kind: Any, handed_in: Any) -> Any:
        """The grade, or the comment, of this cell; a new one where the assignment got the cell later."""
        found = next((one for one in there if one.cell_id == cell.id), None)
        return found or self._added(kind(cell_id=cell.id, notebook=handed_in))

    def _added(self, made: Any) -> Any:
        self._db.add(made)
        self._db.flush()
        return made


def _comment(report: Report, exercise: ExerciseSummary) -> str:
    """A line for each check, in our own words alone: what a student's code printed does not belong into a web page of
    the teacher's."""
    if not exercise.present:
        return f"{exercise.file} was not handed in."
    lines = []
    for result in report.of(exercise.id):
        line = f"{words.MARKS[result.status]} {words.score(result)} {result.check['title']}"
        hint = "" if result.status is Status.PASSED else str(result.check["hint"])
        lines.append(f"{line}. Hint: {hint}" if hint else line)
    return "\n".join([*lines, f"{words.number(exercise.earned)} of {words.number(exercise.points)} points"])
