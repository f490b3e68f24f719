"""Each rule finds a fault that was planted for it, and says who broke it, when, and what proves it."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import pytest

from labs.grading.checks import ex3_runs
from labs.rules import RULES, Claims, Violation, check_run
from labs.simulation.schedule import Run, Schedule, Strategy, carry_out, random_schedule
from replstore.core.contract import LinearizableGet, NotLeader, Put, Unknown
from replstore.core.messages import Heartbeat, Message, NodeId
from replstore.core.node import Node
from solutions.ex3_election import MyElection
from tests.rules.scenarios import SCENARIOS, Scenario, at, broken, leads_again
from tests.simulation.broken_nodes import (
    AnswersTooEarly,
    BelievesHeartbeats,
    CountsCopiesOfOldTerms,
    DropsDeletes,
    MatchGoesBack,
    ReadsUnconfirmed,
    RoundsBeginAgain,
    TakesAnyAnswerForAll,
    TakesEntriesUnchecked,
)
from tests.simulation.scripted import Reign, scripted
from tools.mutant_elections import (
    AnyLogWins,
    DeafToAnswers,
    FollowsBeforeItHears,
    HalfIsEnough,
    MajorityOfTheLiving,
    NeedsEverybody,
    NeverAsksAgain,
    NeverStepsDown,
    OnceALeaderAlwaysALeader,
    Plain,
    PreVoteThoughTheLeaderLives,
    TermForgottenInACrash,
    TimerNeverReset,
    TwoVotesInOneTerm,
)
from tools.mutants import DIRECTED, FULL, MUTANTS, PLAIN, Mutant, schedules

# -- every rule has a fault that it alone finds ----------------------------------------------------------


class Raises(Plain):
    def campaign(self, now: float, pre: bool) -> None:
        raise KeyError("nobody")


class FollowsALeaderOfThePast(Plain):
    def receive(self, sender: NodeId, message: Message, now: float) -> None:
        super().receive(sender, message, now)
        if isinstance(message, Heartbeat) and message.term < self.term and self.leader != self.me:
            self.leader = sender


*_, LATE_HEARTBEATS = ex3_runs.terms(1)
FAULTS: dict[str, tuple[Strategy, Schedule, Claims]] = {
    "no strategy fails": (Raises, Schedule(length=2.0), PLAIN),
    "one vote a term": (TwoVotesInOneTerm, DIRECTED["each alone"], FULL),
    "terms never go back": (TermForgottenInACrash, DIRECTED["long tail"], PLAIN),
    "elected by a majority": (HalfIsEnough, DIRECTED["two down"], FULL),
    "a leader without a quorum steps down": (NeverStepsDown, DIRECTED["long tail"], FULL),
    "a settled cluster stays settled": (TimerNeverReset, DIRECTED["slow"], PLAIN),
    "a healthy leader is left alone": (PreVoteThoughTheLeaderLives, DIRECTED["returning node"], FULL),
    "followers were told": (FollowsBeforeItHears, DIRECTED["quiet"], replace(FULL, by_messages=True)),
    "a leader is followed in its own term": (
        FollowsALeaderOfThePast,
        LATE_HEARTBEATS,
        replace(PLAIN, by_messages=True),
    ),
    "a leadership lasts with a majority": (NeedsEverybody, DIRECTED["two down"], PLAIN),
    "a leader is back in time": (NeverAsksAgain, DIRECTED["each alone"], PLAIN),
    "one leader in the end": (OnceALeaderAlwaysALeader, DIRECTED["unheard candidate"], PLAIN),
    "everybody follows in the end": (DeafToAnswers, DIRECTED["unheard candidate"], FULL),
}
BROKEN_NODES: dict[str, tuple[type[Node], str]] = {
    "committed entries stay": (CountsCopiesOfOldTerms, "figure 8"),
    "commits never go back": (MatchGoesBack, "late answers"),
    "logs match": (TakesEntriesUnchecked, "stray entries"),
    "replicas agree": (DropsDeletes, "deletes"),
    "acknowledged writes stay": (AnswersTooEarly, "cut-off leader"),
    "a linearizable read sees every acknowledged write": (RoundsBeginAgain, "leads again in its term"),
}
IMPLIED = "one leader a term"
"""Two majorities share a node, so two leaders of a term take a node with two votes, or a leader without a majority."""


@pytest.mark.parametrize("rule", FAULTS)
def test_a_fault_in_the_election_is_found_by_its_rule_alone(rule: str) -> None:
    strategy, schedule, claims = FAULTS[rule]

    assert broken(carry_out(schedule, strategy), claims) == {rule}


@pytest.mark.parametrize("rule", BROKEN_NODES)
def test_a_fault_in_the_replication_is_found_by_its_rule_alone(rule: str) -> None:
    node_class, scenario = BROKEN_NODES[rule]

    assert broken(SCENARIOS[scenario].run(node_class)) == {rule}


def test_two_leaders_of_a_term_are_found_without_the_help_of_other_rules() -> None:
    [rule] = [rule for rule in RULES if rule.name == IMPLIED]
    found = check_run(carry_out(DIRECTED["each alone"], MajorityOfTheLiving), PLAIN, [rule])

    assert "became leader of term" in found[0].text
    assert len(found[0].nodes) == 2


def test_no_rule_is_without_a_planted_fault() -> None:
    assert {rule.name for rule in RULES} == {*FAULTS, *BROKEN_NODES, IMPLIED}


def test_an_answer_taken_for_more_than_it_says_loses_an_acknowledged_write() -> None:
    """node-2's and node-3's answers to "a" arrive when "b" has just been appended, and "b" reaches nobody."""
    steps = at(
        (0.5, "write", "node-1", "a", 1),
        (0.59, "write", "node-1", "b", 1),
        (0.67, "isolate", "node-1"),
        (0.67, "crash", "node-1"),
        (2.0, "heal"),
    )
    plan = scripted(Reign(0.1, 1, "node-1", ("node-2", "node-3")), Reign(1.5, 2, "node-2", ("node-1", "node-3")))
    scenario = Scenario(Schedule(nodes=3, fastest=0.05, slowest=0.05, drift=0.0, length=3.0, steps=steps), plan)

    assert broken(scenario.run(Node)) == set()
    assert "acknowledged writes stay" in broken(scenario.run(TakesAnyAnswerForAll))


def leads(run: Run, name: str) -> list[int]:
    """The terms of the node's leaderships, one after another."""
    return [e.details["term"] for e in run.trace if e.kind == "became_leader" and e.node == name and e.time < 5.5]


def test_a_late_vote_makes_the_node_leader_again_and_old_answers_confirm_nothing() -> None:
    """(The scenario shows what it is about.)"""
    run = leads_again().run(Node)
    [read] = [call for call in run.calls if isinstance(call.command, LinearizableGet)]

    assert leads(run, "node-1") == [1, 1]
    late = [call.command for call in run.acknowledged if call.answered > 4]
    assert [command.value for command in late if isinstance(command, Put)] == ["new@node-2"]
    assert read.node == "node-1"
    assert isinstance(read.result, Unknown | NotLeader)


def test_the_reference_forgets_its_votes_when_it_steps_down() -> None:
    for node_class in (Node, RoundsBeginAgain):
        run = leads_again(MyElection).run(node_class)

        assert leads(run, "node-1") == [1]
        assert broken(run, FULL) == set()


def test_clients_that_read_find_a_leader_that_lacks_an_acknowledged_write() -> None:
    """A mistake in the election: nothing that a node does for itself can help then."""
    runs = (carry_out(schedule, AnyLogWins) for schedule in islice(schedules(5), 40))

    assert any("a linearizable read sees every acknowledged write" in broken(run) for run in runs)


def test_clients_that_read_find_a_node_that_does_not_confirm_that_it_leads() -> None:
    runs = (carry_out(random_schedule(seed), Plain, ReadsUnconfirmed) for seed in range(40))

    assert any("a linearizable read sees every acknowledged write" in broken(run) for run in runs)


def test_a_follower_that_commits_what_it_did_not_compare_is_found() -> None:
    assert "committed entries stay" in broken(SCENARIOS["stray entries, others committed"].run(BelievesHeartbeats))


def test_nodes_that_forget_when_they_restart_are_found() -> None:
    runs = [carry_out(random_schedule(seed, Schedule(durable=False)), MyElection) for seed in (0, 17)]

    assert set().union(*(broken(run, FULL) for run in runs)) >= {"one vote a term", "acknowledged writes stay"}


# -- the mistakes of students ----------------------------------------------------------------------------


@pytest.mark.sample(8)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.mistake)
def test_a_mistake_is_found_by_the_rule_that_names_it(mutant: Mutant) -> None:
    schedule = next(islice(schedules(mutant.nodes), mutant.number - 1, None))

    assert mutant.rule in broken(carry_out(schedule, mutant.strategy), mutant.claims)


def test_every_mistake_has_a_rule_and_no_two_have_the_same_name() -> None:
    assert {mutant.rule for mutant in MUTANTS} <= {rule.name for rule in RULES}
    assert len({mutant.mistake for mutant in MUTANTS}) == len(MUTANTS)


# -- what a violation says -------------------------------------------------------------------------------


def test_a_violation_says_the_rule_who_when_and_which_events_prove_it() -> None:
    run = carry_out(DIRECTED["each alone"], TwoVotesInOneTerm)
    [rule] = [rule for rule in RULES if rule.name == "one vote a term"]
    violation: Violation = check_run(run, FULL, [rule])[0]
    proof = [event for event in run.trace if event.seq in violation.events]

    assert str(violation).startswith("one vote a term at ")
    assert rule.sentence in str(violation)
    assert [event.kind for event in proof] == ["state", "state"]
    assert violation.nodes == (proof[0].node,)
    assert violation.time == proof[1].time


def test_a_rule_is_not_applied_to_a_strategy_that_does_not_claim_it() -> None:
    run = carry_out(DIRECTED["long tail"], NeverStepsDown)

    assert "a leader without a quorum steps down" in broken(run, FULL)
    assert "a leader without a quorum steps down" not in broken(run, PLAIN)
