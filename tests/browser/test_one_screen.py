"""The panel on one screen, its parts, and the messages of a halted simulation in one's hands."""

from __future__ import annotations

import pytest

from labs.cluster.base import Settings
from labs.panel.model import PanelModel
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


@pytest.mark.parametrize(("nodes", "width"), [(3, 985 + 24), (3, 720), (5, 720)])
def test_what_can_be_done_to_a_message_stands_over_no_button(open_stage: OpenStage, nodes: int, width: int) -> None:
    words = "Snapshot (term 2, at 3, offset 0, total 1, count 1, force True, and more that fills a second line)"
    lowest = ("node-3", "node-2") if nodes == 3 else ("node-4", "node-3")  # the link at the ring's lower edge
    flying = [["m1", "replication", *lowest, words, 100.1]]
    stage = open_stage(cluster_model(nodes, "simulated"), player={**HALTED, "flying": flying}, width=width)
    page = stage.page

    page.focus("[data-message=m1]")
    page.keyboard.press("Enter")

    menu, buttons = page.locator(".rl-handmenu").bounding_box(), page.locator(".rl-nodes").bounding_box()
    assert menu["y"] + menu["height"] <= buttons["y"]


def test_five_nodes_and_the_longest_delay_fit_in_their_lines(open_stage: OpenStage) -> None:
    settings = Settings(nodes=5)
    model = PanelModel(settings.node_ids, "simulated", settings, {})
    stage = open_stage(model, player=HALTED, width=985 + 24)
    slow = {"delay_ms": 2000, "jitter_ms": 2000, "drop": 1.0}
    story = (
        'put seat = "Ann" (entry 30) and 12 later writes are only at node-1, node-4 and node-5, and go when they follow'
        " node-2. Clients were told “stored”."
    )

    picture = model.picture()
    stage.tell(101.0, network={**picture["network"], **slow}, logs={**picture["logs"], "stories": [story]})

    assert stage.page.locator("[data-testid=delay]").get_attribute("aria-valuetext") == "2000 ms"
    lines = "[...document.querySelectorAll('.rl-slider span, .rl-slider output')].map(one => one.offsetHeight)"
    assert max(stage.page.evaluate(lines)) < 24
    told = "(told => told.scrollHeight - told.clientHeight)(document.querySelector('.rl-told'))"
    assert stage.page.evaluate(told) <= 1
    assert sticks_out(stage.page) == []
