"""The marks of a class as CSV, in nbgrader's columns.

A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula; such a cell gets an apostrophe in front,
which a spreadsheet hides. Numbers are not touched: none of ours is negative.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping

from labs.grading.results import ExerciseSummary, Report
from labs.lesson.exercises import BY_ID

FILE = "grades.csv"
COLUMNS = (
    "assignment",
    "duedate",
    "timestamp",
    "student_id",
    "last_name",
    "first_name",
    "email",
    "raw_score",
    "late_submission_penalty",
    "score",
    "max_score",
)


def render(reports: Iterable[Report], handed_in: Mapping[str, str] | None = None) -> str:
    """One row for each student and exercise. `handed_in`: when, by submission. Without a mark there are no scores."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for report in reports:
        for exercise in report.exercises:
            if exercise.points:
                when = (handed_in or {}).get(report.submission, "")
                writer.writerow({name: neutral(value) for name, value in _row(report, exercise, when).items()})
    return text.getvalue()


def _row(report: Report, exercise: ExerciseSummary, when: str) -> dict[str, str]:
    score = f"{exercise.earned:g}" if report.graded else ""
    return {
        "assignment": BY_ID[exercise.id].module,
        "timestamp": when if exercise.present else "",
        "student_id": report.submission,
        "raw_score": score,
        "late_submission_penalty": "0" if score else "",
        "score": score,
        "max_score": f"{exercise.points:g}",
    }


def neutral(cell: str) -> str:
    """The cell, but never a formula."""
    return f"'{cell}" if cell.lstrip().startswith(("=", "+", "-", "@")) or cell.startswith(("\t", "\r")) else cell
