"""The panel in the other front ends that the guide names: JupyterLab in Firefox, and Jupyter Notebook 7.

One walk each, with a real kernel and real nodes: open a notebook, start the cluster, kill the leader in the panel,
see the next one. An error in the browser's console fails the test. Everything else is tested in JupyterLab in Chromium.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import firefox_or_skip, opener
from tests.browser.test_panel import CLOSE, PANEL, START, wait_for_leader
from tests.missing import skip_without
from tools.browser.firefox import Firefox
from tools.browser.lab import KERNEL_READY, NOTEBOOK, QUIET, Lab, Notebook7, write_notebook

PROGRAMS = os.environ.get("REPLAB_GRADERS")
PYTHON = sys.executable if PROGRAMS is None else str(Path(PROGRAMS) / "python")
"""The environment that has Notebook 7: nbgrader brings it along."""

RUN = """number => {
  const panel = NOTEBOOK;
  jupyterapp.shell.activateById(panel.id);
  const notebook = panel.content;
  notebook.activeCellIndex = number;
  notebook.deselectAll();
  jupyterapp.commands.execute('notebook:run-cell');
}""".replace("NOTEBOOK", NOTEBOOK)
KERNEL_OF_THE_WEB_EDITION = "Shared module @jupyterlite/services doesn't exist"
"""As in `QUIET`: the environment can also build the web edition. Firefox names no address with this error."""
NOTEBOOKS_OWN = ("Cannot read properties of undefined (reading 'schema')", "Could not create a view for model")
"""Errors in Jupyter Notebook's console. The first is said by its plugin for shortcuts, where the settings of another
plugin arrive before its own. The second is about the place beside a notebook, and there is none."""
BESIDE = [
    "from labs import notebook as lab\ncluster = lab.cluster('process')",
    "lab.beside(cluster)",
    "lab.all_well()",
]
SAID = "words => [...document.querySelectorAll('.jp-OutputArea-output')].some(one => one.textContent.includes(words))"


@pytest.fixture
def fox(tmp_path: Path) -> Iterator[Firefox]:
    browser = firefox_or_skip(tmp_path / "firefox")
    yield browser
    browser.close()


@pytest.fixture
def notebook7(browser: Any, tmp_path: Path) -> Iterator[Lab]:
    found = subprocess.run([PYTHON, "-c", "import notebook"], capture_output=True, check=False)
    if found.returncode:
        skip_without("Notebook 7", f"{PYTHON} has no Jupyter Notebook 7: pip install 'replication-lab[graders]'")
    server = Notebook7(tmp_path / "server", PYTHON)
    yield server
    server.close()


def test_in_firefox_the_leader_is_killed_by_a_click_and_the_next_one_is_crowned(fox: Firefox, lab: Lab) -> None:
    write_notebook(lab.notebooks / "firefox.ipynb", [START, PANEL, CLOSE])
    fox.goto(lab.url("firefox.ipynb"))
    fox.wait_for(KERNEL_READY)

    fox.evaluate(RUN, 0)
    fox.evaluate(RUN, 1)
    fox.wait_for_text(".rl-panel [data-testid=sentence]", "node-1 leads in term 1")
    fox.click(".rl-panel [data-testid=kill-node-1]")

    fox.wait_for_text(".rl-panel [data-testid=sentence]", "node-2 leads in term 2")
    fox.wait_for("() => document.querySelector('.rl-node[data-node=node-2]').classList.contains('is-leader')")
    fox.wait_for("() => document.querySelector('.rl-node[data-node=node-1]').classList.contains('is-stopped')")
    fox.evaluate(RUN, 2)
    fox.wait_for(SAID, "closed")
    fox.evaluate("() => { jupyterapp.commands.execute('kernelmenu:shutdown'); }")
    known = (*QUIET, KERNEL_OF_THE_WEB_EDITION)
    assert [error for error in fox.errors if not any(word in error for word in known)] == []


def test_in_notebook_7_the_leader_is_killed_by_a_click_and_the_next_one_is_crowned(
    notebook7: Lab, browser: Any
) -> None:
    with opener(notebook7, browser, "notebook-7", known=NOTEBOOKS_OWN) as open_it:
        notebook = open_it(BESIDE)
        notebook.complete_cell(0)
        notebook.complete_cell(1)  # there is no place beside the notebook, so the panel stands below the cell
        wait_for_leader(notebook, "node-1 leads in term 1")

        notebook.panel.get_by_test_id("kill-node-1").click()

        wait_for_leader(notebook, "node-2 leads in term 2")
        expect(notebook.panel.locator(".rl-node[data-node=node-2].is-leader")).to_be_visible()
        expect(notebook.panel.locator(".rl-node[data-node=node-1].is-stopped")).to_be_visible()
        notebook.complete_cell(2)
