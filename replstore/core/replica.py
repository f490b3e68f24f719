"""One copy of the data: a log, the store that it builds, and how far it is committed.

Law of this module: it does not know who leads, or why. It takes entries, applies those that are committed, and collects
the effects that follow. `leader` and `follower` decide what to put in; `node` decides which of them is in charge.

How far a copy is:

    base            commit                last_index
     |  applied and   |  known to the      |
     |  still kept    |  log, may be lost  |

Everything up to `commit` has been applied to the store. What lies at or before `log.base` has also been forgotten. What
lies behind `commit` is not decided: a later leader may replace it. Nothing at or before `commit` is ever replaced entry
by entry; only a snapshot of another history can do that (see `install`), and then the writes that are lost are named.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from replstore.core.contract import Append, Effect, FlushAfter, Install, Note, Reply, Result, Save, Send
from replstore.core.log import Log
from replstore.core.messages import START, Entry, EntryId, Message, NodeId, natural_order
from replstore.core.replication import MODES, Replication
from replstore.core.store import Store


class Replica:
    """What a node is, whether it leads or follows. Times are in seconds; `mode` is one of `MODES`."""

    replication_class = Replication

    def __init__(self, node_id: NodeId, peers: Iterable[NodeId], heartbeat: float, timeout: float, mode: str) -> None:
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
        self.commit: EntryId = START
        """The last committed entry. Its index never goes back, except by `install`."""
        self.effects: list[Effect] = []
        """What the input that is being handled has led to so far."""
        self._wake_at = 0.0

    # -- looking --------------------------------------------------------------------------------------

    def read(self, key: str) -> Entry | None:
        """The `put` that gave `key` its value in this node's own copy, which may be behind the leader's."""
        return self.store.get(key)

    def checkpoint(self) -> tuple[Install, Append]:
        """For the journal's compaction: where the log begins, and all of it."""
        log = tuple(self.log.after(self.log.base.index))
        return Install(self.log.base, ()), Append(log, self.commit.index)

    def keeps(self, entry: Entry) -> bool:
        """For the journal's compaction: whether this old entry still gives its key its value."""
        live = self.store.get(entry.key)
        return live is not None and live.id == entry.id

    # -- effects --------------------------------------------------------------------------------------

    def note(self, kind: str, **details: Any) -> None:
        self.effects.append(Note(kind, details))

    def send(self, to: NodeId, message: Message) -> None:
        self.effects.append(Send(to, message))

    def reply(self, request: int, result: Result) -> None:
        self.effects.append(Reply(request, result))

    def wake(self, due: float) -> None:
        """Have a `Flush` at time `due`, unless one is to come before."""
        # Drivers' clocks round: a wake-up that comes a microsecond early must not count as still to come.
        if due > self.now and not self.now + 1e-6 < self._wake_at <= due:
            self._wake_at = due
            self.effects.append(FlushAfter(due - self.now))

    # -- shipping -------------------------------------------------------------------------------------

    def replication_to(self, peers: Iterable[NodeId], term: int) -> Replication:
        """New book-keeping about how far `peers` are. Nothing is known of them yet."""
        retry = min(2 * self.heartbeat, 0.5)
        return self.replication_class(term, self.log, self.store, peers, retry, awaited=self.copies > 1)

    def ship(self, replication: Replication) -> None:
        """Send each follower whatever is worth sending now."""
        for peer in replication.behind(self.commit.index):
            for message in replication.messages_for(peer, self.commit, self.now):
                self.effects.append(Send(peer, message))
        if (due := replication.next_due(self.now)) is not None:
            self.wake(due)

    # -- the log --------------------------------------------------------------------------------------

    def overwrite(self, new: Sequence[Entry]) -> None:
        """Put the leader's entries in the place of whatever uncommitted ones stand there."""
        if new[0].index <= self.log.last_index:
            self.log.truncate(after=new[0].index - 1)
            self.note("truncated", after=new[0].index - 1)
        for entry in new:
            self.log.append(entry)
        self.note("appended", first=new[0].index, last=new[-1].index)

    def advance_commit(self, index: int) -> None:
        """Everything up to entry `index` is committed: apply it, in order. An `index` from the past changes nothing."""
        if index <= self.commit.index:
            return
        apply, applied = self.store.apply, self.applied
        for entry in self.log.between(self.commit.index, index):
            applied(entry, apply(entry))
        self.commit = entry.id
        self.note("committed", index=entry.index, term=entry.term, leader=entry.leader)
        self.compact_log()

    def applied(self, entry: Entry, found: bool) -> None:
        """An entry has just taken effect; `found`: its key was there before. A leader answers its client now."""

    def needed_from(self) -> int:
        """The log behind this index is still needed, for snapshots that are under way."""
        return self.log.last_index

    def compact_log(self) -> None:
        """What has been applied may be forgotten, unless a snapshot under way still needs what follows it."""
        if self.log.is_long:
            self.log.compact(upto=min(self.commit.index, self.needed_from()))

    # -- another history ------------------------------------------------------------------------------

    def install(self, at: EntryId, items: list[Entry], last_common_index: int | None) -> None:
        """Take another node's state as of entry `at` in place of this one's.

        `last_common_index`: up to there the two logs are known to agree; None where nobody has found out. In `async`
        this is where acknowledged writes are lost: a leader acknowledged them alone, crashed, and finds on its return
        that the others went on without them. They cannot be kept, but they are named, one note for each.
        """
        self._note_lost_writes({item.key: item for item in items}, last_common_index)
        self.effects.append(Save(Install(at, tuple(items))))
        self.store.replace(items)
        self.log.reset(at)
        self.commit = at
        self.note("installed_snapshot", index=at.index, keys=len(items))
        self.note("committed", index=at.index, term=at.term, leader=at.leader)

    def _note_lost_writes(self, survivors: dict[str, Entry], last_common_index: int | None) -> None:
        """Tell of each write that was in force here and is not part of the history that replaces ours."""
        for entry in self.log.after(max(last_common_index or 0, self.log.base.index)):
            survivor = survivors.get(entry.key)
            kept = survivor is not None and survivor.id == entry.id
            # Without knowing where the histories part, only an older survivor is proof.
            lost = last_common_index is not None or (survivor is not None and survivor.index < entry.index)
            if lost and entry.op != "noop" and entry.index <= self.commit.index and not kept:
                details = {"op": entry.op, "key": entry.key, "value": entry.value}
                self.note("write_lost", **details, index=entry.index, term=entry.term)
