"""The course's rule: the lowest id that is not suspected dead leads. No voting.

Every node tells every other that it is alive, once a heartbeat interval. When the leader's heartbeat has been missing
for the election timeout, each node looks at who else is alive: the lowest id takes the next term and leads, the others
wait for it. Nobody asks anybody, which is why a cut network gets a leader on either side, and sometimes both in the
same term.

**Why it is wrong, and what it still keeps.** "Not heard for a timeout" is taken for "dead". In a network where messages
can be late, nobody can tell the two apart: a cut-off leader and a slow one look the same. So this rule gives up that a
term has one leader. What it does keep: a node follows one leader in a term and no other, also after a crash (`vote`
remembers whom). So only one of two leaders in a term can have a majority behind it, and only that one can acknowledge a
write that a majority must hold. In `async`, where the leader's own copy is enough, both can, and one of the writes will
be lost.

**Coming back.** A node that comes back learns the present term from the answers to its own `Alive`: whoever is told an
earlier term than its own says so, in the answer to that very message. So it takes no term that has a leader already,
even while nobody can connect to it. Where it hears no answers either, it cannot know of that leader, and takes the same
term again: only votes that are asked for prevent that.

**States** (see `docs/state-machines.md` for all transitions, as they are seen in runs):

* leads: `leader` is this node;
* follows: `leader` is another one, heard within the timeout;
* looks for a leader: nobody is known to lead, and the timeout is not over yet;
* waits for a lower id, or is about to lead: the timeout is over, and the successor is chosen.
"""

from __future__ import annotations

from dataclasses import dataclass

from replstore.core.election import Election, ElectionContext
from replstore.core.messages import Heartbeat, HeartbeatReply, Message, NodeId, natural_order


@dataclass(frozen=True, slots=True)
class Alive(Message, name="alive"):
    """ "I am here, and the highest term I know of is this one." """

    term: int


@dataclass(frozen=True, slots=True)
class Taken(Message, name="taken"):
    """ "In this term I follow another leader than you." """

    term: int


class LowestId(Election):
    """Two rules: suspect whoever was silent for a timeout; of those who are not suspected the lowest id leads."""

    catches_up = True  # nobody compares logs

    def __init__(self, seat: ElectionContext) -> None:
        super().__init__(seat)
        self._started: float | None = None
        self._heard: dict[NodeId, float] = {}
        self._leader_heard = 0.0
        self._next_alive = 0.0
        self._successor: NodeId | None = None
        self._followers: set[NodeId] = set()  # who has answered that it follows, while we lead
        self._since = 0.0  # when we came to expect this successor

    def tick(self, now: float) -> None:
        self._since_start(now)
        if self.leader == self.me:
            return
        if now >= self._next_alive:
            self._next_alive = now + self.heartbeat
            self.broadcast(Alive(self.term))
        if now - self._leader_heard >= self._longest_silence or not self.peers:
            self._elect(now)

    @property
    def _longest_silence(self) -> float:
        """Who has heard nobody yet does not know whether there is a leader: it waits until the others count as dead."""
        return self.timeout if self._heard else 2 * self.timeout

    @property
    def deadline(self) -> float | None:
        """As in `Election`; it follows from when the leader was heard."""
        return None if self._started is None else self._leader_heard + self._longest_silence

    def receive(self, sender: NodeId, message: Message, now: float) -> None:
        self._since_start(now)
        self._heard[sender] = now
        term: int = getattr(message, "term", 0)
        if isinstance(message, Heartbeat):
            self._hear_leader(sender, term, now)
        elif isinstance(message, HeartbeatReply) and message.follows and term == self.term:
            self._followers.add(sender)
        elif isinstance(message, Taken) and term == self.term:
            self._meet_rival(now)
        elif term > self.term:
            # Somebody leads, or led, in a later term than any we knew. Give its heartbeat time to arrive.
            self._follow(None, term, now)
        elif term < self.term and isinstance(message, Alive):
            self.send(sender, Alive(self.term))

    # -- the leader's heartbeat -----------------------------------------------------------------------

    def _hear_leader(self, sender: NodeId, term: int, now: float) -> None:
        if term > self.term or (term == self.term and self.vote in (None, sender)):
            self._follow(sender, term, now)
        elif term == self.term:
            self.send(sender, Taken(term))
            self._meet_rival(now)

    def _meet_rival(self, now: float) -> None:
        """Somebody else leads in this very term. If we lead and a majority follows us, we go on in a term of our own,
        in which everybody is free to follow; else we leave it to the next election."""
        if self.leader != self.me:
            return
        if len(self._followers) + 1 >= self.majority:
            self._lead()
        else:
            self._follow(None, self.term, now)

    def _follow(self, leader: NodeId | None, term: int, now: float) -> None:
        if term > self.term:
            self.vote = None
        self.leader, self.term, self.vote = leader, term, leader or self.vote
        self._leader_heard = now
        self._successor = None

    def _lead(self) -> None:
        self.term += 1
        self.leader = self.vote = self.me
        self._followers.clear()
        self._successor = None

    # -- its absence ----------------------------------------------------------------------------------

    def _since_start(self, now: float) -> float:
        """When this node was first asked anything."""
        if self._started is None:
            self._started = self._leader_heard = now
        return self._started

    def _seems_alive(self, peer: NodeId, now: float) -> bool:
        """Nodes do not start in the same instant, so at the start everybody gets an extra timeout."""
        return now - self._heard.get(peer, self._since_start(now) + self.timeout) < self.timeout

    def _elect(self, now: float) -> None:
        alive = [peer for peer in self.peers if self._seems_alive(peer, now)]
        successor = min([self.me, *alive], key=natural_order)
        if successor != self._successor:
            self._agree_on(successor, now)
        # A moment's grace before leading: the others come to the same conclusion first, and a node that was asleep
        # reads the heartbeats that arrived meanwhile.
        if successor == self.me and (now >= self._since + self.heartbeat / 2 or not self.peers):
            self._lead()

    def _agree_on(self, successor: NodeId, now: float) -> None:
        if self._successor is None:
            self.note("election_timeout")
        self.leader = None
        self._successor, self._since = successor, now
        if successor != self.me:
            self.note("waiting_for", leader=successor)
