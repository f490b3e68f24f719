"""The course's rule: the lowest id that is not suspected dead leads. No voting.

Every node tells every other that it is alive, once a heartbeat interval. When the leader's heartbeat has been missing
for the election timeout, each node looks at who else is alive: the lowest id takes the next term and leads, the others
wait for it. Nobody asks anybody, which is why a cut network gets a leader on either side.
"""

from __future__ import annotations

from dataclasses import dataclass

from replstore.election import Election, Seat
from replstore.messages import Heartbeat, Message, NodeId, natural_order


@dataclass(frozen=True, slots=True)
class Alive(Message):
    """ "I am here, and the highest term I know of is this one." """

    term: int


class LowestId(Election):
    catches_up = True

    def __init__(self, seat: Seat) -> None:
        super().__init__(seat)
        self._heard: dict[NodeId, float] | None = None
        self._leader_heard = 0.0
        self._next_alive = 0.0
        self._successor: NodeId | None = None
        self._since = 0.0  # when we came to expect this successor

    def tick(self, now: float) -> None:
        self._when_heard(now)
        if self.leader == self.me:
            return
        if now >= self._next_alive:
            self._next_alive = now + self.heartbeat
            self.broadcast(Alive(self.term))
        if now - self._leader_heard >= self.timeout or not self.peers:
            self._elect(now)

    def receive(self, sender: NodeId, message: Message, now: float) -> None:
        self._when_heard(now)[sender] = now
        term: int = getattr(message, "term", 0)
        if isinstance(message, Heartbeat):
            self._hear_leader(sender, term, now)
        elif term > self.term:
            # Somebody leads, or led, in a later term than any we knew. Give its heartbeat time to arrive.
            self._follow(None, term, now)

    # -- the leader's heartbeat -----------------------------------------------------------------------

    def _hear_leader(self, sender: NodeId, term: int, now: float) -> None:
        """A later term counts more. A cut network can have had two leaders in one term: then, again, the lower id."""
        lower = self.leader is None or natural_order(sender) <= natural_order(self.leader)
        if term > self.term or (term == self.term and lower):
            self._follow(sender, term, now)

    def _follow(self, leader: NodeId | None, term: int, now: float) -> None:
        self.leader, self.term = leader, term
        self._leader_heard = now
        self._successor = None

    # -- its absence ----------------------------------------------------------------------------------

    def _when_heard(self, now: float) -> dict[NodeId, float]:
        """When each peer was heard last. Nodes do not start in the same instant, so at the start everybody gets an
        extra timeout before counting as dead."""
        if self._heard is None:
            self._leader_heard = now
            self._heard = dict.fromkeys(self.peers, now + self.timeout)
        return self._heard

    def _elect(self, now: float) -> None:
        alive = [peer for peer, heard in self._when_heard(now).items() if now - heard < self.timeout]
        successor = min([self.me, *alive], key=natural_order)
        if successor != self._successor:
            self._agree_on(successor, now)
        # A moment's grace before leading: the others come to the same conclusion first, and a node that was asleep
        # reads the heartbeats that arrived meanwhile.
        if successor == self.me and (now >= self._since + self.heartbeat / 2 or not self.peers):
            self.term += 1
            self.leader = self.me
            self._successor = None

    def _agree_on(self, successor: NodeId, now: float) -> None:
        if self._successor is None:
            self.note("election_timeout")
        self.leader = None
        self._successor, self._since = successor, now
        if successor != self.me:
            self.note("waiting_for", leader=successor)
