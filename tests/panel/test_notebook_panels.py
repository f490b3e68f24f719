"""What becomes of a notebook's panel when the notebook's cluster is stopped."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from labs import notebook
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
