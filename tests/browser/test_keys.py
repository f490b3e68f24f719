"""Whose a key press is, in JupyterLab: what is pressed within a panel never edits the notebook around it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook
from tools.browser.lab import Notebook

SIMULATED = """from labs.cluster import SimulatedCluster
from labs.cluster.base import Settings
from labs.panel import ClusterPanel
cluster = SimulatedCluster(Settings(nodes=3, heartbeat_ms=200, election_timeout_ms=1000))
cluster.start()
cluster.sleep(3)
cluster.put('x', 1)
panel = ClusterPanel(cluster)
panel"""
EXERCISE = """from labs.panel import ExercisePanel
exercise = ExercisePanel('ex1', code='def availability(cluster):\\n    raise NotImplementedError\\n')
exercise"""
CLOSE = "panel.close()\nexercise.close()\ncluster.close()\nprint('closed')"
COMMANDS = ["x", "b", "a", "d", "d", "m", "y", "v", "z", "0", "0", "i", "i", "o", "l", "Shift+Enter", "Control+Enter"]
"""Keys that JupyterLab takes for commands where no cell is being edited; the last two would run the cell again."""
MOVES = ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "j", "k", "Home", "End", "PageUp", "PageDown"]
EVERY_KIND = {
    "BUTTON button", "INPUT range", "INPUT text", "INPUT checkbox", "SELECT select-one",
    "g button", "CANVAS slider", "PRE region", "DIV region",
}  # fmt: skip
STATE = """() => {
  const notebook = jupyterapp.shell.currentWidget.content;
  return {
    cells: [...notebook.model.cells].map((cell) => `${cell.id} ${cell.type} ${cell.executionCount}`),
    active: notebook.activeCellIndex,
    mode: notebook.mode,
    dialogs: document.querySelectorAll('.jp-Dialog').length,
    panels: document.querySelectorAll('.rl-panel').length,
  };
}"""
CONTROLS = """[...document.querySelectorAll('.rl-panel :is(button, input, select, summary, [tabindex])')]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }))"""
KINDS = f"""() => {{
  return {CONTROLS}.map((one, index) => [index, `${{one.tagName}} ${{one.type || one.getAttribute('role')}}`]);
}}"""
FOCUS = f"""(index) => {{
  const one = {CONTROLS}[index];
  one.focus();
  return document.activeElement === one;
}}"""
CELLS = "count => jupyterapp.shell.currentWidget.content.model.cells.length === count"


@pytest.fixture
def notebook(open_notebook: OpenNotebook) -> Any:
    """Both panels, in two cells, with a cell below."""
    notebook = open_notebook([SIMULATED, EXERCISE, CLOSE], height=1400)
    notebook.complete_cell(0)
    notebook.complete_cell(1)
    expect(notebook.page.locator(".rl-panel")).to_have_count(2)
    notebook.panel.get_by_test_id("do-get").click()  # the answer has controls of its own
    expect(notebook.panel.get_by_test_id("answer")).to_contain_text("200 OK")
    yield notebook
    notebook.run_cell(2)
    expect(notebook.outputs.filter(has_text="closed")).to_be_visible(timeout=60_000)


def press(notebook: Notebook, keys: list[str]) -> None:
    for key in keys:
        notebook.page.keyboard.press(key)


def test_no_key_pressed_on_any_control_edits_the_notebook(notebook: Notebook) -> None:
    page = notebook.page
    kinds: dict[str, int] = {}
    controls = page.evaluate(KINDS)
    for index, kind in controls:
        assert page.evaluate(FOCUS, index), kind
        before = page.evaluate(STATE)
        # Of each kind of control once all keys, of the others the ones that would do the worst.
        press(notebook, ["x", "b", "d", "d"] if kind in kinds else [*COMMANDS, *MOVES])
        kinds.setdefault(kind, index)
        assert page.evaluate(STATE) == before, f"{kind}, number {index}"

    print("kinds of controls:", sorted(kinds), "of", len(controls))
    assert set(kinds) >= EVERY_KIND

    for kind, index in kinds.items():
        page.evaluate(FOCUS, index)
        before = page.evaluate(STATE)
        press(notebook, ["Enter", "Escape", "x"])
        assert page.evaluate(STATE) == before, kind


def test_a_control_that_is_made_later_and_a_click_on_plain_text_are_the_panels_too(notebook: Notebook) -> None:
    page = notebook.page
    before = page.evaluate(STATE)

    page.evaluate("""() => {
      const late = Object.assign(document.createElement('button'), { textContent: 'late' });
      document.querySelector('.rl-panel').append(late);
      late.focus();
    }""")
    press(notebook, ["x", "b", "d", "d"])
    assert page.evaluate(STATE) == before

    notebook.panel.get_by_test_id("sentence").click()
    press(notebook, ["x", "b", "d", "d"])
    assert page.evaluate(STATE) == before


def test_arrows_move_the_sliders_and_letters_go_into_the_text_boxes(notebook: Notebook) -> None:
    panel, page = notebook.panel, notebook.page
    for name, step in (("delay", 50), ("loss", 1)):
        panel.get_by_test_id(name).focus()
        press(notebook, ["ArrowRight", "ArrowRight", "ArrowLeft", "ArrowUp"])
        expect(panel.get_by_test_id(name)).to_have_value(str(2 * step))

    panel.get_by_test_id("key").fill("")
    panel.get_by_test_id("key").press_sequentially("xbdd")
    expect(panel.get_by_test_id("key")).to_have_value("xbdd")
    panel.get_by_test_id("via").focus()
    page.keyboard.press("ArrowDown")
    expect(panel.get_by_test_id("via")).to_have_value("node-1")
    panel.get_by_test_id("timeline").focus()
    press(notebook, ["ArrowLeft", "ArrowLeft"])
    expect(panel.get_by_test_id("timeline")).to_have_attribute("aria-valuetext", re.compile(r"^1\.0 seconds ago"))


def test_outside_the_panel_the_notebooks_keys_work_and_saving_works_from_within(notebook: Notebook) -> None:
    page = notebook.page
    panel = notebook.panel
    panel.get_by_test_id("kill-node-1").focus()
    page.keyboard.press("Control+s")
    page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")

    page.locator(".jp-Cell >> nth=2").locator(".jp-InputPrompt").click()
    before = page.evaluate(STATE)["cells"]
    page.keyboard.press("a")

    page.wait_for_function(CELLS, arg=len(before) + 1)
    page.evaluate("() => { jupyterapp.commands.execute('notebook:delete-cell'); return true; }")
    page.wait_for_function(CELLS, arg=len(before))
