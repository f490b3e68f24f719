"""The web edition in Firefox: from a plain web server, in a profile that was never there before.

Not every Firefox lets Python wait inside a cell (WebAssembly's "JavaScript Promise Integration"). Where it does not,
the last cell of an exercise's notebook says that the checks go on; everything else is the same, so both are tested.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import solutions
from tests.browser.conftest import firefox_or_skip
from tools.browser.firefox import Firefox
from tools.browser.lab import CELLS_RUN, KERNEL_READY, NOTEBOOK
from tools.browser.web import SAVE, WebServer

pytestmark = pytest.mark.timeout(600)

REFERENCE = (Path(solutions.__path__[0]) / "ex1_fault_tolerance.py").read_text(encoding="utf-8")
WAITS = "javascript.options.wasm_js_promise_integration"
CAN_WAIT = "() => 'Suspending' in WebAssembly"
RUN_ALL = """() => {
  jupyterapp.shell.activateById(NOTEBOOK.id);
  jupyterapp.commands.execute('notebook:run-all-cells');
}""".replace("NOTEBOOK", NOTEBOOK)
PRINTED = """() => [...NOTEBOOK.content.model.cells].filter(cell => cell.type === 'code')
  .flatMap(cell => cell.sharedModel.outputs).filter(one => one.output_type === 'stream')
  .map(one => one.text).join('')""".replace("NOTEBOOK", NOTEBOOK)
RUN_FIRST = """source => {
  const { content } = NOTEBOOK;
  jupyterapp.shell.activateById(NOTEBOOK.id);
  content.model.sharedModel.insertCell(0, { cell_type: 'code', source });
  content.activeCellIndex = 0;
  content.deselectAll();
  jupyterapp.commands.execute('notebook:run-cell');
}""".replace("NOTEBOOK", NOTEBOOK)
START_WORKERS = """import asyncio
from labs.page.worker import CheckingWorker

for number in range(100):
    worker = CheckingWorker({"sources": {}, "problems": {}, "only": ["ex3"]}, lambda message: None)
    await asyncio.sleep(0.02 * (number % 8))
    worker.end()
print("all 100 were started")
"""
GOES_ON = "it is still being checked"
STARTED = 120.0
"""Seconds that Python may take to start in a page, on a machine that has other things to do."""
CHECKED = 240.0

Open = Callable[..., Firefox]


@pytest.fixture
def open_fox(server: WebServer, tmp_path: Path) -> Iterator[Open]:
    """Opens a page of the site. An error in the console or a request to another host fails the test."""
    opened: list[Firefox] = []

    def open_it(place: str, **preferences: Any) -> Firefox:
        fox = firefox_or_skip(tmp_path / f"firefox-{len(opened)}", **preferences)
        opened.append(fox)
        fox.goto(f"{server.address}/{place}")
        return fox

    yield open_it
    for fox in opened:
        fox.close()
    assert [error for fox in opened for error in fox.errors] == []
    asked = [url for fox in opened for url in fox.asked]
    assert [url for url in asked if not url.startswith((server.address, "blob:", "data:", "about:"))] == []


def ready(fox: Firefox) -> None:
    fox.wait_for(KERNEL_READY, timeout=STARTED)


def run_all(fox: Firefox) -> str:
    """Run every cell of the notebook; what they printed."""
    fox.evaluate(RUN_ALL)
    done = fox.wait_for(CELLS_RUN, timeout=CHECKED)
    assert done["errors"] == []
    assert done["cells"] > 5
    return str(fox.evaluate(PRINTED))


def test_in_firefox_the_walkthrough_runs_from_top_to_bottom(open_fox: Open) -> None:
    fox = open_fox("lab/index.html?path=notebooks/02_walkthrough.ipynb")
    ready(fox)

    assert "All clusters of this notebook are stopped." in run_all(fox)


@pytest.mark.parametrize("waits", [True, False])
def test_in_firefox_the_election_exercise_runs_and_waits_if_it_can(open_fox: Open, waits: bool) -> None:
    fox = open_fox("lab/index.html?path=notebooks/05_exercise_leader_election.ipynb", **{WAITS: waits})
    ready(fox)
    assert fox.evaluate(CAN_WAIT) is waits

    printed = run_all(fox)

    assert "Exercise 3: " in printed
    assert (GOES_ON in printed) is not waits


def test_in_firefox_an_exercise_is_checked_in_its_worker(open_fox: Open) -> None:
    fox = open_fox("lab/index.html?path=notebooks/03_exercise_fault_tolerance.ipynb", **{WAITS: False})
    ready(fox)
    fox.evaluate(SAVE, ["exercises/ex1_fault_tolerance.py", REFERENCE])

    run_all(fox)

    fox.wait_for_text("[data-testid=headline]", "All checks passed.", timeout=CHECKED)


def test_in_firefox_a_kernel_starts_many_workers_and_never_stands_still(open_fox: Open) -> None:
    """Where a web worker starts another one itself, Firefox stands still for good: once in a hundred times or so."""
    fox = open_fox("lab/index.html?path=notebooks/00_start_here.ipynb")
    ready(fox)

    fox.evaluate(RUN_FIRST, START_WORKERS)

    fox.wait_for(f"() => ({PRINTED})().includes('all 100 were started')", timeout=CHECKED)


def test_in_firefox_the_leader_is_killed_in_the_panel_of_the_front_page(open_fox: Open) -> None:
    fox = open_fox("panel.html")
    fox.wait_for_text("[data-testid=sentence]", "node-1 leads in term 1", timeout=STARTED)

    fox.click("[data-testid=kill-node-1]")

    fox.wait_for_text("[data-testid=sentence]", "node-2 leads in term 2")


@pytest.mark.parametrize("kept", [True, False])
def test_in_firefox_the_first_page_says_where_a_visitors_files_are_not_kept(open_fox: Open, kept: bool) -> None:
    fox = open_fox("index.html", **{"dom.serviceWorkers.enabled": kept})

    assert fox.evaluate("() => document.getElementById('no-files').checkVisibility()") is not kept
    assert ("no exercise can be opened" in fox.text().replace("\n", " ")) is not kept
