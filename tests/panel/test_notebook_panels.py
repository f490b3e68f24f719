"""What becomes of a notebook's panel when the notebook's cluster is stopped."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

from labs import notebook
from labs.cluster import Cluster
from labs.notebook import clusters


def test_a_stopped_clusters_panel_starts_another_and_the_notebooks_variable_follows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old = notebook.cluster("simulated", name="again", nodes=5)
    variables = {"cluster": old, "other": 5}
    monkeypatch.setattr(clusters, "get_ipython", lambda: SimpleNamespace(user_ns=variables))
    panel = notebook.panel(old)
    try:
        notebook.end("again")
        assert panel.info["sentence"] == "This cluster was stopped"
        assert panel.info["again"]

        panel._heard(None, {"do": "again", "id": 1}, [])
        deadline = time.monotonic() + 30
        while panel.cluster is old:
            assert time.monotonic() < deadline, panel.problems
            time.sleep(0.01)

        assert variables == {"cluster": panel.cluster, "other": 5}
        assert panel.cluster.settings.nodes == 5
        assert panel.cluster.leader()
    finally:
        panel.close()
        notebook.end("again")


def test_a_panel_that_is_closed_while_another_cluster_starts_does_not_begin_to_watch_it() -> None:
    old, started = notebook.cluster("simulated", name="closed"), threading.Event()
    goes_on = threading.Event()
    panel = notebook.panel(old)
    try:

        def slow_start() -> Cluster:
            started.set()
            assert goes_on.wait(30)
            return old

        panel.rest("It is stopped.", slow_start)
        panel._heard(None, {"do": "again", "id": 1}, [])
        assert started.wait(30)
        (starting,) = [thread for thread in threading.enumerate() if thread.name == "panel-again"]
        panel.close()
        goes_on.set()
        starting.join(30)

        deadline = time.monotonic() + 10  # the threads that were told to end do so within one turn of their loops
        while panel.alive and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not panel.alive
    finally:
        panel.close()
        notebook.end("closed")
