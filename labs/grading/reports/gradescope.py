"""A report as Gradescope's `results.json`.

No `score` stands at the top, because it would override the sum of the tests. No test is hidden, because students would
then see no total; what would give a hidden check away is left out of its text instead. If the grader failed, there
are neither tests nor a score: Gradescope then reports a failed run, and not a zero.
"""

from __future__ import annotations

import json
from typing import Any

from labs.grading.reports.words import explain
from labs.grading.results import CheckResult, Report, Status

FILE = "results.json"


def files(report: Report) -> dict[str, str]:
    return {FILE: json.dumps(convert(report), indent=2) + "\n"}


def convert(report: Report) -> dict[str, Any]:
    results: dict[str, Any] = {
        "output": "\n".join(report.notes),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "execution_time": round(report.run.seconds.get("total", 0.0)),
        "extra_data": {"fingerprint": report.fingerprint, "isolation": report.isolation},
    }
    if not report.graded:
        return {
            **results,
            "output": "The grader itself failed; this is not your fault. Please tell the course's staff.",
        }
    return {**results, "tests": [_test(number, result) for number, result in enumerate(report.checks, 1)]}


def _test(number: int, result: CheckResult) -> dict[str, Any]:
    return {
        "number": str(number),
        "name": f"{result.check['exercise']}: {result.check['title']}",
        "score": result.earned,
        "max_score": result.points,
        "status": "passed" if result.status is Status.PASSED else "failed",
        "output": "\n".join(explain(result)),
        "tags": [result.check["exercise"], result.status.value],
        "visibility": "visible",
    }
