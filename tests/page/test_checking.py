"""Exercises in a web page: the same checks and points, unofficial, and a failed run that can be opened."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import exercises
import solutions
from labs.page.checker import check, scene_from_json
from labs.panel import background, page_exercise
from labs.panel.page_exercise import STOPPED, PageExercisePanel
from labs.panel.replays import differs, draw, strategy_of

EX3 = "ex3_election.py"
STARTER = (Path(exercises.__file__).parent / EX3).read_text(encoding="utf-8")
REFERENCE = (Path(solutions.__path__[0]) / EX3).read_text(encoding="utf-8")
WRONG = REFERENCE.replace("free = self.vote in (None, sender) and self.leader is None", "free = True")
assert WRONG != REFERENCE

Message = dict[str, Any]


def messages(text: str, *only: str) -> list[Message]:
    posted: list[str] = []
    check(json.dumps({"sources": {"ex3": text}, "problems": {}, "only": list(only)}), posted.append)
    return [json.loads(one) for one in posted]


def test_a_failed_run_comes_out_of_the_worker_whole_enough_to_be_replayed_and_drawn() -> None:
    result = next(one for one in messages(WRONG, "ex3.votes") if "result" in one)

    scene = scene_from_json(result["scene"])

    assert result["result"]["status"] == "failed"
    assert scene is not None
    assert scene.run is not None
    assert differs(scene.run, strategy_of(WRONG)) == ""
    svg, story = draw(scene, scene.run, 800, whole=False, proof=True)
    assert svg.startswith("<svg")
    assert story


@pytest.mark.slow
def test_the_worker_says_that_it_is_alive_before_its_first_question() -> None:
    assert messages(REFERENCE, "ex3.elects")[0] == {"life": True}


def test_a_check_that_does_not_exist_is_a_sentence() -> None:
    assert "there is no check" in messages(REFERENCE, "ex3.nothing")[-1]["trouble"]


class Worker:
    """In place of the web worker: the checks run at once, or never end."""

    endless = False
    started: list[Worker] = []  # noqa: RUF012

    def __init__(self, request: Message, heard: Callable[[Message], None]) -> None:
        self.ended = False
        Worker.started.append(self)
        if not Worker.endless:
            check(json.dumps(request), lambda text: self._pass_on(json.loads(text), heard))

    def _pass_on(self, message: Message, heard: Callable[[Message], None]) -> None:
        if "life" not in message:
            asyncio.get_running_loop().call_soon(heard, message)

    def end(self) -> None:
        self.ended = True


@pytest.fixture
def in_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "threads_work", lambda: False)
    monkeypatch.setattr(page_exercise, "CheckingWorker", Worker)
    monkeypatch.setattr(Worker, "endless", False)
    monkeypatch.setattr(Worker, "started", [])


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.mark.slow
@pytest.mark.usefixtures("in_a_page")
def test_the_panel_shows_the_grader_s_marks_and_says_that_they_are_unofficial() -> None:
    async def scene() -> None:
        panel = PageExercisePanel("ex3", code=REFERENCE).run("ex3.elects")
        await until(lambda: panel.marks.done != [] and not panel.checking)
        assert panel.marks.earned == 10
        assert "unofficial" in panel.board.about["title"]
        assert any("Unofficial" in note for note in panel.board.total["notes"])
        assert panel.children[-1].text == REFERENCE
        assert panel.children[-1].name == EX3
        assert list(panel.errors) == []
        panel.close()

    asyncio.run(scene())


@pytest.mark.usefixtures("in_a_page")
def test_a_failed_check_can_be_opened() -> None:
    async def scene() -> None:
        panel = PageExercisePanel("ex3", code=WRONG).run("ex3.votes")
        await until(lambda: panel.marks.done != [] and not panel.checking)
        panel.board._handle_custom_msg({"do": "open", "check": "ex3.votes", "whose": "yours"}, [])
        await until(lambda: panel.opened is not None)
        assert panel.opened is not None
        assert panel.opened.kind == "replay"
        assert panel.opened.warning == ""
        panel.close()
        assert panel.opened is None

    asyncio.run(scene())


@pytest.mark.usefixtures("in_a_page")
def test_stop_ends_the_worker_at_once_whatever_the_code_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Worker, "endless", True)

    async def scene() -> None:
        panel = PageExercisePanel("ex3", code="while True: pass").run()
        await until(lambda: bool(Worker.started))
        assert panel.checking
        panel.stop()
        assert Worker.started[0].ended
        assert not panel.checking
        assert panel.board.total["headline"] == STOPPED
        panel.close()

    asyncio.run(scene())


@pytest.mark.usefixtures("in_a_page")
def test_the_starter_is_not_attempted_yet() -> None:
    async def scene() -> None:
        panel = PageExercisePanel("ex3", code=STARTER).run()
        await until(lambda: not panel.checking)
        assert {row.state for row in panel.marks.rows.values()} == {"not_attempted"}
        panel.close()

    asyncio.run(scene())
