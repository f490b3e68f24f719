"""A store node: one input in, an ordered list of effects out.

Law of this module: no socket, no thread, no clock, no file, no dice of its own. `handle(event, now)` computes what must
happen; its caller (the runtime, or the simulator) carries the effects out *in their order*: a `Save` is durable before
anything behind it leaves the node. After a crash a node is built again from the records that it asked to save.

How a write travels: `Request` appends it to the leader's log; `Flush` ships and saves it (in `async`, where the
leader's own copy is enough, it is saved first); when as many nodes have saved it as the mode asks for, it is
*committed*: applied to the store, and its client answered. Followers apply what their leader says is committed. Roles
are derived: a node leads while its election's `leader` is itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random
from typing import Any

from replstore.core.contract import (
    Append,
    Delete,
    Done,
    Effect,
    FlushAfter,
    Input,
    Install,
    LinearizableGet,
    Note,
    NotLeader,
    Overloaded,
    Put,
    Received,
    Record,
    Refused,
    Reply,
    Request,
    Save,
    Send,
    State,
    Tick,
    Unknown,
    Value,
)
from replstore.core.election import Election, ElectionContext
from replstore.core.leadership import Leadership, WaitingRead, WaitingWrite
from replstore.core.log import KEEP_ENTRIES, CannotCarry, Log, weight
from replstore.core.messages import (
    START,
    Entry,
    EntryId,
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
    natural_order,
)
from replstore.core.recovery import Recovering
from replstore.core.replication import MODES, PACE, Replication
from replstore.core.store import Store

MAX_UNCOMMITTED = 10_000
"""Writes that may wait for their copies; more are refused, or a leader without followers would fill its memory."""

MAX_UNCOMMITTED_BYTES = 16 * 2**20
"""Likewise, in bytes of their values."""

STATUS_KEYS = 1000


class Node:
    """One member of a cluster.

    `peers` are the other members' ids; `election` makes the strategy; `heartbeat` and `timeout` are in seconds; `mode`
    is one of `MODES`; `records` is what an earlier life of this node saved.
    """

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
        self.id = node_id
        self.peers = tuple(sorted(peers, key=natural_order))
        self.mode = mode
        self.heartbeat = heartbeat
        self.timeout = timeout
        self.tick_interval = heartbeat / 4
        self.copies = MODES[mode](len(self.peers) + 1)
        self.now = 0.0

        self.log = Log()
        self.store = Store()
        self.commit = START
        self._unsaved: list[Entry] = []
        self._wake_at = 0.0
        self._earlier_term = -1
        self._staged: tuple[EntryId, list[Entry]] = (START, [])
        self._installed = START
        self._agreed: int | None = None  # where this log parted from the leader's, if that much is known

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
        self._rounds = 0
        """Numbers the rounds of heartbeats. It goes on from one leadership to the next, also within one term: an answer
        to an earlier leadership's round must not confirm that this one still leads. (In a term of an earlier life the
        node does not lead.)"""
        self._effects: list[Effect] = []
        self._outbox: list[Send] = []
        self.office: Leadership | None = None
        self.lending: Replication | None = None
        seat = ElectionContext(node_id, self.peers, self.log, rng, timeout, heartbeat, self._send_later, self._note)
        self._strategy = election(seat)
        self.election = self._strategy
        self.recovering = False
        self._restore(records)
        if self.recovering:
            self._begin_recovery(seat)
        self._said = (self.election.leader, self.election.term, self.election.vote)

    # -- looking --------------------------------------------------------------------------------------

    @property
    def leads(self) -> bool:
        return self.office is not None and self.office.open

    @property
    def role(self) -> str:
        if self.leads:
            return "leader"
        election = self.election
        stands = election.leader is None and election.vote == self.id and not election.catches_up
        running = self.office is not None or stands
        return "candidate" if running else "follower"

    @property
    def leader(self) -> NodeId | None:
        """The leader to send clients to, if one is known."""
        return None if self.election.leader == self.id and not self.leads else self.election.leader

    def read(self, key: str) -> Entry | None:
        """The `put` that gave `key` its value in this node's own copy, which may be behind the leader's."""
        return self.store.get(key)

    def status(self) -> dict[str, Any]:
        """For `GET /status`; lags are counted in entries."""
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
            "lag": self.office.replication.lag() if self.office and self.office.open else {},
            "peers": list(self.peers),
        }

    def checkpoint(self) -> tuple[Install, Append]:
        """For the journal's compaction: where the log begins, and all of it."""
        log = tuple(self.log.after(self.log.base.index))
        return Install(self.log.base, ()), Append(log, self.commit.index)

    def keeps(self, entry: Entry) -> bool:
        """For the journal's compaction: whether this old entry still gives its key its value."""
        live = self.store.get(entry.key)
        return live is not None and live.id == entry.id

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
        effects, self._effects = self._effects, []
        return effects

    def _on_tick(self) -> None:
        try:
            self.election.tick(self.now)
        finally:
            self._after_election()
        office = self.office
        if office is not None:
            # Ticks come when they come: one that is a little early must not put a heartbeat off to the next.
            if self.now >= office.next_heartbeat - self.tick_interval / 2:
                self._send_heartbeats(office)
            if not office.open:
                self._catch_up(office)
            self._expire(office)
        self._compact_log()
        self._flush()

    def _on_election_message(self, sender: NodeId, message: Message) -> None:
        try:
            self.election.receive(sender, message, self.now)
        finally:
            self._after_election()

    def _on_strategy_message(self, sender: NodeId, message: Message) -> None:
        self._on_election_message(sender, message)
        self._answer_unaware(sender)

    def _on_heartbeat(self, sender: NodeId, message: Heartbeat) -> None:
        self._on_election_message(sender, message)
        self._answer_heartbeat(sender, message)

    def _on_heartbeat_reply(self, sender: NodeId, message: HeartbeatReply) -> None:
        self._on_election_message(sender, message)
        self._heartbeat_answered(sender, message)

    def _on_replicate(self, sender: NodeId, message: Replicate) -> None:
        if self._may_ship(sender, message.term):
            self._accept(sender, message)

    def _on_snapshot(self, sender: NodeId, message: Snapshot) -> None:
        if self._may_ship(sender, message.term):
            self._accept_snapshot(sender, message)

    def _on_replicated(self, sender: NodeId, message: Replicated) -> None:
        if shipping := self._shipping_to(sender, message.term):
            shipping.replicated(sender, message, self.commit, self.now)

    def _on_log_conflict(self, sender: NodeId, message: LogConflict) -> None:
        if shipping := self._shipping_to(sender, message.term):
            shipping.diverged(sender, self.commit, self.now)

    def _on_snapshot_received(self, sender: NodeId, message: SnapshotReceived) -> None:
        if shipping := self._shipping_to(sender, message.term):
            shipping.snapshot_received(sender, message, self.now)

    def _may_ship(self, sender: NodeId, term: int) -> bool:
        """Entries are taken from this term's leader, and by a leader that catches up from the peer it asked."""
        expected = self.office.source if self.office is not None else self.election.leader
        return sender == expected and term == self.election.term

    def _shipping_to(self, peer: NodeId, term: int) -> Replication | None:
        shipping = self.office.replication if self.office is not None else self.lending
        return shipping if shipping and shipping.term == term and peer in shipping.progress else None

    # -- elections ------------------------------------------------------------------------------------

    def _after_election(self) -> None:
        """Do what follows from what the strategy did; even where a student's strategy raised half-way."""
        election = self.election
        said = (election.leader, election.term, election.vote)
        if said != self._said:
            self._take_over(*said)
        elif self._outbox:
            self._post()

    def _take_over(self, leader: NodeId | None, term: int, vote: Any) -> None:
        """Save, send and draw the consequences, in this order."""
        before, self._said = self._said, (leader, term, vote)
        if before[1:] != (term, vote):
            self._effects.append(Save(State(term, vote, self.recovering)))
            self._note("state", term=term, vote=vote)
        self._post()
        if before[:2] != (leader, term):
            self._leader_changed()

    def _post(self) -> None:
        self._effects += self._outbox
        self._outbox.clear()

    def _leader_changed(self) -> None:
        self.lending = None
        self._staged, self._installed, self._agreed = (START, []), START, None
        self._leave_office()
        if self.election.leader == self.id:
            # An entry may have been shipped in an earlier life and never saved here: to lead in its term again would
            # be to give its identity to another entry. Nor are its rounds of heartbeats known any more.
            if self.election.term > self._earlier_term:
                self._take_office()
        elif self.election.leader is not None:
            self._note("following", leader=self.election.leader, term=self.election.term)

    def _send_later(self, to: NodeId, message: Message) -> None:
        self._outbox.append(Send(to, message))

    def _note(self, kind: str, **details: Any) -> None:
        self._effects.append(Note(kind, details))

    # -- leading --------------------------------------------------------------------------------------

    def _take_office(self) -> None:
        replication = self._replication_to(self.peers)
        self.office = Leadership(self.election.term, replication, self.election.majority, self.now, self._rounds)
        if not self.election.catches_up or not self.peers:
            self._open(self.office)
        self._send_heartbeats(self.office)

    def _replication_to(self, peers: Iterable[NodeId]) -> Replication:
        retry = min(2 * self.heartbeat, 0.5)
        return Replication(self.election.term, self.log, self.store, peers, retry, awaited=self.copies > 1)

    def _open(self, office: Leadership) -> None:
        """Begin to lead in earnest. The first entry is a `noop`: older entries count as committed only through one of
        the leader's own term (Raft §5.4.2, §8), and a follower's leftover tail meets something to disagree with."""
        office.open = True
        office.source = None
        office.replication = self._replication_to(self.peers)
        self._append("noop")
        self._note("became_leader", term=office.term)

    def _leave_office(self) -> None:
        if self.office is None:
            return
        for queue in (self.office.waiting, self.office.reads):
            self._effects += [Reply(waiting.request, Unknown()) for waiting in queue]
        if self._unsaved:  # appended since the last flush: nobody else has seen them, and they are on no disk
            self.log.truncate(after=self._unsaved[0].index - 1)
            self._unsaved.clear()
        if self.office.open:
            self._note("stepped_down", term=self.office.term)
        self.office = None

    def _send_heartbeats(self, office: Leadership) -> None:
        self._rounds += 1
        office.round = self._rounds
        office.round_sent = self.now
        office.next_heartbeat = self.now + self.heartbeat
        heartbeat = Heartbeat(office.term, self.commit, office.round)
        self._effects += [Send(peer, heartbeat) for peer in self.peers]

    def _answer_unaware(self, sender: NodeId) -> None:
        """Without votes, a node that has come back can only learn from its peers that there is a leader, and it may be
        that nobody can connect to it yet. The leader's answer reaches it: it takes the sender's own connection."""
        office = self.office
        if office is not None and self.election.catches_up and office.must_be_told(sender):
            self._send(sender, Heartbeat(office.term, self.commit, office.round))

    def _heartbeat_answered(self, sender: NodeId, reply: HeartbeatReply) -> None:
        office = self.office
        if office is None or not office.is_ours(reply):
            return
        if not reply.follows:
            if office.open:
                office.replication.alive(sender, reply.last, silent=False)  # it may have lost what it once held
            return
        was_away = office.heard(sender, reply)
        if office.open:
            if reply.round == office.round:
                office.replication.alive(sender, reply.last, was_away)
        else:
            self._catch_up(office)

    def _on_request(self, request: Request) -> None:
        command = request.command
        if self.office is None or not self.office.open:
            self._effects.append(Reply(request.id, NotLeader(self.role, self.leader)))
        elif isinstance(command, LinearizableGet):
            deadline = self.now + self.timeout
            self.office.reads.append(WaitingRead(request.id, command.key, self.office.round + 1, deadline))
        elif self._is_overloaded(self.office):
            self._effects.append(Reply(request.id, Overloaded()))
        else:
            try:
                index = self._append_command(command)
            except CannotCarry as error:
                self._effects.append(Reply(request.id, Refused(str(error))))
            else:
                self.office.appended(index, request.size)
                self.office.waiting.append(WaitingWrite(index, request.id, self.now + self.timeout))

    def _is_overloaded(self, office: Leadership) -> bool:
        commit = self.commit.index
        return (
            self.log.last_index - commit >= MAX_UNCOMMITTED or office.uncommitted_bytes(commit) >= MAX_UNCOMMITTED_BYTES
        )

    def _append_command(self, command: Put | Delete) -> int:
        if isinstance(command, Put):
            return self._append("put", command.key, command.value)
        return self._append("delete", command.key)

    def _append(self, op: str, key: str = "", value: Any = None) -> int:
        entry = Entry(self.log.last_index + 1, self.election.term, self.id, op, key, value)
        self.log.append(entry)
        self._unsaved.append(entry)
        return entry.index

    def _flush(self) -> None:
        """Save what was appended, ship what can be shipped, commit what is held by enough nodes, answer reads."""
        if self.office is not None and self.office.open:
            self._flush_as_leader(self.office)
        elif shipping := self.lending:
            self._ship(shipping)

    def _flush_as_leader(self, office: Leadership) -> None:
        """Where a write needs copies, ship before saving: the followers' disks and ours then work side by side (Raft
        thesis §10.2.1). To ship promises nothing. What does promise something counts this node's copy only when its
        `Save` has been carried out, that is, from the next input on."""
        if self.copies == 1:
            self._save_appended()
        waiting = len(office.waiting)
        self._advance_commit(self._committable(office))
        office.writers.answered(waiting - len(office.waiting), len(self._unsaved), self.now)
        if office.reads:
            self._answer_reads(office)
        if self._unsaved and (until := self._company_until(office)) is not None:
            self._wake(until)
            return
        self._ship(office.replication)
        self._save_appended()

    def _company_until(self, office: Leadership) -> float | None:
        """How long what was appended waits for more. To save it while no follower can be sent to would gain nothing."""
        return office.replication.busy_until(self.now) or office.writers.wait_until(len(self._unsaved), self.now)

    def _save_appended(self) -> None:
        if self._unsaved:
            entries, self._unsaved = tuple(self._unsaved), []
            commit = entries[-1].index if self.copies == 1 else self.commit.index
            self._effects.append(Save(Append(entries, commit)))
            self._note("appended", first=entries[0].index, last=entries[-1].index)

    def _committable(self, office: Leadership) -> int:
        """The highest index that may count as committed. Only entries of this very leadership are counted by their
        copies; older ones follow along with them (Raft §5.4.2, figure 8)."""
        if self.commit.index == self.log.last_index:
            return self.commit.index
        index = office.replication.held_by(self.copies, saved=self.log.last_index - len(self._unsaved))
        entry = self.log.id_at(index)
        ours = entry is not None and entry.term == office.term and entry.leader == self.id
        return index if ours else self.commit.index

    def _ship(self, replication: Replication) -> None:
        for peer in replication.behind(self.commit.index):
            for message in replication.messages_for(peer, self.commit, self.now):
                self._effects.append(Send(peer, message))
        if (due := replication.next_due(self.now)) is not None:
            self._wake(due)

    def _wake(self, due: float) -> None:
        """Have a `Flush` at time `due`, unless one is to come before."""
        # Drivers' clocks round: a wake-up that comes a microsecond early must not count as still to come.
        if due > self.now and not self.now + 1e-6 < self._wake_at <= due:
            self._wake_at = due
            self._effects.append(FlushAfter(due - self.now))

    def _needed_from(self) -> int:
        shipping = self.office.replication if self.office is not None else self.lending
        return shipping.needed_from() if shipping else self.log.last_index

    def _answer_reads(self, office: Leadership) -> None:
        """A linearizable read is answered once a majority has answered a heartbeat sent after it arrived, and an entry
        of this leadership is committed, so that every earlier acknowledged write is applied (Raft §8)."""
        own_term = self.commit.term == office.term and self.commit.leader == self.id
        confirmed = office.confirmed_round()
        waiting = len(office.reads)
        while own_term and office.reads and office.reads[0].round <= confirmed:
            read = office.reads.popleft()
            self._effects.append(Reply(read.request, Value(read.key, self.store.get(read.key))))
        office.readers.answered(waiting - len(office.reads), len(office.reads), self.now)
        if office.reads and office.reads[-1].round > office.round:
            # One round at a time, as far as answers come: the reads that arrive meanwhile share the next.
            under_way = confirmed < office.round and self.now < office.round_sent + PACE
            until = office.round_sent + PACE if under_way else office.readers.wait_until(len(office.reads), self.now)
            if until is None:
                self._send_heartbeats(office)
            else:
                self._wake(until)

    def _expire(self, office: Leadership) -> None:
        for queue in (office.waiting, office.reads):
            while queue and queue[0].deadline <= self.now:
                self._effects.append(Reply(queue.popleft().request, Unknown()))

    # -- catching up, for leaders elected without regard to their log ----------------------------------

    def _catch_up(self, office: Leadership) -> None:
        """Fetch from the newest log in reach what this one lacks, then open.

        In the modes that promise copies, a majority must have answered first: every acknowledged write is on one of
        them. `async` promises nothing, and a lone survivor must go on: it waits for one heartbeat interval at most.
        """
        if office.source is not None:
            if self.log.last >= office.source_last:
                self._open(office)
            elif self.now >= office.source_deadline:
                office.source_failed()
            return
        waited = self.copies == 1 and self.now >= office.since + self.heartbeat
        if not (office.heard_majority or waited):
            return
        peer, last = office.newest_peer()
        if peer is None or last <= self.log.last:
            self._open(office)
        else:
            office.fetch_from(peer, last, self.now + self.timeout)
            self._note("catching_up", source=peer)
            self._effects.append(Send(peer, FetchLog(office.term)))

    def _on_fetch_log(self, sender: NodeId, message: FetchLog) -> None:
        """Ship the new leader what it lacks, as if we led."""
        if sender == self.election.leader and message.term == self.election.term and self.office is None:
            self.lending = self._replication_to([sender])

    # -- following ------------------------------------------------------------------------------------

    def _answer_heartbeat(self, sender: NodeId, message: Heartbeat) -> None:
        election = self.election
        follows = election.leader == sender and election.term == message.term
        if follows and message.commit != self.commit and self.log.id_at(message.commit.index) == message.commit:
            self._advance_commit(message.commit.index)
        # While recovering it is no follower that counts; its log's end tells the leader what to ship.
        counts = follows and not self.recovering
        self._effects.append(Send(sender, HeartbeatReply(election.term, message.round, counts, self.log.last_id)))
        if follows and isinstance(election, Recovering) and election.holds_all(message.commit, self.log, self.now):
            self._end_recovery()

    def _accept(self, sender: NodeId, message: Replicate) -> None:
        """Take over the leader's entries, if our log holds the one before them (Raft §5.3)."""
        self.lending = None
        refusal = self._refusal(message)
        if refusal is not None:
            self._send(sender, refusal)
            return
        new = self._without_known(message.entries)
        if new and new[0].index <= self.commit.index:
            self._agreed = new[0].index - 1
            self._send(sender, LogConflict(message.term))
            return
        end = message.prev.index + len(message.entries)
        commit = max(self.commit.index, min(message.commit, end))
        if new:
            self._overwrite(new)
            self._effects.append(Save(Append(new, commit)))
        self._advance_commit(commit)
        self._send(sender, Replicated(message.term, True, end))
        if self.office is not None:
            self._catch_up(self.office)

    def _refusal(self, message: Replicate) -> Replicated | LogConflict | None:
        """None if the log holds the entry before the message's; else up to where it may agree with the sender's."""
        prev, log = message.prev, self.log
        if prev.index > log.last_index:
            return Replicated(message.term, False, log.last_index)
        if prev.index < log.base.index:
            return Replicated(message.term, False, log.base.index)
        if log.id_at(prev.index) == prev:
            return None
        if prev.index == log.base.index:
            self._agreed = log.base.index
            return LogConflict(message.term)
        return Replicated(message.term, False, log.start_of_run(prev.index) - 1)

    def _without_known(self, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
        for number, entry in enumerate(entries):
            if self.log.id_at(entry.index) != entry.id:
                return entries[number:]
        return ()

    def _overwrite(self, new: tuple[Entry, ...]) -> None:
        if new[0].index <= self.log.last_index:
            self.log.truncate(after=new[0].index - 1)
            self._note("truncated", after=new[0].index - 1)
        for entry in new:
            self.log.append(entry)
        self._note("appended", first=new[0].index, last=new[-1].index)

    def _accept_snapshot(self, sender: NodeId, message: Snapshot) -> None:
        at, log = message.at, self.log
        if (message.force and at != self._installed) or at.index > self.commit.index:
            held = self._stage(message)
        elif at.index < log.base.index:
            # We have applied more, and forgotten what came then: let the leader ask about what we remember.
            self._send(sender, Replicated(message.term, False, log.base.index))
            return
        elif at == self._installed or log.id_at(at.index) == at:
            held = message.total  # a late copy: what it brings is here, and newer things may be
        else:
            self._send(sender, LogConflict(message.term))
            return
        self._send(sender, SnapshotReceived(message.term, at, held))

    def _stage(self, message: Snapshot) -> int:
        """Put the chunk to the others; install when all are there. Returns how many items are held."""
        if self._staged[0] != message.at:
            self._staged = (message.at, [])
        items = self._staged[1]
        if message.offset == len(items):
            items.extend(message.items)
        if len(items) >= message.total:
            self._install(message.at, items)
        return len(items)

    def _install(self, at: EntryId, items: list[Entry]) -> None:
        self._staged = (START, [])
        self._installed = at
        self._note_lost_writes({item.key: item for item in items})
        self._effects.append(Save(Install(at, tuple(items))))
        self.store.replace(items)
        self.log.reset(at)
        self.commit = at
        self._note("installed_snapshot", index=at.index, keys=len(items))
        self._note("committed", index=at.index, term=at.term, leader=at.leader)

    def _note_lost_writes(self, survivors: dict[str, Entry]) -> None:
        """Tell of each write that was in force here and is not part of the history that replaces ours."""
        diverged = self._agreed is not None
        for entry in self.log.after(max(self._agreed or 0, self.log.base.index)):
            survivor = survivors.get(entry.key)
            kept = survivor is not None and survivor.id == entry.id
            # Without knowing where the histories part, only an older survivor is proof.
            lost = diverged or (survivor is not None and survivor.index < entry.index)
            if lost and entry.op != "noop" and entry.index <= self.commit.index and not kept:
                self._note_lost(entry)
        self._agreed = None

    def _note_lost(self, entry: Entry) -> None:
        self._note("write_lost", op=entry.op, key=entry.key, value=entry.value, index=entry.index, term=entry.term)

    def _send(self, to: NodeId, message: Message) -> None:
        self._effects.append(Send(to, message))

    # -- committing -----------------------------------------------------------------------------------

    def _advance_commit(self, index: int) -> None:
        if index <= self.commit.index:
            return
        for position in range(self.commit.index + 1, index + 1):
            entry = self.log.get(position)
            found = self.store.apply(entry)
            self._answer_writer(entry, found)
        self.commit = entry.id
        self._note("committed", index=entry.index, term=entry.term, leader=entry.leader)
        self._compact_log()

    def _compact_log(self) -> None:
        """What has been applied may be forgotten, unless a snapshot under way still needs what follows it."""
        if self.log.is_long:
            self.log.compact(upto=min(self.commit.index, self._needed_from()))

    def _answer_writer(self, entry: Entry, found: bool) -> None:
        waiting = self.office.waiting if self.office is not None else None
        if waiting and waiting[0].index == entry.index:
            self._effects.append(Reply(waiting.popleft().request, Done(entry, found)))

    # -- recovering -----------------------------------------------------------------------------------

    def _begin_recovery(self, seat: ElectionContext) -> None:
        """Entries that this node acknowledged are gone. Alone it has nobody to fetch them from: it can only say so."""
        self._note("data_lost", term=self.election.term)
        term, vote = self.election.term, self.election.vote
        if self.peers:
            self._note("recovering")
            self.election = Recovering(seat)
            self.election.term, self.election.vote = term, vote
        else:
            self.recovering = False
            self._effects.append(Save(State(term, vote)))

    def _end_recovery(self) -> None:
        """From here on the strategy decides again, with the term and vote that were kept for it."""
        term, vote = self.election.term, self.election.vote
        self.election = self._strategy
        self.election.term, self.election.vote = term, vote
        self.recovering = False
        self._effects.append(Save(State(term, vote)))
        self._note("caught_up", entries=self.log.last_index, keys=len(self.store))
        self._after_election()

    def _restore(self, records: Iterable[Record]) -> None:
        commit = 0
        tail: list[Entry] = []  # the log behind `base`
        for record in records:
            match record:
                case Append(entries, committed):
                    self._restore_entries(entries, tail)
                    commit = max(commit, committed)
                case State(term, vote, recovering):
                    self._earlier_term = term
                    self.election.term, self.election.vote, self.recovering = term, vote, recovering
                case Install(at, items):
                    self.store.replace(item for item in map(self._carried, items) if item.op == "put")
                    self.log.reset(at)
                    tail.clear()
                    commit = at.index
        self._forget_applied(tail, commit)
        for entry in tail:
            self.log.append(entry)
        self.commit = self.log.base
        self._advance_commit(min(commit, self.log.last_index))
        if self.log.last_index or self.election.term:
            term, vote = self.election.term, self.election.vote
            self._note("recovered", entries=len(self.log), keys=len(self.store), term=term, vote=vote)

    def _restore_entries(self, entries: tuple[Entry, ...], tail: list[Entry]) -> None:
        first = self.log.base.index + 1
        following = first + len(tail)
        if entries and (entries[0].index, entries[-1].index) == (following, following + len(entries) - 1):
            tail += map(self._carried, entries)  # as nearly always: they follow what is there
            return
        for entry in map(self._carried, entries):
            place = entry.index - first
            if place < 0:
                self.store.apply(entry)  # a live key of a compacted journal
                continue
            if place < len(tail):
                del tail[place:]
            tail.append(entry)

    def _forget_applied(self, tail: list[Entry], commit: int) -> None:
        """Apply the committed entries in `tail`, except the last ones, which followers may still ask for. (Not before
        all has been read: a compacted journal may name a key's old value after a newer one.)"""
        count = min(commit - self.log.base.index, len(tail) - KEEP_ENTRIES)
        if count > 0:
            self.store.apply_all(tail[:count])
            self.log.reset(tail[count - 1].id)
            del tail[:count]

    def _carried(self, entry: Entry) -> Entry:
        """An entry of the journal. One that no message can carry, from before values had limits, would keep everything
        behind it from the followers for ever: so it counts as a `noop` here, as on every node that has it."""
        kind = type(entry.value)
        if kind not in (str, list, dict) or (kind is str and len(entry.value) < 2**20):
            return entry
        try:
            weight(entry)
        except CannotCarry as error:
            self._note("write_left_out", key=entry.key[:80], index=entry.index, term=entry.term, reason=str(error))
            return Entry(entry.index, entry.term, entry.leader, "noop")
        return entry
