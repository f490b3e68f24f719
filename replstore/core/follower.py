"""Following: what a node does with the entries and snapshots that a leader ships.

Law of this module: a follower takes what its leader says, as long as it can prove that its own log agrees up to there.
It never decides what is committed.

Raft's argument (§5.3, the Log Matching Property): each `Replicate` names the entry before the new ones, `prev`. If the
follower's log holds that very entry, and both logs were built in this way, then they agree in everything before it,
too. So one comparison of identities is enough. If the log does not hold `prev`, the follower refuses, says up to where
the logs may agree, and the leader asks about an earlier place.

Raft can stop there, because a Raft leader has every committed entry. Two things are different here. In `async` an entry
is committed when the leader alone has it, so a follower may have *applied* entries that the next leader does not have.
What was applied cannot be taken back one by one: the follower says `LogConflict` and is sent a whole snapshot. And a
`LowestId` leader is elected without regard to its log: before it accepts writes it is a follower itself, of the node
with the newest log (see `leader`).
"""

from __future__ import annotations

from replstore.core.contract import Append, Save
from replstore.core.messages import (
    START,
    Entry,
    EntryId,
    LogConflict,
    NodeId,
    Replicate,
    Replicated,
    Snapshot,
    SnapshotReceived,
)
from replstore.core.replica import Replica


class Follower:
    """What is known only as long as one leader ships to this node; made anew for each leader and term."""

    def __init__(self, node: Replica) -> None:
        self._node = node
        self._snapshot_in_progress: tuple[EntryId, list[Entry]] = (START, [])
        """Of which state, and the items that have arrived."""
        self._last_snapshot: EntryId = START
        """The state that was installed last, so that a late copy of it is not installed again."""
        self._last_common_index: int | None = None
        """Up to here this log and the leader's agree, where that was found out before a snapshot."""

    # -- entries --------------------------------------------------------------------------------------

    def take(self, sender: NodeId, message: Replicate) -> bool:
        """Take over the leader's entries, if our log holds the one before them (Raft §5.3). Returns whether it did.

        The order of the effects matters: the entries are saved *before* the answer leaves. The answer is a promise, and
        the leader counts it as a copy.
        """
        node = self._node
        refusal = self._refusal(message)
        if refusal is not None:
            node.send(sender, refusal)
            return False
        new = self._without_known(message.entries)
        if new and new[0].index <= node.commit.index:
            # We have applied another entry in this place.
            self._last_common_index = new[0].index - 1
            node.send(sender, LogConflict(message.term))
            return False
        end = message.prev.index + len(message.entries)
        # Only as far as this message proves that the logs agree: behind `end` ours may hold something else.
        commit = max(node.commit.index, min(message.commit, end))
        if new:
            node.overwrite(new)
            node.effects.append(Save(Append(new, commit)))
        node.advance_commit(commit)
        node.send(sender, Replicated(message.term, True, end))
        return True

    def _refusal(self, message: Replicate) -> Replicated | LogConflict | None:
        """None if the log holds the entry before the message's; else up to where it may agree with the sender's."""
        prev, log = message.prev, self._node.log
        if prev.index > log.last_index:
            return Replicated(message.term, False, log.last_index)
        if prev.index < log.base.index:
            return Replicated(message.term, False, log.base.index)
        if log.id_at(prev.index) == prev:
            return None
        if prev.index == log.base.index:
            self._last_common_index = log.base.index
            return LogConflict(message.term)
        # All that one leader wrote in a row is ours or none of it is: skip it at once (Raft §5.3, last paragraphs).
        return Replicated(message.term, False, log.start_of_run(prev.index) - 1)

    def _without_known(self, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
        """A repeated or late message must not truncate what a newer one brought: drop what the log has already."""
        for number, entry in enumerate(entries):
            if self._node.log.id_at(entry.index) != entry.id:
                return entries[number:]
        return ()

    # -- snapshots ------------------------------------------------------------------------------------

    def take_snapshot(self, sender: NodeId, message: Snapshot) -> None:
        """Take a chunk of a snapshot (Raft §7), or say why it is of no use."""
        node, at = self._node, message.at
        if (message.force and at != self._last_snapshot) or at.index > node.commit.index:
            held = self._add(message)
        elif at.index < node.log.base.index:
            # We have applied more, and forgotten what came then: let the leader ask about what we remember.
            node.send(sender, Replicated(message.term, False, node.log.base.index))
            return
        elif at == self._last_snapshot or node.log.id_at(at.index) == at:
            held = message.total  # a late copy: what it brings is here, and newer things may be
        else:
            node.send(sender, LogConflict(message.term))
            return
        node.send(sender, SnapshotReceived(message.term, at, held))

    def _add(self, message: Snapshot) -> int:
        """Put the chunk to the others; install when all are there. Returns how many items are held."""
        if self._snapshot_in_progress[0] != message.at:
            self._snapshot_in_progress = (message.at, [])
        items = self._snapshot_in_progress[1]
        if message.offset == len(items):
            items.extend(message.items)
        if len(items) >= message.total:
            self._snapshot_in_progress = (START, [])
            self._last_snapshot = message.at
            self._node.install(message.at, items, self._last_common_index)
            self._last_common_index = None
        return len(items)
