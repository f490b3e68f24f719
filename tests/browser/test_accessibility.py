"""What axe-core finds in the panels, light and dark: nothing. And the way past their many controls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from labs.grading.check import failed, passed
from labs.grading.results import CheckResult, Status
from labs.lesson.exercises import BY_ID
from labs.panel.checking import checks_of
from labs.panel.marks import Marks
from labs.trace.events import Event
from tests.browser.stage import HALTED, Bundle, Stage, cluster_model, observe
from tests.missing import skip_without

AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
VIOLATIONS = """async () => (await axe.run('.rl-panel', { resultTypes: ['violations'] })).violations.flatMap((one) =>
  one.nodes.map((node) => `${one.id}: ${one.help}: ${node.html.slice(0, 160)}`))"""
STOPS = "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"

NewPage = Callable[[], Any]


@pytest.fixture
def new_page(browser: Any) -> Iterator[NewPage]:
    contexts = []

    def make() -> Any:
        contexts.append(browser.new_context(viewport={"width": 1100, "height": 1000}, reduced_motion="reduce"))
        return contexts[-1].new_page()

    yield make
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def axe() -> Path:
    if not AXE.exists():
        skip_without("axe-core", "axe-core is not installed (npm ci in frontend/)")
    return AXE


def violations(bundle: Bundle, axe: Path) -> list[str]:
    bundle.page.add_script_tag(path=axe)
    found: list[str] = bundle.page.evaluate(VIOLATIONS)
    return found


def calm(page: Any, theme: str) -> Stage:
    stage = Stage(page, cluster_model(), theme)
    stage.greet(100.0)
    return stage


def in_trouble(page: Any, theme: str) -> Stage:
    """A cut network, a stale copy, a lost write, a stopped and a paused node, an answer, a notice, a chosen moment."""
    model = cluster_model(5)
    answer = {
        "id": 1, "verb": "put", "key": "x", "code": 503, "outcome": "failed", "body": {"error": "Not the leader"},
        "node": "node-2", "ms": 1.5, "attempts": 2, "curl": "curl -i http://127.0.0.1:4001/key/x",
    }  # fmt: skip
    problems = [{"id": "status", "text": "Asking the nodes for their status: no answer"}]
    stage = Stage(page, model, theme, answer=answer, problems=problems)
    stage.greet(100.0)
    roles = {"node-1": "leader", "node-2": "follower", "node-3": "follower", "node-4": "stopped", "node-5": "paused"}
    observe(model, roles, 99.0, lag={"node-2": 3})
    for node, value in (("node-1", 2), ("node-2", 1), ("node-3", 2), ("node-4", 1)):
        model.read(node, "x", value, at=99.0)
    lost = {"op": "put", "key": "y", "value": 6, "index": 3, "term": 1}
    groups = {"groups": [["node-1", "node-2"], ["node-3", "node-4", "node-5"]]}
    stage.feed(
        [
            Event(99.0, "", "fault", "partition", details=groups),
            Event(99.5, "node-3", "note", "write_lost", details=lost),
        ],
        now=100.0,
    )
    page.wait_for_timeout(300)  # the timeline has been drawn
    page.focus("[data-testid=timeline]")
    page.keyboard.press("ArrowLeft")
    return stage


def simulator(page: Any, theme: str) -> Stage:
    player = {**HALTED, "moments": [("the failure", 2.5)], "span": 6.0}
    stage = Stage(page, cluster_model(backend="simulated"), theme, player=player)
    stage.greet(100.0, rate=0.0)
    return stage


def exercise(page: Any, theme: str, **more: Any) -> Bundle:
    marks = Marks(BY_ID["ex3"], checks_of(BY_ID["ex3"]))
    states = [Status.PASSED, Status.FAILED, Status.SKIPPED, Status.NOT_ATTEMPTED, Status.ERROR]
    marks.begin((), "code")
    for row, status in zip(list(marks.rows.values())[:6], [*states, Status.FAILED], strict=False):
        check = row.check
        earned = {Status.PASSED: check.points, Status.FAILED: 2.0 if row.state == "running" else 0.0}.get(status, 0.0)
        message = "" if status is Status.PASSED else "node-2 voted twice in term 1"
        result = CheckResult(check.to_json(), status, earned, message, ("evidence",), f"replab check {check.id}")
        marks.take(result, passed() if status is Status.PASSED else failed(message))
    marks.begin_reference(list(marks.rows))
    traits = {
        **marks.picture(),
        "about": {"id": "ex3", "title": "Leader election", "file": "ex3.py", "election": True, "reference": True},
        "source": {
            "kind": "file", "label": "file", "detail": "ex3.py", "changed": True, "why": "",
            "choices": [{"kind": kind, "label": f"the {kind}", "why": ""} for kind in ("file", "cells")],
        },
        "activity": {
            "checking": True, "comparing": False, "opening": "",
            "why": {"run": "The checks are running.", "stop": "", "open": "", "real": "", "leave": ""},
        },
        "stage": {"kind": "real", "title": "Real nodes", "text": "Three processes.", "warning": "It differs."},
        "problems": [{"id": "work", "text": "It could not be drawn."}],
        **more,
    }  # fmt: skip
    bundle = Bundle(page, "exercise", traits, theme)
    for toggle in page.locator(".rl-toggle").all():
        toggle.click()
    return bundle


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("shown", [calm, in_trouble, simulator, exercise])
def test_axe_finds_nothing(new_page: NewPage, axe: Path, shown: Callable[[Any, str], Bundle], theme: str) -> None:
    bundle = shown(new_page(), theme)

    assert violations(bundle, axe) == []
    assert bundle.errors == []


def test_axe_would_find_something(new_page: NewPage, axe: Path) -> None:
    bundle = calm(new_page(), "light")
    bundle.page.evaluate("document.querySelector('[data-testid=key]').removeAttribute('aria-label')")
    bundle.page.evaluate(
        "document.querySelector('.rl-fields').replaceChildren(document.querySelector('[data-testid=key]'))"
    )

    assert any(one.startswith("label:") for one in violations(bundle, axe))


def test_the_first_stop_leads_past_the_panel(new_page: NewPage) -> None:
    page = calm(new_page(), "light").page
    page.evaluate("document.body.append(Object.assign(document.createElement('button'), { textContent: 'after' }))")

    page.keyboard.press("Tab")
    assert page.evaluate(STOPS) == "the network"
    assert page.locator(".rl-skip").evaluate("one => getComputedStyle(one).opacity") == "1"
    page.get_by_role("button", name="the end of the panel").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    assert page.evaluate(STOPS) == "after"


def test_a_part_of_the_panel_can_be_gone_to_at_once(new_page: NewPage) -> None:
    page = calm(new_page(), "light").page

    page.get_by_role("button", name="write and read").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    assert page.evaluate(STOPS) == "Key"


def test_a_group_of_buttons_is_one_stop_and_arrows_go_on_in_it(new_page: NewPage) -> None:
    page = calm(new_page(), "light").page
    stops = []
    page.focus(".rl-node[data-node=node-1]")

    while (stop := page.evaluate(STOPS)) != "Replication delay":
        stops.append(stop)
        page.keyboard.press("Tab")

    assert len(stops) <= 12, stops
    page.focus("[data-testid=stop-node-2]")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(STOPS) == "Kill node-2"
    page.keyboard.press("End")
    assert page.evaluate(STOPS) == "Isolate node-2"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert page.evaluate(STOPS) == "Isolate node-2"  # the group remembers where one was
