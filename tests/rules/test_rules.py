"""Each rule finds a fault that was planted for it, and none finds anything in what is correct."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice

import pytest

from labs.rules import RULES, Claims, Violation, check, check_run, lost_writes
from labs.simulation.schedule import Run, Schedule, Step, Strategy, carry_out, random_schedule
from labs.trace.events import Event
from replstore.core.bully import Bully
from replstore.core.contract import LinearizableGet, NotLeader, Put, Unknown
from replstore.core.lowest_id import LowestId
from replstore.core.node import Node
from solutions.ex3_election import MyElection
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
    LeadsAgainByALateVote,
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


def broken(run: Run, claims: Claims = PLAIN) -> set[str]:
    return {violation.rule for violation in check_run(run, claims)}


# -- directed scenarios of replication, with elections that obey a plan ---------------------------------


@dataclass(frozen=True)
class Scenario:
    """A plan for the elections and one for the faults."""

    schedule: Schedule
    strategy: Strategy

    def run(self, node_class: type[Node]) -> Run:
        return carry_out(self.schedule, self.strategy, node_class)


def at(*steps: tuple[object, ...]) -> tuple[Step, ...]:
    """`(time, action, argument…)`: shorter to read."""
    return tuple(Step(float(str(time)), str(action), tuple(args)) for time, action, *args in steps)


def one_leader(*steps: tuple[object, ...], **manners: float) -> Scenario:
    """node-1 leads all the time."""
    plan = scripted(Reign(0.1, 1, "node-1", ("node-2", "node-3")))
    return Scenario(Schedule(nodes=3, drift=0.0, length=3.0, steps=at(*steps), **manners), plan)  # type: ignore[arg-type]


def figure_8() -> Scenario:
    """Raft, figure 8, (a) to (d): an entry of an earlier term is on a majority, and yet it is overwritten.

    Messages take 50 ms, so that there is time between "node-3 has said yes" and "it has the next entry as well". The
    entry is so large that it travels alone.
    """
    alone = "isolate", "node-1"
    steps = at(
        (1.0, "partition", ("node-1", "node-2"), ("node-3", "node-4", "node-5")),
        (1.1, "write", "node-1", "x", "large" * 60_000),  # (a) node-1 and node-2 have it
        (1.5, "crash", "node-1"),
        (1.5, "partition"),  # (b) node-5 leads in term 2, and what it appends reaches nobody
        (2.5, "crash", "node-5"),
        (2.9, "heal"),
        (2.9, "start", "node-1"),  # (c) node-1 leads in term 3 and ships the old entry to node-3
        (3.285, *alone),
        (3.285, "crash", "node-1"),
        (3.5, "start", "node-5"),  # (d) node-5 leads in term 4 and overwrites it
        (4.5, "heal"),
        (4.5, "start", "node-1"),
    )
    plan = scripted(
        Reign(0.1, 1, "node-1", ("node-2", "node-3", "node-4", "node-5")),
        Reign(2.0, 2, "node-5", ("node-3", "node-4")),
        Reign(3.0, 3, "node-1", ("node-2", "node-3")),
        Reign(4.0, 4, "node-5", ("node-1", "node-2", "node-3", "node-4")),
    )
    return Scenario(Schedule(fastest=0.05, slowest=0.05, drift=0.0, length=6.0, steps=steps), plan)


def stray_entries(*together: str) -> Scenario:
    """node-3 led once and has two entries that nobody else has; node-1, with those `together` with it, has two others
    there. The values are the same, so that only the logs can show it."""
    steps = at(
        (1.0, "partition", together),
        (1.1, "write", "node-3", "k", "v"),
        (1.2, "write", "node-3", "k", "v"),
        (2.2, "write", "node-1", "k", "v"),
        (3.0, "heal"),
    )
    plan = scripted(
        Reign(0.1, 1, "node-3", ("node-1", "node-2")),
        Reign(2.0, 2, "node-1", ("node-2",)),
        Reign(3.0, 3, "node-1", ("node-2", "node-3")),
    )
    return Scenario(Schedule(nodes=3, drift=0.0, length=4.0, steps=steps), plan)


def leads_again(strategy: Strategy = LeadsAgainByALateVote) -> Scenario:
    """node-1 leads by node-2's vote; node-3's is held back, and so are the answers to its heartbeats, until it steps
    down. The others elect a leader and acknowledge a newer value. Then node-3's vote and answers arrive at last, and
    node-1 is asked."""
    steps = at(
        (0.0, "pause", "node-2"),
        (0.0, "pause", "node-3"),
        (0.0, "hold", "node-3", "node-1"),
        (1.3, "resume_all"),
        (1.7, "write", "node-1", "k", "old"),
        (2.0, "hold", "node-2", "node-1"),
        (2.6, "cut", "node-1", "node-2"),
        (2.6, "cut", "node-1", "node-3"),
        (2.6, "disconnect", "node-2", "node-1"),
        (2.6, "disconnect", "node-3", "node-1"),
        (4.5, "write_to_leader", "k", "new"),
        (5.0, "release", "node-3", "node-1"),
        (5.0, "release", "node-2", "node-1"),
        (5.01, "read", "node-1", "k"),
        (5.5, "heal"),
    )
    return Scenario(Schedule(nodes=3, drift=0.0, length=6.0, steps=steps), strategy)


def many_writes() -> list[tuple[object, ...]]:
    return [(0.5 + n / 50, "write", "node-1", f"k{n}", n) for n in range(60)]


LATE_ANSWERS = one_leader(*many_writes(), fastest=0.001, slowest=0.1, duplicate=0.5)
DELETES = one_leader((0.5, "write", "node-1", "k", 1), (1.0, "delete", "node-1", "k"))
CUT_OFF_LEADER = Scenario(
    Schedule(
        nodes=3,
        drift=0.0,
        length=3.0,
        steps=at((1.0, "isolate", "node-1"), (1.1, "write", "node-1", "k", 1), (2.0, "heal")),
    ),
    scripted(
        Reign(0.1, 1, "node-1", ("node-2", "node-3")),
        Reign(1.5, 2, "node-2", ("node-3",)),
        Reign(2.0, 3, "node-2", ("node-1", "node-3")),
    ),
)
SCENARIOS = {
    "figure 8": figure_8(),
    "stray entries": stray_entries(),
    "stray entries, others committed": stray_entries("node-1", "node-2"),
    "late answers": LATE_ANSWERS,
    "deletes": DELETES,
    "cut-off leader": CUT_OFF_LEADER,
    "leads again in its term": leads_again(),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_node_as_it_is_breaks_no_rule_in_a_directed_scenario(name: str) -> None:
    run = SCENARIOS[name].run(Node)

    assert run.failure is None
    assert broken(run) == set()


def test_in_figure_8_an_entry_of_an_old_term_is_on_a_majority_and_the_node_does_not_call_it_committed() -> None:
    run = SCENARIOS["figure 8"].run(Node)
    before_the_crash = [e for e in run.trace if e.time < 3.285]
    appended = [e for e in before_the_crash if e.kind == "appended"]
    holders = {e.node for e in appended if e.details["first"] <= 2 <= e.details["last"]}
    committed = {e.details["index"] for e in before_the_crash if e.kind == "committed"}

    assert holders >= {"node-1", "node-2", "node-3"}
    assert 2 not in committed


# -- every rule has a fault that it alone finds ----------------------------------------------------------


class Raises(Plain):
    def campaign(self, now: float, pre: bool) -> None:
        raise KeyError("nobody")


FAULTS: dict[str, tuple[Strategy, Schedule, Claims]] = {
    "no strategy fails": (Raises, Schedule(length=2.0), PLAIN),
    "one vote a term": (TwoVotesInOneTerm, DIRECTED["each alone"], FULL),
    "terms never go back": (TermForgottenInACrash, DIRECTED["long tail"], PLAIN),
    "elected by a majority": (HalfIsEnough, DIRECTED["two down"], FULL),
    "a leader without a quorum steps down": (NeverStepsDown, DIRECTED["long tail"], FULL),
    "a settled cluster stays settled": (TimerNeverReset, DIRECTED["slow"], PLAIN),
    "a healthy leader is left alone": (PreVoteThoughTheLeaderLives, DIRECTED["returning node"], FULL),
    "followers were told": (FollowsBeforeItHears, DIRECTED["quiet"], replace(FULL, by_messages=True)),
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


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.mistake)
def test_a_mistake_is_found_by_the_rule_that_names_it(mutant: Mutant) -> None:
    schedule = next(islice(schedules(mutant.nodes), mutant.number - 1, None))

    assert mutant.rule in broken(carry_out(schedule, mutant.strategy), mutant.claims)


def test_every_mistake_has_a_rule_and_no_two_have_the_same_name() -> None:
    assert {mutant.rule for mutant in MUTANTS} <= {rule.name for rule in RULES}
    assert len({mutant.mistake for mutant in MUTANTS}) == len(MUTANTS)


# -- what is correct passes ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DIRECTED)
def test_the_reference_election_keeps_all_rules_in_every_directed_schedule(name: str) -> None:
    assert broken(carry_out(DIRECTED[name], MyElection), FULL) == set()


@pytest.mark.parametrize("seed", range(12))
def test_the_reference_election_keeps_all_rules_on_bad_days(seed: int) -> None:
    assert broken(carry_out(random_schedule(seed), MyElection), FULL) == set()


@pytest.mark.parametrize("seed", range(4))
def test_an_election_without_pre_vote_is_correct_as_well(seed: int) -> None:
    assert broken(carry_out(random_schedule(seed), Plain), PLAIN) == set()


def test_a_leader_that_crashed_and_came_back_is_no_healthy_leader_any_more() -> None:
    """(Found by a run of 2,000: everybody had been down, and an election was taken for a disturbance.)"""
    assert broken(carry_out(random_schedule(947), MyElection), FULL) == set()


def test_a_restarted_leader_may_be_replaced() -> None:
    steps = at((2.0, "crash_leader"), (2.01, "start_all"))

    assert broken(carry_out(Schedule(steps=steps), MyElection), FULL) == set()


def told(*notes: tuple[str, str, Mapping[str, object]]) -> set[str]:
    """The rules that these notes of three nodes break: node, kind, details."""
    events = [
        Event(float(n), node, "note", kind, n, "", "", dict(details)) for n, (node, kind, details) in enumerate(notes)
    ]
    return {violation.rule for violation in check(events, ("node-1", "node-2", "node-3"), 100.0, PLAIN)}


def test_a_vote_that_only_the_recovery_tells_of_counts() -> None:
    """A crash struck after the vote was saved and before that was noted. (Found by a run of 1,000.)"""
    own = ("node-1", "state", {"term": 2, "vote": "node-1"})
    saved = ("node-2", "recovered", {"entries": 0, "keys": 0, "term": 2, "vote": "node-1"})
    other = ("node-2", "state", {"term": 2, "vote": "node-3"})
    wins = ("node-1", "became_leader", {"term": 2})

    assert told(own, saved, wins) == set()
    assert told(own, wins) == {"elected by a majority"}
    assert told(own, saved, other) == {"one vote a term"}


def test_events_as_real_nodes_tell_them_are_judged_alike() -> None:
    run = carry_out(DIRECTED["each alone"], TwoVotesInOneTerm)
    rows = [event.to_json() for event in run.trace]
    found = check([Event.from_json(row) for row in rows], run.node_ids, run.schedule.timeout, FULL)

    assert [violation.text for violation in found] == [violation.text for violation in check_run(run, FULL)]
    assert found


# -- not bugs, but lessons -------------------------------------------------------------------------------


def test_lowest_id_has_two_leaders_in_a_cut_network_and_breaks_no_rule_that_it_claims_to_keep() -> None:
    sides = ("node-1", "node-2"), ("node-3", "node-4", "node-5")
    steps = at((2.0, "partition", *sides), (4.5, "write_to_leader", "k", 1), (6.0, "heal"))
    run = carry_out(Schedule(steps=steps), LowestId)

    assert {call.node for call in run.calls} == {"node-1", "node-3"}
    assert broken(run, Claims(votes=False)) == set()


def test_of_two_leaders_only_the_one_with_a_majority_acknowledges_under_quorum_and_both_do_under_async() -> None:
    sides = ("node-1", "node-2"), ("node-3", "node-4", "node-5")
    steps = at((2.0, "partition", *sides), (4.5, "write_to_leader", "k", 1), (6.0, "heal"))
    told = {
        mode: {call.node for call in carry_out(Schedule(mode=mode, steps=steps), LowestId).acknowledged}
        for mode in ("quorum", "async")
    }

    assert told == {"quorum": {"node-3"}, "async": {"node-1", "node-3"}}


@pytest.mark.parametrize("strategy", [LowestId, Bully, MyElection])
def test_async_loses_what_its_leader_acknowledged_and_did_not_ship(strategy: type[LowestId]) -> None:
    steps = at((2.0, "isolate_leader"), (2.1, "write_to_leader", "k", 1), (2.2, "crash_leader"), (4.0, "heal"))
    run = carry_out(Schedule(mode="async", steps=(*steps, Step(6.0, "start_all"))), strategy)
    [lost] = lost_writes(run)

    assert lost.entry.key == "k"
    assert lost.holders == ()
    assert "no node had it" in str(lost)
    assert "acknowledged writes stay" not in broken(run)


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
