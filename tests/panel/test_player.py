"""The simulator's time in the panel's hands."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from labs.cluster.base import Settings
from labs.cluster.simulated import SimulatedCluster
from labs.panel.actions import PanelCommand
from labs.panel.player import Player


class Guard(contextlib.AbstractContextManager[None]):
    """Before somebody gets it, somebody else had it and did this."""

    def __init__(self) -> None:
        self.before: Callable[[], Any] | None = None

    def __enter__(self) -> None:
        first, self.before = self.before, None
        if first is not None:
            first()

    def __exit__(self, *_: object) -> None:
        pass


def test_a_turn_that_waited_while_one_went_back_in_time_moves_nothing_afterwards() -> None:
    guard = Guard()
    with SimulatedCluster(Settings(heartbeat_ms=100, election_timeout_ms=400)) as cluster:
        cluster.sleep(3.0)
        player = Player(cluster, guard)
        player.steer(PanelCommand("play", {"speed": 1.0}))
        guard.before = lambda: player.steer(PanelCommand("rewind", {"to": 1.5}))

        player._turn()

        assert cluster.now() == 1.5
