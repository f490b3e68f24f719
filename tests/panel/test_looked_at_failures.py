"""A failure that the exercise panel shows: drawn with its story, compared, and opened as a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from labs.panel import views
from labs.panel.replays import ReplayedCluster, differs, strategy_of
from labs.simulation.schedule import carry_out
from tests.panel.exercise_panels import NAIVE, REFERENCE, WRONG, Make, Watched


@pytest.fixture
def failed(make: Make) -> Watched:
    watched = make(code=WRONG)
    watched.panel.run("ex3.votes").wait()
    return watched


def test_the_failed_run_is_drawn_with_its_story(failed: Watched) -> None:
    failed.ask("diagram", check="ex3.votes", width=900)

    drawn = failed.message("diagram")
    assert drawn["svg"].startswith("<svg")
    assert 'width="900"' in drawn["svg"]
    assert any("crashed while it led term 1" in sentence for _, sentence in drawn["story"])
    assert drawn["moment"] == pytest.approx(2.149, abs=0.001)


def test_the_same_situation_is_drawn_with_the_reference(failed: Watched) -> None:
    failed.ask("diagram", check="ex3.votes", whose="reference", whole=True)

    drawn = failed.message("diagram")
    assert (drawn["whose"], drawn["whole"]) == ("reference", True)
    assert drawn["svg"].startswith("<svg")


def test_a_drawing_does_not_mind_that_the_checks_begin_anew_meanwhile(
    failed: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin_anew(*arguments: Any) -> Any:
        with failed.panel._lock:
            failed.panel.marks.begin(("ex3.votes",), "another text")
        return carry_out(*arguments)

    monkeypatch.setattr(views, "carry_out", begin_anew)
    failed.ask("diagram", check="ex3.votes", whose="reference")

    assert failed.message("diagram")["moment"] == pytest.approx(2.149, abs=0.001)
    assert list(failed.panel.errors) == []


def test_the_failed_run_is_opened_as_a_cluster_that_lives_through_it_again(failed: Watched) -> None:
    scene = failed.panel.marks.rows["ex3.votes"].scene
    assert scene is not None
    assert scene.run is not None
    failed.ask("open", check="ex3.votes")

    opened = failed.until(lambda: failed.panel.opened)
    cluster = opened.cluster
    assert isinstance(cluster, ReplayedCluster)
    assert opened.warning == ""
    assert cluster.now() == pytest.approx(scene.moment - 1.5, abs=0.001)
    cluster.sleep(cluster.end - cluster.now())

    told = [(e.time, e.node, e.event, e.peer) for e in cluster.events()]
    assert told == [(e.time, e.node, e.event, e.peer) for e in scene.run.trace]
    failed.until(lambda: failed.panel.children[1:] == (opened.panel,))


def test_an_opened_run_is_rewound_after_its_course_was_changed(failed: Watched) -> None:
    failed.ask("open", check="ex3.votes")
    cluster = failed.until(lambda: failed.panel.opened).cluster
    before = [(e.time, e.node, e.event, e.peer) for e in cluster.events()]
    moment = cluster.now()

    cluster.kill("node-2")
    cluster.sleep(1)
    cluster.rewind(moment - 0.001)
    cluster.sleep(0.001)

    assert [(e.time, e.node, e.event, e.peer) for e in cluster.events()] == before
    assert cluster.status()["node-2"].state == "running"


@pytest.mark.slow
def test_a_run_that_goes_another_way_is_not_passed_off_as_the_one_that_was_judged(failed: Watched) -> None:
    scene = failed.panel.marks.rows["ex3.votes"].scene
    assert scene is not None
    assert scene.run is not None

    assert differs(scene.run, strategy_of(WRONG)) == ""
    dice = WRONG.replace("self.rng.random()", "(id(self) % 1009) / 1009")
    assert "another way" in differs(scene.run, strategy_of(dice))


def test_a_run_that_an_exception_ended_is_opened_just_before_it(make: Make) -> None:
    raising = REFERENCE.replace("self.votes.add(voter)", "self.votes.add(voter)\n        assert len(self.votes) < 2")
    watched = make(code=raising)
    watched.panel.run("ex3.elects").wait()
    assert "AssertionError" in watched.row("ex3.elects")["message"]

    watched.ask("diagram", check="ex3.elects")
    assert watched.message("diagram")["svg"].startswith("<svg")
    watched.ask("open", check="ex3.elects")

    opened = watched.until(lambda: watched.panel.opened)
    assert opened.warning == ""
    with pytest.raises(AssertionError):
        opened.cluster.sleep(2)


def test_a_store_that_was_misjudged_is_opened_with_what_the_function_did_to_it(make: Make) -> None:
    watched = make("ex1", code=NAIVE)
    watched.panel.run("ex1.broken.loses-some").wait()
    assert watched.row("ex1.broken.loses-some")["state"] == "failed"

    watched.ask("open", check="ex1.broken.loses-some")

    opened = watched.until(lambda: watched.panel.opened)
    kinds = [event.kind for event in opened.cluster.events() if event.event in ("fault", "request")]
    assert opened.kind == "left"
    assert kinds[-2:] == ["put", "kill"]
    end = opened.cluster.now()
    opened.cluster.start("node-1")
    watched.ask("open", check="ex1.broken.loses-some")
    again = watched.until(lambda: watched.panel.opened if watched.panel.opened is not opened else None)
    assert again.cluster.now() == end
    assert again.cluster.status()["node-1"].state == "stopped"


def test_a_check_that_did_not_fail_has_nothing_to_open(make: Make) -> None:
    watched = make(code=WRONG)

    watched.ask("open", check="ex3.votes")

    assert "did not fail in the simulator" in watched.problem()
    assert list(watched.panel.errors) == []

    watched.panel.run("ex3.votes").wait()

    assert list(watched.panel.board.problems) == []  # what was said then is no longer so
