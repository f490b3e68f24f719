"""The exercises as source notebooks for nbgrader and Otter: what an instructor has, with the solutions in it.

Law of this module: the cell with the code writes a file, and the code is graded from that file, in the sandbox. In the
notebook's own process no student code runs.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import nbformat
from nbformat import v4

from labs.grading.check import Check
from labs.grading.checks import SUITE
from labs.grading.reports.gradebook import ASSIGNMENT, code_cell, marks_cell
from labs.grading.settings import VISIBLE_SEEDS
from labs.lesson.exercises import EXERCISES, Exercise
from replstore import __version__

SECONDS = 600
"""For one cell: an exercise is charged 60 s at most, and a machine may be loaded."""
NBGRADER_CONFIG = f'''"""nbgrader's configuration for this course. Add it to your own, if you have one."""

c = get_config()
c.CourseDirectory.course_id = "{ASSIGNMENT}"
c.ExecutePreprocessor.timeout = {SECONDS}  # seconds for a cell; one cell runs all checks of an exercise
c.ClearSolutions.code_stub = {{"python": "# What you need besides goes here."}}
'''
OTTER_CONFIG = f"""# ASSIGNMENT CONFIG
name: {{name}}
export_cell: {{{{pdf: false, run_tests: false, files: [{{file}}]}}}}
requirements: [replication-lab=={__version__}]
generate: {{{{pdf: false}}}}
tests: {{{{ok_format: false}}}}
"""


def write_nbgrader(folder: Path, root: Path) -> None:
    """A course: its configuration, and an assignment with a notebook for each exercise. `root`: of the lab, with
    solutions."""
    (folder / "source" / ASSIGNMENT).mkdir(parents=True)
    (folder / "nbgrader_config.py").write_text(NBGRADER_CONFIG, encoding="utf-8")
    for exercise in EXERCISES:
        cells = [
            v4.new_markdown_cell(_instructions(exercise)),
            v4.new_code_cell(_code(exercise, root, "### BEGIN SOLUTION", "### END SOLUTION")),
            v4.new_code_cell(f'from labs import marks\n\nmarks("{exercise.id}")'),
        ]
        cells[1].metadata["nbgrader"] = _cell(code_cell(exercise.id), solution=True)
        cells[2].metadata["nbgrader"] = _cell(marks_cell(exercise.id), grade=True, points=_points(exercise))
        _write(folder / "source" / ASSIGNMENT / f"{exercise.module}.ipynb", cells)


def _cell(name: str, *, solution: bool = False, grade: bool = False, points: float | None = None) -> dict[str, Any]:
    made = {"schema_version": 3, "grade_id": name, "solution": solution, "grade": grade, "task": False}
    return {**made, "locked": grade, **({"points": points} if grade else {})}


def write_otter(folder: Path, root: Path) -> None:
    """A notebook for each exercise. Each check is a test case of its own, which Otter counts whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    for exercise in EXERCISES:
        cells = [
            v4.new_raw_cell(OTTER_CONFIG.format(name=exercise.id, file=exercise.file_name)),
            v4.new_markdown_cell(_instructions(exercise)),
            v4.new_code_cell("from labs import marks"),
            v4.new_raw_cell(f"# BEGIN QUESTION\nname: {exercise.id}"),
            v4.new_raw_cell("# BEGIN SOLUTION"),
            v4.new_code_cell(_code(exercise, root, "# BEGIN SOLUTION NO PROMPT", "# END SOLUTION")),
            v4.new_raw_cell("# END SOLUTION"),
            v4.new_raw_cell("# BEGIN TESTS"),
            *(v4.new_code_cell(_test_case(check)) for check in _checks(exercise)),
            v4.new_raw_cell("# END TESTS"),
            v4.new_raw_cell("# END QUESTION"),
        ]
        _write(folder / f"{exercise.module}.ipynb", cells)


def _test_case(check: Check) -> str:
    """In Otter's form: a configuration, a function that raises where something is wrong, and a call of it."""
    name = f"test_{check.id.replace('.', '_').replace('-', '_')}"
    return dedent(f'''\
        """ # BEGIN TEST CONFIG
        points: {check.points:g}
        """ # END TEST CONFIG
        def {name}(marks):
            assert "{check.id}" in marks("{check.exercise}", quiet=True).passed, {check.title!r}
        {name}(marks)''')


# -- what both have ----------------------------------------------------------------------------------------


def _instructions(exercise: Exercise) -> str:
    return dedent(f"""\
        # {exercise.title}

        The next cell writes your code into the file `{exercise.file_name}`. Fill in the functions that raise
        `NotImplementedError`, run the cell, then run the one behind it: it prints a line for each check. The first line
        of the cell has to stay.

        In a terminal, `replab check {exercise.id} --file {exercise.file_name}` tells more about each check.""")


def _code(exercise: Exercise, root: Path, begin: str, end: str) -> str:
    """The starter, and behind it the whole solution, whose definitions take the place of the starter's."""
    starter = (root / "exercises" / exercise.file_name).read_text(encoding="utf-8").rstrip()
    solution = (root / "solutions" / exercise.file_name).read_text(encoding="utf-8")
    return f"%%writefile {exercise.file_name}\n{starter}\n\n\n{begin}\n{_behind_another(solution)}\n{end}"


def _behind_another(text: str) -> str:
    """Without its docstring and its lines `from __future__ import`, which may stand at a file's beginning only."""
    lines = text.splitlines()
    for number, node in enumerate(ast.parse(text).body):
        docstring = number == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if docstring or (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            lines[node.lineno - 1 : node.end_lineno] = [""] * ((node.end_lineno or node.lineno) - node.lineno + 1)
    return "\n".join(lines).strip()


def _checks(exercise: Exercise) -> Iterator[Check]:
    return (check for check in SUITE.checks("student", VISIBLE_SEEDS) if check.exercise == exercise.id)


def _points(exercise: Exercise) -> float:
    return sum(check.points for check in _checks(exercise))


def _write(path: Path, cells: list[Any]) -> None:
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"  # the same notebook each time
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    nbformat.write(v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
