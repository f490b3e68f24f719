"""No rule finds anything in what is correct, nor in what a strategy does not claim to keep."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from labs.rules import Claims, check, check_run, lost_writes
from labs.simulation.schedule import Schedule, Step, carry_out, random_schedule
from labs.trace.events import Event
from replstore.core.bully import Bully
from replstore.core.lowest_id import LowestId
from replstore.core.node import Node
from solutions.ex3_election import MyElection
from tests.rules.scenarios import SCENARIOS, at, broken
from tools.mutant_elections import Plain, TwoVotesInOneTerm
from tools.mutants import DIRECTED, FULL, PLAIN


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
