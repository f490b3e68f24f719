"""`replab grade`: the instructor's grading, of one submission or of a class."""

from __future__ import annotations

import os
import signal
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from labs.grading import batch, elsewhere, reports
from labs.grading.checks.clusters import majority_election
from labs.grading.dice import secret_in
from labs.grading.errors import GraderError
from labs.grading.reports import console as screen
from labs.grading.reports import gradebook
from labs.grading.results import Report
from labs.grading.runner import unknown_name
from labs.grading.sandbox.isolation import KINDS
from labs.grading.sandbox.sandbox import best_isolation
from labs.grading.settings import GradingSettings, load_suite, seeds_for
from labs.lesson.exercises import BY_ID

SUITE = "labs.grading.checks:SUITE"
FORMATS = (*reports.FORMATS, gradebook.FORMAT)
"""All but the last make files for each submission; that one writes into the gradebook of the class."""
NO_MARK = 3
"""Exit code where the grader itself failed."""


def register(app: typer.Typer) -> None:
    app.command()(grade)


def grade(
    submissions: Annotated[
        list[Path],
        typer.Argument(metavar="SUBMISSION...", help="Files, folders, zips, notebooks, or a folder of submissions."),
    ],
    out: Annotated[Path, typer.Option(help="Where the results go, a folder for each submission.")] = Path("grades"),
    workers: Annotated[int, typer.Option("-j", "--workers", min=1, help="Submissions at the same time.")] = 1,
    formats: Annotated[
        list[str] | None, typer.Option("--format", help=f"More than report.json: {', '.join(FORMATS)}.")
    ] = None,
    student: Annotated[bool, typer.Option("--student", help="Only the checks that students have, too.")] = False,
    seed: Annotated[int, typer.Option(help="Where the unseen seeds begin: choose your own, and keep it.")] = 1000,
    only: Annotated[list[str] | None, typer.Option(help="An exercise (ex1) or a check; may be repeated.")] = None,
    single: Annotated[bool, typer.Option("--single", help="Each SUBMISSION is one, even a folder of folders.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Grade anew what is graded already.")] = False,
    isolation: Annotated[str, typer.Option(help=f"auto, or one of {', '.join(KINDS)}.")] = "auto",
    part: Annotated[
        str, typer.Option("--shard", metavar="K/N", help="Only every N-th submission, from the K-th: a machine's part.")
    ] = "1/1",
    gather: Annotated[bool, typer.Option("--collect", help="Grade nothing: the table of all parts.")] = False,
    dask: Annotated[str, typer.Option(metavar="ADDRESS", help="Grade with the workers of this Dask scheduler.")] = "",
    book: Annotated[
        str, typer.Option("--gradebook", help="nbgrader's: a course's folder, a file, or a database's URL.")
    ] = ".",
    assignment: Annotated[str, typer.Option(help="Its name in the gradebook.")] = gradebook.ASSIGNMENT,
    add: Annotated[
        bool, typer.Option("--add-assignment", help="Make it in the gradebook, if it is not there yet.")
    ] = False,
    suite: Annotated[str, typer.Option(help="The checks, as module:attribute.", hidden=True)] = SUITE,
) -> None:
    """Grade submissions. What is in --out already is not done again, so a broken-off run can be repeated.

    Exit code 3: the grader itself failed somewhere, and there it gave no mark.
    """
    if unknown := [name for name in formats or [] if name not in FORMATS]:
        raise typer.BadParameter(f"no format {unknown[0]!r}; there are {', '.join(FORMATS)}")
    wanted = tuple(name for name in formats or [] if name != gradebook.FORMAT) or ("html",)
    if isolation not in ("auto", *KINDS):
        raise typer.BadParameter(f"no isolation {isolation!r}; there are auto, {', '.join(KINDS)}")
    number, count = _shard(part)
    level = "student" if student else "instructor"
    settings = GradingSettings(level=level, seeds=seeds_for(level, seed), only=tuple(only or ()))
    target = _gradebook(book, assignment, add, only or []) if gradebook.FORMAT in (formats or []) else None
    try:
        if level == "instructor" and suite == SUITE:
            majority_election()  # refuse at once what would give no mark to anybody
        if message := unknown_name(settings.only, load_suite(suite).checks(level, settings.seeds)):
            raise typer.BadParameter(message, param_hint="--only")
        chosen = best_isolation(None if isolation == "auto" else isolation)
        settings = replace(settings, isolation=chosen, secret=secret_in(out))
        plan = batch.plan(submissions, out, suite, settings, wanted, single=single)
        if gather:
            _collect(plan, out, target)
            return
        jobs = batch.shard(plan.jobs, number, count)
        by = elsewhere.dask_workers(dask) if dask else nullcontext(min(workers, os.cpu_count() or 1))
        with by as grading, _Interruption() as interruption:
            graded = _run(jobs, grading, again, interruption)
        path = batch.write_table(jobs, graded, out) if count == 1 else out
    except GraderError as fault:
        typer.echo(f"replab: {fault}", err=True)
        raise typer.Exit(NO_MARK) from None
    if interruption.signal is not None:
        typer.echo(
            f"Broken off: {len(graded)} of {len(jobs)} graded. The same command goes on.\nMarks: {path}", err=True
        )
        raise typer.Exit(128 + interruption.signal)
    _show(graded)
    for line in plan.passed_over:
        typer.echo(f"not graded: {line}")
    if count == 1:
        _enter(target, graded)
    where = f"Marks: {path}" if count == 1 else f"Part {part}. When all are done: the same command with --collect"
    typer.echo(f"Isolation: {chosen.describe()}\n{where}")
    if not all(report.graded for report in graded):
        raise typer.Exit(NO_MARK)


def _shard(part: str) -> tuple[int, int]:
    number, _, count = part.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise typer.BadParameter(f"{part!r} is no part: 2/3 is the second of three", param_hint="--shard")
    return int(number), int(count)


def _gradebook(place: str, assignment: str, add: bool, only: list[str]) -> gradebook.Target:
    """Looked at before anything is graded: that takes minutes."""
    if parts := [name for name in only if name not in BY_ID]:
        raise typer.BadParameter(
            f"{parts[0]!r} is only a part of an exercise, and a gradebook takes whole ones", param_hint="--only"
        )
    try:
        return gradebook.find(place, assignment, add)
    except GraderError as problem:
        raise typer.BadParameter(str(problem)) from None


def _enter(target: gradebook.Target | None, graded: list[Report]) -> None:
    """Write the marks into the gradebook, if there is to be one. Exit code 3 if it does not take them."""
    if target is None:
        return
    try:
        written = gradebook.write(target, graded)
    except GraderError as fault:
        typer.echo(f"replab: {fault}\nThe marks are in the table; the same command tries it again.", err=True)
        raise typer.Exit(NO_MARK) from None
    for line in written.lines():
        typer.echo(line)


def _collect(plan: batch.Plan, out: Path, target: gradebook.Target | None) -> None:
    """The table of what is graded. Exit code 3 if something is not."""
    graded, missing = batch.collect(plan.jobs)
    path = batch.write_table(plan.jobs, graded, out)
    _show(graded)
    for line in [*(f"{job.name}: no part has graded it yet" for job in missing), *plan.passed_over]:
        typer.echo(f"not graded: {line}")
    typer.echo(f"Marks: {path}")
    _enter(target, graded)
    if missing:
        raise typer.Exit(NO_MARK)


class _Interruption:
    """Takes SIGINT, SIGTERM and SIGHUP as a wish to break off in order. A second one ends at once."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> _Interruption:
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            if (number := getattr(signal, name, None)) is not None:
                self._before[number] = signal.signal(number, self._handle)
        return self

    def _handle(self, number: int, frame: object) -> None:
        if self.signal is not None:
            raise KeyboardInterrupt
        self.signal = number

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _run(jobs: list[batch.BatchJob], workers: int | Executor, again: bool, interruption: _Interruption) -> list[Report]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("grading", total=len(jobs))
        return batch.run(
            jobs,
            workers,
            lambda report, known: progress.advance(task),
            again=again,
            stop=lambda: interruption.signal is not None,
        )


def _show(graded: list[Report]) -> None:
    if len(graded) == 1:
        screen.show(graded[0], Console())
    else:
        screen.overview(graded, Console())
