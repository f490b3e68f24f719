"""A report as one HTML page that needs nothing else: no script, no request, pictures inside.

Pictures are embedded as images, not as markup: an SVG in an `img` element can run nothing, whatever is written in it.
"""

from __future__ import annotations

from base64 import b64encode
from html import escape

from labs.grading.reports.words import MARKS, number, score
from labs.grading.results import CheckResult, ExerciseSummary, Report, Status

FILE = "report.html"

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
details { border: 1px solid #8884; border-left: .4rem solid #8888; border-radius: .3rem; margin: .4rem 0;
          padding: .4rem .8rem; }
summary { cursor: pointer; }
.passed { border-left-color: #2a8a3e; } .failed { border-left-color: #c62f2f; }
.error { border-left-color: #9a2fc6; } .not_attempted { border-left-color: #b58a00; }
.points { float: right; font-variant-numeric: tabular-nums; }
pre { overflow-x: auto; background: #8881; padding: .5rem; white-space: pre-wrap; overflow-wrap: anywhere; }
img { max-width: 100%; background: white; } small { color: #888; } h2 .points { font-weight: normal; }
"""
# Nothing may be loaded or run, even if an escape were forgotten somewhere.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def files(report: Report) -> dict[str, str]:
    return {FILE: render(report)}


def render(report: Report) -> str:
    body = [_head(report), *(_exercise(report, one) for one in report.exercises if report.of(one.id)), _foot(report)]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(report.submission)}</title><style>{_STYLE}</style></head>\n<body>"
        + "\n".join(body)
        + "</body></html>\n"
    )


def _head(report: Report) -> str:
    total = f"{number(report.earned)} of {number(report.points)} points"
    if not report.graded:
        total = "No mark: the grader failed. This is not your fault; please tell the course's staff."
    return f"<h1>{escape(report.submission)}</h1>\n<p><strong>{escape(total)}</strong></p>"


def _exercise(report: Report, exercise: ExerciseSummary) -> str:
    points = f"{number(exercise.earned)}/{number(exercise.points)}"
    parts = [f'<h2>{escape(exercise.title)} <span class="points">{escape(points)}</span></h2>']
    return "\n".join([*parts, *(_check(report, result) for result in report.of(exercise.id))])


def _check(report: Report, result: CheckResult) -> str:
    opened = " open" if result.status in (Status.FAILED, Status.ERROR) else ""
    summary = f'{MARKS[result.status]} {escape(str(result.check["title"]))}<span class="points">{score(result)}</span>'
    parts = [f'<details class="{result.status.value}"{opened}><summary>{summary}</summary>']
    parts += [_paragraph("Rule", str(result.check["rule"])), _paragraph("", result.message)]
    parts += [f"<pre>{escape(chr(10).join(result.evidence))}</pre>"] if result.evidence else []
    if result.status is Status.FAILED:
        parts += [_paragraph("Hint", str(result.check["hint"])), _picture(report, result)]
        parts += [f"<p>See it again: <code>{escape(result.replay_command)}</code></p>"] if result.replay_command else []
    parts += [_output(report, result), "</details>"]
    return "\n".join(part for part in parts if part)


def _paragraph(title: str, text: str) -> str:
    if not text:
        return ""
    label = f"<strong>{title}:</strong> " if title else ""
    return f"<p>{label}{escape(text).replace(chr(10), '<br>')}</p>"


def _picture(report: Report, result: CheckResult) -> str:
    picture = report.pictures.get(result.picture or "")
    if picture is None:
        return ""
    data = b64encode(picture.encode()).decode()
    return f'<img alt="What happened, node by node" src="data:image/svg+xml;base64,{data}">'


def _output(report: Report, result: CheckResult) -> str:
    text = report.run.output.get(result.id, "")
    return f"<details><summary>printed</summary><pre>{escape(text)}</pre></details>" if text else ""


def _foot(report: Report) -> str:
    notes = "".join(f"<li>{escape(note)}</li>" for note in report.notes)
    seeds = f", seeds {', '.join(map(str, report.seeds))}" if report.seeds else ""
    facts = f"{report.suite}, level {report.level}{seeds}. Run in {report.isolation}."
    return (f"<h2>Notes</h2><ul>{notes}</ul>" if notes else "") + f"<p><small>{escape(facts)}</small></p>"
