"""What to ship to the followers, and when; and what follows from their answers.

Law of this module: book-keeping only. It is made when a node begins to lead and dropped when it ceases to, so no stale
figure outlives the leadership it belonged to. It decides *what* to send; the node sends it.

Each follower has a `Progress` with three states (see `progress`): it is probed until its log and ours are known to
agree somewhere, then entries are streamed, and where entries cannot help it is sent a snapshot.

Answers may be lost. A follower that owes an answer for too long is probed again from where it last agreed; "too long"
is twice what its answers took lately (a delayed network is slow, not dead), and doubles while it stays silent.

From the answers follows what is committed (`held_by`): sort what all nodes are known to hold, and count `copies` of
them from the top. In `quorum` with three nodes that is the middle one: a majority holds at least as much.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from replstore.core.log import Log, take_batch
from replstore.core.messages import EntryId, NodeId, Replicate, Replicated, Snapshot, SnapshotReceived
from replstore.core.progress import PROBING, STREAMING, Progress, Transfer
from replstore.core.store import Store

MODES: dict[str, Callable[[int], int]] = {
    "async": lambda nodes: 1,
    "quorum": lambda nodes: nodes // 2 + 1,
    "sync": lambda nodes: nodes,
}
"""How many nodes must hold a write before its client is answered."""

MAX_IN_FLIGHT = 64
"""Unanswered messages to one follower while streaming."""

PACE = 0.002
"""Seconds between two messages to a follower that owes an answer: what comes meanwhile travels together, with the
answer's arrival at the latest. It halves the messages of a busy leader, and a lone write never waits.

The news that something is committed waits as long for entries to travel with: clients who write one after the other
then cost one message for each write, not two. Where no client waits for copies (`async`), messages are always so far
apart."""


class Replication:
    """The leader's (or a lender's, see `FetchLog`) view of the followers `peers`, for `term`. `awaited`: somebody waits
    for the followers' answers."""

    def __init__(
        self, term: int, log: Log, store: Store, peers: Iterable[NodeId], retry: float, awaited: bool = True
    ) -> None:
        self.term = term
        self._awaited = awaited
        self._log = log
        self._store = store
        self._retry = retry
        self.progress = {peer: Progress(log.last_index + 1, retry) for peer in peers}
        self._all_have: tuple[int, int] | None = None
        """The end of the log and the commit that all followers have, until an answer tells otherwise."""

    # -- what to send ---------------------------------------------------------------------------------

    def behind(self, commit: int) -> list[NodeId]:
        """The followers that lack an entry, or do not know that `commit` is committed, or owe an answer. A cluster at
        rest asks this at every tick and every heartbeat's answer: hence the memory of the last time it was nobody."""
        last = self._log.last_index
        if self._all_have == (last, commit):
            return []
        behind = [peer for peer, progress in self.progress.items() if not progress.has_all(last, commit)]
        self._all_have = None if behind else (last, commit)
        return behind

    def busy_until(self, now: float) -> float | None:
        """Until when no follower is sent anything, for want of an answer; None: one can be sent to now."""
        free = [p.last_sent + PACE if p.in_flight else now for p in self.progress.values()]
        soonest = min(free, default=now)
        return soonest if soonest > now else None

    def next_due(self, now: float) -> float | None:
        """When the next of what waits for company is to be sent."""
        soonest = None
        for progress in self.progress.values():
            due = progress.due
            if due is not None and due > now and (soonest is None or due < soonest):
                soonest = due
        return soonest

    def messages_for(self, peer: NodeId, commit: EntryId, now: float) -> list[Replicate | Snapshot]:
        """Everything worth sending to `peer` now. `commit` identifies the last committed entry."""
        progress = self.progress[peer]
        if progress.overdue(now):
            progress.give_up_waiting()
        messages: list[Replicate | Snapshot] = []
        while (message := self._next_for(progress, commit, now)) is not None:
            progress.sent(now)
            messages.append(message)
        return messages

    def _next_for(self, progress: Progress, commit: EntryId, now: float) -> Replicate | Snapshot | None:
        streaming = progress.state is STREAMING
        if progress.in_flight >= (MAX_IN_FLIGHT if streaming else 1):
            return None
        if 0 < now - progress.last_sent < PACE:
            if progress.next <= self._log.last_index and (progress.in_flight or (streaming and not self._awaited)):
                progress.due = progress.last_sent + PACE
                return None
            if progress.in_flight:
                return None
        if streaming and self._commit_can_wait(progress, commit, now):
            return None
        if progress.next <= self._log.base.index:  # forgotten here
            self._send_snapshot(progress, commit, force=False)
        if progress.transfer is not None:
            return self._chunk(progress.transfer)
        return self._entries(progress, commit)

    def _commit_can_wait(self, progress: Progress, commit: EntryId, now: float) -> bool:
        """Whether all there is to say is that something is committed, and entries may soon come to travel with it."""
        if progress.next <= self._log.last_index or progress.sent_commit >= commit.index:
            return False
        if progress.due is None:
            progress.due = now + PACE
        return now < progress.due

    def _entries(self, progress: Progress, commit: EntryId) -> Replicate | None:
        log = self._log
        unknown = progress.state is PROBING and progress.match < progress.next - 1
        nothing_new = progress.next > log.last_index and progress.sent_commit >= commit.index
        if nothing_new and not unknown:
            return None
        prev = log.id_at(progress.next - 1)
        assert prev is not None, "what the log has forgotten is sent as a snapshot"
        entries = log.batch(after=prev.index)
        if progress.state is STREAMING:
            progress.next += len(entries)
        progress.sent_commit = commit.index
        progress.due = None
        return Replicate(self.term, prev, entries, commit.index)

    def _chunk(self, transfer: Transfer) -> Snapshot:
        items = take_batch(transfer.items, transfer.offset)
        return Snapshot(self.term, transfer.at, transfer.offset, len(transfer.items), items, transfer.force)

    # -- what came back -------------------------------------------------------------------------------

    def _answered(self, peer: NodeId, now: float) -> Progress:
        self._all_have = None
        progress = self.progress[peer]
        progress.answered(now)
        return progress

    def replicated(self, peer: NodeId, answer: Replicated, commit: EntryId, now: float) -> None:
        progress = self._answered(peer, now)
        if answer.ok:
            progress.agreed(answer.index)
        elif answer.index > self._log.last_index:
            self._send_snapshot(progress, commit, force=True)  # it has applied more than there is here
        else:
            progress.refused(answer.index)

    def log_conflict(self, peer: NodeId, commit: EntryId, now: float) -> None:
        """The follower has applied what we do not have: only a snapshot helps."""
        progress = self._answered(peer, now)
        self._send_snapshot(progress, commit, force=True)

    def _send_snapshot(self, progress: Progress, commit: EntryId, force: bool) -> None:
        if progress.transfer is None or (force and not progress.transfer.force):
            progress.send_snapshot(commit, self._store.items(), force)

    def snapshot_received(self, peer: NodeId, answer: SnapshotReceived, now: float) -> None:
        progress = self.progress[peer]
        transfer = progress.transfer
        if transfer is None or transfer.at != answer.at:
            return
        progress.answered(now)
        transfer.offset = answer.offset
        if answer.offset >= len(transfer.items):
            progress.installed(transfer.at.index)

    def is_awake(self) -> None:
        """The leader itself has slept. How long answers took says nothing about the network now, and what was under
        way may be lost: begin again with everybody."""
        for progress in self.progress.values():
            progress.is_back()

    def is_back(self, peer: NodeId) -> None:
        """A follower that had not answered answers again: what it owes is lost, so it is probed at once."""
        self.progress[peer].is_back()

    def alive(self, peer: NodeId, last: EntryId) -> None:
        """A heartbeat was answered by a follower whose log ends in `last`.

        One whose log is shorter than what it once agreed to has lost its memory: it is a new follower.
        """
        if last.index < self.progress[peer].match:
            self._all_have = None
            self.progress[peer] = Progress(last.index + 1, self._retry)

    # -- what follows from it -------------------------------------------------------------------------

    def held_by(self, copies: int, saved: int) -> int:
        """The highest index that at least `copies` nodes hold, this one included (up to index `saved`)."""
        if copies == 1:
            return saved
        matches = sorted([saved, *(p.match for p in self.progress.values())], reverse=True)
        return matches[copies - 1]

    def lag(self) -> dict[NodeId, int | None]:
        """Entries that each follower is not yet known to hold; None where nothing is known of its log. A new leader
        knows nothing at first: to count from 0 then would tell the whole log's length."""
        last = self._log.last_index
        return {peer: last - p.match if p.confirmed else None for peer, p in self.progress.items()}

    def needed_from(self) -> int:
        """The log behind this index is still needed to finish the snapshots under way."""
        running = [p.transfer.at.index for p in self.progress.values() if p.transfer]
        return min(running, default=self._log.last_index)
