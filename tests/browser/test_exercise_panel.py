"""Exercise 3 from its panel, in JupyterLab, as a student meets it: starter, wrong election, reference."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
from playwright.sync_api import expect

import solutions
from labs.panel import assets
from tests.browser.conftest import OpenNotebook
from tests.browser.looks import faint, sticks_out
from tools.browser.lab import Notebook, write_notebook

CODE = """from pathlib import Path
import exercises, solutions
from labs.panel import ExercisePanel
starter = Path(exercises.__path__[0], 'ex3_election.py').read_text(encoding='utf-8')
reference = Path(solutions.__path__[0], 'ex3_election.py').read_text(encoding='utf-8')
wrong = reference.replace('free = self.vote in (None, sender) and self.leader is None', 'free = True')
assert wrong != reference
endless = reference.replace('if not self.deadline:', 'while True: pass\\n        if not self.deadline:')
print('ready')"""
LEFT = """import psutil, threading
names = [t.name for t in threading.enumerate() if t.name.startswith(('exercise-', 'panel-'))]
grading = [p for p in psutil.Process().children(recursive=True) if 'labs.grading.child' in ' '.join(p.cmdline())]
print('left:', len(names), 'threads,', len(grading), 'sandboxes')"""
CLOSE = "panel.close()\nassert list(panel.errors) == [], panel.errors\n" + LEFT


def made_from(code: str) -> str:
    return f"panel = ExercisePanel('ex3', code={code})\npanel"


def show(open_notebook: OpenNotebook, code: str, *more: str, **how: object) -> Notebook:
    """A notebook with the panel of this code in its second cell."""
    notebook = open_notebook([CODE, made_from(code), *more, CLOSE], **how)
    notebook.run_cell(0)
    expect(notebook.outputs.filter(has_text="ready")).to_be_visible(timeout=60_000)
    notebook.run_cell(1)
    notebook.panel.wait_for(timeout=60_000)
    notebook.panel.scroll_into_view_if_needed()
    return notebook


def close(notebook: Notebook, cell: int) -> None:
    """Close the panel by its own method: no thread and no process of it is left."""
    notebook.run_cell(cell)
    told = notebook.outputs.filter(has_text=re.compile(r"^left:"))
    expect(told).to_have_text(re.compile("left: 0 threads, 0 sandboxes"), timeout=30_000)


def states(notebook: Notebook) -> dict[str, str]:
    rows = notebook.panel.locator(".rl-checks > li").all()
    return {row.get_attribute("data-check"): row.locator(".rl-state").get_attribute("data-state") for row in rows}


def headline(notebook: Notebook, words: str | re.Pattern[str]) -> None:
    expect(notebook.panel.get_by_test_id("headline")).to_have_text(words, timeout=120_000)


def test_the_starter_is_not_attempted(open_notebook: OpenNotebook) -> None:
    notebook = show(open_notebook, "starter")
    headline(notebook, "8 checks, 100 points. Nothing has been run yet.")

    notebook.panel.get_by_test_id("run").click()

    headline(notebook, "Not attempted yet: fill in ex3_election.py, save it, and run again.")
    assert set(states(notebook).values()) == {"not_attempted"}
    expect(notebook.panel.get_by_test_id("score")).to_have_attribute("aria-label", "0 of 100 points")
    notebook.panel.get_by_test_id("real").press("Enter")
    expect(notebook.panel.get_by_test_id("why")).to_contain_text("There is no election to run yet")
    close(notebook, 2)


def test_a_click_while_a_long_cell_runs_is_said_to_wait_and_is_done_afterwards(open_notebook: OpenNotebook) -> None:
    notebook = show(open_notebook, "starter", "import time\ntime.sleep(6)\nprint('slept')")
    notebook.run_cell(2)
    notebook.page.wait_for_timeout(500)  # the cell has begun

    notebook.panel.get_by_test_id("again-ex3.elects").click()

    expect(notebook.panel.locator(".rl-notices .rl-notice")).to_contain_text("The kernel is busy with a cell")
    headline(notebook, "Not attempted yet: fill in ex3_election.py, save it, and run again.")
    expect(notebook.panel.locator(".rl-notices .rl-notice")).to_have_count(0)
    close(notebook, 3)


def test_a_search_finds_two_leaders_of_a_term_and_draws_the_shortest_way_there(open_notebook: OpenNotebook) -> None:
    notebook = show(open_notebook, "wrong", height=1400)
    panel = notebook.panel

    panel.get_by_test_id("search").click()

    expect(panel.get_by_test_id("stage")).to_have_text("Every order of messages", timeout=60_000)
    expect(panel.locator(".rl-stagecard")).to_contain_text("are both leaders of term 1")
    found = notebook.outputs.locator(".widget-html", has=notebook.page.locator("svg"))
    expect(found.locator("li")).to_have_count(10)
    assert sticks_out(notebook.page) == []
    panel.get_by_test_id("leave").click()
    expect(found).to_have_count(0)
    close(notebook, 2)


def test_a_wrong_election_fails_shows_its_run_and_is_replayed(open_notebook: OpenNotebook) -> None:
    notebook = show(open_notebook, "wrong", height=1400)
    panel = notebook.panel
    panel.get_by_test_id("run").click()
    headline(notebook, "5 passed, 2 failed, 1 skipped.")
    expect(panel.get_by_test_id("score")).to_have_attribute("aria-label", "50 of 100 points")
    row = panel.get_by_test_id("check-ex3.votes")
    expect(row.locator(".rl-message")).to_contain_text("and then voted for node-2")
    expect(row).to_contain_text("A node votes for at most one candidate in a term")
    expect(row).to_contain_text("replab check ex3 --only ex3.votes --seed 0")
    expect(panel.get_by_test_id("live")).to_contain_text("50 of 100 points")

    panel.get_by_test_id("diagram-ex3.votes").click()
    drawing = panel.locator("[data-testid='figure-ex3.votes'] > svg")
    expect(drawing).to_be_visible(timeout=30_000)
    expect(row.locator(".rl-story .is-moment")).to_contain_text("voted for node-5 in term 2")
    whole = drawing.get_attribute("viewBox")
    row.get_by_label("Zoom in").click()
    assert drawing.get_attribute("viewBox") != whole
    row.get_by_label("Show all of it").click()
    expect(drawing).to_have_attribute("viewBox", str(whole))
    panel.get_by_test_id("reference-ex3.votes").click()
    expect(panel.get_by_test_id("reference-ex3.votes")).to_have_attribute("aria-pressed", "true")
    expect(row.locator(".rl-story .is-moment")).to_have_count(0, timeout=30_000)

    panel.get_by_test_id("open-ex3.votes").click()
    expect(panel.get_by_test_id("stage")).to_have_text("Replay: “One vote a term, also across a crash”", timeout=30_000)
    replay = notebook.page.locator(".rl-panel").nth(1)
    expect(replay.locator(".rl-clock")).to_have_text("t = 0.65 s")
    replay.get_by_test_id("moment-the-failure").click()
    expect(replay.locator(".rl-clock")).to_have_text("t = 2.15 s")
    expect(replay.locator(".rl-node[data-node=node-5]")).to_have_attribute("aria-label", re.compile("term 2"))
    replay.get_by_test_id("moment-the-beginning").click()
    expect(replay.locator(".rl-clock")).to_have_text("t = 0.00 s")
    replay.get_by_test_id("play").click()
    expect(replay.get_by_test_id("sentence")).to_have_text("node-4 leads in term 1", timeout=60_000)

    panel.get_by_test_id("leave").click()
    expect(replay).to_have_count(0)
    expect(panel.get_by_test_id("stage")).to_be_hidden()
    close(notebook, 2)


def test_the_reference_earns_its_points_and_elects_a_leader_of_real_nodes(open_notebook: OpenNotebook) -> None:
    notebook = show(open_notebook, "reference", width=900, theme="dark")
    panel = notebook.panel
    panel.get_by_test_id("again-ex3.elects").focus()
    notebook.page.keyboard.press("Enter")
    headline(notebook, "1 passed, 7 not run yet.")
    row = panel.get_by_test_id("check-ex3.elects")
    expect(row.locator(".rl-points").first).to_have_text("10/10")
    expect(row.locator(".rl-reference")).to_have_text("✓ 10", timeout=60_000)
    assert sticks_out(notebook.page) == []
    assert faint(notebook.page) == []

    panel.get_by_test_id("real").click()
    expect(panel.get_by_test_id("stage")).to_have_text("Your election on real nodes", timeout=60_000)
    nodes = notebook.page.locator(".rl-panel").nth(1)
    expect(nodes.get_by_test_id("sentence")).to_have_text(re.compile("leads in term"), timeout=60_000)
    leader = nodes.get_by_test_id("sentence").inner_text().split()[0]
    nodes.get_by_test_id(f"kill-{leader}").click()
    expect(nodes.locator(f".rl-node[data-node={leader}]")).to_have_class(re.compile("is-stopped"), timeout=30_000)
    expect(nodes.get_by_test_id("sentence")).to_have_text(re.compile(rf"^(?!{leader}).* leads in term"), timeout=60_000)
    close(notebook, 2)


def test_a_failure_can_be_read_at_900_pixels_and_in_the_dark(open_notebook: OpenNotebook) -> None:
    notebook = show(open_notebook, "wrong", width=900, height=1400, theme="dark")
    panel = notebook.panel
    panel.get_by_test_id("again-ex3.votes").click()
    headline(notebook, "1 failed, 7 not run yet.")
    panel.get_by_test_id("diagram-ex3.votes").click()
    expect(panel.locator("[data-testid='figure-ex3.votes'] > svg")).to_be_visible(timeout=30_000)
    expect(panel.get_by_test_id("beside")).to_contain_text("10 of 10 points", timeout=60_000)

    assert sticks_out(notebook.page) == []
    assert faint(notebook.page) == []
    close(notebook, 2)


def test_an_endless_loop_is_stopped_by_a_click_and_the_kernel_answers_meanwhile(open_notebook: OpenNotebook) -> None:
    notebook = show(open_notebook, "endless", "print('answered', 6 * 7)", reduced_motion="reduce")
    panel = notebook.panel
    panel.get_by_test_id("run").click()
    expect(panel.get_by_test_id("check-ex3.elects")).to_have_class(re.compile("is-running"), timeout=30_000)

    spinning = "one => getComputedStyle(one).animationName"
    assert panel.locator(".rl-state.is-running .rl-sign").evaluate(spinning) == "none"

    notebook.run_cell(2)
    expect(notebook.outputs.filter(has_text="answered 42")).to_be_visible()
    expect(panel.get_by_test_id("check-ex3.elects")).to_have_class(re.compile("is-running"))
    panel.get_by_test_id("stop").click()

    headline(notebook, "Stopped. What had come so far stays.")
    panel.get_by_test_id("stop").press("Enter")
    expect(panel.get_by_test_id("why")).to_have_text("Nothing is being run.")
    close(notebook, 3)


def test_running_the_cell_again_ends_what_its_last_run_started(open_notebook: OpenNotebook) -> None:
    notebook = show(open_notebook, "endless", LEFT)
    notebook.panel.get_by_test_id("run").click()
    expect(notebook.panel.get_by_test_id("check-ex3.elects")).to_have_class(re.compile("is-running"), timeout=30_000)

    notebook.run_cell(1)
    headline(notebook, "8 checks, 100 points. Nothing has been run yet.")
    notebook.run_cell(2)

    told = notebook.outputs.filter(has_text=re.compile("^left:"))
    expect(told).to_have_text(re.compile("left: 3 threads, 0 sandboxes"), timeout=30_000)
    notebook.run_cell(3)
    expect(notebook.outputs.filter(has_text="left: 0 threads, 0 sandboxes")).to_be_visible(timeout=30_000)


def test_the_notebooks_own_tagged_cell_is_run_as_it_was_saved(open_notebook: OpenNotebook, tmp_path: Path) -> None:
    reference = (Path(solutions.__path__[0]) / "ex3_election.py").read_text(encoding="utf-8")
    path = tmp_path / "mine.ipynb"
    write_notebook(
        path, [reference, "from labs.panel import ExercisePanel\npanel = ExercisePanel('ex3')\npanel", CLOSE]
    )
    saved = nbformat.read(path, as_version=4)
    saved.cells[0].metadata["tags"] = ["exercise"]
    nbformat.write(saved, path)
    notebook = open_notebook(path)

    notebook.run_cell(1)
    notebook.panel.wait_for(timeout=60_000)
    expect(notebook.panel.get_by_test_id("source-cells")).to_have_attribute("aria-pressed", "true")
    expect(notebook.panel.get_by_test_id("source")).to_contain_text("as last saved")
    notebook.panel.get_by_test_id("source-file").press("Enter")
    expect(notebook.panel.get_by_test_id("why")).to_contain_text("There is no exercises/ex3_election.py")
    notebook.panel.get_by_test_id("again-ex3.elects").click()

    headline(notebook, "1 passed, 7 not run yet.")
    close(notebook, 2)


def test_the_script_and_the_stylesheet_load_nothing_from_anywhere() -> None:
    both = assets.script("exercise.js") + assets.style("exercise.css")

    assert re.findall(r"https?://(?!www\.w3\.org)\S+|@import|\bimport\b *[({\"']|url\(", both) == []
    assert all(path.stat().st_size < 120_000 for path in Path(assets.STATIC).iterdir())
