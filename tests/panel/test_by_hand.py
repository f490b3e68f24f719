"""The panel of a halted simulation: one message at a time, timers, undo, and the run as a file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from labs.cluster import FAST, SimulatedCluster
from labs.panel import ClusterPanel
from labs.simulation.schedule import Schedule, carry_out
from replstore.core.lowest_id import LowestId
from tests.panel.fake import FakeCluster
from tests.panel.watched import Watched


@pytest.fixture
def halted() -> Iterator[Watched]:
    """Halted while something is on its way."""
    cluster = SimulatedCluster(FAST)
    cluster.start()
    cluster.wait_for(lambda c: c.leader())
    cluster.sleep(0.3)
    cluster.wait_for(lambda c: c.in_flight())
    made = Watched(ClusterPanel(cluster, availability=False))
    made.until(lambda: made.panel.player["flying"])
    yield made
    made.panel.close()


def flying(watched: Watched) -> list[list[Any]]:
    found: list[list[Any]] = watched.panel.player["flying"]
    return found


def test_a_message_can_be_delivered_dropped_or_held_back(halted: Watched) -> None:
    for verb, kind in (("hold", None), ("deliver", "received"), ("drop", "dropped")):
        message = flying(halted)[0][0]
        halted.done(halted.ask(do=verb, message=message))
        if kind is None:
            halted.until(partial(is_held, halted, message))
        else:
            assert any(e.event == kind and e.id == message for e in halted.panel.cluster.events())
            halted.until(partial(is_gone, halted, message))


def is_held(watched: Watched, message: str) -> bool:
    return any(one[0] == message and one[5] is None for one in flying(watched))


def is_gone(watched: Watched, message: str) -> bool:
    return message not in [one[0] for one in flying(watched)]


def test_a_message_that_has_arrived_is_a_sentence_beside_the_control(halted: Watched) -> None:
    number = halted.ask(do="deliver", message="gone")
    halted.done(number)

    [problem] = halted.panel.problems
    assert problem["id"] == f"command-{number}"
    assert "no message 'gone' is on its way any more" in problem["text"]


def test_a_timer_runs_out_and_undo_takes_that_back(halted: Watched) -> None:
    before = len(halted.panel.cluster.events())
    halted.done(halted.ask(do="run_out", node="node-3"))
    assert any(e.kind == "election_timeout" for e in halted.panel.cluster.events()[before:])

    halted.done(halted.ask(do="undo"))
    assert len(halted.panel.cluster.events()) == before


def test_the_run_is_saved_as_a_schedule_that_runs_again(halted: Watched) -> None:
    halted.done(halted.ask(do="run_out", node="node-3"))
    halted.done(halted.ask(do="save"))
    [saved] = [message for message in halted.sent if message["type"] == "saved"]
    mine = [(e.time, e.node, e.kind, e.id) for e in halted.panel.cluster.events()]

    again = carry_out(Schedule.from_json(saved["text"]), LowestId)

    assert [(e.time, e.node, e.kind, e.id) for e in again.trace][: len(mine)] == mine


def test_while_it_plays_messages_fly_by_themselves(halted: Watched) -> None:
    halted.done(halted.ask(do="play", speed=0.1))
    halted.until(lambda: not flying(halted))


def test_real_nodes_have_no_messages_to_be_moved_by_hand() -> None:
    watched = Watched(ClusterPanel(FakeCluster(FAST), availability=False))
    try:
        watched.done(watched.ask(do="deliver", message="m1"))
        assert "Only a simulated cluster" in watched.panel.problems[0]["text"]
    finally:
        watched.panel.close()
