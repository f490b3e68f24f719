"""Four elections that lack one thing each, and what came of it: the reasons for the parts of Exercise 3.
And a good one, to imitate.

Law of this module: what is shown has happened. Each file beside this one is a stretch of a simulated run, with the seed
that brings it back; `python -m tools.record_failures` records them anew, and a test compares.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labs.pictures import spacetime_svg, tell
from labs.trace.events import Event

NAMES = ("old-log", "same-timeout", "no-pre-vote", "leader-without-quorum")
"""In the order in which the exercise meets them."""
GOOD = "good-election"
"""A run of the reference, in which nothing is broken: what one imitates."""


@dataclass(frozen=True)
class Failure:
    """`lacks` says what the election does wrong, `check` which of Exercise 3's checks is about that; the run is the
    first of its `seed`. `window`: the seconds that are shown; `proof`: the events that break the rule."""

    name: str
    lacks: str
    check: str
    seed: int
    rule: str
    text: str
    window: tuple[float, float]
    node_ids: tuple[str, ...]
    proof: tuple[int, ...]
    events: tuple[Event, ...]

    @property
    def command(self) -> str:
        """The same situation with one's own election."""
        return f"replab check ex3 --only {self.check} --seed {self.seed}"

    def picture(self) -> str:
        """An SVG."""
        title = f"✗ Broken: {self.rule}" if self.rule else "The leader crashes, and another one is elected"
        return spacetime_svg(
            self.events, node_ids=self.node_ids, window=self.window, highlight=self.proof, origin=0.0, title=title
        )

    def story(self, limit: int = 12) -> list[str]:
        return tell(self.events, node_ids=self.node_ids, window=self.window, origin=0.0, limit=limit)

    def to_json(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return own | {"events": [event.to_json() for event in self.events]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Failure:
        lists = {name: tuple(data[name]) for name in ("node_ids", "proof", "window")}
        return cls(**(data | lists | {"events": tuple(map(Event.from_json, data["events"]))}))


def load(name: str) -> Failure:
    """One of `NAMES`, or `GOOD`. Raises `ValueError` for another name."""
    if name not in (*NAMES, GOOD):
        raise ValueError(f"no failure {name!r}; there are {', '.join(NAMES)}")
    return Failure.from_json(json.loads(file_of(name).read_text(encoding="utf-8")))


def file_of(name: str) -> Path:
    return Path(__file__).with_name(f"{name}.json")
