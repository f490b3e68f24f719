"""The words for a result, in the plain formats."""

from __future__ import annotations

from labs.grading.errors import ErrorKind
from labs.grading.results import CheckResult, Report, Status
from labs.lesson.exercises import BY_ID
from labs.trace.prose import listed

MARKS = {
    Status.PASSED: "✓",
    Status.FAILED: "✗",
    Status.SKIPPED: "–",
    Status.NOT_ATTEMPTED: "○",
    Status.ERROR: "!",
}
NOT_LOADED = (
    f"{ErrorKind.UNREADABLE.value}: ",
    *(f"{kind.value}: while the file was imported: " for kind in ErrorKind),
)
"""How the message of a file begins that could not be imported."""


def number(value: float) -> str:
    return f"{value:g}"


def score(result: CheckResult) -> str:
    earned = "?" if result.status is Status.ERROR else number(result.earned)
    return f"{earned}/{number(result.points)}"


def explain(result: CheckResult) -> list[str]:
    """What a student is told about a check, line by line: what happened, the rule, the evidence, a hint, a command.

    Of a hidden check only the rule and the hint: its evidence would give the hidden case away.
    """
    if result.status is Status.PASSED:
        return result.message.splitlines()
    told = not result.check["hidden"] or result.status is not Status.FAILED
    lines = result.message.splitlines() if told else []
    lines += [f"Rule: {result.check['rule']}"] if result.check["rule"] else []
    lines += [f"  {line}" for line in result.evidence] if told else []
    if result.status is Status.FAILED:
        lines += [f"Hint: {result.check['hint']}"] if result.check["hint"] else []
        lines += [f"See it again: {result.replay_command}"] if result.replay_command else []
    return lines


def not_run(result: CheckResult) -> str:
    """What kept this check from being run, and with it every check of the exercise: a file that does not parse, for
    instance. Empty where it was run."""
    message, file = result.message, BY_ID[str(result.check["exercise"])].file_name
    if result.status is not Status.FAILED or not message.startswith((*NOT_LOADED, f"{file} ")):
        return ""
    for opening in ("unreadable: ", "the file cannot be imported: "):
        message = message.removeprefix(opening)
    line = f"{result.evidence[-1]} — " if result.evidence else ""
    return f"Nothing was checked: {line}{message}"


def not_loaded(report: Report) -> str:
    """The same for all checks of a report; empty where one of them was run, or there is only one."""
    said = {not_run(result) for result in report.checks}
    return said.pop() if len(said) == 1 and len(report.checks) > 1 else ""


def not_attempted(report: Report) -> list[str]:
    """For each exercise of which nothing has been written, what to do, in a sentence."""
    told = []
    for summary in report.exercises:
        results = report.of(summary.id)
        if summary.present and results and all(one.status is Status.NOT_ATTEMPTED for one in results):
            names = listed(BY_ID[summary.id].names)
            told.append(
                f"{summary.title}: not attempted yet. Open {summary.file}, write {names} (where it says"
                " NotImplementedError now), save the file, and run this again."
            )
    return told
