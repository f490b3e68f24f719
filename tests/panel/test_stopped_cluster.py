"""The panel of a cluster that was stopped says so, and offers to start another."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from labs.cluster.base import BackendUnavailable, Settings
from labs.panel import ClusterPanel
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
    made.panel.close()


def test_the_panel_of_a_stopped_cluster_says_so_and_that_nobody_leads(watched: Watched) -> None:
    watched.until(lambda: watched.look("node-1") == "leader")

    watched.panel.rest("This cluster was stopped.")
    watched.until(lambda: not watched.panel.alive)
    asked = watched.ask(do="kill", node="node-1")

    watched.done(asked)
    assert watched.panel.info["sentence"] == "This cluster was stopped"
    assert watched.panel.info["leader"] is None
    assert not watched.panel.info["again"]
    assert {node["look"] for node in watched.panel.nodes} == {"stopped"}
    assert {why for node in watched.panel.nodes for why in node["why"].values()} == {"This cluster was stopped."}
    assert {problem["text"] for problem in watched.panel.problems} == {"This cluster was stopped."}
    assert list(watched.panel.doing) == []
    assert [band[2] for band in watched.panel._model.history()["bands"] if band[0] == "node-1"][-1] == "stopped"


def test_a_new_cluster_can_be_started_in_the_place_of_a_stopped_one(watched: Watched) -> None:
    watched.until(lambda: watched.look("node-1") == "leader")
    new = FakeCluster(FAST, clock=time.time)
    watched.panel.rest("This cluster was stopped.", lambda: new)
    assert watched.panel.info["again"]

    watched.done(watched.ask(do="again"))
    watched.until(lambda: watched.look("node-1") == "leader")

    assert watched.panel.cluster is new
    assert watched.panel.alive
    watched.done(watched.ask(do="kill", node="node-1"))
    watched.until(lambda: watched.look("node-2") == "leader")
    assert new.nodes["node-1"].state == "stopped"


def test_a_new_cluster_that_does_not_start_is_a_sentence_and_can_be_tried_again(watched: Watched) -> None:
    tries: list[int] = []

    def start() -> FakeCluster:
        tries.append(1)
        raise BackendUnavailable("The Docker engine does not answer.")

    def until_tried(times: int) -> None:
        watched.until(lambda: len(tries) == times)

    watched.panel.rest("This cluster was stopped.", start)
    for times in (1, 2):
        watched.ask(do="again")
        until_tried(times)
        watched.until(lambda: not watched.panel.doing)

    assert [problem["text"] for problem in watched.panel.problems] == [
        "Starting a new cluster: The Docker engine does not answer."
    ]
