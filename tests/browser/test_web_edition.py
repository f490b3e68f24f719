"""The web edition as a visitor has it: from a plain web server, in a browser that was never there before.

The site is built once a run. Any error in the console and any request to another host fails the test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

import solutions
from tools.browser.web import WebNotebook, WebServer

REFERENCE = (Path(solutions.__path__[0]) / "ex3_election.py").read_text(encoding="utf-8")
WRONG = REFERENCE.replace("free = self.vote in (None, sender) and self.leader is None", "free = True")
ENDLESS = REFERENCE.replace("if not self.deadline:", "while True: pass\n        if not self.deadline:")
assert len({REFERENCE, WRONG, ENDLESS}) == 3

CHECKED = 240_000
"""Milliseconds that all checks of an exercise may take in a page, on a machine that has other things to do."""

DELETE = "() => jupyterapp.serviceManager.contents.delete('notebooks/mine.txt')"
RESTART = "() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
LAST_CHANGE = """async () => {
  const file = await jupyterapp.serviceManager.contents.get('notebooks/mine.txt', { content: false });
  return file.last_modified;
}"""
LOSE_AN_ANSWER = """() => {
  const { postMessage } = BroadcastChannel.prototype;
  let lost = false;
  BroadcastChannel.prototype.postMessage = function (message) {
    if (lost || !('response' in message)) return postMessage.call(this, message);
    lost = true;
  };
}"""
REFUSE_TO_SAVE = """() => {
  jupyterapp.serviceManager.contents.save = () => Promise.reject(new Error('there is no room left'));
}"""

Visit = Callable[[str], WebNotebook]


@pytest.fixture
def visit(server: WebServer, browser: Any) -> Iterator[Visit]:
    """Opens a notebook in a browser that was never there before."""
    opened: list[tuple[Any, WebNotebook]] = []

    def open_it(name: str) -> WebNotebook:
        context = browser.new_context(viewport={"width": 1400, "height": 1000}, accept_downloads=True)
        context.set_default_timeout(60_000)
        notebook = WebNotebook(context.new_page(), name, server)
        opened.append((context, notebook))
        notebook.visit()
        return notebook

    yield open_it
    for context, _ in opened:
        context.close()
    assert [error for _, notebook in opened for error in notebook.errors] == []
    assert [url for _, notebook in opened for url in notebook.foreign] == []


@pytest.mark.parametrize(
    "name",
    [
        *("00_start_here", "01_why_replicate", "03_exercise_fault_tolerance", "04_exercise_replication_lag"),
        *("05_exercise_leader_election", "06_tradeoffs", "07_check_your_understanding"),
    ],
)
def test_the_notebook_runs_from_top_to_bottom(visit: Visit, name: str) -> None:
    notebook = visit(name)

    notebook.run_all()

    assert notebook.finish() > 1


def test_the_walkthrough_runs_and_a_leader_that_is_killed_in_the_panel_is_replaced(visit: Visit) -> None:
    notebook = visit("02_walkthrough")
    notebook.run_all()
    assert notebook.finish() > 5

    notebook.insert(0, "lab.panel(lab.cluster(name='mine'))")
    notebook.complete_cell(0)
    panel = notebook.panel
    expect(panel.get_by_test_id("sentence")).to_have_text("node-1 leads in term 1", timeout=60_000)
    panel.get_by_test_id("kill-node-1").click()

    expect(panel.get_by_test_id("sentence")).to_have_text("node-2 leads in term 2", timeout=60_000)
    expect(panel).not_to_contain_text("undefined")  # what Python calls None
    expect(panel).not_to_contain_text("parted")


@pytest.mark.timeout(600)
def test_a_wrong_election_fails_its_run_can_be_opened_and_the_reference_passes(visit: Visit) -> None:
    notebook = visit("05_exercise_leader_election")
    notebook.save("exercises/ex3_election.py", WRONG)
    notebook.insert(0, "from labs import notebook as lab\nlab.exercise('ex3')")
    notebook.complete_cell(0)
    panel = notebook.page.locator(".jp-OutputArea-output:has([data-testid='headline'])").first
    headline = panel.get_by_test_id("headline")
    expect(panel.get_by_text("(unofficial)").first).to_be_visible()
    expect(headline).to_contain_text("failed", timeout=CHECKED)
    panel.get_by_test_id("diagram-ex3.votes").click()
    expect(panel.locator("[data-testid='figure-ex3.votes'] > svg")).to_be_visible(timeout=60_000)
    panel.get_by_test_id("open-ex3.votes").click()
    expect(panel.get_by_test_id("sentence")).to_be_visible(timeout=60_000)

    notebook.save("exercises/ex3_election.py", REFERENCE)
    panel.get_by_test_id("run").click()
    expect(headline).to_have_text("All checks passed.", timeout=CHECKED)
    with notebook.page.expect_download() as saved:
        panel.get_by_role("link", name="Download ex3_election.py").click()
    assert Path(saved.value.path()).read_text(encoding="utf-8") == REFERENCE


def test_code_that_never_ends_freezes_nothing_and_is_stopped(visit: Visit) -> None:
    notebook = visit("05_exercise_leader_election")
    notebook.save("exercises/ex3_election.py", ENDLESS)
    notebook.insert(0, "from labs import notebook as lab\nlab.exercise('ex3')")
    notebook.insert(1, "print(6 * 7)")
    notebook.complete_cell(0)
    panel = notebook.page.locator(".jp-OutputArea-output:has([data-testid='headline'])").first
    expect(panel.get_by_test_id("headline")).to_contain_text("Checking: ")

    notebook.complete_cell(1)
    expect(notebook.outputs.get_by_text("42", exact=True)).to_be_visible()
    panel.get_by_test_id("stop").click()

    expect(panel.get_by_test_id("headline")).to_contain_text("Stopped.")


@pytest.mark.slow
def test_checks_end_with_the_kernel_that_began_them(visit: Visit) -> None:
    notebook = visit("05_exercise_leader_election")
    notebook.save("exercises/ex3_election.py", ENDLESS)
    notebook.insert(0, "from labs import notebook as lab\nlab.exercise('ex3')")
    notebook.complete_cell(0)
    with_checks = [worker for worker in notebook.page.workers if worker.url.endswith("checker.mjs")]
    assert len(with_checks) == 1

    with with_checks[0].expect_event("close"):
        notebook.page.evaluate(RESTART)


@pytest.mark.slow
def test_python_goes_on_where_the_page_cannot_answer_about_a_file(server: WebServer, browser: Any) -> None:
    """JupyterLite's page says nothing where it cannot do what Python asked of a file, and Python waits for it."""
    context = browser.new_context()
    context.set_default_timeout(60_000)
    notebook = WebNotebook(context.new_page(), "00_start_here", server)
    notebook.visit()
    cells = [
        "from pathlib import Path\nmine, other = Path('mine.txt'), Path('other.txt')\n"
        "for file in (mine, other):\n    file.write_text('1')\nprint(mine.exists(), other.exists())",
        "import os\nprint(mine.exists())\n"
        "for act in (mine.read_text, mine.unlink, lambda: os.rename(mine, 'new.txt')):\n"
        "    try:\n        act()\n    except FileNotFoundError:\n        print('not there')\n"
        "mine.write_text('2')\nprint(mine.read_text())",
        "print(other.stat().st_size)",
        "try:\n    other.write_text('3')\nexcept OSError:\n    print('not written')",
    ]  # fmt: skip
    before = ["", DELETE, LOSE_AN_ANSWER, REFUSE_TO_SAVE]
    for number, (happening, cell) in enumerate(zip(before, cells, strict=True)):
        if happening:
            notebook.page.evaluate(happening)
        notebook.insert(number, cell)
        notebook.complete_cell(number)

    printed = notebook.outputs.all_text_contents()[: len(cells)]
    assert [text.split() for text in printed] == [
        ["True", "True"],
        ["False", *["not", "there"] * 3, "2"],
        ["1"],
        ["not", "written"],
    ]
    context.close()


@pytest.mark.slow
def test_python_that_reads_a_file_does_not_save_it(visit: Visit) -> None:
    """JupyterLite saved what was opened with a flag that it does not know, over what the visitor saved meanwhile."""
    notebook = visit("00_start_here")
    notebook.save("notebooks/mine.txt", "a text")
    changed = notebook.page.evaluate(LAST_CHANGE)

    notebook.insert(
        0, "import os\nfile = os.open('mine.txt', os.O_RDONLY | os.O_NONBLOCK)\nprint(os.read(file, 9))\nos.close(file)"
    )
    notebook.complete_cell(0)

    expect(notebook.outputs.first).to_have_text("b'a text'")
    assert notebook.page.evaluate(LAST_CHANGE) == changed


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_after_one_visit_the_site_runs_without_its_server(site: Path, browser: Any) -> None:
    server = WebServer(site)
    context = browser.new_context()
    context.set_default_timeout(120_000)
    first = WebNotebook(context.new_page(), "00_start_here", server)
    first.visit(240)
    first.wait_until_kept(site)
    control = context.new_cdp_session(first.page)
    control.send("ServiceWorker.enable")
    control.send("ServiceWorker.stopAllWorkers")  # as a browser does to one that has had nothing to do for a while
    first.page.close()
    server.close()

    second = WebNotebook(context.new_page(), "00_start_here", server)
    second.visit(240)
    second.run_all()

    assert second.finish(240) > 1
    expect(second.panel).to_be_visible()
    context.close()
    # The browser itself asks whether there is a newer service worker.
    unexpected = [error for error in second.errors if "service-worker.js" not in error]
    assert (first.errors, unexpected, first.foreign, second.foreign) == ([], [], [], [])


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_file_whose_connection_breaks_is_asked_for_again(site: Path, browser: Any) -> None:
    # The program itself and a tenth of its parts: the service worker pauses after each, one after the other.
    server = WebServer(site, breaks=("/build/jlab_core", "/build/1"))
    context = browser.new_context()
    notebook = WebNotebook(context.new_page(), "00_start_here", server)

    notebook.visit(240)
    notebook.wait_until_kept(site)  # what is loaded when the kernel has started is broken once, too

    assert len(server.broken) > 10
    assert any("jlab_core" in path for path in server.broken)
    assert server.broken <= set(server.sent)
    context.close()
    server.close()
    assert (notebook.errors, notebook.foreign) == ([], [])
