"""What the modes promise, in virtual time: for each election and each kind of fault, what is lost and what never is."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from labs.rules import RULES, Claims, check_run, lost_writes
from labs.simulation.schedule import Run, Schedule, Step, carry_out
from replstore.core.bully import Bully
from replstore.core.election import Election
from replstore.core.lowest_id import LowestId
from solutions.ex3_election import MyElection

ELECTIONS = [LowestId, Bully, MyElection]
every_election = pytest.mark.parametrize("election", ELECTIONS)
promising_modes = pytest.mark.parametrize("mode", ["quorum", "sync"])
order_based = pytest.mark.parametrize(
    ("election", "first", "second"), [(LowestId, "node-1", "node-2"), (Bully, "node-3", "node-2")]
)
NODES = ("node-1", "node-2", "node-3")


def live(election: type[Election], mode: str, steps: tuple[Step, ...], seed: int = 0) -> Run:
    """Three nodes through these steps; then everything is mended and has the time to recover."""
    return carry_out(Schedule(nodes=3, mode=mode, seed=seed, steps=steps, length=6.0, calm=6.0), election)


COMMITTED = [rule for rule in RULES if rule.name in ("committed entries stay", "commits never go back")]
"""What a node's own copy shows in `quorum` and `sync` is committed: by these rules nobody ever sees it differently."""


def broken(run: Run, election: type[Election]) -> list[str]:
    claims = Claims(votes=not election.catches_up)
    found = [*check_run(run, claims), *check_run(run, Claims(votes=True), COMMITTED)]
    return [str(violation) for violation in found]


# -- two leaders in one term ------------------------------------------------------------------------------


@pytest.mark.parametrize(("election", "first", "second"), [(LowestId, "node-1", "node-2"), (Bully, "node-3", "node-2")])
def test_of_two_leaders_in_one_term_only_one_can_get_a_majority(
    election: type[Election], first: str, second: str
) -> None:
    """`second` begins alone and takes term 1, which `first` leads with the third node. Then the cut moves, and the
    third node meets `second`: if it followed it in term 1, what both acknowledge would be gone when `first` is back."""
    steps = (
        Step(0.0, "isolate", (second,)),
        Step(1.5, "write_to_leader", ("k", "old")),
        Step(2.0, "isolate", (first,)),
        Step(4.0, "write_to_leader", ("k", "new")),
    )
    run = live(election, "quorum", steps)
    acknowledged = [call.command.value for call in run.acknowledged]  # type: ignore[union-attr]

    assert acknowledged == [f"old@{first}", f"new@{second}"]
    assert lost_writes(run) == []
    assert {node.read("k").value for node in run.nodes.values()} == {f"new@{second}"}  # type: ignore[union-attr]


@pytest.mark.parametrize(("election", "first", "second"), [(LowestId, "node-1", "node-2"), (Bully, "node-3", "node-2")])
def test_whom_a_node_follows_in_a_term_survives_its_crash(election: type[Election], first: str, second: str) -> None:
    [third] = set(NODES) - {first, second}
    steps = (
        Step(0.0, "isolate", (second,)),
        Step(2.0, "isolate", (first,)),
        Step(2.0, "crash", (third,)),
        Step(2.05, "start", (third,)),
        Step(4.0, "write_to_leader", ("k", "new")),
    )
    run = live(election, "quorum", steps)

    assert [call.node for call in run.acknowledged] == [second]
    assert lost_writes(run) == []


# -- quorum and sync: whatever happens ---------------------------------------------------------------------------------

_node = st.sampled_from(NODES)
_groups = st.permutations(NODES).map(lambda names: ((names[0],), tuple(names[1:])))
_WITH: dict[str, st.SearchStrategy[tuple[object, ...]]] = {
    "crash": st.tuples(_node),
    "crash_within_a_step": st.tuples(_node),
    "crash_leader": st.just(()),
    "start_all": st.just(()),
    "pause": st.tuples(_node),
    "pause_leader": st.just(()),
    "resume_all": st.just(()),
    "partition": _groups,
    "isolate_leader": st.just(()),
    "cut": st.permutations(NODES).map(lambda names: tuple(names[:2])),
    "heal": st.just(()),
}
ONE_CRASH = ("crash_leader", "start_all", "crash_within_a_step", "start_all")
ALL_CRASH = ("crash", "crash_within_a_step", "crash_leader", "crash", "start_all")
CUT = ("partition", "isolate_leader", "cut", "heal", "partition")
PAUSE = ("pause", "pause_leader", "resume_all")
EVERYTHING = tuple(_WITH)


def troubles(kinds: tuple[str, ...]) -> st.SearchStrategy[tuple[Step, ...]]:
    """Ten to sixteen steps of these kinds within six seconds; after each a write, and linearizable reads."""
    one = st.sampled_from(kinds).flatmap(lambda kind: st.tuples(st.just(kind), _WITH[kind], st.integers(1, 9)))
    return st.lists(one, min_size=10, max_size=16).map(_in_time)


def _in_time(drawn: list[tuple[str, tuple[object, ...], int]]) -> tuple[Step, ...]:
    steps: list[Step] = []
    time = 0.0
    for number, (kind, arguments, tenths) in enumerate(drawn):
        time = round(time + tenths / 10 * 0.7, 3)
        steps.append(Step(time, kind, arguments))
        steps.append(Step(round(time + 0.03 * tenths, 3), "write_to_leader", (f"k{number % 4}", f"v{number}")))
        steps.append(Step(round(time + 0.06 * tenths, 3), "read_from_leaders"))
    return tuple(sorted((step for step in steps if step.time < 5.9), key=lambda step: step.time))


_ALL_ASLEEP: list[tuple[str, tuple[object, ...], int]] = [
    *[("pause_leader", (), 1), ("pause", ("node-1",), 1), *[("pause_leader", (), 1)] * 3],
    *[("pause", ("node-1",), 1), *[("pause_leader", (), 1)] * 4],
]
few = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
seeds = st.integers(0, 99)


@pytest.mark.slow
@every_election
@promising_modes
@given(steps=troubles(ONE_CRASH), seed=seeds)
@few
def test_no_crash_loses_what_was_acknowledged(
    mode: str, election: type[Election], steps: tuple[Step, ...], seed: int
) -> None:
    assert broken(live(election, mode, steps, seed), election) == []


@pytest.mark.slow
@every_election
@promising_modes
@given(steps=troubles(ALL_CRASH), seed=seeds)
@few
def test_no_crash_of_all_nodes_loses_what_was_acknowledged(
    mode: str, election: type[Election], steps: tuple[Step, ...], seed: int
) -> None:
    assert broken(live(election, mode, steps, seed), election) == []


@pytest.mark.slow
@every_election
@promising_modes
@given(steps=troubles(CUT), seed=seeds)
@few
def test_no_cut_loses_what_was_acknowledged(
    mode: str, election: type[Election], steps: tuple[Step, ...], seed: int
) -> None:
    assert broken(live(election, mode, steps, seed), election) == []


@pytest.mark.slow
@every_election
@promising_modes
@given(steps=troubles(PAUSE), seed=seeds)
@example(steps=_in_time(_ALL_ASLEEP), seed=0)  # the leader measures its own sleep
@few
def test_no_pause_loses_what_was_acknowledged(
    mode: str, election: type[Election], steps: tuple[Step, ...], seed: int
) -> None:
    assert broken(live(election, mode, steps, seed), election) == []


@pytest.mark.sample(2)
@every_election
@promising_modes
@given(steps=troubles(EVERYTHING), seed=seeds)
@few
def test_nothing_of_all_this_together_loses_what_was_acknowledged(
    mode: str, election: type[Election], steps: tuple[Step, ...], seed: int
) -> None:
    assert broken(live(election, mode, steps, seed), election) == []
