"""The panel on one screen, its parts, and the messages of a halted simulation in one's hands."""

from __future__ import annotations

import pytest

from tests.browser.conftest import OpenStage
from tests.browser.looks import sticks_out
from tests.browser.stage import HALTED, cluster_model, sent


def test_a_message_on_its_way_is_delivered_by_a_press_while_time_stands(open_stage: OpenStage) -> None:
    flying = [
        ["m1", "election", "node-1", "node-2", "RequestVote (term 2)", 100.1],
        ["m2", "heartbeat", "node-1", "node-3", "Heartbeat (term 1)", None],
    ]
    stage = open_stage(cluster_model(backend="simulated"), player={**HALTED, "flying": flying})
    page = stage.page
    assert page.locator(".rl-hand").count() == 2
    assert page.locator(".rl-hand.is-held").get_attribute("aria-label") == (
        "Heartbeat (term 1), node-1 to node-3, held back"
    )

    page.focus("[data-message=m1]")
    page.keyboard.press("Enter")
    assert page.inner_text(".rl-handmenu div") == "RequestVote (term 2), node-1 to node-2"
    page.keyboard.press("Enter")

    assert {"do": "deliver", "message": "m1"} in sent(stage)
    assert page.is_hidden(".rl-handmenu")

    page.click("[data-testid=run_out-node-2]")
    assert {"do": "run_out", "node": "node-2"} in sent(stage)


def test_a_panel_of_some_parts_shows_those_and_nothing_else(open_stage: OpenStage) -> None:
    page = open_stage(cluster_model(), parts=["ring", "logs"]).page

    assert page.is_visible(".rl-stage")
    assert page.is_visible(".rl-board")
    for hidden in (".rl-nodes", ".rl-client", ".rl-network", ".rl-time", "[data-testid=show-values]"):
        assert page.is_hidden(hidden), hidden


@pytest.mark.parametrize(("width", "height"), [(985 + 24, 700), (560 + 24, 1155)])
def test_everything_that_one_does_and_what_it_causes_is_on_one_screen(
    open_stage: OpenStage, width: int, height: int
) -> None:
    stage = open_stage(cluster_model(), width=width)

    assert stage.page.evaluate("document.querySelector('.rl-panel').offsetHeight") <= height
    assert sticks_out(stage.page) == []
