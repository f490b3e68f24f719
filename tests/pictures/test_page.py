"""The page with the picture and the story."""

from __future__ import annotations

import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from labs.pictures import page, tell
from tests.trace.synthetic_runs import Diary, split_vote, two_leaders


class Reader(HTMLParser):
    """Collects the page's tags, and every address that it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href")]


def test_a_page_is_complete_and_loads_nothing() -> None:
    text = page(two_leaders())

    read = Reader(text)

    assert text.startswith("<!doctype html>")
    assert read.tags.count("svg") == 2  # the picture, and its plot inside
    assert read.loads == []
    assert "@import" not in text
    assert "url(" not in text


def test_a_page_tells_the_story_beside_the_picture() -> None:
    text = page(split_vote())

    assert text.count("data-time=") == len(tell(split_vote()))
    assert "called an election for term 3" in text


def test_a_title_or_a_note_cannot_smuggle_a_script_into_the_page() -> None:
    diary = Diary()
    diary.note(0.1, "node-1", "</script><script>alert(1)</script>", x="<img src=x onerror=alert(1)>")

    read = Reader(page(diary.done(), title="</title><script>alert(1)</script>"))

    assert read.tags.count("script") == 1
    assert "img" not in read.tags


@pytest.mark.browser
def test_in_a_browser_the_picture_zooms_moves_and_follows_the_story(tmp_path: Path) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium here")
    file = tmp_path / "run.html"
    file.write_text(page(split_vote()), encoding="utf-8")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-quic"])
        tab = browser.new_page(viewport={"width": 1000, "height": 800}, reduced_motion="reduce")
        errors: list[str] = []
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.goto(file.as_uri())

        def view() -> list[float]:
            box = tab.locator("figure > svg").get_attribute("viewBox")
            assert box is not None
            return [float(number) for number in box.split()]

        whole = view()
        tab.get_by_role("button", name="Zoom in").click()
        near = view()
        tab.locator("figure").press("ArrowRight")
        moved = view()
        tab.get_by_role("button", name="Everything").click()
        back = view()
        tab.mouse.move(500, 200)
        tab.mouse.wheel(0, -300)
        tab.wait_for_function("w => document.querySelector('figure > svg').viewBox.baseVal.width < w", arg=whole[2])
        tab.get_by_role("button", name="became leader of term 3").click()
        at_election = view()
        browser.close()

    assert errors == []
    assert near[2] == pytest.approx(0.7 * whole[2])
    assert moved[0] > near[0]
    assert back == whole
    assert at_election[0] < 0.75 * whole[2] < at_election[0] + at_election[2]
