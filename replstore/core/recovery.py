"""A node that lost entries which it had acknowledged, until it holds all of them again.

Law of this module: such a node counts as absent in elections. It votes for nobody, claims nothing and confirms nothing;
it follows whoever leads, and takes what is shipped. So an entry that a majority acknowledged is still found by every
later leader: one of the voters that elect it has never lost it. (The rule is that of a lost disk in B. Liskov, J.
Cowling, "Viewstamped Replication Revisited", 2012, §4.3: a recovering replica takes no part in votes.)

Its term and vote are not lost, or it might vote a second time in one term: the driver keeps them apart from the
entries. When they are gone as well, nobody can know that anything was lost.
"""

from __future__ import annotations

from replstore.core.election import Election, ElectionContext
from replstore.core.log import Log
from replstore.core.messages import EntryId, Heartbeat, Message, NodeId


class Recovering(Election):
    """Takes the strategy's seat as long as the node recovers, whatever the strategy is."""

    def __init__(self, seat: ElectionContext) -> None:
        super().__init__(seat)
        self._heard = 0.0
        self._since = 0.0

    def tick(self, now: float) -> None:
        """Time makes it do nothing: it never calls an election."""

    def receive(self, sender: NodeId, message: Message, now: float) -> None:
        """Only a leader's heartbeat counts: of a later term, or another's of this term when the first went silent."""
        if not isinstance(message, Heartbeat) or message.term < self.term:
            return
        if message.term > self.term:
            self.vote = None
        elif self.leader not in (None, sender) and now - self._heard < self.timeout:
            return
        if (sender, message.term) != (self.leader, self.term):
            self.leader, self.term, self._since = sender, message.term, now
        self._heard = now

    def holds_all(self, commit: EntryId, log: Log, now: float) -> bool:
        """Whether `log` holds all that this node can ever have acknowledged, as its leader's heartbeat shows.

        The leader's `commit` is of its own term, so all earlier leaders' committed entries lie before it (Raft §5.4.2).
        An answer that this node gave before its loss may still be under way and count: it gets an election timeout to
        arrive, so that what it helped to commit lies before `commit` as well.
        """
        settled = now - self._since >= self.timeout and commit.term == self.term
        return settled and log.id_at(commit.index) == commit
