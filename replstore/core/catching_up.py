"""Catching up: what a leader that was elected without regard to its log does before it accepts writes.

Law of this module: when `is_done` says True, this node's log holds every write that was acknowledged in a mode which
promises to keep it.

Raft's voters vote only for a log at least as new as their own, so its leader has every committed entry from the start.
`LowestId` and `Bully` ask for nobody's log: the node with the right id leads, although it may have been away for long.
So that no acknowledged write is lost, it first fetches the newest log in reach (`FetchLog`), as if it followed that
peer.

Which log is the newest? The greater `(term, index)` of its last entry, as in Raft (§5.4.1). How many must have answered
before that can be said? In `quorum` and `sync` a majority, this node included: every acknowledged write is on at least
one of them. `async` promises nothing, and a lone survivor must go on: it waits for one heartbeat interval at most.
"""

from __future__ import annotations

from replstore.core.leader_state import LeaderState
from replstore.core.messages import FetchLog, NodeId
from replstore.core.replica import Replica


class CatchingUp:
    """`source`: the peer that was asked to ship what this node lacks."""

    def __init__(self, node: Replica, state: LeaderState) -> None:
        self._node = node
        self._state = state
        self.source: NodeId | None = None
        self._source_last: tuple[int, int] = (0, 0)
        self._deadline = 0.0

    def is_done(self) -> bool:
        """Whether nothing is missing any more; else asks for what is, once enough peers have answered."""
        node, state = self._node, self._state
        if self.source is not None:
            if node.log.last >= self._source_last:
                return True
            if node.now >= self._deadline:
                state.forget_log_of(self.source)
                self.source = None
            return False
        waited = node.copies == 1 and node.now >= state.since + node.heartbeat
        if not (state.heard_majority or waited):
            return False
        peer, last = state.newest_peer()
        if peer is None or last <= node.log.last:
            return True
        self.source, self._source_last, self._deadline = peer, last, node.now + node.timeout
        node.note("catching_up", source=peer)
        node.send(peer, FetchLog(state.term))
        return False
