"""Schedules are data: they can be kept, replayed, made by Hypothesis, and shrunk to what matters."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

from labs.rules import check_run
from labs.simulation.actions import ACTIONS
from labs.simulation.schedule import Schedule, Step, carry_out, random_schedule
from replstore.core.bully import Bully
from replstore.core.election import Election
from replstore.core.lowest_id import LowestId
from solutions.ex3_election import MyElection
from tools.mutant_elections import AnyLogWins, Plain, TermForgottenInACrash
from tools.mutants import FULL, PLAIN

NODES = ("node-1", "node-2", "node-3")
node = st.sampled_from(NODES)
anything = {
    "crash": st.tuples(node),
    "start_all": st.just(()),
    "isolate": st.tuples(node),
    "cut": st.tuples(node, node),
    "heal": st.just(()),
    "crash_leader": st.just(()),
    "pause": st.tuples(node),
    "resume_all": st.just(()),
    "write_to_leader": st.tuples(st.just("k"), st.integers(0, 3)),
}
"""What may happen, with what."""


def steps_of(*actions: str) -> st.SearchStrategy[tuple[Step, ...]]:
    """Up to eight steps of these kinds between 1 s and 3 s, by time."""
    one = st.sampled_from(actions).flatmap(
        lambda action: st.builds(Step, st.integers(10, 30).map(lambda n: n / 10), st.just(action), anything[action])
    )
    return st.lists(one, max_size=8).map(lambda steps: tuple(sorted(steps, key=lambda step: step.time)))


def short(steps: tuple[Step, ...], seed: int = 0) -> Schedule:
    return Schedule(nodes=3, seed=seed, steps=steps, length=3.5, calm=0.2)


# -- the same again --------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", [MyElection, LowestId, Bully])
def test_the_same_schedule_gives_the_same_run_byte_for_byte(strategy: type[Election]) -> None:
    first, second = (carry_out(random_schedule(11), strategy).trace for _ in range(2))

    assert repr(first) == repr(second)
    assert len(first) > 500


def test_another_seed_gives_another_run() -> None:
    quiet = Schedule(length=3.0, calm=0.0)

    assert carry_out(quiet, MyElection).trace != carry_out(replace(quiet, seed=1), MyElection).trace


def test_a_random_schedule_depends_on_its_seed_alone() -> None:
    assert random_schedule(5) == random_schedule(5)
    assert random_schedule(5) != random_schedule(6)


@given(steps_of(*anything), st.integers(0, 9))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_schedule_survives_json_and_so_does_its_run(steps: tuple[Step, ...], seed: int) -> None:
    schedule = short(steps, seed)
    again = Schedule.from_json(schedule.to_json())

    assert again == schedule
    assert carry_out(again, Plain).trace == carry_out(schedule, Plain).trace


def test_every_random_schedule_survives_json() -> None:
    assert all(Schedule.from_json(random_schedule(seed).to_json()) == random_schedule(seed) for seed in range(50))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"steps": [{"time": 1}]}', '{"steps": [], "colour": "red"}'])
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a schedule|Expecting"):
        Schedule.from_json(text)


def test_a_schedule_in_json_is_plain_data() -> None:
    data = json.loads(short((Step(1.0, "isolate", ("node-1",)),)).to_json())

    assert data["steps"] == [{"time": 1.0, "action": "isolate", "args": ["node-1"]}]


# -- what a schedule does --------------------------------------------------------------------------------


def test_a_random_schedule_uses_only_actions_that_there_are() -> None:
    used = {step.action for seed in range(30) for step in random_schedule(seed).steps}

    assert used <= set(ACTIONS)
    assert len(used) >= 10


def test_after_the_last_step_everything_is_mended() -> None:
    steps = (Step(1.0, "crash", ("node-1",)), Step(1.2, "pause", ("node-2",)), Step(1.3, "partition"))
    run = carry_out(Schedule(nodes=3, length=2.0, steps=steps), MyElection)

    assert set(run.nodes) == set(NODES)
    assert sum(node.leads for node in run.nodes.values()) == 1
    assert check_run(run, FULL) == []


def test_an_exception_of_the_strategy_ends_the_run_and_is_told() -> None:
    class Raises(Plain):
        def campaign(self, now: float, pre: bool) -> None:
            raise LookupError("no idea")

    run = carry_out(Schedule(length=3.0), Raises)

    assert run.failure == "LookupError: no idea"
    assert [violation.text for violation in check_run(run)] == ["LookupError: no idea"]


def test_a_client_that_asks_who_leads_writes_to_everybody_who_says_so() -> None:
    sides = ("node-1", "node-2"), ("node-3", "node-4", "node-5")
    steps = (Step(2.0, "partition", sides), Step(4.5, "write_to_leader", ("k", "v")))
    run = carry_out(Schedule(mode="async", steps=steps), LowestId)

    assert sorted(call.node for call in run.acknowledged) == ["node-1", "node-3"]


# -- Hypothesis makes schedules, and shrinks them --------------------------------------------------------


@given(steps_of(*anything), st.integers(0, 1000))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_schedule_makes_the_reference_break_a_rule(steps: tuple[Step, ...], seed: int) -> None:
    assert check_run(carry_out(short(steps, seed), MyElection), FULL) == []


def smallest(strategy: type[Election], rule: str, actions: tuple[str, ...]) -> tuple[Step, ...]:
    """The simplest steps with which the strategy breaks the rule."""

    def breaks(steps: tuple[Step, ...]) -> bool:
        return any(violation.rule == rule for violation in check_run(carry_out(short(steps), strategy), PLAIN))

    found: Callable[..., tuple[Step, ...]] = find
    patient = settings(max_examples=400, deadline=None, database=None, derandomize=True)
    return found(steps_of(*actions), breaks, settings=patient)


@pytest.mark.slow
def test_a_forgotten_term_is_shrunk_to_one_crash() -> None:
    steps = smallest(TermForgottenInACrash, "terms never go back", tuple(anything))

    assert [step.action for step in steps] == ["crash"]


@pytest.mark.slow
def test_a_lost_write_is_shrunk_to_the_two_steps_that_lose_it() -> None:
    """Somebody misses a write, and is elected when it comes back."""
    steps = smallest(AnyLogWins, "acknowledged writes stay", ("isolate", "write_to_leader", "heal", "crash_leader"))

    assert [step.action for step in steps] == ["isolate", "write_to_leader"]


def test_a_strategy_that_ends_the_program_ends_its_run_and_nothing_else() -> None:
    class Leaves(LowestId):
        def tick(self, now: float) -> None:
            raise SystemExit(0)

    run = carry_out(Schedule(nodes=3, length=1.0), Leaves)

    assert "ends the program" in str(run.error)
