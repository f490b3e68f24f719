"""A panel on a page of its own: a link carries the seed and the steps, and shows the same run elsewhere."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import comm
import pytest

from labs.cluster.simulated import SimulatedCluster
from labs.panel import background
from labs.panel.standalone import MOST_STEPS, BadLink, Page, SteppedPanel, read_wish

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
        steps = next(one["steps"] for one in reversed(told) if one["type"] == "steps")
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
        steps = next(one["steps"] for one in reversed(told) if one["type"] == "steps")
        assert [step[1] for step in steps] == ["hold", "deliver", "run_out"]

        _, other, _ = begun({**WISH, "steps": steps})
        other.close()
        for one in (panel, other):
            one.cluster.sleep(steps[0][0] + 5 - one.cluster.now())
        assert other.cluster.events() == panel.cluster.events()

    asyncio.run(scene())


def test_a_link_whose_message_is_not_on_its_way_is_refused_with_a_sentence() -> None:
    page = Page(lambda text: None)

    with pytest.raises(BadLink, match="this link cannot be carried out: no message 'never sent'"):
        page.start(json.dumps({**WISH, "steps": [[1.0, "deliver", {"message": "never sent"}]]}))


def test_a_link_that_is_refused_leaves_the_run_that_is_shown() -> None:
    async def scene() -> None:
        page, panel, _ = begun(WISH)
        with pytest.raises(BadLink):
            page.start(json.dumps({**WISH, "steps": [[1.0, "drop", {"message": "never sent"}]]}))
        assert page._panel is panel
        assert panel.alive
        panel.close()

    asyncio.run(scene())


def test_the_page_gets_the_widget_s_state_and_its_changes() -> None:
    async def scene() -> None:
        _, panel, told = begun(WISH)
        opened = next(one for one in told if one["type"] == "comm_open" and one["model"] == panel.comm.comm_id)
        assert opened["data"]["state"]["info"]["mode"] == "quorum"
        assert told[-1] == {"type": "shown", "model": panel.comm.comm_id, "steps": []}
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
        json.dumps({"steps": [[0.0, "heal", {}]] * (MOST_STEPS + 1)}),
    ],
)
def test_a_link_that_no_page_has_made_is_refused_with_a_sentence(wish: str) -> None:
    with pytest.raises(BadLink, match="this link"):
        read_wish(wish)
