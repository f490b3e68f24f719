"""Elections that obey a plan: who leads when, and who has voted for it. For scenarios of replication."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from replstore.core.election import Election, ElectionContext
from replstore.core.messages import Message, NodeId

LATER = 0.05
"""The leader begins so much later than its voters follow it; two ticks are enough."""


class Reign(NamedTuple):
    """From `time` (seconds) on `leader` leads in `term`; `voters` vote for it and follow it, others hear nothing."""

    time: float
    term: int
    leader: NodeId
    voters: tuple[NodeId, ...]


class Scripted(Election):
    def __init__(self, seat: ElectionContext, plan: tuple[Reign, ...]) -> None:
        super().__init__(seat)
        self.plan = plan

    def tick(self, now: float) -> None:
        for reign in self.plan:
            begins = reign.time + (LATER if reign.leader == self.me else 0.0)
            if self.me in (reign.leader, *reign.voters) and now >= begins and reign.term > self.term:
                self.term, self.vote, self.leader = reign.term, reign.leader, reign.leader

    def receive(self, sender: NodeId, message: Message, now: float) -> None:
        """It listens to nobody."""


def scripted(*plan: Reign) -> Callable[[ElectionContext], Scripted]:
    return lambda seat: Scripted(seat, plan)
