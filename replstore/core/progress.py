"""How far one follower is: an explicit state machine, one for each follower.

Law of this module: everything that affects a follower's state is here, and `TRANSITIONS` is all of it. A pair that is
missing there cannot happen; if it does, that is a mistake in this package (`KeyError`). The idea, and the three states,
are etcd's (`tracker.Progress` in etcd-io/raft).

Two numbers say what is known of the follower's log. Entries up to `match` are there for certain: it said so. Entries
from `next` on have not been sent yet. What lies between is on its way, or was lost. Always

    0 <= match < next

`match` never goes back: what a follower saved, it has as long as it has its journal. (A follower that lost its journal
is a new follower, with a new `Progress`.) `next` goes back to `match + 1` when answers stay away, and in between when
the follower says that its log is different there.
"""

from __future__ import annotations

from collections import deque
from enum import Enum

from replstore.core.messages import Entry, EntryId

MAX_RETRY = 16
"""The wait for an answer doubles up to this many times its first value; a snapshot under way is given up then."""


class State(Enum):
    """What may be sent to the follower now."""

    PROBING = "it is not known where its log matches ours: one message at a time"
    STREAMING = "it matched: every new entry at once, without waiting for the answers before"
    SNAPSHOT = "what it lacks is not in our log any more, or its log is of another history: one chunk at a time"


class Event(Enum):
    """What can happen to it."""

    AGREED = "it has the entries that were sent"
    REFUSED = "it does not have the entry before them"
    SILENT = "an answer is overdue"
    GIVEN_UP = "a snapshot's answers are overdue for long"
    NEEDS_SNAPSHOT = "entries cannot help it"
    INSTALLED = "it has the whole snapshot"


PROBING, STREAMING, SNAPSHOT = State

TRANSITIONS: dict[State, dict[Event, State]] = {
    PROBING: {
        Event.AGREED: STREAMING,
        Event.REFUSED: PROBING,
        Event.SILENT: PROBING,
        Event.NEEDS_SNAPSHOT: SNAPSHOT,
    },
    STREAMING: {
        Event.AGREED: STREAMING,
        Event.REFUSED: PROBING,
        Event.SILENT: PROBING,
        Event.NEEDS_SNAPSHOT: SNAPSHOT,
    },
    SNAPSHOT: {
        Event.AGREED: SNAPSHOT,  # a late answer, to entries that were sent before
        Event.REFUSED: PROBING,
        Event.SILENT: SNAPSHOT,  # the same chunk again
        Event.GIVEN_UP: PROBING,  # and a new snapshot, of the state as it is by then
        Event.NEEDS_SNAPSHOT: SNAPSHOT,
        Event.INSTALLED: STREAMING,
    },
}


class Transfer:
    """A snapshot on its way: the live entries as of `at`, and how many of them the follower has (`offset`)."""

    def __init__(self, at: EntryId, items: list[Entry], force: bool) -> None:
        self.at = at
        self.items = items
        self.force = force
        self.offset = 0


class Progress:
    """What is known of one follower. `retry`: the seconds after which an answer is overdue, at the least."""

    def __init__(self, next_index: int, retry: float) -> None:
        self.match = 0
        self.confirmed = False
        """Whether it has agreed to anything yet. Until then `match` is 0 because nothing is known, not because the
        follower has nothing."""
        self.next = next_index
        self.state = PROBING
        self.transfer: Transfer | None = None
        """The snapshot under way: there is one exactly in the state SNAPSHOT."""
        self.sent_commit = 0
        self.last_sent = 0.0
        self.due: float | None = None
        """When the follower is sent what waits for company now."""
        self._under_way: deque[float] = deque()
        self._shortest_retry = retry
        self._retry = retry
        self._last_word = 0.0

    # -- transitions ----------------------------------------------------------------------------------

    def _on(self, event: Event) -> None:
        self.state = TRANSITIONS[self.state][event]
        if self.state is not SNAPSHOT:
            self.transfer = None

    def agreed(self, index: int) -> None:
        """It has everything up to `index`. (An older answer may arrive after a newer one: it takes nothing back.)"""
        self.confirmed = True
        if index > self.match:
            self.match = index
        if self.next <= self.match:
            self.next = self.match + 1
        if self.state is not STREAMING:  # as nearly always
            self._on(Event.AGREED)

    def refused(self, index: int) -> None:
        """The logs may agree up to `index` at best."""
        if index < self.match:
            return  # an older refusal that arrives after a newer agreement is no news
        self._on(Event.REFUSED)
        self.next = index + 1

    def give_up_waiting(self) -> None:
        """Answers are overdue: begin again where it last agreed, and wait longer from now on."""
        longest = MAX_RETRY * self._shortest_retry
        self._under_way.clear()
        self._retry = min(2 * self._retry, longest)
        self._on(Event.GIVEN_UP if self.state is SNAPSHOT and self._retry == longest else Event.SILENT)
        self.next = self.match + 1

    def is_back(self) -> None:
        """A silence, its own or the leader's, is over: what was under way may be lost, and nobody waits long for it."""
        self._retry = self._shortest_retry
        if self._owes:
            self._under_way.clear()
            self._on(Event.SILENT)
            self.next = self.match + 1

    def send_snapshot(self, at: EntryId, items: list[Entry], force: bool) -> None:
        """From now on send it chunks of this snapshot."""
        self._on(Event.NEEDS_SNAPSHOT)
        self.transfer = Transfer(at, items, force)

    def installed(self, index: int) -> None:
        """It has the whole snapshot, the state as of entry `index`."""
        self._on(Event.INSTALLED)
        self.confirmed = True
        self.match = max(self.match, index)
        self.next = self.match + 1

    # -- time -----------------------------------------------------------------------------------------

    @property
    def in_flight(self) -> int:
        """Messages that were not answered yet."""
        return len(self._under_way)

    def sent(self, now: float) -> None:
        self._under_way.append(now)
        self.last_sent = now

    def answered(self, now: float) -> None:
        """An answer came: to the oldest message under way, as far as can be told."""
        self._last_word = now
        if self._under_way:
            took = now - self._under_way.popleft()
            self._retry = max(self._shortest_retry, 2 * took)

    @property
    def _owes(self) -> bool:
        """Whether an answer is still to come. Answers are not told apart, so one that came twice stands for one that is
        lost: what was streamed but never agreed to counts as well."""
        return bool(self._under_way) or (self.state is STREAMING and self.match < self.next - 1)

    def overdue(self, now: float) -> bool:
        """Whether an answer should have come by now: counted from the last one, or from the oldest message sent."""
        since = max(self._under_way[0] if self._under_way else 0.0, self._last_word)
        return self._owes and now - since >= self._retry

    # -- looking --------------------------------------------------------------------------------------

    def has_all(self, last: int, commit: int) -> bool:
        """Whether the follower agreed to everything up to index `last`, and was told that `commit` is committed."""
        up_to_date = self.match == last and self.next == last + 1 and self.sent_commit >= commit
        return up_to_date and self.state is STREAMING and not self._under_way
