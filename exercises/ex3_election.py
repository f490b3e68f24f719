"""Exercise 3: leader election by majority vote.

The course's rule (`replstore/core/lowest_id.py`) needs no vote, and crowns a leader on either side of a cut network.
Write one that does not. The interface is `replstore.Election`; all you need to know of it:

    self.leader, self.term, self.vote    set them; the node saves term and vote, and restores them after a crash
    self.me, self.peers, self.majority   my id, the others', and how many are more than half of all
    self.log.last                        (term, index) of my last log entry; the newer log compares greater
    self.timeout, self.heartbeat         in seconds
    self.rng                             the only source of randomness you may use, a random.Random
    self.send(peer, message), self.broadcast(message)

What is expected, in numbers:

* A cluster has up to nine nodes. A majority that is up and connected has a leader within ten election timeouts, and
  then keeps it, also when a minority is down for good.
* A leader that hears from no majority steps down within two election timeouts.
* `self.vote` is the plain id of the node that you vote for, your own included, or None.
* Nodes learn of each other by messages alone, and messages may come late, twice or never. You send messages of your own
  types; `Heartbeat` and all the others of `replstore` are the node's.
* Random is `self.rng` and nothing else: no `random.random()`, no clock, no order of a set. With these two runs differ,
  and that costs the points of (c).

The node calls `tick(now)` several times a heartbeat interval, and `receive(sender, message, now)` for your own
messages, for a leader's `Heartbeat` and for a follower's `HeartbeatReply` (both have a `term`). While
`self.leader == self.me` the node sends heartbeats by itself, and it answers those of others by itself.

Parts, each graded by itself; each is first shown as a failure of the one before (see the notebook):

(a) [40 points] Terms, one vote a term, and a majority of *all* nodes.
(b) [20 points] Vote only for a log at least as new as your own: no acknowledged write is lost. (`catches_up`, as in the
    course's rule, does not count here.)
(c) [20 points] Random timeouts: candidates do not meet for ever, and a leader is back in time.
(d) [20 points] Pre-vote, and a leader that hears no majority steps down: a returning node disturbs nobody.

Run it:    pytest exercises/ -k ex3        or        replab check ex3
For real:  replab up --election exercises.ex3_election:MyElection
"""

from __future__ import annotations

from dataclasses import dataclass

from replstore import Election, ElectionContext, Heartbeat, HeartbeatReply, Message, NodeId

__all__ = ["Heartbeat", "HeartbeatReply", "MyElection", "RequestVote", "Vote"]


@dataclass(frozen=True)
class RequestVote(Message):
    """A message of your own: any frozen dataclass derived from `Message` will do. Add fields as you need them."""

    term: int


@dataclass(frozen=True)
class Vote(Message):
    term: int
    granted: bool


class MyElection(Election):
    def __init__(self, context: ElectionContext) -> None:
        super().__init__(context)
        # Your own attributes go here. They are lost in a crash; term and vote are not.

    def tick(self, now: float) -> None:
        """Time has passed. Has the leader been silent for too long?"""
        raise NotImplementedError("MyElection.tick")

    def receive(self, sender: NodeId, message: Message, now: float) -> None:
        """A message has come in."""
        raise NotImplementedError("MyElection.receive")
