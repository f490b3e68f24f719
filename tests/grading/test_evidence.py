"""What a report says of a session's reads and writes is in the trace of the run."""

from __future__ import annotations

import pytest

from labs.cluster.base import Outcome
from labs.grading.checks.ex2_scenarios import SITUATIONS
from labs.grading.checks.ex2_session import OWN, SEEN, Scenario
from labs.history.operations import Operation
from tools.banks import bank
from tools.direct import DirectSession

WRONG, RIGHT = bank("ex2")
TOLD = [
    "any follower",
    "no record of followers' answers",
    "index alone",
    "never says that it wrote",
    "the oldest of all",
]


def writes_in(scenario: Scenario) -> dict[str, tuple[float, float]]:
    """When each value was asked to be written, and when that was acknowledged, by the trace alone."""
    asked = {e.id: e for e in scenario.cluster.events() if e.event == "request" and e.kind == "put"}
    replies = [
        e for e in scenario.cluster.events() if e.event == "reply" and e.id in asked and e.details["code"] == 200
    ]
    return {f"{asked[e.id].details['key']}={asked[e.id].details['value']}": (asked[e.id].time, e.time) for e in replies}


def assert_in_trace(op: Operation, acknowledged: dict[str, tuple[float, float]]) -> None:
    if op.is_read:
        assert op.result is None or f"{op.key}={op.result}" in acknowledged, op
        return
    known = acknowledged.get(f"{op.key}={op.value}")
    assert (known is not None) == (op.outcome is Outcome.OK), op
    assert known is None or (op.invoked <= known[0] <= known[1] <= (op.completed or 0.0)), op


@pytest.mark.sample(1)
@pytest.mark.parametrize("mistake", TOLD)
def test_every_read_and_write_that_can_be_evidence_is_in_the_trace(mistake: str) -> None:
    problems = []
    for _, situation in SITUATIONS:
        scenario = situation(DirectSession(WRONG[mistake].module()), 20417)
        acknowledged = writes_in(scenario)
        for op in scenario.operations:
            assert_in_trace(op, acknowledged)
        problems += [problem for which in (OWN, SEEN) if (problem := scenario.problem(which))]

    assert problems, "there is something to tell"
    assert not any("nobody ever wrote" in problem for problem in problems)


def test_what_nobody_wrote_is_in_no_trace() -> None:
    scenario = SITUATIONS[0][1](DirectSession(WRONG["the value is not what was asked for"].module()), 20417)

    assert "which nobody ever wrote" in str(scenario.problem(SEEN))
    assert not any("{" in value for value in writes_in(scenario))
