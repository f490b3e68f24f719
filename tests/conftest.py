"""For all tests: which of them a plain `pytest` runs.

`pytest` runs what needs neither Docker, a browser, notebooks nor minutes; `pytest --full` runs everything. Whoever
names a file, a folder or a test gets all of it. The last lines say what was left out, and what was skipped and why.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest

SLOW_KINDS = ("docker", "browser", "notebook", "slow")
"""Markers of the tests that a plain `pytest` leaves out. Of a test marked `sample(n)` it takes the first n cases."""

LEFT_OUT = "left_out"

sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
"""Not to be found: jsonschema, which does without, would have it build 38 parsers, 2.4 s in every worker."""

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
"""Nodes, sandboxes and workers are Pythons of their own. Without kept bytecode each would compile everything anew, and
collecting the tests alone would take three times as long."""

hypothesis.settings.register_profile("full", deadline=None)
hypothesis.settings.register_profile("plain", deadline=None, max_examples=25)
"""A plain run draws a quarter of the examples, where a test does not say how many it needs. No example is timed: a busy
machine is no fault of the code."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run all tests, also those that a plain pytest leaves out")
    parser.addoption("--update-traces", action="store_true", help="write the golden traces in tests/traces anew")


def pytest_configure(config: pytest.Config) -> None:
    """A shell that starts the tests in the background has them ignore Ctrl-C, and so would every program that they
    start; some of these are to be ended by it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.args_source is pytest.Config.ArgsSource.ARGS:  # files, folders or tests were named
        config.option.full = True
    hypothesis.settings.load_profile("full" if config.option.full else "plain")
    config.pluginmanager.register(LeftOut(config), "left-out")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Three workers for two cores: many tests wait for an election, a limit or a browser most of their time."""
    cores = os.cpu_count() or 1
    return cores + cores // 2


@pytest.fixture(autouse=True)
def no_panel_is_left_running() -> Iterator[None]:
    """Each test closes the panels that it opens: their threads would disturb the tests that come after it."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 5  # a panel's threads end within one turn of their loops
    while (left := panel_threads(before)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert left == []


def panel_threads(before: set[threading.Thread]) -> list[str]:
    now = (thread for thread in threading.enumerate() if thread not in before)
    return [thread.name for thread in now if thread.name.startswith(("exercise-", "panel-"))]


def is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def kind_of(item: pytest.Item, cases: Counter[tuple[Any, str]]) -> str | None:
    """The slow kind that a test belongs to. `cases` counts the cases of each test on the way."""
    kind = next((kind for kind in SLOW_KINDS if item.get_closest_marker(kind)), None)
    sample = item.get_closest_marker("sample")
    if kind is None and sample is not None:
        test = (item.parent, getattr(item, "originalname", item.name))
        cases[test] += 1
        if cases[test] > sample.args[0]:
            return "slow"
    return kind


class LeftOut:
    """Leaves the slow kinds out of a plain run, and counts them by kind for the last lines."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._counts: Counter[str] = Counter()

    @pytest.hookimpl(trylast=True)  # the folders' own conftest files mark their tests first
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        if config.option.full:
            return
        cases: Counter[tuple[Any, str]] = Counter()
        kinds = {item: kind_of(item, cases) for item in items}
        left_out = [item for item, kind in kinds.items() if kind is not None]
        if left_out:
            self._counts.update(str(kinds[item]) for item in left_out)
            config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item, kind in kinds.items() if kind is None]

    def pytest_sessionfinish(self) -> None:
        if is_worker(self._config):
            self._config.workeroutput[LEFT_OUT] = dict(self._counts)  # type: ignore[attr-defined]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Every worker collects all tests, so any worker's count is the count."""
        self._counts = Counter(getattr(node, "workeroutput", {}).get(LEFT_OUT, {})) or self._counts

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self._counts:
            kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self._counts.items()))
            terminalreporter.line(f"left out: {self._counts.total()} tests ({kinds}); pytest --full runs them all")
        skipped = Counter(
            report.longrepr[2].removeprefix("Skipped: ")
            for report in terminalreporter.stats.get("skipped", [])
            if isinstance(report.longrepr, tuple)
        )
        for reason, count in sorted(skipped.items()):
            terminalreporter.line(f"skipped: {count} ({reason})")
