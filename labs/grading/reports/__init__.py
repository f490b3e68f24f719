"""One report in many formats. Each module writes one; `write` writes those that were asked for.

Law of this package: a report's texts come from students' code. Every writer escapes them by its format's own rules.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from labs.grading.reports import classroom, gradescope, junit
from labs.grading.results import Report

REPORT = "report.json"

Writer = Callable[[Report], dict[str, str]]
"""Makes the files of one format: text by file name."""


def _html(report: Report) -> dict[str, str]:
    from labs.grading.reports import html  # its template engine is needed by nobody who only reads the words here

    return html.files(report)


FORMATS: dict[str, Writer] = {
    "html": _html,
    "junit": junit.files,
    "gradescope": gradescope.files,
    "classroom": classroom.files,
}


def write(report: Report, folder: Path, formats: Iterable[str] = ("html",)) -> None:
    """Write `report` into `folder`. The JSON comes last: where it is, everything else is, too."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / REPORT).unlink(missing_ok=True)
    shutil.rmtree(folder / "pictures", ignore_errors=True)  # an earlier run's
    for name in formats:
        for file_name, text in FORMATS[name](report).items():
            write_text(folder / file_name, text)
    for file_name, picture in report.pictures.items():
        write_text(folder / "pictures" / file_name, picture)
    write_text(folder / REPORT, json.dumps(report.to_json(), indent=2) + "\n")


def read(folder: Path) -> Report | None:
    """The report in `folder`; None if there is none, or none of this version."""
    try:
        return Report.from_json(json.loads((folder / REPORT).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write_text(path: Path, text: str) -> None:
    """All of it or nothing, even if the machine stops half-way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.part")
    half.write_text(text, encoding="utf-8", newline="\n")
    os.replace(half, path)
