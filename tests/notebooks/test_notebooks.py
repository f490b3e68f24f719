"""Every notebook runs from top to bottom without a person, on processes, on containers and in the simulator, at the
timings that students get, and nothing fails in the background."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from nbclient import NotebookClient

import labs
from labs.cluster.docker.leftovers import LABEL
from labs.cluster.opening import BACKEND_VARIABLE
from tests.docker.availability import engine_or_skip

NOTEBOOKS = sorted((Path(labs.__file__).parent / "notebooks").glob("*.ipynb"))


def _starts_the_labs_nodes(path: Path) -> bool:
    """Nodes that are a command of one's own are processes everywhere."""
    return "lab.cluster(" in path.read_text(encoding="utf-8").replace("lab.cluster(command", "")


WITH_CLUSTERS = [path for path in NOTEBOOKS if _starts_the_labs_nodes(path)]

pytestmark = [
    pytest.mark.processes,
    pytest.mark.notebook,
    # Jupyter's client still asks for an event loop in ways that newer Pythons warn about.
    pytest.mark.filterwarnings("default"),
]


@pytest.fixture(autouse=True)
def _the_programs_beside_this_python_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))


def children() -> set[int]:
    return {process.pid for process in psutil.Process().children(recursive=True)}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom_and_leaves_nothing_behind(path: Path, tmp_path: Path) -> None:
    run_through(path, tmp_path)


@pytest.mark.docker
@pytest.mark.parametrize("path", WITH_CLUSTERS, ids=lambda path: path.stem)
def test_a_notebook_runs_on_containers_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = engine_or_skip().client
    monkeypatch.setenv(BACKEND_VARIABLE, "docker")
    began = int(time.time())

    run_through(path)

    made = client.events(
        since=began, until=int(time.time()) + 1, filters={"event": "create", "label": LABEL}, decode=True
    )
    assert len(list(made)) >= 3
    client.close()


@pytest.mark.parametrize("path", WITH_CLUSTERS, ids=lambda path: path.stem)
def test_a_notebook_runs_in_the_simulator_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BACKEND_VARIABLE, "simulated")

    run_through(path)


def run_through(path: Path, folder: Path | None = None) -> str:
    """Everything that its cells printed. `folder`: where it runs and writes its files; None: its own."""
    before = children()
    notebook = nbformat.read(path, as_version=4)

    NotebookClient(
        notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(folder or path.parent)}}
    ).execute()

    said = "".join(output.get("text", "") for output in notebook.cells[-1].outputs)
    assert "All clusters of this notebook are stopped." in said
    assert ("0 of 100 points" in said) == any("lab.exercise(" in cell.source for cell in notebook.cells)
    # A shell command that does not exist raises nothing in a notebook.
    assert not any("command not found" in output.get("text", "") for cell in notebook.cells
                   for output in cell.get("outputs", ()))  # fmt: skip
    deadline = time.monotonic() + 10
    while children() - before and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not children() - before
    return "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", ()))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs_and_its_links_lead_somewhere(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)

    assert all(not cell.get("outputs") for cell in notebook.cells)
    for cell in notebook.cells:
        for link in cell.source.split("](")[1:] if cell.cell_type == "markdown" else []:
            target = link.partition(")")[0]
            assert target.startswith("https://") or (path.parent / target).exists(), target
