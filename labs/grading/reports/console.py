"""A report in the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from labs.grading.reports.words import MARKS, explain, number, score
from labs.grading.results import CheckResult, Report, Status

STYLES = {
    Status.PASSED: "green",
    Status.FAILED: "red",
    Status.SKIPPED: "dim",
    Status.NOT_ATTEMPTED: "yellow",
    Status.ERROR: "bold magenta",
}


def show(report: Report, console: Console) -> None:
    """Every text goes out as `Text`: what stands in square brackets is no command here."""
    console.print(Text(report.submission, style="bold"))
    for exercise in report.exercises:
        results = report.of(exercise.id)
        if results:
            title = f"{exercise.id} {exercise.title}: {number(exercise.earned)}/{number(exercise.points)}"
            console.print(Text(f"\n{title}", style="bold"))
            console.print(_table(results))
    for note in report.notes:
        console.print(Text(f"note: {note}", style="dim"))
    total = (
        f"{number(report.earned)} of {number(report.points)} points" if report.graded else "NO MARK: the grader failed"
    )
    console.print(Text(f"\n{total}", style="bold" if report.graded else "bold magenta"))


def _table(results: list[CheckResult]) -> Table:
    table = Table.grid(padding=(0, 1))
    for result in results:
        style = STYLES[result.status]
        table.add_row(Text(MARKS[result.status], style=style), Text(score(result), style=style), _words(result))
    return table


def _words(result: CheckResult) -> Text:
    words = Text(str(result.check["title"]))
    for line in explain(result):
        words.append(f"\n{line}", style="default" if line.startswith(("Rule", "Hint")) else "dim")
    return words


def overview(reports: list[Report], console: Console) -> None:
    """One line for each submission."""
    table = Table("submission", "points", *(exercise.id for exercise in reports[0].exercises), "remarks")
    for report in reports:
        cells = [f"{number(one.earned)}/{number(one.points)}" for one in report.exercises]
        total = f"{number(report.earned)}/{number(report.points)}" if report.graded else "no mark"
        table.add_row(Text(report.submission), Text(total), *map(Text, cells), Text(_remarks(report)))
    console.print(table)


def _remarks(report: Report) -> str:
    missing = [one.id for one in report.exercises if not one.present and one.points]
    shaky = [result.id for result in report.checks if result.deterministic is False]
    remarks = [f"missing: {', '.join(missing)}"] if missing else []
    remarks += [f"{report.notes[0]}"] if missing and report.notes else []
    remarks += [f"not deterministic: {', '.join(shaky)}"] if shaky else []
    return "; ".join(remarks)
