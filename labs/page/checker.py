"""Checks an exercise inside a web worker of its own: the worker's whole program.

Law of this module: the grader's own function, checks and seeds; plain JSON comes in and goes out. Whoever started the
worker may end it at any moment, so nothing here has to be tidied up.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from labs.grading.check import CheckOutcome, Scene
from labs.grading.checks import SUITE
from labs.grading.errors import GraderError
from labs.grading.results import CheckResult
from labs.grading.runner import grade
from labs.grading.sandbox.isolation import Isolation
from labs.grading.sandbox.limits import DEFAULT
from labs.grading.settings import VISIBLE_SEEDS, GradingSettings
from labs.grading.submission.submission import Submission
from labs.simulation.schedule import Run, Schedule
from labs.trace.events import Event

HERE = Isolation("worker", "")
LIMITS = replace(DEFAULT, exercise=180.0, submission=900.0, grader=900.0)
"""A page is several times slower than a machine's own Python; what the student's code may take for one check stays."""
LIFE_EVERY = 1.0
"""Seconds between two signs of life."""

Post = Callable[[str], object]


def check(request: str, post: Post) -> None:
    """`request`: `{"sources": {exercise: text}, "problems": {…}, "only": [names]}`. Posts `{"life": true}` while it
    works, `{"result": …, "scene": …}` for each check, and at the end `{"report": …}` or `{"trouble": sentence}`."""
    asked = json.loads(request)
    submission = Submission("page", asked["sources"], asked["problems"])
    settings = GradingSettings(seeds=VISIBLE_SEEDS, limits=LIMITS, isolation=HERE, only=tuple(asked["only"]))
    life = SignOfLife(post)

    def told(result: CheckResult, outcome: CheckOutcome) -> None:
        post(json.dumps({"result": result.to_json(), "scene": scene_to_json(outcome.scene)}))

    try:
        report = grade(submission, SUITE, settings, told, life.look)
    except GraderError as error:
        post(json.dumps({"trouble": str(error)}))
        return
    post(json.dumps({"report": report.to_json()}))


class SignOfLife:
    """Says now and then that the grader is still asking: whoever waits can tell it from code that never comes back."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._next = 0.0

    def look(self) -> bool:
        """In the grader's place for "is it to stop?", which it asks before each question. Never."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + LIFE_EVERY
            self._post('{"life": true}')
        return False


# -- scenes --------------------------------------------------------------------------------------------------


def scene_to_json(scene: Scene | None) -> dict[str, Any] | None:
    """A run of an election as JSON. A cluster as a function left it cannot leave the worker: None."""
    if scene is None or scene.run is None:
        return None
    run = scene.run
    return {
        "moment": scene.moment, "proof": list(scene.proof), "schedule": run.schedule.to_json(),
        "trace": [event.to_json() for event in run.trace], "failure": run.failure, "strategy": run.strategy,
        "node_ids": list(run.node_ids),
    }  # fmt: skip


def scene_from_json(data: dict[str, Any] | None) -> Scene | None:
    """What can be drawn and replayed: what clients were told and the nodes' last states are not in it."""
    if data is None:
        return None
    run = Run(
        Schedule.from_json(data["schedule"]),
        [Event.from_json(event) for event in data["trace"]],
        calls=[],
        nodes={},
        error=RuntimeError(data["failure"]) if data["failure"] else None,
        strategy=data["strategy"],
        node_ids=tuple(data["node_ids"]),
    )
    return Scene(data["moment"], run, tuple(data["proof"]))
