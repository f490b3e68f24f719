"""A report as one HTML page that needs nothing else: no script, no request, pictures inside (`report.html`).

Everything that a submission wrote is escaped by the template engine.
"""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from labs.grading.reports.words import MARKS, number, score
from labs.grading.results import Report

FILE = "report.html"

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def files(report: Report) -> dict[str, str]:
    return {FILE: render(report)}


def render(report: Report) -> str:
    page = _templates.get_template(FILE)
    return page.render(report=report, marks=MARKS, number=number, score=score, base64=_base64) + "\n"


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()
