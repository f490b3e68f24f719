"""Exercise 3's checks: right designs get everything, and each mistake costs the part that names it."""

from __future__ import annotations

import inspect
from importlib import import_module
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

from labs.grading import session
from labs.grading.checks import SUITE
from labs.grading.checks.ex3 import PARTS
from labs.grading.results import Status
from labs.grading.runner import grade
from labs.grading.sandbox.opening import Conversation, open_sandbox
from labs.grading.settings import GradingSettings
from labs.grading.submission.submission import Submission
from replstore.core.election import Election
from replstore.core.messages import NodeId
from solutions.ex3_election import MyElection, RequestVote
from tools import mutant_elections
from tools.direct import SOLUTIONS, lost
from tools.mutants import MUTANTS, Mutant

DESIGNS = (
    "solutions.ex3_election",
    "solutions.alternatives.ex3_states",
    "solutions.alternatives.ex3_one_message",
)


def with_strategy(strategy: type[Election]) -> Any:
    """As a student's file that defines this class."""
    return SimpleNamespace(MyElection=strategy)


@pytest.mark.sample(1)
@pytest.mark.parametrize("level", ["student", "instructor"])
@pytest.mark.parametrize("design", DESIGNS)
def test_a_right_design_loses_nothing(design: str, level: str) -> None:
    """With a seed of its own; `tools.no_false_failures` takes them through many more."""
    seed = 3 + DESIGNS.index(design)
    assert lost("ex3", import_module(design), level, seeds=(seed,)) == {}


@pytest.mark.slow
def test_a_design_without_pre_vote_loses_the_points_for_pre_vote_alone() -> None:
    assert lost("ex3", import_module("solutions.alternatives.ex3_without_pre_vote")).keys() == {"ex3.pre-vote"}


SEEDS = {"timer not reset on granting a vote": 1, "timeout shorter than the heartbeat": 2}
"""The others show with seed 0. Any of a student's seeds may be the one that shows a mistake of patience."""


@pytest.mark.sample(1)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.mistake)
def test_a_mistake_costs_the_part_that_names_it(mutant: Mutant) -> None:
    """With one of a student's three seeds; the banks' mistakes are judged with other ones."""
    seed = SEEDS.get(mutant.mistake, 0)
    found = lost("ex3", with_strategy(mutant.strategy), seeds=(seed,))

    assert found.keys() == {f"ex3.{part}" for part in mutant.parts}
    assert any(mutant.rule in part.rules for part in PARTS if part.id in mutant.parts)


def test_every_part_is_lost_by_somebody() -> None:
    assert {part for mutant in MUTANTS for part in mutant.parts} == {part.id for part in PARTS}


def source_of(strategy: type[MyElection]) -> str:
    """A student's file with this mistake in it: the reference, and the mutant's class as its last."""
    reference = (SOLUTIONS / "ex3_election.py").read_text(encoding="utf-8")
    classes = [one for one in reversed(strategy.__mro__) if one.__module__ == mutant_elections.__name__]
    bodies = [inspect.getsource(one) for one in classes]
    return "\n\n".join([reference, "from dataclasses import replace", *bodies, f"MyElection = {strategy.__name__}\n"])


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("strategy", "part", "sentence"),
    [
        (mutant_elections.TwoVotesInOneTerm, "votes", "voted for"),
        (mutant_elections.LongerLogWins, "log", "A client was told by node-"),
        (mutant_elections.NeverStepsDown, "quorum", "had heard from no majority since"),
    ],
)
def test_the_report_shows_the_mistake_in_the_students_own_run(
    strategy: type[MyElection], part: str, sentence: str
) -> None:
    handed_in = Submission("test", {"ex3": source_of(strategy)}, {})

    [result] = grade(handed_in, SUITE, GradingSettings(only=(f"ex3.{part}",))).checks

    assert result.status is Status.FAILED
    assert result.deterministic
    assert sentence in result.message
    assert result.picture == f"ex3.{part}.svg"
    assert result.replay_command.startswith(f"replab check ex3 --only ex3.{part} --seed ")


def test_a_sandbox_that_cannot_be_started_costs_no_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    starts = count(1)

    def sometimes(*arguments: Any, **options: Any) -> Conversation:
        if next(starts) == 2:  # the first is to see whether the file can be imported
            raise BlockingIOError("no more processes")
        return open_sandbox(*arguments, **options)

    monkeypatch.setattr(session, "open_sandbox", sometimes)
    handed_in = Submission("test", {"ex3": source_of(MyElection)}, {})

    report = grade(handed_in, SUITE, GradingSettings(only=("ex3.elects",)))

    assert [result.status for result in report.checks] == [Status.ERROR]
    assert "no more processes" in report.checks[0].message
    assert not report.graded


class VoteInAList(MyElection):
    def answer_vote(self, sender: NodeId, request: RequestVote, now: float) -> None:
        super().answer_vote(sender, request, now)
        self.vote = self.vote and [self.vote]


@pytest.mark.slow
def test_a_vote_that_is_no_nodes_id_is_the_students_mistake_and_not_the_graders() -> None:
    assert "ex3.majority" in lost("ex3", with_strategy(VoteInAList))
