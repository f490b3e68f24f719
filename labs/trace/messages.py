"""Messages over time: who sent which to whom, when it arrived or that it was lost; joined by the messages' ids.

Law of this module: pure data in, pure data out; no message is left out, and none is counted twice.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from labs.trace import kinds
from labs.trace.events import Event
from labs.trace.roles import whole_number
from replstore.core.messages import natural_order

DeliveryOutcome = Literal["arrived", "lost", "under way"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message. `arrivals` are the times at which copies of it arrived: none if it was lost, two if it was
    duplicated. `guessed`: nobody saw it leave, so `sent` is the time of the first event that is known of it."""

    id: str
    kind: str
    sender: str
    receiver: str
    sent: float
    arrivals: tuple[float, ...] = ()
    outcome: DeliveryOutcome = "arrived"
    seq: int = 0
    details: dict[str, Any] = field(default_factory=dict)
    guessed: bool = False

    @property
    def family(self) -> kinds.MessageFamily:
        return kinds.family_of(self.kind)

    @property
    def is_reply(self) -> bool:
        """Whether it answers another message."""
        return kinds.is_reply(self.kind, self.details)

    @property
    def vote(self) -> bool | None:
        """The yes or no in it; None if there is neither."""
        return kinds.vote_in(self.details)

    @property
    def is_pre_vote(self) -> bool:
        return any(self.details.get(name) is True for name in kinds.PRE)

    @property
    def term(self) -> int | None:
        return whole_number(self.details.get("term"))

    @property
    def last_seen(self) -> float:
        return max((self.sent, *self.arrivals))


@dataclass(slots=True)
class _MessageEvents:
    """All that is known of the messages of one id between two nodes: more than one if a restarted node counts anew."""

    sends: list[Event] = field(default_factory=list)
    arrivals: list[Event] = field(default_factory=list)
    drops: list[Event] = field(default_factory=list)


_Key = tuple[str, str, str]


def deliveries(events: list[Event], end: float) -> list[Delivery]:
    """Every message in `events`, which are in order and end at `end`."""
    by_message = _by_message(events)
    found = [p for (_, sender, receiver), known in by_message.items() for p in _follow(sender, receiver, known)]
    longest = max((arrival - p.sent for p in found for arrival in p.arrivals), default=0.0)
    found = [_judge(delivery, end - longest) for delivery in found]
    return sorted(found, key=lambda p: (p.sent, natural_order(p.sender), p.seq))


def _by_message(events: list[Event]) -> dict[_Key, _MessageEvents]:
    by_message: dict[_Key, _MessageEvents] = defaultdict(_MessageEvents)
    drops: list[Event] = []
    for place, event in enumerate(events):
        label = event.id or f"\0{place}"  # without an id nothing can be joined to it
        if event.event == "sent" and event.node:
            by_message[label, event.node, event.peer].sends.append(event)
        elif event.event == "received" and event.node and event.peer:
            by_message[label, event.peer, event.node].arrivals.append(event)
        elif event.event == "dropped" and event.node:
            drops.append(event)
    for place, event in enumerate(drops):
        by_message[_key_of_drop(event, event.id or f"\0drop{place}", by_message)].drops.append(event)
    return by_message


def _key_of_drop(event: Event, label: str, by_message: dict[_Key, _MessageEvents]) -> _Key:
    """A message can be dropped on its way out or on its way in: in the second case it is the receiver who says so."""
    outward, inward = (label, event.node, event.peer), (label, event.peer, event.node)
    if outward in by_message:
        return outward
    came_in = inward in by_message or (event.peer and event.id.startswith(f"{event.peer}:"))
    return inward if came_in else outward


def _follow(sender: str, receiver: str, events: _MessageEvents) -> list[Delivery]:
    if not events.sends:
        return [_unseen(sender, receiver, events)]
    if len(events.sends) == 1:  # as nearly always
        arrivals = tuple(event.time for event in events.arrivals)
        return [_delivery(events.sends[0], sender, receiver, arrivals, lost=bool(events.drops) and not arrivals)]
    times = [event.time for event in events.sends]
    arrived: list[list[float]] = [[] for _ in times]
    dropped = [False for _ in times]
    for event in events.arrivals:
        arrived[_send_before(times, event.time)].append(event.time)
    for event in events.drops:
        dropped[_send_before(times, event.time)] = True
    return [
        _delivery(send, sender, receiver, tuple(copies), lost=drop and not copies)
        for send, copies, drop in zip(events.sends, arrived, dropped, strict=True)
    ]


def _send_before(times: list[float], time: float) -> int:
    return max(0, bisect_right(times, time) - 1)


def _unseen(sender: str, receiver: str, events: _MessageEvents) -> Delivery:
    first = min((*events.arrivals, *events.drops), key=lambda event: event.time)
    arrivals = tuple(event.time for event in events.arrivals)
    return _delivery(first, sender, receiver, arrivals, lost=not arrivals, guessed=True)


def _delivery(
    event: Event, sender: str, receiver: str, arrivals: tuple[float, ...], *, lost: bool, guessed: bool = False
) -> Delivery:
    outcome: DeliveryOutcome = "lost" if lost else "arrived"
    return Delivery(
        event.id, event.kind, sender, receiver, event.time, arrivals, outcome, event.seq, event.details, guessed
    )


def _judge(delivery: Delivery, last_chance: float) -> Delivery:
    """A message that never arrived was lost, unless it left so late that it may still have been under way."""
    if delivery.arrivals or delivery.outcome == "lost":
        return delivery
    return replace(delivery, outcome="under way" if delivery.sent > last_chance else "lost")
