"""What a node in another language does not tell is unknown in the panel and in notebooks, never zero."""

from __future__ import annotations

import pytest

from labs import notebook
from labs.cluster import FAST, NodeStatus
from labs.panel.model import PanelModel
from labs.panel.node_view import PROBE_KEY, keys_of_clients, listed_keys

SILENT = NodeStatus(
    "node-1", "running", True, "leader", 1, "node-1", raw={"node_id": "node-1", "keys": "many", "lag": 3}
)


def test_a_number_of_keys_that_is_not_told_is_unknown() -> None:
    assert keys_of_clients(SILENT) is None
    assert listed_keys(SILENT) == []


def test_the_panels_own_key_does_not_count() -> None:
    told = NodeStatus("node-1", "running", True, "leader", 1, "node-1", 2, {"keys": ["name", PROBE_KEY]})

    assert keys_of_clients(told) == 1


def test_the_panel_shows_neither_keys_nor_lag_of_a_node_that_tells_none() -> None:
    model = PanelModel(("node-1", "node-2"), "foreign", FAST, {})
    follower = NodeStatus("node-2", "running", True, "follower", 1, "node-1", raw={})
    model.observe({"node-1": SILENT, "node-2": follower}, asked=1.0)

    shown = [model._node(view) for view in model.nodes.values()]

    assert [(node["keys"], node["lag"]) for node in shown] == [(None, None), (None, None)]


def test_a_notebook_says_that_the_number_is_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    class Untelling:
        def status(self) -> dict[str, NodeStatus]:
            return {"node-1": SILENT}

    notebook.roles(Untelling())  # type: ignore[arg-type]

    assert capsys.readouterr().out == "node-1: leader, term 1, keys not told\n"
