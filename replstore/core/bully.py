"""The Bully algorithm (H. Garcia-Molina, "Elections in a Distributed Computing System", 1982, §4): the highest id wins.

A node that misses the leader challenges the others. If no higher id objects, it is the coordinator and says so; if one
does, that one goes on in the same way. A node that comes back with a higher id than the leader's takes over: hence the
name.

    node-1 misses the leader:   node-1 -- Challenge --> node-2, node-3
    both have higher ids:       node-1 <-- Objection -- node-2, node-3     node-1 gives way and waits
    they challenge in turn:     node-2 -- Challenge --> node-3, node-1
    node-3 hears no objection:  node-3 -- Coordinator --> node-1, node-2   node-3 leads

**What the paper assumes.** A silent node is dead, and a message never takes longer than a known time. A network keeps
neither promise: a node that was only slow, or cut off, comes back and believes that it leads. So two things are added
here. Terms, so that a late message of an earlier leadership is recognised. And `vote`: a node follows one leader in a
term and no other, also after a crash. As under `LowestId`, there can still be two leaders in a term; only one of them
has a majority behind it.

**Lower ids are challenged, too** (the paper's algorithm also asks them before it announces a coordinator): whoever is
told an earlier term than its own says so in its answer. So a node that comes back takes no term that has a leader
already, even while nobody can connect to it. Where it hears no answers either, it cannot know of that leader, and takes
the same term again: only votes that are asked for prevent that.

**States** (all transitions as seen in runs: `docs/state-machines.md`): leads, follows, challenges (waits for
objections), gives way (a higher id has objected and will go on), waits (for a leader, or until the timeout).
"""

from __future__ import annotations

from dataclasses import dataclass

from replstore.core.election import Election, ElectionContext
from replstore.core.lowest_id import Taken
from replstore.core.messages import Heartbeat, Message, NodeId, natural_order


@dataclass(frozen=True, slots=True)
class Challenge(Message, name="challenge"):
    """The paper's ELECTION: "I want to lead, in a term after this one; does anybody with a higher id object?" """

    term: int


@dataclass(frozen=True, slots=True)
class Objection(Message, name="objection"):
    """The paper's ANSWER: "I do. Leave it to me." """

    term: int


@dataclass(frozen=True, slots=True)
class Coordinator(Message, name="coordinator"):
    """The paper's COORDINATOR: "I lead, in this term." """

    term: int


@dataclass(frozen=True, slots=True)
class LaterTerm(Message, name="later_term"):
    """ "The term that you told me is over; this one has begun." """

    term: int


class Bully(Election):
    """`_challenging`: objections may still come. `_giving_way`: one has come, so a higher id will go on."""

    catches_up = True  # nobody compares logs

    def __init__(self, seat: ElectionContext) -> None:
        super().__init__(seat)
        self.deadline = None
        self._challenging = False
        self._giving_way = False

    def tick(self, now: float) -> None:
        if self.deadline is None:
            self.deadline = now + self.timeout
        if self.leader == self.me or (now < self.deadline and self.peers):
            return
        if self._challenging:
            self._lead()  # nobody objected in time
        else:
            self._challenge(now)

    def receive(self, sender: NodeId, message: Message, now: float) -> None:
        term: int = getattr(message, "term", 0)
        match message:
            case Challenge():
                self._object(sender, term, now)
            case Objection():
                self._enter(term)
                self._give_way(now)
            case Heartbeat() | Coordinator():
                self._hear_leader(sender, term, now)
            case Taken() if term == self.term and self.leader == self.me:
                self._challenge(now)  # two lead in this very term: a new one is needed
            case _ if term > self.term:
                self._enter(term)
                if not self._challenging:
                    self._wait(now)

    def _outranks(self, peer: NodeId) -> bool:
        return natural_order(peer) > natural_order(self.me)

    def _challenge(self, now: float) -> None:
        """An objection travels there and back well within a heartbeat interval; no more time is given."""
        self.note("election_timeout")
        self.leader = None
        self._challenging, self._giving_way = True, False
        self.deadline = now + self.heartbeat
        self.broadcast(Challenge(self.term))
        if not self.peers:
            self._lead()

    def _object(self, sender: NodeId, term: int, now: float) -> None:
        if self._outranks(sender):
            self._tell_later_term(sender, term)
            if self.leader != self.me:
                self._give_way(now)  # as good as an objection
            return
        self.send(sender, Objection(self.term))
        if self.leader == self.me:
            if term > self.term:
                self._enter(term)
                self._lead()
            else:
                self.send(sender, Coordinator(self.term))
        elif not self._challenging and not self._giving_way:
            self._enter(term)
            self._challenge(now)

    def _hear_leader(self, sender: NodeId, term: int, now: float) -> None:
        if term < self.term:
            self._tell_later_term(sender, term)
        elif self._outranks(sender):
            self._enter(term)
            if self.vote in (None, sender):
                self.leader = self.vote = sender
                self._wait(now)
            else:
                self.send(sender, Taken(term))
        else:
            # A lower id leads: take over. Its term is remembered, so that ours will be later.
            self._enter(term)
            if not self._challenging:
                self._challenge(now)

    def _tell_later_term(self, sender: NodeId, term: int) -> None:
        if term < self.term:
            self.send(sender, LaterTerm(self.term))

    def _enter(self, term: int) -> None:
        """Who leads in a later term, and whom to follow in it, is open."""
        if term > self.term:
            self.term, self.vote, self.leader = term, None, None

    def _give_way(self, now: float) -> None:
        """A higher id is alive and wants to lead."""
        self._wait(now)
        self._giving_way = True

    def _wait(self, now: float) -> None:
        self._challenging = self._giving_way = False
        self.deadline = now + self.timeout

    def _lead(self) -> None:
        self._challenging = False
        self.term += 1
        self.leader = self.vote = self.me
        self.broadcast(Coordinator(self.term))
