"""Replays: a checked run lives through itself again, and a simulated cluster comes back to where it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import solutions
from labs.cluster.base import FAST, Cluster
from labs.cluster.simulated import SimulatedCluster
from labs.grading.check import Scene
from labs.grading.checks import ex3_runs
from labs.panel.replays import CannotReplay, ReplayedCluster, draw, moments_of, strategy_of
from labs.panel.stage import span_for
from labs.simulation.schedule import Schedule, carry_out, random_schedule
from replstore.core.lowest_id import LowestId
from replstore.core.messages import Message

REFERENCE = (Path(solutions.__path__[0]) / "ex3_election.py").read_text(encoding="utf-8")
SCHEDULES = [
    *ex3_runs.terms(0),
    *ex3_runs.tails(1),
    random_schedule(3, Schedule(nodes=5, length=3.0, calm=1.0)),
    Schedule(nodes=3, length=2.0, calm=1.0, durable=False, drop=0.1),
]


def told(cluster: Cluster) -> list[Any]:
    return [(e.time, e.node, e.event, e.kind, e.peer) for e in cluster.events()]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=range(len(SCHEDULES)))
def test_a_replayed_cluster_lives_through_the_same_run_in_pieces_and_after_a_rewind(schedule: Schedule) -> None:
    run = carry_out(schedule, LowestId)
    cluster = ReplayedCluster(schedule, LowestId)

    while cluster.now() < cluster.end:
        cluster.sleep(min(0.37, cluster.end - cluster.now()))
    assert told(cluster) == [(e.time, e.node, e.event, e.kind, e.peer) for e in run.trace]
    cluster.rewind(schedule.length / 2)
    cluster.rewind(cluster.end)

    assert told(cluster) == [(e.time, e.node, e.event, e.kind, e.peer) for e in run.trace]


def test_a_bookmark_leads_back_whatever_was_done_and_even_after_closing() -> None:
    with SimulatedCluster(FAST) as cluster:
        cluster.start()
        cluster.wait_for(lambda c: c.leader())
        cluster.put("k", 1)
        cluster.kill("node-1")
        cluster.sleep(1)
        before, back = told(cluster), cluster.bookmark()
        cluster.start("node-1")
        cluster.put("k", 2)

    for _ in range(2):
        assert told(back()) == before
        cluster.put("k", 3)


def test_the_class_is_imported_anew_each_time_and_under_another_name() -> None:
    counting = REFERENCE.replace("class MyElection(Election):", "class MyElection(Election):\n    made = []", 1)
    first, second = strategy_of(counting), strategy_of(counting)
    names = {name for name in Message.registry if name.startswith("replayed_") and name.endswith(".RequestVote")}

    assert first is not second
    assert len(names) >= 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def (", "SyntaxError"),
        ("import nowhere_at_all", "ModuleNotFoundError"),
        ("MyElection = 3", "no class MyElection that derives from Election"),
    ],
)
def test_code_that_is_no_election_is_refused_in_a_sentence(text: str, words: str) -> None:
    with pytest.raises(CannotReplay, match=words):
        strategy_of(text)


def test_a_picture_shows_the_seconds_before_the_moment_or_everything() -> None:
    run = carry_out(SCHEDULES[0], LowestId)
    scene = Scene(2.5, run)

    near, story = draw(scene, run, 800, whole=False, proof=True)
    whole, longer = draw(scene, run, 800, whole=True, proof=True)

    assert 'data-start="1.000000"' in near
    assert all(1.0 <= time <= 2.8 for time, _ in story)
    assert 'data-start="0.000000"' in whole
    assert len(longer) > len(story)


def test_moments_and_time_spans_fit_the_run() -> None:
    assert moments_of(Scene(2.1487)) == [("the beginning", 0.0), ("just before", 0.649), ("the failure", 2.149)]
    assert moments_of(Scene(0.5))[1] == ("just before", 0.0)
    assert [span_for(length) for length in (4.6, 6.0, 7.0, 29.0, 31.0)] == [6.0, 6.0, 12.0, 30.0, None]
