"""The panel's drawing alone, in a real browser: no JupyterLab, the test plays the part of Python."""

from __future__ import annotations

import pytest

from labs.panel.values import ABSENT
from labs.trace.events import Event
from tests.browser.conftest import OpenStage
from tests.browser.looks import sticks_out
from tests.browser.stage import HALTED, Stage, cluster_model, sent
from tools.browser.frames import COUNT_FRAMES

INK = """() => { const c = document.querySelector('.rl-dots');
  return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(byte => byte > 0); }"""

PLACES = """[...document.querySelectorAll('.rl-panel .rl-card, .rl-panel button:not(.rl-close)')]
  .map(one => one.getBoundingClientRect().top)"""


def test_a_new_leader_is_crowned_and_said_aloud(open_stage: OpenStage) -> None:
    stage = open_stage(cluster_model())
    assert "is-leader" in stage.page.get_attribute(".rl-node[data-node=node-1]", "class")

    stage.feed(
        [
            Event(100.1, "node-1", "fault", "kill"),
            Event(100.2, "node-2", "note", "became_leader", details={"term": 2}),
        ],
        now=100.2,
    )

    page = stage.page
    assert "is-stopped" in page.get_attribute(".rl-node[data-node=node-1]", "class")
    assert "is-leader" in page.get_attribute(".rl-node[data-node=node-2]", "class")
    assert page.inner_text("[data-testid=sentence]") == "node-2 leads in term 2"
    assert page.inner_text("[role=status]") == "node-2 becomes leader of term 2"
    assert page.inner_text(".rl-bubble.is-crown") == "I lead in term 2"

    stage.feed([Event(100.3, "node-2", "fault", "kill")], now=100.3)
    assert page.locator(".rl-bubble").count() == 0  # who does not run says nothing


def test_a_message_flies_and_is_gone(open_stage: OpenStage) -> None:
    stage = open_stage(cluster_model())
    assert not stage.page.evaluate(INK)

    stage.feed(
        [
            Event(100.0, "node-1", "sent", "Heartbeat", 1, "m1", "node-2"),
            Event(100.0, "node-2", "received", "Heartbeat", 1, "m1", "node-1"),
        ],
        now=100.0,
    )

    stage.page.wait_for_function(INK)
    stage.page.wait_for_function(f"() => !({INK})()")


def test_with_reduced_motion_a_message_stands_still(open_stage: OpenStage) -> None:
    stage = open_stage(cluster_model(), more={"reduced_motion": "reduce"})
    where = """() => { const c = document.querySelector('.rl-dots'), d = c.getContext('2d').getImageData(0, 0, c.width,
      c.height).data; for (let i = 3; i < d.length; i += 4) if (d[i] > 20) return i; return null; }"""

    stage.feed([Event(100.0, "node-1", "sent", "Heartbeat", 1, "m1", "node-2")], now=100.0)

    first = stage.page.wait_for_function(where).json_value()
    places = {first, *(stage.page.evaluate(where) for _ in range(5))}
    # (Four bytes are a pixel. While a mark appears, its rim may grow by one; if it moved, it would cross many.)
    assert max(places) - min(places) <= 8


def test_five_nodes_and_200_messages_a_second_are_drawn_at_30_frames_a_second(open_stage: OpenStage) -> None:
    stage = open_stage(cluster_model(5), width=1000)
    stage.page.evaluate("""() => {
      let number = 0, now = 100;
      setInterval(() => {
        const messages = [], arrived = [];
        for (let count = 0; count < 20; count++) {
          const id = 'm' + number++, from = number % 5, to = (from + 1 + (number % 4)) % 5;
          const family = ['heartbeat', 'replication', 'election-reply'][number % 3];
          messages.push([id, family, `node-${from + 1}`, `node-${to + 1}`, 'X', now + count * 0.005]);
          arrived.push([id, now + count * 0.005 + 0.002]);
        }
        now += 0.1;
        tell({}, [{ type: 'news', now, rate: 1, messages, arrived }]);
      }, 100);
    }""")
    stage.page.wait_for_function(INK)

    rates = [stage.page.evaluate(COUNT_FRAMES, 1.0) for _ in range(4)]

    print("frames a second:", rates)
    assert max(rates) >= 30, rates


def test_an_idle_panel_draws_no_dots_at_all(open_stage: OpenStage) -> None:
    stage = open_stage(cluster_model())

    assert stage.page.evaluate(COUNT_FRAMES, 0.5) <= 2


def test_a_still_picture_costs_no_frame_and_no_timer(open_stage: OpenStage) -> None:
    stage = open_stage(cluster_model(backend="simulated"), player=HALTED)
    stage.greet(100.0, rate=0.0)
    stage.page.wait_for_timeout(1500)  # what was still to be drawn has been
    stage.page.evaluate("""() => {
      window.asked = 0;
      for (const name of ['requestAnimationFrame', 'setTimeout', 'setInterval']) {
        const real = window[name];
        window[name] = (...given) => { asked += 1; return real(...given); };
      }
    }""")

    stage.tell(100.0, rate=0.0)
    stage.page.wait_for_timeout(500)
    once = stage.page.evaluate("asked")
    stage.page.wait_for_timeout(1500)

    assert stage.page.evaluate("asked") == once <= 6


def test_nothing_is_drawn_that_is_out_of_sight(open_stage: OpenStage) -> None:
    stage = open_stage(cluster_model())
    stage.page.evaluate("document.getElementById('place').style.marginTop = '3000px'")
    stage.page.wait_for_timeout(300)
    stage.page.evaluate("""() => { window.frames_ = 0; const real = requestAnimationFrame;
      window.requestAnimationFrame = (act) => { frames_ += 1; return real(act); }; }""")

    stage.feed([Event(100.0, "node-1", "sent", "Heartbeat", 1, "m1", "node-2")], now=100.0)
    stage.page.wait_for_timeout(1000)

    assert stage.page.evaluate("frames_") == 0


def test_a_nodes_focus_is_told_by_its_halo_alone(open_stage: OpenStage) -> None:
    page = open_stage(cluster_model()).page
    page.focus(".rl-node[data-node=node-1]")
    page.keyboard.press("ArrowRight")

    assert page.evaluate("document.activeElement.dataset.node") == "node-2"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "none"
    halo = "getComputedStyle(document.activeElement.querySelector('.rl-halo')).stroke"
    other = "getComputedStyle(document.querySelector('[data-node=node-3] .rl-halo')).stroke"
    assert page.evaluate(halo) != page.evaluate(other)


@pytest.mark.parametrize("width", [620, 1300])
def test_a_huge_key_and_value_take_no_more_room_than_small_ones(open_stage: OpenStage, width: int) -> None:
    def height_with(key: str, value: str) -> tuple[float, Stage]:
        answer = {
            "id": 1, "verb": "put", "key": key, "code": 200, "outcome": "ok", "body": {"key": key, "value": value},
            "node": "node-1", "ms": 1.0, "attempts": 1, "curl": f"curl -X PUT http://127.0.0.1/key/{key} -d '{value}'",
        }  # fmt: skip
        model = cluster_model()
        problems = [{"id": "command", "text": f"Could not finish: waiting for the answer to put {key}"}]
        stage = open_stage(model, width=width, answer=answer, problems=problems)
        model.read("node-1", key, value, at=99.0)
        model.read("node-2", key, ABSENT, at=99.0)
        lost = {"op": "put", "key": key, "value": value, "index": 3, "term": 1}
        request = Event(99.9, "node-1", "request", "put", 1, "r1", details={"key": key, "value": value})
        reply = Event(99.95, "node-1", "reply", "put", 2, "r1", details={"outcome": "ok", "code": 200, "key": key})
        stage.feed([request, reply, Event(99.9, "node-3", "note", "write_lost", details=lost)], 100.0)
        stage.page.wait_for_timeout(300)
        stage.page.focus("[data-testid=timeline]")
        stage.page.keyboard.press("ArrowLeft")
        return float(stage.page.evaluate("document.querySelector('.rl-panel').offsetHeight")), stage

    small, _ = height_with("x", "1")
    huge, stage = height_with("k" * 2000, "v" * 200_000)

    assert huge <= small + 500
    cut_off_on_purpose = ("<TH", "<TD", "I drop", "PUT k")
    assert [one for one in sticks_out(stage.page) if not any(name in one for name in cut_off_on_purpose)] == []
    assert stage.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_click_on_a_control_is_sent_and_one_that_cannot_act_says_why(open_stage: OpenStage) -> None:
    stage = open_stage(cluster_model())

    stage.page.click("[data-testid=kill-node-2]")
    before = stage.page.evaluate(PLACES)
    stage.page.click("[data-testid=heal]", force=True)  # Playwright will not press what is disabled

    assert sent(stage) == [{"do": "hello"}, {"do": "kill", "node": "node-2"}]
    assert stage.page.inner_text("[data-testid=why] span") == "No link is cut."
    assert stage.page.get_attribute("[data-testid=heal]", "title") == "No link is cut."
    assert stage.page.evaluate(PLACES) == before, "something moved"
    control, words = (stage.page.locator(f"[data-testid={name}]").bounding_box() for name in ("heal", "why"))
    assert control is not None
    assert words is not None
    assert abs(words["y"] - control["y"]) < 120


def test_everything_can_be_reached_and_used_from_the_keyboard(open_stage: OpenStage) -> None:
    stage = open_stage(cluster_model())
    page = stage.page

    page.focus(".rl-node[data-node=node-3]")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.dataset.testid") == "stop-node-3"
    page.keyboard.press("Enter")

    page.focus("[data-testid=delay]")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("sent.some(message => message.do === 'delay')")

    assert {"do": "stop", "node": "node-3"} in sent(stage)
    assert {"do": "delay", "ms": 50, "jitter_ms": 0} in sent(stage)


def test_every_control_has_a_name(open_stage: OpenStage) -> None:
    stage = open_stage(cluster_model())

    nameless = stage.page.evaluate("""[...document.querySelectorAll('button, input, select, [role=button], [tabindex]')]
      .filter(one => !(one.getAttribute('aria-label') || one.textContent.trim() || one.closest('label')))
      .map(one => one.outerHTML)""")

    assert nameless == []
    label = stage.page.get_attribute(".rl-node[data-node=node-1]", "aria-label")
    assert label == "node-1: leader, term 1, 0 keys. Press Enter for its controls."


def test_the_network_is_cut_by_choosing_sides(open_stage: OpenStage) -> None:
    stage = open_stage(cluster_model())
    page = stage.page
    assert page.get_attribute("[data-testid=heal]", "aria-disabled") == "true"

    page.click("[data-testid=side-B-node-1]")
    assert {"do": "partition", "groups": [["node-2", "node-3"], ["node-1"]]} in sent(stage)

    stage.feed([Event(100.1, "", "fault", "partition", details={"groups": [["node-2", "node-3"], ["node-1"]]})], 100.2)
    assert page.locator(".rl-link.is-cut").count() == 2
    page.click("[data-testid=heal]")
    assert {"do": "heal"} in sent(stage)


def test_one_press_isolates_a_node_and_another_joins_it_again(open_stage: OpenStage) -> None:
    stage = open_stage(cluster_model())
    page = stage.page

    page.click("[data-testid=isolate-node-3]")
    groups = [["node-1", "node-2"], ["node-3"]]
    assert {"do": "partition", "groups": groups} in sent(stage)

    stage.feed([Event(100.1, "", "fault", "partition", details={"groups": groups})], 100.2)
    assert page.inner_text("[data-testid=isolate-node-3]") == "Rejoin"
    page.click("[data-testid=isolate-node-3]")
    assert {"do": "heal"} in sent(stage)


def test_presses_that_follow_each_other_quickly_put_nodes_on_one_side(open_stage: OpenStage) -> None:
    stage = open_stage(cluster_model())

    stage.page.click("[data-testid=side-B-node-1]")
    stage.page.click("[data-testid=side-B-node-2]")

    assert sent(stage)[-1] == {"do": "partition", "groups": [["node-3"], ["node-1", "node-2"]]}


def test_a_stale_copy_shows_its_age_and_then_turns_fresh(open_stage: OpenStage) -> None:
    model = cluster_model()
    stage = open_stage(model)
    model.read("node-1", "x", 2, at=99.0)
    model.read("node-2", "x", 1, at=99.0)
    model.read("node-3", "x", ABSENT, at=99.0)

    stage.tell(100.0)
    cell = stage.page.locator("[data-testid=cell-x-node-2]")
    assert cell.get_attribute("class") == "is-stale"
    assert "stale 1." in cell.inner_text()

    model.read("node-2", "x", 2, at=101.0)
    stage.tell(101.0)
    assert cell.get_attribute("class") == "is-fresh"


def test_a_lost_write_is_told_in_red(open_stage: OpenStage) -> None:
    stage = open_stage(cluster_model())
    details = {"op": "put", "key": "x", "value": 6, "index": 3, "term": 1}

    stage.feed([Event(100.1, "node-1", "note", "write_lost", details=details)], 100.2)

    lost = stage.page.locator("[data-testid=lost]")
    assert lost.inner_text().startswith("✕ Lost write. put x = 6 (entry 3)")


def test_a_click_on_the_timeline_lists_the_events_of_that_moment(open_stage: OpenStage) -> None:
    stage = open_stage(cluster_model())
    stage.feed([Event(100.0, "node-3", "fault", "kill")], 100.05)
    canvas = stage.page.locator("[data-testid=timeline]")

    box = canvas.bounding_box()
    stage.page.wait_for_timeout(200)
    canvas.click(position={"x": box["width"] - 15, "y": 60})
    assert "node-3 is killed" in stage.page.inner_text("[data-testid=moment]")

    canvas.press("Escape")
    assert stage.page.inner_text("[data-testid=moment]") == ""


def test_a_click_while_the_kernel_is_busy_says_that_it_waits(open_stage: OpenStage) -> None:
    stage = open_stage(cluster_model())

    stage.page.click("[data-testid=kill-node-1]")

    stage.page.wait_for_selector("text=The kernel is busy with a cell")


def test_the_simulators_bar_is_there_for_the_simulator_only(open_stage: OpenStage) -> None:
    real = open_stage(cluster_model())
    simulated = open_stage(cluster_model(backend="simulated"), player=HALTED)

    assert not real.page.is_visible("[data-testid=play]")
    simulated.page.click("[data-testid=play]")
    assert {"do": "play", "speed": 1} in sent(simulated)


@pytest.mark.parametrize("width", [620, 900, 1600])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_sticks_out_and_text_is_readable(open_stage: OpenStage, width: int, theme: str) -> None:
    stage = open_stage(cluster_model(5), width=width, theme=theme)
    page = stage.page

    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    smallest = page.evaluate("""Math.min(...[...document.querySelectorAll('.rl-panel *')]
      .filter(one => one.childNodes.length && [...one.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
      .map(one => parseFloat(getComputedStyle(one).fontSize)))""")
    assert smallest >= 11
    overlaps = page.evaluate("""() => { const boxes = [...document.querySelectorAll('.rl-body')]
      .map(one => one.getBoundingClientRect());
      return boxes.some((a, i) => boxes.slice(i + 1).some(b => Math.hypot(a.x - b.x, a.y - b.y) < a.width)); }""")
    assert not overlaps


def test_leaving_says_goodbye_and_stops_drawing(open_stage: OpenStage) -> None:
    stage = open_stage(cluster_model())

    stage.page.evaluate("leave()")

    assert sent(stage)[-1] == {"do": "bye"}
