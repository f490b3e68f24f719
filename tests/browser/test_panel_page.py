"""The panel on a page of its own, and on the front page: choose, break, and send a link to what happened."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tools.browser.web import WebServer

ROOT = Path(__file__).parents[2]
LOGS = "[...document.querySelectorAll('.rl-entry')].map(box => box.title).filter(title => !title.includes('of node-5'))"
"""What the living nodes hold. (A panel that opens a link has never heard of the log of a node that was killed.)"""
STARTED = 90_000
"""Milliseconds that Python may take to start in the page, on a machine that has other things to do."""

Open = Callable[..., Any]


@pytest.fixture
def open_page(browser: Any) -> Iterator[Open]:
    """Opens an address. Any error in the console and any request to another host fails the test."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, accept_downloads=True)
    context.set_default_timeout(60_000)
    errors: list[str] = []
    asked: list[str] = []
    home: list[str] = []

    def open_it(address: str) -> Any:
        home.append(re.match(r"http://[^/]+/", address)[0])  # type: ignore[index]
        page = context.new_page()
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        return page

    context.on("request", lambda request: asked.append(request.url))
    yield open_it
    context.close()
    assert errors == []
    assert [url for url in asked if not url.startswith((*home, "blob:", "data:"))] == []


def leads(page: Any, sentence: str, timeout: float = 60_000) -> None:
    expect(page.get_by_test_id("sentence")).to_have_text(sentence, timeout=timeout)


def test_a_cluster_is_chosen_and_broken_and_its_link_shows_the_same_run(server: WebServer, open_page: Open) -> None:
    page = open_page(f"{server.address}/panel.html")
    leads(page, "node-1 leads in term 1", STARTED)

    page.select_option("[name=election]", "bully")
    page.select_option("[name=nodes]", "5")
    page.fill("[name=seed]", "7")
    page.click("text=Start anew")
    leads(page, "node-5 leads in term 1")
    page.get_by_test_id("kill-node-5").click()
    leads(page, "node-4 leads in term 2")
    page.get_by_test_id("do-put").click()
    expect(page.get_by_test_id("answer")).to_contain_text("200 OK")
    page.get_by_test_id("isolate-node-4").click()
    leads(page, "Split brain: node-3 (term 3) and node-4 (term 2) each believe they lead")
    page.fill("[name=seed]", "8")  # typed, and not started
    page.click("#copy")
    expect(page.locator("#said")).to_contain_text(re.compile("link is (copied|in the address bar)"))
    link = page.url
    assert json.loads(page.evaluate("new URLSearchParams(location.hash.slice(1)).get('s')"))["seed"] == 7

    friend = open_page(link)
    leads(friend, "Split brain: node-3 (term 3) and node-4 (term 2) each believe they lead", STARTED)
    assert friend.input_value("[name=election]") == "bully"
    assert friend.input_value("[name=seed]") == "7"
    expect(friend.get_by_test_id("log-node-4-3")).to_be_visible()
    friend.wait_for_function(f"mine => JSON.stringify({LOGS}) === mine", arg=page.evaluate(f"JSON.stringify({LOGS})"))


def test_a_link_that_holds_too_much_is_refused_and_a_file_shows_the_run(
    server: WebServer, open_page: Open, tmp_path: Path
) -> None:
    steps = [[0.01 * number, "delay", {"ms": number, "jitter_ms": 0}] for number in range(201)]
    run = {"nodes": 3, "mode": "quorum", "election": "lowest-id", "seed": 3, "steps": steps}
    page = open_page(f"{server.address}/panel.html#s={quote(json.dumps(run))}")
    said = page.locator("#said")
    expect(said).to_contain_text("This link has 201 steps, and at most 200 are carried out", timeout=STARTED)
    expect(said).to_contain_text("A new run is shown instead.")
    leads(page, "node-1 leads in term 1")
    assert page.input_value("[name=mode]") == "async"

    (tmp_path / "run.json").write_text(json.dumps(run))
    page.set_input_files("#file", tmp_path / "run.json")
    expect(page.locator("[name=mode]")).to_have_value("quorum")
    expect(page.get_by_test_id("delay")).to_have_attribute("aria-valuetext", "200 ms")
    page.click("#copy")
    expect(said).to_contain_text("No link was made. This run has 201 steps")
    with page.expect_download() as saved:
        page.click("#save")
    assert json.loads(Path(saved.value.path()).read_text()) == run


@pytest.fixture(scope="module")
def whole_site(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """The documentation, with the web edition beside it, as it is published."""
    folder = tmp_path_factory.mktemp("published") / "public"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True)
    shutil.copytree(site, folder / "lab", copy_function=shutil.copy2)
    served = WebServer(folder)
    yield served
    served.close()


def test_the_front_page_holds_the_panel(whole_site: WebServer, open_page: Open) -> None:
    page = open_page(f"{whole_site.address}/index.html")
    assert not any("pyodide" in path for path in whole_site.sent)
    page.get_by_role("link", name="Start it here").click()
    panel = page.frame_locator("#living-panel iframe")

    expect(panel.get_by_test_id("sentence")).to_have_text("node-1 leads in term 1", timeout=STARTED)
    panel.get_by_test_id("kill-node-1").click()
    expect(panel.get_by_test_id("sentence")).to_have_text("node-2 leads in term 2", timeout=60_000)
    inside = "frame => frame.clientHeight - frame.contentDocument.documentElement.scrollHeight"
    assert page.locator("#living-panel iframe").evaluate(inside) >= 0
    for scheme, ink in (("slate", "rgb(232, 234, 240)"), ("default", "rgb(33, 37, 41)")):  # dark, and light again
        page.evaluate("scheme => { document.body.dataset.mdColorScheme = scheme; }", scheme)
        expect(panel.locator(".rl-panel")).to_have_css("color", ink)
