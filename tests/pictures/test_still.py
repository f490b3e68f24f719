"""A cluster as a still picture, where no panel can run."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from labs import notebook
from labs.cluster import NodeStatus
from labs.pictures.still import still

NODES = [
    NodeStatus("node-1", "stopped"),
    NodeStatus("node-2", "running", True, "leader", 2, "node-2"),
    NodeStatus("node-3", "running", True, "follower", 2, "node-2"),
]


def test_it_says_who_leads_who_follows_and_who_is_down() -> None:
    picture = ElementTree.fromstring(still(NODES, "Then."))

    assert picture.attrib["aria-label"] == "node-1 stopped, node-2 leads in term 2, node-3 follows in term 2. Then."
    assert len(picture.findall("{*}circle")) == 3


@given(st.text(max_size=30), st.text(max_size=30), st.integers(0, 9))
def test_whatever_the_names_are_it_is_well_formed(name: str, sentence: str, count: int) -> None:
    nodes = [NodeStatus(f"{name}{number}", "running", True, "leader", number) for number in range(count)]

    ElementTree.fromstring(still(nodes, sentence))


def test_a_notebooks_panel_brings_its_picture_along() -> None:
    cluster = notebook.cluster("simulated", name="still")
    try:
        panel = notebook.panel(cluster)
        bundle = panel._repr_mimebundle_()
        assert bundle is not None
        data = bundle[0]
        assert "application/vnd.jupyter.widget-view+json" in data
        assert "node-1 leads in term 1" in data["text/html"]
        assert data["text/plain"].startswith("node-1 leads")
        panel.close()
    finally:
        notebook.end("still")
