"""The words for a result, in the plain formats."""

from __future__ import annotations

from labs.grading.results import CheckResult, Status

MARKS = {
    Status.PASSED: "✓",
    Status.FAILED: "✗",
    Status.SKIPPED: "–",
    Status.NOT_ATTEMPTED: "○",
    Status.ERROR: "!",
}


def number(value: float) -> str:
    return f"{value:g}"


def score(result: CheckResult) -> str:
    earned = "?" if result.status is Status.ERROR else number(result.earned)
    return f"{earned}/{number(result.points)}"


def explain(result: CheckResult) -> list[str]:
    """What a student is told about a check, line by line: the rule, what happened, the evidence, a hint, a command.

    Of a hidden check only the rule and the hint: its evidence would give the hidden case away.
    """
    if result.status is Status.PASSED:
        return result.message.splitlines()
    lines = [f"Rule: {result.check['rule']}"] if result.check["rule"] else []
    if not result.check["hidden"] or result.status is not Status.FAILED:
        lines += [*result.message.splitlines(), *(f"  {line}" for line in result.evidence)]
    if result.status is Status.FAILED:
        lines += [f"Hint: {result.check['hint']}"] if result.check["hint"] else []
        lines += [f"See it again: {result.replay_command}"] if result.replay_command else []
    return lines
