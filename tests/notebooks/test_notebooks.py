"""Every notebook runs from top to bottom without a person, on local processes, and nothing fails in the background. The
first ones, which walk through the lesson, run on containers as well, at the timings that students get."""

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
from labs.cluster.opening import BACKEND_VARIABLE
from tests.docker.availability import engine_or_skip

NOTEBOOKS = sorted((Path(labs.__file__).parent / "notebooks").glob("*.ipynb"))

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
def test_a_notebook_runs_from_top_to_bottom_and_leaves_nothing_behind(path: Path) -> None:
    run_through(path)


@pytest.mark.docker
@pytest.mark.parametrize("path", NOTEBOOKS[:3], ids=lambda path: path.stem)
def test_the_lessons_notebooks_run_on_containers_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine_or_skip().client.close()
    monkeypatch.setenv(BACKEND_VARIABLE, "docker")

    said = run_through(path)

    assert "Backend: docker, as asked." in said
    assert "Backend: process" not in said


def run_through(path: Path) -> str:
    """Everything that its cells printed."""
    before = children()
    notebook = nbformat.read(path, as_version=4)

    NotebookClient(
        notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
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
            assert (path.parent / target).exists(), target
