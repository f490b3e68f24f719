"""Which message went where, and what became of it: two nodes' diaries joined by the messages' ids.

Law of this module: pure data in, pure data out; no message is left out, and none is counted twice.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Literal

from labs.trace.events import Event
from labs.trace.roles import number
from replstore.messages import natural_order

Fate = Literal["arrived", "lost", "under way"]
Family = Literal["heartbeat", "replication", "election"]

HEARTBEATS = {"Heartbeat", "HeartbeatReply", "Alive"}
REPLICATION = {"Replicate", "Replicated", "Diverged", "Snapshot", "SnapshotReceived", "CatchUp"}
ANSWERS = {"HeartbeatReply", "Replicated", "Diverged", "SnapshotReceived", "Objection"}

YES = {"granted", "vote_granted", "ok", "yes", "success", "accepted", "grant"}
"""What strategies call the field of an answer that says yes or no."""

PRE = {"pre", "prevote", "pre_vote"}
"""What strategies call the field that makes a vote a pre-vote."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One message on its way. `arrivals` are the times at which copies of it came in: none if it was lost, two if it
    was duplicated. `guessed`: nobody saw it leave, so `sent` is only the time of the first that is known of it."""

    id: str
    kind: str
    sender: str
    receiver: str
    sent: float
    arrivals: tuple[float, ...] = ()
    fate: Fate = "arrived"
    seq: int = 0
    details: dict[str, Any] = field(default_factory=dict)
    guessed: bool = False

    @property
    def family(self) -> Family:
        if self.kind in HEARTBEATS:
            return "heartbeat"
        return "replication" if self.kind in REPLICATION else "election"

    @property
    def is_answer(self) -> bool:
        """Whether it answers another message; of a message that is not ours, a yes or no inside tells."""
        if self.family == "election" and self.says is not None:
            return True
        return self.kind in ANSWERS or self.kind.endswith(("Reply", "Answer", "Response"))

    @property
    def says(self) -> bool | None:
        """The yes or no in it; None if there is neither."""
        return next((v for name, v in self.details.items() if name in YES and isinstance(v, bool)), None)

    @property
    def is_rehearsal(self) -> bool:
        """Whether it belongs to a pre-vote."""
        return any(self.details.get(name) is True for name in PRE)

    @property
    def term(self) -> int | None:
        return number(self.details.get("term"))

    @property
    def last_seen(self) -> float:
        return max((self.sent, *self.arrivals))


@dataclass(slots=True)
class _Trail:
    """All that is known of the messages of one id between two nodes: more than one if a restarted node counts anew."""

    sends: list[Event] = field(default_factory=list)
    arrivals: list[Event] = field(default_factory=list)
    drops: list[Event] = field(default_factory=list)


_Key = tuple[str, str, str]


def passages(events: list[Event], end: float) -> list[Passage]:
    trails = _trails(events)
    found = [p for (_, sender, receiver), trail in trails.items() for p in _follow(sender, receiver, trail)]
    longest = max((arrival - p.sent for p in found for arrival in p.arrivals), default=0.0)
    found = [_judge(passage, end - longest) for passage in found]
    return sorted(found, key=lambda p: (p.sent, natural_order(p.sender), p.seq))


def _trails(events: list[Event]) -> dict[_Key, _Trail]:
    trails: dict[_Key, _Trail] = defaultdict(_Trail)
    drops: list[Event] = []
    for place, event in enumerate(events):
        label = event.id or f"\0{place}"  # without an id nothing can be joined to it
        if event.event == "sent" and event.node:
            trails[label, event.node, event.peer].sends.append(event)
        elif event.event == "received" and event.node and event.peer:
            trails[label, event.peer, event.node].arrivals.append(event)
        elif event.event == "dropped" and event.node:
            drops.append(event)
    for place, event in enumerate(drops):
        trails[_key_of_drop(event, event.id or f"\0drop{place}", trails)].drops.append(event)
    return trails


def _key_of_drop(event: Event, label: str, trails: dict[_Key, _Trail]) -> _Key:
    """A message can be dropped on its way out or on its way in: in the second case it is the receiver who says so."""
    outward, inward = (label, event.node, event.peer), (label, event.peer, event.node)
    if outward in trails:
        return outward
    came_in = inward in trails or (event.peer and event.id.startswith(f"{event.peer}:"))
    return inward if came_in else outward


def _follow(sender: str, receiver: str, trail: _Trail) -> list[Passage]:
    if not trail.sends:
        return [_unseen(sender, receiver, trail)]
    if len(trail.sends) == 1:  # as nearly always
        send, came = trail.sends[0], tuple(event.time for event in trail.arrivals)
        return [_passage(send, sender, receiver, send.time, came, "lost" if trail.drops and not came else "arrived")]
    times = [event.time for event in trail.sends]
    arrivals: list[list[float]] = [[] for _ in times]
    dropped = [False for _ in times]
    for event in trail.arrivals:
        arrivals[_send_before(times, event.time)].append(event.time)
    for event in trail.drops:
        dropped[_send_before(times, event.time)] = True
    return [
        _passage(send, sender, receiver, send.time, tuple(got), "lost" if gone and not got else "arrived")
        for send, got, gone in zip(trail.sends, arrivals, dropped, strict=True)
    ]


def _send_before(times: list[float], time: float) -> int:
    return max(0, bisect_right(times, time) - 1)


def _unseen(sender: str, receiver: str, trail: _Trail) -> Passage:
    first = min((*trail.arrivals, *trail.drops), key=lambda event: event.time)
    arrivals = tuple(event.time for event in trail.arrivals)
    return _passage(first, sender, receiver, first.time, arrivals, "arrived" if arrivals else "lost", guessed=True)


def _passage(
    event: Event,
    sender: str,
    receiver: str,
    sent: float,
    arrivals: tuple[float, ...],
    fate: Fate,
    guessed: bool = False,
) -> Passage:
    return Passage(event.id, event.kind, sender, receiver, sent, arrivals, fate, event.seq, event.details, guessed)


def _judge(passage: Passage, last_chance: float) -> Passage:
    """A message that never arrived was lost, unless it left so late that it may still have been under way."""
    if passage.arrivals or passage.fate == "lost":
        return passage
    fate: Fate = "under way" if passage.sent > last_chance else "lost"
    p = passage
    return Passage(p.id, p.kind, p.sender, p.receiver, p.sent, (), fate, p.seq, p.details, p.guessed)
