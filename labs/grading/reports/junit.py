"""A report as JUnit XML. The format knows no points, so they are carried as properties of each test case."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from labs.grading.reports.words import explain
from labs.grading.results import CheckResult, Report, Status

FILE = "junit.xml"


def files(report: Report) -> dict[str, str]:
    return {FILE: render(report)}


def render(report: Report) -> str:
    root = Xml.Element("testsuites", name=report.submission)
    for exercise in report.exercises:
        results = report.of(exercise.id)
        if results:
            suite = Xml.SubElement(root, "testsuite", {"name": exercise.id, **_counts(report, results)})
            for result in results:
                _case(report, suite, result)
    Xml.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"


def _counts(report: Report, results: list[CheckResult]) -> dict[str, str]:
    states = [result.status for result in results]
    return {
        "tests": str(len(results)),
        "failures": str(states.count(Status.FAILED) + states.count(Status.NOT_ATTEMPTED)),
        "errors": str(states.count(Status.ERROR)),
        "skipped": str(states.count(Status.SKIPPED)),
        "time": f"{sum(_seconds(report, result) for result in results):.3f}",
    }


def _seconds(report: Report, result: CheckResult) -> float:
    return report.run.seconds.get(result.id, 0.0)


def _case(report: Report, suite: Xml.Element, result: CheckResult) -> None:
    time = f"{_seconds(report, result):.3f}"
    case = Xml.SubElement(suite, "testcase", classname=str(result.check["exercise"]), name=result.id, time=time)
    properties = Xml.SubElement(case, "properties")
    for name, value in (("title", result.check["title"]), ("points", result.points), ("earned", result.earned)):
        Xml.SubElement(properties, "property", name=name, value=f"{value}")
    tag = {Status.ERROR: "error", Status.SKIPPED: "skipped", Status.PASSED: None}.get(result.status, "failure")
    if tag is not None:
        Xml.SubElement(case, tag, message=result.message).text = "\n".join(explain(result))
