"""A simulator that tells an election ahead what it will be asked, so that it can find many answers together.

A question to the sandbox takes far longer than what it asks for. Law of this module: looking ahead changes no run; only
what is certain is announced.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop
from random import Random
from typing import Any, Protocol

from labs.grading.rehearsal import LookAhead, Rehearsal
from labs.simulation.simulator import Simulator
from replstore.core.election import Election, ElectionContext
from replstore.core.messages import NodeId

_LEAST, _MOST = 8, 256
"""Events that are announced at once. Where strategies act, what was announced after that was announced in vain."""


class ForeseeingElections(Protocol):
    """A factory of elections that can be asked ahead of time."""

    def __call__(self, seat: ElectionContext) -> Election: ...

    def foresee(self, coming: Sequence[LookAhead]) -> float:
        """Find the answers to what is coming; returns until when they are known."""


class LookAheadSimulator(Simulator):
    """A `Simulator` whose `election` is a `ForeseeingElections`."""

    def __init__(self, nodes: int | Sequence[NodeId], election: ForeseeingElections, **settings: Any) -> None:
        super().__init__(nodes, election, **settings)
        self._foresee = election.foresee
        self._far = _LEAST
        self._dice = Random(0)

    def run_until(self, time: float) -> None:
        agenda = self.agenda
        known = -1.0
        while agenda and agenda[0][0] <= time:
            if agenda[0][0] > known:
                coming = self.coming(time)
                known = self._foresee(coming)
                as_expected = not coming or known == coming[-1].until
                self._far = min(2 * self._far, _MOST) if as_expected else max(self._far // 2, _LEAST)
            self.now, _, action, args = heappop(agenda)
            action(*args)
        self.now = max(self.now, time)

    def coming(self, end: float) -> list[LookAhead]:
        """What nodes will be given until `end`, as far as that is certain while no strategy does anything: the moments
        of a rehearsal. Of the first moment in which one does something all comes true, of later ones perhaps nothing.
        """
        return Rehearsal(self, end, self._far, self._dice).moments
