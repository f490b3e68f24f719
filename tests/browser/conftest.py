"""Fixtures for tests in a real browser.

`lab` is a JupyterLab server for the session; `open_notebook(what, width=…, height=…, theme=…)` opens a notebook file
or a list of code cells, in a fresh page and returns a `Notebook`. `open_copy` does the same with the lab as a student
has it: a server of `replab open`, notebooks from its working copy. An error in the browser's console fails the test.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from platformdirs import user_cache_path

from labs.panel.model import PanelModel
from labs.site.building import build_site
from labs.site.parts import CannotBuild
from tests.browser.stage import Stage
from tests.missing import skip_without
from tools.browser.firefox import Firefox, firefox
from tools.browser.lab import CHROMIUM_FLAGS, Lab, Notebook, OpenedLab, chromium, write_notebook
from tools.browser.web import WebServer

OpenNotebook = Callable[..., Notebook]
OpenStage = Callable[..., Stage]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium. Without it the test is skipped, but not in CI."""
    path = chromium()
    if path is None:
        skip_without("Chromium", "Chromium is not installed (apt install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield chrome
        chrome.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    server = Lab(tmp_path_factory.mktemp("lab"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def opened_lab(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenedLab]:
    server = OpenedLab(tmp_path_factory.mktemp("student"))
    yield server
    server.close()


@pytest.fixture
def open_notebook(browser: Any, lab: Lab, request: pytest.FixtureRequest) -> Iterator[OpenNotebook]:
    with opener(lab, browser, request.node.name) as open_it:
        yield open_it


@pytest.fixture
def open_copy(opened_lab: OpenedLab, browser: Any, request: pytest.FixtureRequest) -> Iterator[OpenNotebook]:
    """Opens a notebook of the working copy by its stem; each test gets its own copy of the file."""
    with opener(opened_lab, browser, request.node.name) as open_it:
        yield lambda stem, **how: open_it(opened_lab.notebooks / f"{stem}.ipynb", **how)


def firefox_or_skip(home: Path, **preferences: Any) -> Firefox:
    """Firefox with these preferences. Without it the test is skipped, but not in CI."""
    if firefox() is None:
        skip_without("Firefox", "Firefox is not installed (Debian: apt install firefox-esr)")
    return Firefox(home, preferences=preferences)


@contextmanager
def opener(lab: Lab | OpenedLab, browser: Any, test: str, known: tuple[str, ...] = ()) -> Iterator[OpenNotebook]:
    """`known`: words of errors that are the front end's own and fail no test."""
    opened: list[tuple[Any, Notebook]] = []

    def open_it(what: Path | str | list[str], width: int = 1600, height: int = 1000, **more: Any) -> Notebook:
        name = f"{test}-{len(opened)}.ipynb".replace("[", "-").replace("]", "")
        if isinstance(what, list):
            write_notebook(lab.notebooks / name, what)
        else:
            shutil.copy(what, lab.notebooks / name)
        theme = more.pop("theme", "light")
        context = browser.new_context(viewport={"width": width, "height": height}, **more)
        context.set_default_timeout(20_000)
        notebook = Notebook(context.new_page(), name)
        opened.append((context, notebook))
        notebook.open(lab, theme)
        return notebook

    yield open_it
    errors = [error for _, notebook in opened for error in notebook.errors if not any(word in error for word in known)]
    for context, notebook in opened:
        notebook.command("kernelmenu:shutdown")
        context.close()
    assert not errors, "errors in the browser's console:\n" + "\n".join(errors)


@pytest.fixture
def open_stage(browser: Any) -> Iterator[OpenStage]:
    contexts, stages = [], []

    def open_it(model: PanelModel, width: int = 1300, theme: str = "light", more: Any = None, **traits: Any) -> Stage:
        context = browser.new_context(viewport={"width": width, "height": 1000}, **(more or {}))
        context.set_default_timeout(20_000)
        contexts.append(context)
        stage = Stage(context.new_page(), model, theme, **traits)
        stages.append(stage)
        stage.greet(100.0)
        return stage

    yield open_it
    for context in contexts:
        context.close()
    assert [error for stage in stages for error in stage.errors] == []


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site: one for all workers of a run."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with (base / "web-edition.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        target = base / "web-edition"
        if not target.exists():
            try:
                build_site(target, user_cache_path("replication-lab") / "site", say=lambda line: None)
            except CannotBuild as problem:
                if os.environ.get("CI") == "true":
                    raise
                pytest.skip(f"the web edition cannot be built here: {problem}")
    return target


@pytest.fixture
def server(site: Path) -> Iterator[WebServer]:
    served = WebServer(site)
    yield served
    served.close()
