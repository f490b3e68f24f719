"""Takes the pictures in docs/images anew, from the real panel over real nodes. Not a test.

python -m tools.browser.pictures [NAME ...]      all, or those named: panel-light, failover, …
"""

from __future__ import annotations

import io
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from PIL import Image

from tools.browser.lab import CHROMIUM_FLAGS, Lab, Notebook, chromium, write_notebook

IMAGES = Path(__file__).parents[2] / "docs" / "images"
START = """from labs import notebook as lab
from labs.cluster.base import Settings
cluster = lab.cluster({backend!r}, settings=Settings(nodes={nodes}, heartbeat_ms=500, election_timeout_ms=1500))"""
PANEL = "lab.panel(cluster)"
WRONG = """from pathlib import Path
import solutions
from labs.panel import ExercisePanel
reference = Path(solutions.__path__[0], 'ex3_election.py').read_text(encoding='utf-8')
wrong = reference.replace('free = self.vote in (None, sender) and self.leader is None', 'free = True')
panel = ExercisePanel('ex3', code=wrong)
panel"""
COLOURS = 128
SWATCHES = ("heartbeat", "replication", "election", "bad", "good", "leader", "crown", "follower", "candidate")
"""Colours of the panel's stylesheet that a palette must keep, however few dots have them."""
SLOWEST = 15.0
"""Seconds that the animation may last."""
POINTER = """() => {
  const pointer = document.createElement('div');
  pointer.id = 'pointer';
  pointer.innerHTML = `<svg width="26" height="26" viewBox="0 0 26 26"><path d="M4 2 20 13 12.5 14.5 16.5 22.5 13 24
    9.2 16 4 21Z" fill="#111" stroke="#fff" stroke-width="1.5"/></svg>`;
  pointer.style = 'position:fixed;z-index:9999;left:70%;top:80%;pointer-events:none;transition:all .7s ease-in-out';
  document.body.append(pointer);
}"""
POINT = "([x, y]) => Object.assign(document.getElementById('pointer').style, { left: x + 'px', top: y + 'px' })"


class Studio:
    """A JupyterLab of its own; `panel()` shows a cluster in it, with everything but the panel's own cell above it."""

    def __init__(self, home: Path, browser: Any) -> None:
        self._lab = Lab(home)
        self._browser = browser
        self._count = 0

    def close(self) -> None:
        self._lab.close()

    def panel(self, width: int, theme: str = "light", nodes: int = 3, backend: str = "process") -> Notebook:
        notebook = self.open([START.format(nodes=nodes, backend=backend), PANEL], width, theme)
        notebook.complete_cell(0)
        notebook.complete_cell(1)
        if backend == "simulated":
            notebook.panel.get_by_test_id("play").click()
        leads(notebook, "node-1 leads in term 1")
        return notebook

    def open(self, cells: list[str], width: int, theme: str, height: int = 1700) -> Notebook:
        self._count += 1
        name = f"picture-{self._count}.ipynb"
        write_notebook(self._lab.notebooks / name, cells)
        # JupyterLab's own frame takes some 200 pixels of the width.
        page = self._browser.new_page(viewport={"width": width + 204, "height": height})
        notebook = Notebook(page, name)
        notebook.open(self._lab, theme)
        return notebook


def leads(notebook: Notebook, words: str) -> None:
    notebook.panel.get_by_test_id("sentence").get_by_text(words).wait_for(timeout=60_000)


def write(notebook: Notebook, key: str, value: str, via: str = "") -> None:
    panel = notebook.panel
    panel.get_by_test_id("key").fill(key)
    panel.get_by_test_id("value").fill(value)
    panel.get_by_test_id("via").select_option(via)
    panel.get_by_test_id("do-put").click()
    panel.get_by_test_id("answer").get_by_text(f'"value": {value}').wait_for(timeout=15_000)


def cell(notebook: Notebook, key: str, node: str, words: str) -> None:
    place = notebook.panel.get_by_test_id(f"cell-{key}-{node}")
    place.get_by_text(words).first.wait_for(state="attached", timeout=15_000)


def look(notebook: Notebook, name: str) -> None:
    notebook.panel.screenshot(path=IMAGES / f"{name}.png")
    notebook.command("kernelmenu:shutdown")
    notebook.page.close()


# -- the scenes --------------------------------------------------------------------------------------------


def light(studio: Studio) -> None:
    notebook = studio.panel(985)
    for key, value in (("name", '"Alice"'), ("age", "30"), ("city", '"NYC"')):
        write(notebook, key, value)
    cell(notebook, "city", "node-3", '"NYC"')
    notebook.page.wait_for_timeout(6000)  # a timeline with something in it
    look(notebook, "panel-light")


def election(studio: Studio) -> None:
    notebook = studio.panel(985)
    write(notebook, "color", '"blue"')
    write(notebook, "x", "5")
    notebook.page.wait_for_timeout(8000)
    notebook.panel.get_by_test_id("kill-node-1").click()
    leads(notebook, "node-2 leads in term 2")
    notebook.page.wait_for_timeout(700)  # the crown has landed, the followers speak
    look(notebook, "panel-election")


def dark(studio: Studio) -> None:
    notebook = studio.panel(985, theme="dark")
    write(notebook, "color", '"blue"')
    notebook.panel.get_by_test_id("kill-node-1").click()
    leads(notebook, "node-2 leads in term 2")
    notebook.panel.get_by_test_id("start-node-1").click()
    notebook.panel.locator(".rl-node.is-follower[data-node=node-1]").wait_for(timeout=30_000)
    write(notebook, "x", "8")
    cell(notebook, "x", "node-1", "8")
    notebook.panel.get_by_test_id("delay").focus()
    notebook.page.keyboard.press("End")
    notebook.panel.locator("[role=status]").get_by_text("delayed by").wait_for(timeout=15_000)
    write(notebook, "color", '"green"')
    cell(notebook, "color", "node-3", "stale")
    look(notebook, "panel-dark")


def split_brain(studio: Studio) -> None:
    notebook = studio.panel(900, nodes=5)
    write(notebook, "x", '"before"')
    for node in ("node-3", "node-4", "node-5"):
        notebook.panel.get_by_test_id(f"side-B-{node}").click()
    leads(notebook, "Split brain")
    write(notebook, "x", '"left"', via="node-1")
    write(notebook, "x", '"right"', via="node-3")
    cell(notebook, "x", "node-5", '"right"')
    notebook.panel.get_by_test_id("stories").get_by_text('put x = "left"').wait_for(timeout=15_000)
    notebook.panel.locator(".rl-bubble").last.wait_for(state="detached")
    look(notebook, "panel-split-brain-900")


def simulator(studio: Studio) -> None:
    notebook = studio.panel(985, backend="simulated")
    write(notebook, "x", "5")
    notebook.panel.get_by_test_id("kill-node-1").click()
    leads(notebook, "node-2 leads in term 2")
    notebook.page.wait_for_timeout(1500)
    look(notebook, "panel-simulator")


def space_time(studio: Studio) -> None:
    notebook = studio.panel(985)
    write(notebook, "x", "5")
    notebook.panel.get_by_test_id("kill-node-1").click()
    leads(notebook, "node-2 leads in term 2")
    write(notebook, "x", "6")
    notebook.page.wait_for_timeout(1000)
    notebook.panel.get_by_test_id("spacetime").click()
    notebook.panel.locator(".rl-diagram svg").first.wait_for(timeout=30_000)
    notebook.panel.locator(".rl-time").screenshot(path=IMAGES / "panel-space-time.png")
    notebook.page.close()


def failed_run(studio: Studio, width: int = 1420, theme: str = "light", name: str = "failed-run") -> None:
    """Exercise 3's panel with an election that votes twice: all checks, and the diagram of the run that failed."""
    notebook = studio.open([WRONG], width, theme, height=2200)
    notebook.run_cell(0)
    notebook.panel.wait_for(timeout=60_000)
    notebook.panel.get_by_test_id("run").click()
    notebook.panel.get_by_test_id("beside").get_by_text("100 of 100 points").wait_for(timeout=240_000)
    notebook.panel.get_by_test_id("diagram-ex3.votes").click()
    notebook.panel.locator("[data-testid='figure-ex3.votes'] > svg").wait_for(timeout=30_000)
    look(notebook, f"exercise-panel-{name}")


def failed_run_dark(studio: Studio) -> None:
    failed_run(studio, 900, "dark", "dark-900")


# -- the animation -----------------------------------------------------------------------------------------


class Film:
    """Pictures of the panel's upper half and when each was taken."""

    def __init__(self, notebook: Notebook) -> None:
        notebook.panel.scroll_into_view_if_needed()
        self.notebook = notebook
        self.page = notebook.page
        top, ring = notebook.panel.bounding_box(), notebook.panel.locator(".rl-main").bounding_box()
        height = ring["y"] + ring["height"] + 8 - top["y"]
        self._clip = {"x": top["x"], "y": top["y"], "width": top["width"], "height": height}
        self._shots: list[tuple[float, Image.Image]] = []
        self.page.evaluate(POINTER)

    def roll(self, until: Callable[[], bool], at_most: float) -> None:
        """Take pictures until the condition holds."""
        end = time.monotonic() + at_most
        while not until() and time.monotonic() < end:
            taken = time.monotonic()
            shot = self.page.screenshot(clip=self._clip)
            self._shots.append((taken, Image.open(io.BytesIO(shot)).convert("RGB")))
            self.page.wait_for_timeout(max(0.0, 90 - 1000 * (time.monotonic() - taken)))

    def rest(self, seconds: float) -> None:
        self.roll(lambda: False, seconds)

    def click(self, name: str) -> None:
        """The pointer goes there before it clicks."""
        target = self.notebook.panel.get_by_test_id(name)
        box = target.bounding_box()
        self.page.evaluate(POINT, [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])
        self.rest(1.0)
        target.click()

    def save(self, path: Path) -> None:
        times = [at for at, _ in self._shots]
        assert times[-1] - times[0] <= SLOWEST, "the animation is too long"
        lengths = [1000 * (after - at) for at, after in pairwise(times)] + [1500]
        whole = self._shots[0][1]
        # One palette for all, or colours would flicker.
        sheet = Image.new("RGB", (whole.width, whole.height * 4 + 20 * len(SWATCHES)))
        for place in range(4):
            sheet.paste(self._shots[place * (len(self._shots) - 1) // 3][1], (0, place * whole.height))
        for place, name in enumerate(SWATCHES):
            top = whole.height * 4 + 20 * place
            sheet.paste(self._colour(name), (0, top, whole.width, top + 20))
        palette = sheet.quantize(COLOURS)
        first, *rest = [shot.quantize(palette=palette, dither=Image.Dither.NONE) for _, shot in self._shots]
        first.save(path, save_all=True, append_images=rest, duration=[round(one, -1) for one in lengths], loop=0)

    def _colour(self, name: str) -> str:
        look_up = "(panel, name) => getComputedStyle(panel).getPropertyValue(`--rl-${name}`)"
        return str(self.notebook.panel.evaluate(look_up, name)).strip()


def failover(studio: Studio) -> None:
    notebook = studio.panel(960)
    write(notebook, "x", "5")
    notebook.page.wait_for_timeout(1500)
    film = Film(notebook)
    film.rest(0.8)
    film.click("kill-node-1")
    film.roll(lambda: "node-2 leads" in notebook.panel.get_by_test_id("sentence").inner_text(), 6)
    film.rest(2.6)
    film.click("start-node-1")
    returned = notebook.panel.locator(".rl-node.is-follower[data-node=node-1]")
    film.roll(lambda: returned.count() == 1, 4)
    film.rest(1.6)
    film.save(IMAGES / "failover.gif")
    notebook.page.close()


SCENES: dict[str, Callable[[Studio], None]] = {
    "panel-light": light, "panel-election": election, "panel-dark": dark, "panel-split-brain-900": split_brain,
    "panel-simulator": simulator, "panel-space-time": space_time, "failover": failover,
    "exercise-panel-failed-run": failed_run, "exercise-panel-dark-900": failed_run_dark,
}  # fmt: skip


def main(names: Sequence[str]) -> None:
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        studio = Studio(Path(folder) / "lab", browser)
        try:
            for name in names or SCENES:
                SCENES[name](studio)
                print(name)
        finally:
            studio.close()
            browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
