"""The lab as a student has it: `replab open`, the walkthrough from the working copy, the mouse on the panel."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenNotebook
from tests.browser.looks import faint, sticks_out
from tools.browser.lab import Notebook, OpenedLab

CELLS = {"00_start_here": (1, 3, 4, 6), "02_walkthrough": (1, 4, 6, 30)}
"""Of each notebook the cells that import the lab, start the cluster, show the panel (in 02 beside the notebook), and
end it."""


def start_cluster_and_panel(notebook: Notebook, stem: str) -> Any:
    """Run the notebook's first cells again or for the first time, and wait for a crown."""
    for cell in CELLS[stem][:3]:
        notebook.complete_cell(cell)
    leads(notebook, "node-1 leads in term 1")
    notebook.panel.scroll_into_view_if_needed()
    return notebook.panel


def leads(notebook: Notebook, sentence: str | re.Pattern[str]) -> None:
    expect(notebook.panel.get_by_test_id("sentence")).to_have_text(sentence, timeout=60_000)


def announced(notebook: Notebook, words: str) -> None:
    """The panel has told it to a screen reader: Python has done it, and the browser knows."""
    expect(notebook.panel.locator("[role=status]")).to_contain_text(words, timeout=15_000)


def write(panel: Any, key: str, value: str, via: str = "") -> None:
    panel.get_by_test_id("key").fill(key)
    panel.get_by_test_id("value").fill(value)
    panel.get_by_test_id("via").select_option(via)
    panel.get_by_test_id("do-put").click()
    answer = panel.get_by_test_id("answer")
    expect(answer).to_contain_text(f'"value": {value}')
    expect(answer).to_contain_text("200 OK")


def end(notebook: Notebook, stem: str) -> None:
    """The notebook's own last cell: it stops the cluster, and fails if the panel had trouble in the background."""
    notebook.complete_cell(CELLS[stem][3])
    expect(notebook.outputs.filter(has_text="All clusters of this notebook are stopped.")).to_be_visible(timeout=60_000)


def test_the_printed_address_opens_the_first_notebook_and_its_panel(opened_lab: OpenedLab, browser: Any) -> None:
    page = browser.new_page()
    notebook = Notebook(page, "00_start_here.ipynb")

    notebook.open(opened_lab)
    notebook.run_all()

    notebook.finish()
    expect(page.get_by_role("heading", name="Replication and leader election")).to_be_visible()
    expect(notebook.outputs.filter(has_text="node-1: leader, term 1, 0 keys")).to_be_visible()
    expect(notebook.outputs.filter(has_text="All clusters of this notebook are stopped.")).to_be_visible()
    notebook.command("kernelmenu:shutdown")
    page.close()
    assert notebook.errors == []


def test_all_cells_run_then_the_leader_is_stopped_by_a_click_and_comes_back(open_copy: OpenNotebook) -> None:
    notebook = open_copy("02_walkthrough")
    notebook.run_all()
    assert notebook.finish() >= 16
    expect(notebook.outputs.filter(has_text="node-1: follower, term 2, 4 keys")).to_be_attached()
    expect(notebook.page.locator(".rl-panel")).to_have_count(1)  # beside the notebook is one place, for the latest
    expect(notebook.panel.get_by_test_id("sentence")).to_have_text("This cluster was stopped")
    panel = start_cluster_and_panel(notebook, "02_walkthrough")

    panel.get_by_test_id("stop-node-1").click()
    leads(notebook, "node-2 leads in term 2")
    crowned = panel.locator(".rl-node[data-node=node-2]")
    expect(crowned).to_have_class(re.compile("is-leader"))
    expect(crowned).to_have_attribute("aria-label", re.compile("^node-2: leader, term 2"))
    expect(crowned.locator(".rl-crown")).to_have_css("opacity", "1")
    write(panel, "away", '"yes"', via="node-2")

    panel.get_by_test_id("start-node-1").click()
    returned = panel.locator(".rl-node[data-node=node-1]")
    expect(returned).to_have_attribute(
        "aria-label", re.compile("^node-1: follower, term 2, .*up to date"), timeout=30_000
    )
    expect(panel.locator(".rl-nodes [data-node=node-1]")).to_contain_text(re.compile("follower.*term 2"))
    cell = panel.get_by_test_id("cell-away-node-1")
    expect(cell).to_have_text('"yes"', timeout=15_000)
    expect(cell).to_have_attribute("aria-label", 'away at node-1: "yes"')
    leads(notebook, "node-2 leads in term 2")
    end(notebook, "02_walkthrough")


def test_a_prediction_is_kept_and_compared_with_what_the_next_cell_shows(open_copy: OpenNotebook) -> None:
    notebook = open_copy("02_walkthrough")
    notebook.complete_cell(1)
    notebook.complete_cell(3)
    notebook.page.get_by_role("button", name="node-3, term 1").click()
    expect(notebook.outputs.filter(has_text="Kept. Run the next cell")).to_be_visible()
    expect(notebook.outputs.filter(has_text="Bully's")).to_have_count(0)

    notebook.complete_cell(4)

    told = notebook.outputs.filter(has_text="You predicted: node-3, term 1. It was not.")
    expect(told).to_contain_text("It was: node-1, term 1.")
    expect(told).to_contain_text("That is another rule, Bully's")
    expect(notebook.page.get_by_role("button", name="node-3, term 1")).to_be_disabled()
    end(notebook, "02_walkthrough")


def test_the_delay_is_dragged_with_the_mouse_and_copies_turn_stale_then_fresh(open_copy: OpenNotebook) -> None:
    notebook = open_copy("00_start_here", width=900)
    panel = start_cluster_and_panel(notebook, "00_start_here")
    write(panel, "city", '"Rome"')
    for node in ("node-2", "node-3"):
        expect(panel.get_by_test_id(f"cell-city-{node}")).to_have_text('"Rome"', timeout=15_000)

    slider = panel.get_by_test_id("delay")
    slider.scroll_into_view_if_needed()
    box, mouse = slider.bounding_box(), notebook.page.mouse
    mouse.move(box["x"] + 8, box["y"] + box["height"] / 2)
    mouse.down()
    mouse.move(box["x"] + box["width"], box["y"] + box["height"] / 2, steps=12)
    mouse.up()
    expect(slider).to_have_attribute("aria-valuetext", "2000 ms")
    announced(notebook, "delayed by 2000")
    write(panel, "city", '"Oslo"')

    for node in ("node-2", "node-3"):
        stale = panel.get_by_test_id(f"cell-city-{node}")
        expect(stale).to_have_class("is-stale")
        expect(stale).to_contain_text(re.compile(r'"Rome"stale \d'))
    assert sticks_out(notebook.page) == []
    for node in ("node-2", "node-3"):
        expect(panel.get_by_test_id(f"cell-city-{node}")).to_have_text('"Oslo"', timeout=15_000)
        expect(panel.get_by_test_id(f"cell-city-{node}")).not_to_have_class("is-stale")
    end(notebook, "00_start_here")


@pytest.mark.parametrize("width", [900, 1600])
def test_a_split_brain_is_readable_in_the_dark(open_copy: OpenNotebook, width: int) -> None:
    notebook = open_copy("00_start_here", width=width, theme="dark")
    panel = start_cluster_and_panel(notebook, "00_start_here")
    light = panel.evaluate("panel => getComputedStyle(panel).backgroundColor")
    assert max(int(part) for part in re.findall(r"\d+", light)[:3]) < 60, light

    panel.get_by_test_id("side-B-node-1").click()
    leads(notebook, "Split brain: node-1 (term 1) and node-2 (term 2) each believe they lead")
    expect(panel.locator(".rl-link.is-cut")).to_have_count(2)
    for node, value in (("node-1", '"left"'), ("node-2", '"right"')):
        write(panel, "cart", value, via=node)
    assert sticks_out(notebook.page) == []
    assert faint(notebook.page) == []

    panel.get_by_test_id("heal").click()
    leads(notebook, "node-2 leads in term 2")
    expect(panel.get_by_test_id("lost")).to_contain_text('cart = "left"', timeout=15_000)
    for node in ("node-1", "node-2", "node-3"):
        expect(panel.get_by_test_id(f"cell-cart-{node}")).to_have_text('"right"', timeout=15_000)
    assert sticks_out(notebook.page) == []
    assert faint(notebook.page) == []
    end(notebook, "00_start_here")
