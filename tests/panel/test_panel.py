"""The widget over a pretended and a simulated cluster: threads, commands and troubles, without a browser."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from labs.cluster.base import BackendUnavailable, Settings
from labs.cluster.process import ProcessCluster
from labs.cluster.simulated import SimulatedCluster
from labs.panel import ClusterPanel
from labs.panel.cells import Cells
from tests.panel.described import hold_traits
from tests.panel.fake import FakeCluster
from tests.panel.watched import Watched

FAST = Settings(heartbeat_ms=100, election_timeout_ms=400)


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster(FAST, clock=time.time)


@pytest.fixture
def watched(cluster: FakeCluster) -> Iterator[Watched]:
    made = Watched(ClusterPanel(cluster, availability=False))
    yield made
    hold_traits("ClusterTraits", made.panel)
    made.panel.close()
    made.until(lambda: not made.panel.alive)


def test_the_panel_follows_an_election_that_a_click_causes(watched: Watched) -> None:
    watched.until(lambda: watched.look("node-1") == "leader")

    watched.done(watched.ask(do="kill", node="node-1"))

    watched.until(lambda: watched.look("node-2") == "leader")
    assert watched.look("node-1") == "stopped"
    assert watched.panel.info["sentence"] == "node-2 leads in term 2"


def test_a_callback_only_enqueues(watched: Watched, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    let_go, callers = threading.Event(), []

    def slow(node: str) -> None:
        callers.append(threading.current_thread().name)
        let_go.wait(5)

    monkeypatch.setattr(cluster, "start", slow)
    number = watched.ask(do="start", node="node-1")

    assert [entry["text"] for entry in watched.panel.doing] == ["node-1 is being started"]
    let_go.set()
    watched.done(number)
    assert callers == ["panel-hands"]
    assert watched.panel.doing == []


def test_a_waiting_write_does_not_hold_up_a_click(
    watched: Watched, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go = threading.Event()
    monkeypatch.setattr(cluster, "put", lambda *_, **__: let_go.wait(10) and cluster.get("x", via="node-1"))
    waiting = watched.ask(do="put", key="x", value="1")

    watched.done(watched.ask(do="pause", node="node-3"))

    assert cluster.nodes["node-3"].state == "paused"
    let_go.set()
    watched.done(waiting)


def test_an_answer_is_shown_as_the_wire_gave_it(watched: Watched) -> None:
    watched.until(lambda: watched.look("node-1") == "leader")

    watched.done(watched.ask(do="put", key="x", value="5"))
    assert (watched.panel.answer["code"], watched.panel.answer["body"]["value"]) == (200, 5)

    watched.done(watched.ask(do="put", key="x", value="6", via="node-2"))
    assert (watched.panel.answer["code"], watched.panel.answer["outcome"]) == (503, "failed")


def test_a_refused_command_is_a_sentence_and_is_not_left_pending(watched: Watched) -> None:
    watched.done(watched.ask(do="kill", node="node-9"))

    assert "there is no node 'node-9'" in watched.panel.problems[0]["text"]


def test_an_engine_that_stops_is_a_sentence_until_it_is_back(watched: Watched, cluster: FakeCluster) -> None:
    watched.until(lambda: watched.look("node-1") == "leader")

    cluster.broken = BackendUnavailable("the engine does not answer: start it again.")
    watched.until(lambda: any("the engine does not answer" in p["text"] for p in watched.panel.problems))
    assert watched.panel.alive

    cluster.broken = None
    watched.until(lambda: watched.panel.problems == [])


def test_a_write_is_found_in_every_copy_without_being_in_the_history(watched: Watched, cluster: FakeCluster) -> None:
    watched.until(lambda: watched.look("node-1") == "leader")
    watched.done(watched.ask(do="put", key="x", value="5"))

    def everywhere() -> bool:
        rows = watched.panel.data.get("rows", [])
        return bool(rows) and all(cell["v"] == "5" for cell in rows[0]["cells"].values()) and len(rows[0]["cells"]) == 3

    watched.until(everywhere)
    assert not any(event.kind == "get" for event in cluster.events())


def test_a_view_that_comes_later_gets_the_last_minute(watched: Watched) -> None:
    watched.until(lambda: watched.look("node-1") == "leader")

    watched.ask(do="hello")

    history = watched.until(lambda: next((m for m in watched.sent if m["type"] == "history"), None))
    assert ["leader" in band for band in history["bands"]].count(True) == 1


def test_without_a_view_nothing_is_sent(watched: Watched) -> None:
    watched.until(lambda: watched.look("node-1") == "leader")

    assert watched.sent == []


def test_closing_ends_every_thread() -> None:
    before = set(threading.enumerate())
    panel = ClusterPanel(FakeCluster(FAST, clock=time.time))
    started = set(threading.enumerate()) - before
    assert {thread.name for thread in started} >= {"panel-events", "panel-status", "panel-probe", "panel-hands"}

    panel.close()
    panel.close()

    for thread in started:
        thread.join(10)
        assert not thread.is_alive(), thread.name


def test_running_a_cell_again_closes_what_its_last_run_made() -> None:
    class Fake:
        closed = False

        def close(self) -> None:
            self.closed = True

    cells, first, twin, other, again = Cells(), Fake(), Fake(), Fake(), Fake()
    cells.enter(first, ("cell-a", "run-1"))
    cells.enter(twin, ("cell-a", "run-1"))
    cells.enter(other, ("cell-b", "run-2"))
    assert not first.closed

    cells.enter(again, ("cell-a", "run-3"))

    assert (first.closed, twin.closed, other.closed, again.closed) == (True, True, False, False)


def test_outside_a_notebook_no_panel_closes_another() -> None:
    class Fake:
        def close(self) -> None:
            raise AssertionError("closed")

    cells = Cells()
    cells.enter(Fake(), ("", ""))
    cells.enter(Fake(), ("", ""))


# -- the simulator ------------------------------------------------------------------------------------------


@pytest.fixture
def simulated() -> Iterator[Watched]:
    cluster = SimulatedCluster(FAST)
    cluster.start()
    watched = Watched(ClusterPanel(cluster, availability=False))
    yield watched
    watched.panel.close()


def test_a_simulation_stands_still_until_it_is_stepped(simulated: Watched) -> None:
    cluster = simulated.panel.cluster
    simulated.until(lambda: simulated.look("node-1") == "follower")
    assert cluster.now() == 0.0

    simulated.done(simulated.ask(do="step", seconds=0.5))

    assert cluster.now() == pytest.approx(0.5)
    simulated.until(lambda: simulated.look("node-1") == "leader")


def test_a_simulation_can_be_given_moments_to_go_to_and_none_is_too_late() -> None:
    cluster = SimulatedCluster(FAST)
    cluster.start()
    watched = Watched(ClusterPanel(cluster, False, speed=0.2, moments=[("later", 2.5)], span=6.0))
    try:
        player = watched.panel.player
        assert (player["speed"], player["moments"], player["span"]) == (0.2, [["later", 2.5]], 6.0)

        watched.done(watched.ask(do="rewind", to=2.5))

        assert cluster.now() == pytest.approx(2.5)
        watched.until(lambda: watched.look("node-1") == "leader")
    finally:
        watched.panel.close()


def test_a_simulation_plays_at_the_chosen_speed_until_it_is_halted(simulated: Watched) -> None:
    cluster = simulated.panel.cluster

    simulated.done(simulated.ask(do="play", speed=10))
    simulated.until(lambda: cluster.now() > 2.0)
    expected = {"playing": True, "speed": 10.0, "rewinds": True, "moments": [], "span": None, "flying": []}
    assert simulated.panel.player == expected

    simulated.done(simulated.ask(do="halt"))
    stopped = cluster.now()
    time.sleep(0.3)
    assert cluster.now() == stopped


def test_rewinding_brings_back_the_very_same_past(simulated: Watched) -> None:
    cluster = simulated.panel.cluster
    simulated.done(simulated.ask(do="step", seconds=1))
    simulated.done(simulated.ask(do="put", key="x", value="1"))
    simulated.done(simulated.ask(do="kill", node="node-1"))
    moment, past = cluster.now(), cluster.events()
    simulated.done(simulated.ask(do="step", seconds=2))
    simulated.until(lambda: simulated.look("node-2") == "leader")

    simulated.done(simulated.ask(do="rewind", to=moment))

    assert cluster.events() == past
    assert cluster.now() == moment
    simulated.until(lambda: simulated.look("node-2") == "follower")
    assert simulated.look("node-1") == "stopped"


def test_looking_at_a_simulation_does_not_change_it() -> None:
    watched, alone = SimulatedCluster(FAST), SimulatedCluster(FAST)
    watched.start()
    alone.start()
    panel = Watched(ClusterPanel(watched, availability=False))

    for cluster in (watched, alone):
        cluster.sleep(1.0)
        cluster.put("x", 1)
    panel.until(lambda: panel.panel.data.get("rows"))
    for cluster in (watched, alone):
        cluster.sleep(1.0)

    panel.panel.close()
    assert watched.events() == alone.events()
    assert watched.now() == alone.now()


def test_real_time_cannot_be_stepped(watched: Watched) -> None:
    watched.done(watched.ask(do="step", seconds=1))

    assert "real time does not stop" in watched.panel.problems[0]["text"]


@pytest.mark.processes
def test_real_events_come_in_pieces_as_they_come_all_together() -> None:
    with ProcessCluster(FAST) as cluster:
        cluster.start()
        cluster.wait_for(lambda c: c.leader())
        pieces, position = cluster.events_since(0)
        cluster.put("x", 1)
        cluster.kill("node-1")
        cluster.start("node-1")
        more, position = cluster.events_since(position)
        cluster.put("x", 2)
        last, _ = cluster.events_since(position)

        for node in cluster.node_ids:
            cluster.stop(node)
        everything = cluster.events()

    told = [*pieces, *more, *last]
    assert len(told) == len(set(map(repr, told)))
    assert set(map(repr, told)) <= set(map(repr, everything))
    assert any(event.kind == "kill" for event in more)


@pytest.mark.processes
def test_a_panel_over_real_nodes_sees_the_election_and_its_own_reads_stay_out_of_the_history() -> None:
    with ProcessCluster(FAST) as cluster:
        cluster.start()
        watched = Watched(ClusterPanel(cluster, availability=False))
        try:
            watched.until(lambda: watched.panel.info["sentence"] == "node-1 leads in term 1", timeout=30)
            watched.done(watched.ask(do="put", key="x", value="5"))
            watched.until(lambda: [row["key"] for row in watched.panel.data["rows"]] == ["x"])
            watched.done(watched.ask(do="kill", node="node-1"))
            watched.until(lambda: watched.look("node-2") == "leader", timeout=30)
            assert watched.panel.answer["curl"].startswith("curl -i -X PUT http://127.0.0.1:")
            assert not any(event.kind == "get" for event in cluster.events())
        finally:
            watched.panel.close()
    assert list(watched.panel.errors) == []
