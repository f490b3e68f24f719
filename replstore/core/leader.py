"""Leading: writes, their copies, linearizable reads, and what a new leader does before it accepts any.

Law of this module: a `Leader` exists as long as this node leads in one term, and `stop` ends it. Whoever then still
waits is told that the outcome is unknown, because it is: a later leader may keep the write or not.

**When is an entry committed?** When as many nodes have saved it as the mode asks for: the leader alone (`async`), a
majority (`quorum`), or all (`sync`). Then it is applied and its client answered. Two rules make this safe:

* Only an entry of this very leadership is counted by its copies. Older ones become committed along with it (Raft
  §5.4.2; figure 8 shows what goes wrong otherwise: an old entry on a majority can still be replaced). So a leader first
  appends a `noop`: with it everything before it becomes committed, too.
* The leader's own copy counts only once it is saved, like everybody's.

**What is done first.** In `quorum` and `sync` a leader ships entries *before* it has saved them: the followers' disks
and its own then work side by side (Raft thesis §10.2.1). To ship promises nothing. Replies and the commit index do
promise something; they count this node's copy only from the next input on, when the `Save` has been carried out. In
`async` the leader's copy is the only one that counts, so there it is saved before anybody hears of it. A node that
crashed between the two has shipped entries that it does not remember. If it led in that term again, it could give their
identity to other entries: hence `node` never lets it lead in a term of an earlier life.

A leader that was elected without regard to its log accepts no writes before it has caught up (see `catching_up`).
"""

from __future__ import annotations

from typing import Any

from replstore.core.batching import Batching
from replstore.core.catching_up import CatchingUp
from replstore.core.contract import (
    Append,
    Done,
    LinearizableGet,
    Overloaded,
    Put,
    Refused,
    Request,
    Save,
    Send,
    Unknown,
    Value,
)
from replstore.core.leader_state import LeaderState, WaitingRead, WaitingWrite
from replstore.core.log import CannotCarry
from replstore.core.messages import Entry, Heartbeat, HeartbeatReply, NodeId
from replstore.core.replica import Replica
from replstore.core.replication import PACE

MAX_UNCOMMITTED = 10_000
"""Writes that may wait for their copies; more are refused, or a leader without followers would fill its memory."""

MAX_UNCOMMITTED_BYTES = 16 * 2**20
"""Likewise, in bytes of their values."""


class Leader:
    """`majority`: how many nodes are one. `rounds`: the last round of heartbeats that this node sent before.
    `catches_up`: the election may have chosen a node whose log is behind."""

    def __init__(self, node: Replica, term: int, majority: int, rounds: int, catches_up: bool) -> None:
        self._node = node
        self.term = term
        self.state = LeaderState(term, majority, node.now, rounds)
        self.replication = node.replication_to(node.peers, term)
        self.accepts_writes = False
        self._catching_up = CatchingUp(node, self.state)
        self._unsaved: list[Entry] = []
        """Appended since the last save: on no disk yet."""
        self._write_batching = Batching()
        self._read_batching = Batching()
        if not catches_up or not node.peers:
            self.accept_writes()
        self.send_heartbeats()

    def accept_writes(self) -> None:
        """Append the `noop` of the new term: older entries become committed with it (Raft §5.4.2, §8), and a follower
        that has other entries left over finds something to disagree with."""
        self.accepts_writes = True
        self._catching_up.source = None
        self.replication = self._node.replication_to(self._node.peers, self.term)
        self._append("noop")
        self._node.note("became_leader", term=self.term)

    @property
    def catch_up_source(self) -> NodeId | None:
        """The peer that this node takes entries from while it leads: only before it accepts writes."""
        return self._catching_up.source

    def catch_up(self) -> None:
        """Go on catching up, with what has arrived or with the time that has passed."""
        if not self.accepts_writes and self._catching_up.is_done():
            self.accept_writes()

    def stop(self) -> None:
        """This node leads no longer. What was appended but never saved nor shipped is dropped as if it had not been."""
        node = self._node
        for queue in (self.state.writes, self.state.reads):
            for waiting in queue:
                node.reply(waiting.request, Unknown())
        if self._unsaved:
            node.log.truncate(after=self._unsaved[0].index - 1)
        if self.accepts_writes:
            node.note("stepped_down", term=self.term)

    def tick(self) -> None:
        # Ticks come when they come: one that is a little early must not put a heartbeat off to the next.
        if self._node.now >= self.state.next_heartbeat - self._node.tick_interval / 2:
            self.send_heartbeats()
        self.catch_up()
        self._expire()

    # -- heartbeats -----------------------------------------------------------------------------------

    def send_heartbeats(self) -> None:
        node = self._node
        self.state.begin_round(node.now, node.heartbeat)
        heartbeat = Heartbeat(self.term, node.commit, self.state.round)
        node.effects += [Send(peer, heartbeat) for peer in node.peers]

    def tell_unaware(self, sender: NodeId) -> None:
        """Without votes, a node that has come back can only learn from its peers that there is a leader, and it may be
        that nobody can connect to it yet. The leader's answer reaches it: it takes the sender's own connection."""
        if self.state.must_be_told(sender):
            self._node.send(sender, Heartbeat(self.term, self._node.commit, self.state.round))

    def heartbeat_answered(self, sender: NodeId, reply: HeartbeatReply) -> None:
        if not self.state.is_ours(reply):
            return
        if not reply.follows:
            if self.accepts_writes:
                self.replication.alive(sender, reply.last)  # it may have lost what it once held
            return
        was_away = self.state.heard(sender, reply)
        if not self.accepts_writes:
            self.catch_up()
            return
        if was_away:  # said once, and true however late this answer comes
            self.replication.is_back(sender)
        if reply.round == self.state.round:
            self.replication.alive(sender, reply.last)

    # -- clients --------------------------------------------------------------------------------------

    def request(self, request: Request) -> None:
        """A client's request, once writes are accepted."""
        node, command = self._node, request.command
        deadline = node.now + node.timeout
        if isinstance(command, LinearizableGet):
            self.state.reads.append(WaitingRead(request.id, command.key, self.state.round + 1, deadline))
        elif self._is_overloaded():
            node.reply(request.id, Overloaded())
        else:
            try:
                if isinstance(command, Put):
                    index = self._append("put", command.key, command.value)
                else:
                    index = self._append("delete", command.key)
            except CannotCarry as error:
                node.reply(request.id, Refused(str(error)))
            else:
                self.state.appended(index, request.size)
                self.state.writes.append(WaitingWrite(index, request.id, deadline))

    def _is_overloaded(self) -> bool:
        commit = self._node.commit.index
        uncommitted = self._node.log.last_index - commit
        return uncommitted >= MAX_UNCOMMITTED or self.state.uncommitted_bytes(commit) >= MAX_UNCOMMITTED_BYTES

    def _append(self, op: str, key: str = "", value: Any = None) -> int:
        node = self._node
        entry = Entry(node.log.last_index + 1, self.term, node.id, op, key, value)
        node.log.append(entry)
        self._unsaved.append(entry)
        return entry.index

    def applied(self, entry: Entry, found: bool) -> None:
        """An entry took effect: answer its client, if one waits."""
        writes = self.state.writes
        if writes and writes[0].index == entry.index:
            self._node.reply(writes.popleft().request, Done(entry, found))

    def _expire(self) -> None:
        for queue in (self.state.writes, self.state.reads):
            while queue and queue[0].deadline <= self._node.now:
                self._node.reply(queue.popleft().request, Unknown())

    # -- a turn ---------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Save what was appended, ship what can be shipped, commit what is held by enough nodes, answer reads."""
        if not self.accepts_writes:
            return
        node, state = self._node, self.state
        if node.copies == 1:
            self._save_appended()
        if node.commit.index != node.log.last_index:
            waiting = len(state.writes)
            node.advance_commit(self._committable())
            self._write_batching.answered(waiting - len(state.writes), len(self._unsaved), node.now)
        if state.reads:
            self._answer_reads()
        if self._unsaved and (until := self._batch_until()) is not None:
            node.wake(until)
            return
        node.ship(self.replication)
        self._save_appended()

    def _batch_until(self) -> float | None:
        """How long what was appended waits for more. To save it while no follower can be sent to would gain nothing."""
        now = self._node.now
        return self.replication.busy_until(now) or self._write_batching.wait_until(len(self._unsaved), now)

    def _save_appended(self) -> None:
        if self._unsaved:
            node = self._node
            entries, self._unsaved = tuple(self._unsaved), []
            commit = entries[-1].index if node.copies == 1 else node.commit.index
            node.effects.append(Save(Append(entries, commit)))
            node.note("appended", first=entries[0].index, last=entries[-1].index)

    def _committable(self) -> int:
        """The highest index that may count as committed (see the head of this module)."""
        node = self._node
        index = self.replication.held_by(node.copies, saved=node.log.last_index - len(self._unsaved))
        entry = node.log.id_at(index)
        ours = entry is not None and entry.term == self.term and entry.leader == node.id
        return index if ours else node.commit.index

    def _answer_reads(self) -> None:
        """A linearizable read is answered once a majority has answered a heartbeat sent after it arrived, and an entry
        of this leadership is committed, so that every earlier acknowledged write is applied (Raft §8)."""
        node, state = self._node, self.state
        own_term = node.commit.term == self.term and node.commit.leader == node.id
        confirmed = state.confirmed_round()
        waiting = len(state.reads)
        while own_term and state.reads and state.reads[0].round <= confirmed:
            read = state.reads.popleft()
            node.reply(read.request, Value(read.key, node.store.get(read.key)))
        self._read_batching.answered(waiting - len(state.reads), len(state.reads), node.now)
        if state.reads and state.reads[-1].round > state.round:
            # One round at a time, as far as answers come: the reads that arrive meanwhile share the next.
            pace = state.round_sent + PACE
            under_way = confirmed < state.round and node.now < pace
            until = pace if under_way else self._read_batching.wait_until(len(state.reads), node.now)
            if until is None:
                self.send_heartbeats()
            else:
                node.wake(until)
