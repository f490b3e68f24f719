"""A store node: one input in, an ordered list of effects out.

Law of this module: no socket, no thread, no clock, no file, no random numbers of its own. `handle(event, now)` computes
what must happen; its caller (the runtime, or the simulator) carries the effects out *in their order*. After a crash a
node is built again from the records that it asked to save.

How a write travels: `Request` appends it to the leader's log. `Flush` ships and saves it. When as many nodes have saved
it as the mode asks for, it is *committed*: applied to the store, and its client answered. Followers apply what their
leader says is committed.

Who does what:

* the election strategy says who leads, in which term (`election`);
* `Leader` exists while that is this node, and `Follower` takes what another leader ships;
* `Participant`, which a node is, asks the strategy, and keeps term and vote (its base, `Replica`, has log and store);
* here every input is given to the right one of them.

Roles are derived, never stored: a node leads while its election's `leader` is itself. So no two variables can disagree
about it. Whatever belongs to one leadership is an object that is dropped with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random
from typing import Any

from replstore.core.contract import Effect, Input, NotLeader, Received, Record, Request, Tick
from replstore.core.election import Election, ElectionContext
from replstore.core.follower import Follower
from replstore.core.leader import Leader
from replstore.core.log_summary import summary_of
from replstore.core.messages import (
    Entry,
    FetchLog,
    Heartbeat,
    HeartbeatReply,
    LogConflict,
    Message,
    NodeId,
    Replicate,
    Replicated,
    Snapshot,
    SnapshotReceived,
)
from replstore.core.participant import Participant
from replstore.core.replication import Replication

STATUS_KEYS = 1000


class Node(Participant):
    """One member of a cluster.

    `peers` are the other members' ids; `election` makes the strategy; `heartbeat` and `timeout` are in seconds; `mode`
    is one of `MODES`; `records` is what an earlier life of this node saved.
    """

    # What leads and follows in this node. (Nodes that are broken on purpose exchange them.)
    leader_class = Leader
    follower_class = Follower

    def __init__(
        self,
        node_id: NodeId,
        peers: Iterable[NodeId],
        election: Callable[[ElectionContext], Election],
        *,
        heartbeat: float,
        timeout: float,
        mode: str,
        rng: Random,
        records: Iterable[Record] = (),
    ) -> None:
        self._on_message: dict[type[Message], Callable[[NodeId, Any], None]] = {
            Heartbeat: self._on_heartbeat,
            HeartbeatReply: self._on_heartbeat_reply,
            Replicate: self._on_replicate,
            Replicated: self._on_replicated,
            LogConflict: self._on_log_conflict,
            Snapshot: self._on_snapshot,
            SnapshotReceived: self._on_snapshot_received,
            FetchLog: self._on_fetch_log,
        }
        self.leading: Leader | None = None
        self._following = self.follower_class(self)
        self.catch_up_sender: Replication | None = None
        """While this node ships to a new leader what that one lacks."""
        self._rounds = 0
        """The last round of heartbeats of the leadership before: numbers go on, also within one term."""
        super().__init__(node_id, peers, election, heartbeat, timeout, mode, rng, records)

    # -- looking --------------------------------------------------------------------------------------

    @property
    def leads(self) -> bool:
        return self.leading is not None and self.leading.accepts_writes

    @property
    def role(self) -> str:
        if self.leads:
            return "leader"
        election = self.election
        stands = election.leader is None and election.vote == self.id and not election.catches_up
        return "candidate" if self.leading is not None or stands else "follower"

    @property
    def leader(self) -> NodeId | None:
        """The leader to send clients to, if one is known."""
        return None if self.election.leader == self.id and not self.leads else self.election.leader

    def status(self) -> dict[str, Any]:
        """For `GET /status`; lags are counted in entries, None: not known."""
        return {
            "node_id": self.id,
            "role": self.role,
            "term": self.election.term,
            "leader_id": self.leader,
            "total_keys": len(self.store),
            "keys": self.store.keys(STATUS_KEYS),
            "mode": self.mode,
            "election": type(self.election).__name__,
            "last_index": self.log.last_index,
            "commit_index": self.commit.index,
            "log_length": len(self.log),
            "log": summary_of(self.log),
            "lag": self.leading.replication.lag() if self.leading and self.leads else {},
            "peers": list(self.peers),
        }

    # -- the way in -----------------------------------------------------------------------------------

    def handle(self, event: Input, now: float) -> list[Effect]:
        """Take one input at time `now` (seconds, never going back); returns what must be done about it, in order."""
        self.now = now
        if type(event) is Tick:
            self._on_tick()
        elif type(event) is Received:
            action = self._on_message.get(type(event.message), self._on_strategy_message)
            action(event.sender, event.message)
        elif type(event) is Request:
            self._on_request(event)
        else:
            self._flush()
        effects, self.effects = self.effects, []
        return effects

    def _on_tick(self) -> None:
        self._tick_election()
        if self._awake.woke and (shipping := self._shipping()):
            shipping.is_awake()
        self._awake.woke = False
        if self.leading is not None:
            self.leading.tick()
        if self.log.is_long:
            self.compact_log()
        self._flush()

    def _on_request(self, request: Request) -> None:
        if self.leading is None or not self.leading.accepts_writes:
            self.reply(request.id, NotLeader(self.role, self.leader))
        else:
            self.leading.request(request)

    def _flush(self) -> None:
        if self.leading is not None:
            self.leading.flush()
        elif self.catch_up_sender is not None:
            self.ship(self.catch_up_sender)

    # -- messages -------------------------------------------------------------------------------------

    def _on_strategy_message(self, sender: NodeId, message: Message) -> None:
        self._tell_election(sender, message)
        if self.leading is not None and self.election.catches_up:
            self.leading.tell_unaware(sender)

    def _on_heartbeat_reply(self, sender: NodeId, message: HeartbeatReply) -> None:
        self._tell_election(sender, message)
        if self.leading is not None:
            self.leading.heartbeat_answered(sender, message)

    def _on_replicate(self, sender: NodeId, message: Replicate) -> None:
        if self._may_ship(sender, message.term):
            self.catch_up_sender = None
            if self._following.take(sender, message) and self.leading is not None:
                self.leading.catch_up()

    def _on_snapshot(self, sender: NodeId, message: Snapshot) -> None:
        if self._may_ship(sender, message.term):
            self._following.take_snapshot(sender, message)

    def _may_ship(self, sender: NodeId, term: int) -> bool:
        """Entries are taken from this term's leader, and by a leader that catches up from the peer it asked."""
        expected = self.leading.catch_up_source if self.leading is not None else self.election.leader
        return sender == expected and term == self.election.term

    def _on_replicated(self, sender: NodeId, message: Replicated) -> None:
        if shipping := self._shipping_to(sender, message.term):
            shipping.replicated(sender, message, self.commit, self.now)

    def _on_log_conflict(self, sender: NodeId, message: LogConflict) -> None:
        if shipping := self._shipping_to(sender, message.term):
            shipping.log_conflict(sender, self.commit, self.now)

    def _on_snapshot_received(self, sender: NodeId, message: SnapshotReceived) -> None:
        if shipping := self._shipping_to(sender, message.term):
            shipping.snapshot_received(sender, message, self.now)

    def _on_fetch_log(self, sender: NodeId, message: FetchLog) -> None:
        """Ship the new leader what it lacks, as if we led."""
        if sender == self.election.leader and message.term == self.election.term and self.leading is None:
            self.catch_up_sender = self.replication_to([sender], self.election.term)

    def _shipping(self) -> Replication | None:
        return self.leading.replication if self.leading is not None else self.catch_up_sender

    def _shipping_to(self, peer: NodeId, term: int) -> Replication | None:
        shipping = self._shipping()
        return shipping if shipping and shipping.term == term and peer in shipping.progress else None

    def applied(self, entry: Entry, found: bool) -> None:
        if self.leading is not None:
            self.leading.applied(entry, found)

    def needed_from(self) -> int:
        shipping = self._shipping()
        return shipping.needed_from() if shipping else self.log.last_index

    # -- leaders come and go --------------------------------------------------------------------------

    def leader_changed(self) -> None:
        """Drop whatever belonged to the leadership before, and begin to lead or to follow."""
        self.catch_up_sender = None
        self._following = self.follower_class(self)
        if self.leading is not None:
            self._rounds = self.leading.state.round
            self.leading.stop()
            self.leading = None
        if self.election.leader == self.id:
            # An entry may have been shipped in an earlier life and never saved here: to lead in its term again would
            # be to give its identity to another entry. Nor are its rounds of heartbeats known any more.
            if self.election.term > self._earlier_term:
                self._lead()
        elif self.election.leader is not None:
            self.note("following", leader=self.election.leader, term=self.election.term)

    def _lead(self) -> None:
        election = self.election
        self.leading = self.leader_class(self, election.term, election.majority, self._rounds, election.catches_up)
