"""A report as GitHub Classroom's results, one for each exercise.

The Classroom's reporter adds the tests' scores up for the mark, but its table multiplies the share of passed tests by
the maximum: the two agree only where all tests weigh the same. The mark is the sum. `tests` and `max_score` are always
there, or the reporter would fail and post no mark at all.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from labs.grading.reports.words import explain
from labs.grading.results import CheckResult, ExerciseSummary, Report, Status


def files(report: Report) -> dict[str, str]:
    """For each exercise the JSON, and its base64, which a workflow step sets as its output `result`."""
    made = {}
    for exercise in report.exercises:
        if report.of(exercise.id):
            text = json.dumps(convert(report, exercise))
            made[f"classroom-{exercise.id}.json"] = text + "\n"
            made[f"classroom-{exercise.id}.b64"] = b64encode(text.encode()).decode()
    return made


def convert(report: Report, exercise: ExerciseSummary) -> dict[str, Any]:
    results = report.of(exercise.id)
    failed = any(result.status is Status.ERROR for result in results)
    passed = all(result.status is Status.PASSED for result in results)
    return {
        "version": 3,
        "status": "error" if failed else "pass" if passed else "fail",
        "max_score": exercise.points,
        "tests": [_test(report, result) for result in results],
    }


def _test(report: Report, result: CheckResult) -> dict[str, Any]:
    status = {Status.PASSED: "pass", Status.ERROR: "error"}.get(result.status, "fail")
    return {
        "name": str(result.check["title"]),
        "status": status,
        "message": "\n".join(explain(result)),
        "test_code": result.replay_command,
        "task_id": result.id,
        "filename": "",
        "line_no": 0,
        "duration": round(report.run.seconds.get(result.id, 0.0) * 1000),
        "score": result.earned,
    }
