"""Real nodes, broken at chosen moments under the eyes of clients: nothing that was promised may be lost, and a node
that breaks its promise must be found out."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from labs.cluster import Outcome
from labs.cluster.foreign import PATIENT
from labs.history import Operation, load
from tests import java_node, typescript_node
from tools.nemesis import judge
from tools.nemesis.__main__ import _order, _parser, told
from tools.nemesis.campaign import ELECTIONS, Order, run
from tools.nemesis.plan import MOMENTS, Pace, draw

NODES = ("node-1", "node-2", "node-3")
Test = TypeVar("Test", bound=Callable[..., None])


def real_nodes(test: Test) -> Test:
    marked: Test = pytest.mark.processes(pytest.mark.slow(test))
    return marked


def short(tmp_path: Path, **changes: object) -> Order:
    """One round."""
    order = Order(seconds=7.0, round_seconds=7.0, keep_in=tmp_path)
    return replace(order, **changes)  # type: ignore[arg-type]


# -- real nodes ------------------------------------------------------------------------------------------


@pytest.mark.slow
@real_nodes
@pytest.mark.parametrize(("mode", "election"), [("quorum", "majority"), ("sync", "lowest-id")])
def test_no_fault_makes_a_node_break_its_promise(mode: str, election: str, tmp_path: Path) -> None:
    """Each mode and each election once; the tool goes through every pair of them for minutes (see CONTRIBUTING)."""
    order = short(tmp_path, mode=mode, election=election, seed=1)
    report = run(order)

    assert report.violations == [], f"{report.evidence}; {order.command}"
    assert report.kills >= 3, "a run without kills says nothing"
    assert report.faults >= 2
    assert report.acknowledged >= 20
    assert report.reads >= 10


@pytest.mark.slow
@real_nodes
def test_python_and_typescript_nodes_together_keep_what_a_quorum_acknowledged(tmp_path: Path) -> None:
    """By majority votes, where every message of the election matters; below, where Java is installed, by lowest id."""
    election = "majority"
    command = shlex.join(["env", f"ELECTION={election}", *typescript_node.command_or_skip("node-typescript-full")])
    order = short(
        tmp_path, election=election, seed=1, build="real", election_timeout_ms=500, commands=(("node-2", command),)
    )
    report = run(order)

    assert report.violations == [], f"{report.evidence}; {order.command}"
    assert report.kills >= 3
    assert report.acknowledged >= 20


@pytest.mark.slow
@real_nodes
@pytest.mark.parametrize(("mode", "election"), [("quorum", "lowest-id"), ("sync", "majority")])
def test_python_typescript_and_java_nodes_lose_nothing_that_was_acknowledged(
    mode: str, election: str, tmp_path: Path
) -> None:
    of_typescript = typescript_node.command_or_skip("node-typescript-full")
    of_java = java_node.command_or_skip("node-java-full")
    commands = tuple(
        (node, shlex.join(["env", f"ELECTION={election}", *command]))
        for node, command in (("node-2", of_typescript), ("node-3", of_java))
    )
    timings = {"heartbeat_ms": PATIENT.heartbeat_ms, "election_timeout_ms": PATIENT.election_timeout_ms}
    until = {"kills": 3, "faults": 2, "round_seconds": 10.0, "seconds": 180.0}  # a Java program takes its time to start
    order = short(
        tmp_path, mode=mode, election=election, seed=1, build="real", commands=commands, **timings, **until
    )
    report = run(order)

    assert report.violations == [], f"{report.evidence}; {order.command}"
    assert report.lost == 0
    assert report.kills >= 3
    assert report.acknowledged >= 10


@pytest.mark.slow
@real_nodes
@pytest.mark.parametrize("election", ["lowest-id", "bully"])
def test_no_two_leaders_of_one_term_both_get_a_majority(election: str, tmp_path: Path) -> None:
    order = short(tmp_path, election=election, seed=1, pace=Pace(kinds=("rivals",), every=3.0))
    report = run(order)

    assert report.violations == [], f"{report.evidence}; {order.command}"
    assert report.faults >= 2
    assert report.acknowledged >= 20


@real_nodes
def test_what_async_loses_is_counted_and_is_no_violation(tmp_path: Path) -> None:
    calm = Pace(kinds=("isolate",), every=0.6, bad=(0.9, 1.5))
    order = short(tmp_path, mode="async", seed=3, pace=calm, seconds=30.0)
    report = run(replace(order, faults=6))

    assert report.violations == []
    assert any(f"{report.lost} acknowledged writes lost (async" in line for line in told(order, report))


@pytest.mark.slow
@real_nodes
@pytest.mark.parametrize(
    ("build", "kinds", "election", "finding"),
    [
        ("forgetful", ("kill",), "majority", "lost"),
        ("hasty", ("isolate", "split"), "lowest-id", "lost"),
        ("hearsay", ("isolate", "split"), "lowest-id", "not linearizable"),
    ],
)
def test_a_node_that_is_broken_on_purpose_is_found_out(
    build: str, kinds: tuple[str, ...], election: str, finding: str, tmp_path: Path
) -> None:
    pace = Pace(kinds=kinds, every=0.5 if kinds == ("kill",) else 1.5, bad=(1.0, 2.0))
    until = {"kills": 40} if "kill" in kinds else {"faults": 40}  # it is found after a few
    order = short(tmp_path, build=build, election=election, seed=2, pace=pace, seconds=300.0, **until)
    report = run(order)

    assert any(violation.startswith(finding) for violation in report.violations), report
    assert report.evidence is not None
    assert len(load(report.evidence / "history.jsonl")) > 20
    kept = {file.name for file in report.evidence.iterdir()}
    assert {"verdict.txt", "plan.json", "diary.jsonl", "events.jsonl", "contents.json", "node-1.log"} <= kept
    assert (report.evidence / "node-1" / "journal").stat().st_size > 0
    assert order.command in (report.evidence / "verdict.txt").read_text()


# -- plans -----------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_plan_and_another_seed_another() -> None:
    assert draw("7/1.1", 60, NODES) == draw("7/1.1", 60, NODES)
    assert draw("7/1.1", 60, NODES) != draw("8/1.1", 60, NODES)


def test_a_long_plan_has_every_kind_of_fault_and_every_moment_in_it() -> None:
    blows = draw("1", 600, NODES).blows

    assert {blow.kind for blow in blows} == {
        "kill", "pause", "isolate", "split", "rivals", "one-way-cut", "slow-links", "loss"
    }  # fmt: skip
    assert {blow.details["moment"] for blow in blows if blow.kind == "kill"} == set(MOMENTS)
    assert {blow.details["victims"] for blow in blows if blow.kind == "kill"} == {"leader", "follower", "two", "all"}


def test_the_command_that_is_printed_gives_the_same_order_again() -> None:
    pace = Pace(every=2.0, kinds=("split", "kill"))
    order = Order(mode="sync", election="bully", seed=5, seconds=90, kills=10, nodes=5, build="real", pace=pace)
    words = order.command.removeprefix("python -m tools.nemesis ").split()

    assert _order(_parser().parse_args(words)) == order


@pytest.mark.parametrize("election", ELECTIONS)
def test_every_election_can_be_named(election: str) -> None:
    assert _order(_parser().parse_args(["--election", election])).election == election


@pytest.mark.parametrize("build", ["small", "forgetful", "hasty", "hearsay"])
def test_every_build_finds_what_it_changes(build: str) -> None:
    """In a process of its own: a build changes the one that imports it."""
    names = ", ".join(ELECTIONS.values())
    program = f"from tools.nemesis.builds.{build} import {names}"

    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[2])


# -- the verdict -----------------------------------------------------------------------------------------


def write(value: str, outcome: Outcome, at: float, **place: int) -> Operation:
    return Operation("c", "put", "k", value, at, at + 0.5, outcome, node="node-1", **place)  # type: ignore[arg-type]


def test_two_acknowledged_writes_in_one_place_are_a_violation() -> None:
    history = [
        write("a", Outcome.OK, 1, term=2, index=5),
        write("b", Outcome.OK, 2, term=2, index=5),
        write("c", Outcome.OK, 3, term=3, index=5),
    ]

    assert len(judge._shared_places(history)) == 1
    assert judge._shared_places(history[1:]) == []


def test_a_value_whose_write_was_refused_for_certain_comes_from_nowhere() -> None:
    history = [write("a", Outcome.FAILED, 1), write("b", Outcome.UNKNOWN, 2)]
    read = Operation("c", "get", "k", None, 5, 6, Outcome.OK, "a", True, "node-2")

    assert len(judge._phantoms(history, [read], {})) == 1
    assert judge._phantoms(history, [replace(read, result="b")], {}) == []
    assert judge._phantoms(history, [replace(read, result=None, found=False)], {}) == []
    assert len(judge._phantoms(history, [], {"node-1": {"k": "a"}, "node-2": {"k": "b"}})) == 1


def test_what_all_nodes_hold_in_the_end_is_a_read_of_every_key() -> None:
    history = [write("a", Outcome.OK, 1), replace(write("b", Outcome.OK, 2), key="gone")]
    reads = judge._final_reads(history, {"node-1": {"k": "a"}}, now=3.0)

    assert [(read.key, read.result, read.found) for read in reads] == [("gone", None, False), ("k", "a", True)]
    assert all(read.invoked > 3.0 for read in reads)
