"""The background client tries whether the cluster can be used, and leaves no trace unless it is told to write."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from labs.cluster.base import Settings
from labs.panel import ClusterPanel
from labs.panel.node_view import PROBE_KEY
from tests.panel.fake import FakeCluster
from tests.panel.watched import Watched

FAST = Settings(heartbeat_ms=100, election_timeout_ms=400)


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster(FAST, clock=time.time)


@pytest.fixture
def probing(cluster: FakeCluster) -> Iterator[Watched]:
    """With the background client as it is at first."""
    made = Watched(ClusterPanel(cluster))
    yield made
    made.panel.close()


def probes(watched: Watched) -> list[list[Any]]:
    return [point[1:] for point in list(watched.panel._model.probes)]


def test_the_background_client_leaves_no_trace_unless_it_is_told_to_write(
    probing: Watched, cluster: FakeCluster
) -> None:
    probing.until(lambda: len(probes(probing)) >= 3)
    assert PROBE_KEY not in cluster.nodes["node-1"].store
    assert not [event for event in cluster.events() if event.event in ("request", "reply")]

    probing.done(probing.ask(do="availability", does="writes"))
    probing.until(lambda: ["ok", "ok"] in probes(probing))
    assert PROBE_KEY in cluster.nodes["node-1"].store

    probing.done(probing.ask(do="availability", does="off"))
    assert probing.panel._wanted().probe == "off"


def test_no_outage_is_seen_before_the_panel_has_looked_at_the_nodes(probing: Watched) -> None:
    probing.until(lambda: len(probes(probing)) >= 3)

    assert {read for read, _ in probes(probing)} == {"ok"}


def test_one_can_read_as_long_as_any_node_answers(probing: Watched, cluster: FakeCluster) -> None:
    probing.until(lambda: probing.look("node-1") == "leader")
    for node in ("node-1", "node-2"):
        cluster.kill(node)
    seen = len(probes(probing))
    probing.until(lambda: len(probes(probing)) >= seen + 3)
    assert {read for read, _ in probes(probing)} == {"ok"}

    cluster.kill("node-3")
    probing.until(lambda: ["failed", None] in probes(probing))
