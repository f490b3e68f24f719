"""How often the panel draws, in a real browser: seldom while only heartbeats go round, quickly as soon as more happens.

Pictures are counted, not timed: how many differ from the one before while so many heartbeats go round.
"""

from __future__ import annotations

from labs.panel.model import PanelModel
from tests.browser.conftest import OpenStage
from tests.browser.stage import Stage, cluster_model
from tools.browser.frames import COUNT_FRAMES

HEARTBEATS = """() => {
  let number = 0, now = 100;
  window.voting = false;
  setInterval(() => {
    const messages = [], arrived = [], timers = [];
    const send = (family, from, to) => {
      messages.push([`m${number}`, family, from, to, 'X', now]);
      arrived.push([`m${number++}`, now + 0.002]);
    };
    for (const follower of ['node-2', 'node-3']) {
      send('heartbeat', 'node-1', follower);
      send('heartbeat-reply', follower, 'node-1');
      timers.push([follower, now, 0.4]);
    }
    if (voting) send('election', 'node-2', 'node-3');
    now += 0.1;
    tell({}, [{ type: 'news', now, rate: 1, messages, arrived, timers }]);
  }, 100);
}"""
"""What Python tells of three nodes with a heartbeat every 100 ms; with `voting`, of votes as well."""
WATCHED = 2.0


def resting() -> PanelModel:
    return cluster_model(heartbeat_ms=100, election_timeout_ms=400)


def at_rest(stage: Stage) -> float:
    """Pictures a second, after what was there before."""
    stage.page.mouse.move(0, 0)
    stage.page.wait_for_timeout(3500)  # that long it counts that somebody has pointed at it
    return float(stage.page.evaluate(COUNT_FRAMES, WATCHED))


def lively(stage: Stage) -> float:
    """The most of some tries, for a machine that is busy with other work."""
    return max(float(stage.page.evaluate(COUNT_FRAMES, 1.0)) for _ in range(3))


def test_while_only_heartbeats_go_round_there_are_a_few_pictures_a_second(open_stage: OpenStage) -> None:
    stage = open_stage(resting(), width=1000)
    stage.page.evaluate(HEARTBEATS)

    assert 1 <= at_rest(stage) <= 7


def test_votes_are_drawn_at_full_rate_at_once_and_then_it_is_quiet_again(open_stage: OpenStage) -> None:
    stage = open_stage(resting(), width=1000)
    stage.page.evaluate(HEARTBEATS)
    before = at_rest(stage)

    stage.page.evaluate("voting = true")
    during = lively(stage)
    stage.page.evaluate("voting = false")
    after = at_rest(stage)

    assert during >= 2 * max(before, after)
    assert after <= 7


def test_who_points_at_the_panel_sees_each_picture(open_stage: OpenStage) -> None:
    stage = open_stage(resting(), width=1000)
    stage.page.evaluate(HEARTBEATS)
    before = at_rest(stage)

    stage.page.mouse.move(300, 300)

    assert float(stage.page.evaluate(COUNT_FRAMES, WATCHED)) >= 2 * before


def test_with_reduced_motion_it_is_no_more_often(open_stage: OpenStage) -> None:
    stage = open_stage(resting(), width=1000, more={"reduced_motion": "reduce"})
    stage.page.evaluate(HEARTBEATS)

    assert at_rest(stage) <= 7


def test_closing_rings_change_no_element_of_the_picture(open_stage: OpenStage) -> None:
    """A changed element would have the browser paint all nodes again, for each step of a ring."""
    stage = open_stage(resting(), width=1000)
    stage.page.evaluate(HEARTBEATS)
    at_rest(stage)
    stage.page.evaluate("""() => {
      window.changed = [];
      const note = (changes) => changed.push(...changes.map(({ type, target, attributeName }) =>
        `${type} ${attributeName} ${target.className?.baseVal ?? target.className ?? target.data}`));
      new MutationObserver(note).observe(document.querySelector('.rl-panel'),
        { attributes: true, childList: true, characterData: true, subtree: true });
    }""")

    stage.page.wait_for_timeout(2000)

    assert stage.page.evaluate("changed") == []
