"""`replab handout`: the lab as students get it, or as an autograder needs it."""

from __future__ import annotations

import shutil
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

import labs
from labs.grading.dice import secret_in
from labs.lesson.tree import NoSourceTree, copy_lab, require_solutions

TEMPLATES = Path(labs.__path__[0]) / "grading" / "templates"


class Audience(StrEnum):
    students = "students"
    classroom = "classroom"
    gradescope = "gradescope"
    nbgrader = "nbgrader"
    otter = "otter"


def register(app: typer.Typer) -> None:
    app.command()(handout)


def handout(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.")],
    use: Annotated[
        Audience,
        typer.Option(
            "--for",
            help="classroom: with a GitHub workflow. gradescope: what goes into its zip."
            " nbgrader, otter: source notebooks, with the solutions.",
        ),
    ] = Audience.students,
) -> None:
    """Copy the lab; for students without its solutions and the instructor's checks."""
    root = Path(labs.__path__[0]).parent
    if folder.exists() and any(folder.iterdir()):
        raise typer.BadParameter(f"{folder} is not empty: name a new folder")
    if use in (Audience.nbgrader, Audience.otter):
        _write_source_notebooks(folder, root, use)
        return
    target = folder / "lab" if use is Audience.gradescope else folder
    try:
        copy_lab(root, target, withhold=use is not Audience.gradescope)
    except NoSourceTree as problem:
        raise typer.BadParameter(str(problem)) from None
    _test_exercises(target / "pyproject.toml")
    if use is not Audience.gradescope:
        shutil.copyfile(TEMPLATES / "README.students.md", target / "README.md")
    _add_templates(folder, use)
    typer.echo(f"{folder}: {_NEXT[use]}")


_NEXT = {
    Audience.students: "give this to your students.",
    Audience.classroom: "make this the assignment's template repository.",
    Audience.gradescope: "zip what is in it (not the folder itself) and upload it as the autograder.",
    Audience.nbgrader: "a course for nbgrader. In it: nbgrader generate_assignment replication-lab",
    Audience.otter: "source notebooks for Otter. For each: otter assign NOTEBOOK dist",
}


def _write_source_notebooks(folder: Path, root: Path, use: Audience) -> None:
    from labs.grading.source_notebooks import write_nbgrader, write_otter  # nobody else waits for nbformat

    try:
        require_solutions(root)
    except NoSourceTree as problem:
        raise typer.BadParameter(str(problem)) from None
    (write_nbgrader if use is Audience.nbgrader else write_otter)(folder, root)
    typer.echo(f"{folder}: {_NEXT[use]}")


def _test_exercises(project: Path) -> None:
    """In a handout `pytest` runs the student's checks, with nothing but what `pip install -e .` brings along."""
    text = project.read_text(encoding="utf-8").replace('testpaths = ["tests"]', 'testpaths = ["exercises"]')
    lines = [line for line in text.splitlines() if not line.startswith(("addopts = ", "timeout = "))]
    project.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def _add_templates(folder: Path, use: Audience) -> None:
    if use is Audience.classroom:
        workflows = folder / ".github" / "workflows"
        workflows.mkdir(parents=True)
        shutil.copyfile(TEMPLATES / "autograding.yml", workflows / "classroom.yml")
    if use is Audience.gradescope:
        for name in ("setup.sh", "run_autograder"):
            shutil.copyfile(TEMPLATES / name, folder / name)
            (folder / name).chmod(0o755)
        secret_in(folder)
