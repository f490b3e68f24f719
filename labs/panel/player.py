"""Time in the panel's hands: step, play, halt and rewind a simulated cluster.

Law of this module: it moves virtual time with `cluster.sleep` and back with `cluster.rewind`, always under the guard
that the panel's other threads hold while they look, so nobody sees half a step.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any

from labs.cluster.base import Cluster, ClusterError
from labs.cluster.simulated import SimulatedCluster
from labs.panel import actions
from labs.panel.actions import PanelCommand
from labs.panel.background import Loop, Report
from labs.panel.messages import family_of
from labs.trace.prose import pairs

MOST_FLYING = 60
"""Messages on their way that are shown."""

FRAME = 0.1
"""Seconds of wall time in one turn of playing."""


class Player:
    """Plays a simulated cluster at 0.1 to 10 times real time. It starts halted unless `playing`. `moments`: names and
    times to go to; `span`: seconds that are worth seeing at once (None: a minute)."""

    def __init__(
        self,
        cluster: Cluster,
        guard: contextlib.AbstractContextManager[Any],
        speed: float = 1.0,
        moments: Sequence[tuple[str, float]] = (),
        span: float | None = None,
        playing: bool = False,
    ) -> None:
        self._cluster = cluster
        self._guard = guard
        self._speed = speed
        self._told = {"moments": [list(moment) for moment in moments], "span": span}
        self._playing = playing
        self._loop: Loop | None = None
        self._last = time.monotonic()

    @property
    def rate(self) -> float:
        """Virtual seconds that pass in a second."""
        return self._speed if self._playing else 0.0

    def state(self) -> dict[str, Any]:
        rewinds = hasattr(self._cluster, "rewind")
        flying = [] if self._playing else self._flying()
        return {"playing": self._playing, "speed": self._speed, "rewinds": rewinds, "flying": flying, **self._told}

    def _flying(self) -> list[list[Any]]:
        """What is on its way while time stands: `[id, family, sender, receiver, words, due]`."""
        if not isinstance(self._cluster, SimulatedCluster):
            return []
        return [
            [one.id, family_of(one.kind, one.details), one.sender, one.to, f"{one.kind}{pairs(one.details)}", one.due]
            for one in self._cluster.in_flight()[:MOST_FLYING]
        ]

    def begin(self, report: Report) -> None:
        self._loop = Loop("panel-player", "Playing the simulation", self._turn, report)
        self._loop.begin()

    def end(self, timeout: float = 0.0) -> None:
        if self._loop:
            self._loop.end(timeout)

    def steer(self, command: PanelCommand) -> bool:
        """`step`, `play`, `halt` or `rewind`. True if the past has changed."""
        given = command.arguments
        if command.verb == "step":
            self._playing = False
            self._sleep(given["seconds"])
        elif command.verb == "play":
            self._speed, self._playing, self._last = given["speed"], True, time.monotonic()
        elif command.verb == "halt":
            self._playing = False
        elif command.verb == "undo":
            self._playing = False
            return self._by_hand().undo()
        elif command.verb in actions.BY_HAND:
            self._playing = False
            actions.act(self._by_hand(), command)
        else:
            self._playing = False
            self._rewind(given["to"])
            return True
        return False

    def saved(self) -> str:
        """The run until now as a schedule's JSON text."""
        return self._by_hand().schedule().to_json()

    def _by_hand(self) -> SimulatedCluster:
        if not isinstance(self._cluster, SimulatedCluster):
            raise ClusterError("This cluster cannot be moved by hand.")
        return self._cluster

    def _turn(self) -> float:
        now = time.monotonic()
        passed, self._last = now - self._last, now
        with self._guard:  # asked under the guard: whoever held it may just have halted, and gone to another moment
            if self._playing:
                # After a stall (a busy machine, a long put) play on from here: do not rush to catch up.
                self._sleep(min(passed, 3 * FRAME) * self._speed)
        return FRAME

    def _sleep(self, seconds: float) -> None:
        with self._guard:
            self._cluster.sleep(seconds)

    def _rewind(self, to: float) -> None:
        rewind: Callable[[float], None] | None = getattr(self._cluster, "rewind", None)
        if rewind is None:
            raise ClusterError("This simulated cluster cannot be rewound.")
        with self._guard:
            rewind(to)
