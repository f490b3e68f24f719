"""A panel on a page of its own: a link carries the seed and the steps, and shows the same run elsewhere."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import comm
import pytest

from labs.cluster.simulated import SimulatedCluster
from labs.panel import background
from labs.panel.standalone import MOST_IN_FILE, MOST_STEPS, BadLink, Page, SteppedPanel, read_wish

WISH = {"nodes": 3, "mode": "quorum", "election": "bully", "seed": 7}


@pytest.fixture(autouse=True)
def in_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "threads_work", lambda: False)
    monkeypatch.setattr(comm, "create_comm", comm.create_comm)  # put back afterwards


def begun(wish: dict[str, Any]) -> tuple[Page, SteppedPanel, list[dict[str, Any]]]:
    told: list[dict[str, Any]] = []
    page = Page(lambda text: told.append(json.loads(text)))
    page.start(json.dumps(wish))
    assert page._panel is not None
    return page, page._panel, told


def shared(page: Page, told: list[dict[str, Any]]) -> dict[str, Any]:
    """The run that a link or a file carries."""
    page.share()
    run: dict[str, Any] = json.loads(told[-1]["text"])
    return run


def click(page: Page, panel: SteppedPanel, **command: Any) -> None:
    page.hear(panel.comm.comm_id, json.dumps({"method": "custom", "content": {"id": 1, **command}}))


def test_what_is_done_is_carried_by_the_link_and_gives_the_same_run() -> None:
    async def scene() -> None:
        page, panel, told = begun(WISH)
        panel.cluster.sleep(2.0)
        click(page, panel, do="kill", node="node-3")
        async with asyncio.timeout(5):
            while not panel.steps:
                await asyncio.sleep(0.01)
        panel.close()
        steps = shared(page, told)["steps"]
        assert [step[1:] for step in steps] == [["kill", {"node": "node-3"}]]

        _, other, _ = begun({**WISH, "steps": steps})
        other.close()
        moment = steps[0][0] + 5
        for one in (panel, other):
            one.cluster.sleep(moment - one.cluster.now())
        assert other.cluster.leader() == panel.cluster.leader() == "node-2"
        assert other.cluster.events() == panel.cluster.events()

    asyncio.run(scene())


def test_what_is_done_by_hand_is_carried_by_the_link_too_and_what_is_undone_is_not() -> None:
    async def scene() -> None:
        page, panel, told = begun(WISH)
        cluster = panel.cluster
        assert isinstance(cluster, SimulatedCluster)

        async def done(count: int, **command: Any) -> None:
            click(page, panel, **command)
            async with asyncio.timeout(5):
                while len(panel.steps) != count:
                    await asyncio.sleep(0.01)

        click(page, panel, do="halt")
        async with asyncio.timeout(5):
            while panel.player["playing"]:
                await asyncio.sleep(0.01)
        cluster.sleep(1 / 3)
        while len(cluster.in_flight()) < 2:
            cluster.sleep(1 / 700)
        first, second = (one.id for one in cluster.in_flight()[:2])
        await done(1, do="hold", message=second)
        await done(2, do="deliver", message=first)
        await done(3, do="run_out", node="node-1")
        await done(4, do="drop", message=second)
        await done(3, do="undo")
        panel.close()
        steps = shared(page, told)["steps"]
        assert [step[1] for step in steps] == ["hold", "deliver", "run_out"]

        _, other, _ = begun({**WISH, "steps": steps})
        other.close()
        for one in (panel, other):
            one.cluster.sleep(steps[0][0] + 5 - one.cluster.now())
        assert other.cluster.events() == panel.cluster.events()

    asyncio.run(scene())


def test_a_link_whose_message_is_not_on_its_way_is_refused_with_a_sentence() -> None:
    told: list[dict[str, Any]] = []
    page = Page(lambda text: told.append(json.loads(text)))

    page.start(json.dumps({**WISH, "steps": [[1.0, "deliver", {"message": "never sent"}]]}))

    [refused] = told
    assert "this link cannot be carried out: no message 'never sent'" in refused["text"]
    assert (refused["type"], refused["empty"]) == ("refused", True)


def test_a_link_that_is_refused_leaves_the_run_that_is_shown() -> None:
    async def scene() -> None:
        page, panel, told = begun(WISH)
        page.start(json.dumps({**WISH, "steps": [[1.0, "drop", {"message": "never sent"}]]}))
        assert (told[-1]["type"], told[-1]["empty"]) == ("refused", False)
        assert page._panel is panel
        assert panel.alive
        panel.close()

    asyncio.run(scene())


def test_a_run_with_more_steps_than_a_link_carries_has_no_link_and_a_file_that_shows_it() -> None:
    async def scene() -> None:
        many = [[0.01 * number, "delay", {"ms": number, "jitter_ms": 0}] for number in range(MOST_STEPS + 1)]
        page, panel, told = begun({**WISH, "steps": many[:-1]})
        page.share()
        assert told[-1]["no_link"] == ""
        click(page, panel, do="kill", node="node-3")
        async with asyncio.timeout(5):
            while len(panel.steps) != MOST_STEPS + 1:
                await asyncio.sleep(0.01)
        page.share()
        run = told[-1]
        assert run["no_link"] == "This run has 201 steps, and a link carries at most 200."
        assert (run["name"], len(json.loads(run["text"])["steps"])) == ("run-7.json", MOST_STEPS + 1)
        panel.close()

        other, _, _ = begun(WISH)
        other.open(run["text"])
        shown = other._panel
        assert shown is not None
        shown.close()
        for one in (panel, shown):
            one.cluster.sleep(8 - one.cluster.now())
        assert shown.cluster.events() == panel.cluster.events()
        assert shown.cluster.leader() == "node-2"

    asyncio.run(scene())


def test_a_link_is_of_the_run_that_is_shown() -> None:
    async def scene() -> None:
        page, panel, told = begun(WISH)
        page.start("not JSON")
        assert shared(page, told) == {**WISH, "steps": []}
        panel.close()

    asyncio.run(scene())


def test_what_the_background_client_writes_is_of_the_run_and_undo_goes_past_it() -> None:
    async def scene() -> None:
        page, panel, told = begun(WISH)
        panel.cluster.sleep(2.0)
        click(page, panel, do="kill", node="node-1")
        click(page, panel, do="availability", does="writes")
        async with asyncio.timeout(20):
            while [step[1] for step in panel.steps].count("probe") < 2:
                await asyncio.sleep(0.01)
        click(page, panel, do="halt")
        async with asyncio.timeout(5):
            while panel.player["playing"]:
                await asyncio.sleep(0.01)
        run = shared(page, told)
        assert [step[1] for step in run["steps"]][:3] == ["kill", "probe", "probe"]
        end = panel.cluster.now()

        _, copy, _ = begun(run)
        copy.close()
        copy.cluster.sleep(end - copy.cluster.now())
        mine = [event for event in panel.cluster.events() if event.time <= end]
        assert copy.cluster.events() == mine

        click(page, panel, do="undo")
        async with asyncio.timeout(5):
            while panel.steps:
                await asyncio.sleep(0.01)
        assert panel.cluster.now() == run["steps"][0][0]
        assert panel.cluster.status()["node-1"].state == "running"
        panel.close()

    asyncio.run(scene())


def test_the_page_gets_the_widget_s_state_and_its_changes() -> None:
    async def scene() -> None:
        _, panel, told = begun(WISH)
        opened = next(one for one in told if one["type"] == "comm_open" and one["model"] == panel.comm.comm_id)
        assert opened["data"]["state"]["info"]["mode"] == "quorum"
        assert told[-1] == {"type": "shown", "model": panel.comm.comm_id, "wish": WISH}
        panel.close()

    asyncio.run(scene())


@pytest.mark.parametrize(
    "wish",
    [
        "not JSON",
        "[]",
        '{"nodes": 4}',
        '{"nodes": "many"}',
        '{"election": "os:system"}',
        '{"mode": "eventual"}',
        '{"steps": [[1.0, "close", {}]]}',
        '{"steps": [[1.0, "kill", {"node": "node-9"}]]}',
        '{"steps": [[1.0, "delay", {"ms": -5, "jitter_ms": 0}]]}',
        '{"steps": [[1e300, "heal", {}]]}',
        '{"steps": [[-1, "heal", {}]]}',
        '{"steps": [["NaN", "heal", {}]]}',
        '{"steps": 5}',
        '{"steps": [[1.0, "probe", {"node": "node-9", "value": 1}]]}',
        '{"steps": [[1.0, "probe", {"node": "node-1", "value": "x"}]]}',
        json.dumps({"steps": [[0.0, "heal", {}]] * (MOST_STEPS + 1)}),
    ],
)
def test_a_link_that_no_page_has_made_is_refused_with_a_sentence(wish: str) -> None:
    with pytest.raises(BadLink, match="this link"):
        read_wish(wish)


def test_a_file_is_refused_with_a_sentence_too_where_it_holds_too_much() -> None:
    with pytest.raises(BadLink, match="this file has 20,001 steps, and at most 20,000 are carried out"):
        read_wish(json.dumps({"steps": [[0.0, "heal", {}]] * (MOST_IN_FILE + 1)}), MOST_IN_FILE, "this file")
    with pytest.raises(BadLink, match=r"this link has 201 steps, .* Ask for the run as a file"):
        read_wish(json.dumps({"steps": [[0.0, "heal", {}]] * (MOST_STEPS + 1)}))
