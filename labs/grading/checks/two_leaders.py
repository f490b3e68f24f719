"""Stores with two leaders, for Exercise 1: a node that comes back leads, too.

Law of this module: as in `broken_stores`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from replstore.core.contract import Delete, Done, Effect, Input, Put, Record, Reply, Request, Send, Tick
from replstore.core.lowest_id import LowestId
from replstore.core.messages import Entry, Heartbeat, HeartbeatReply, Message, NodeId
from replstore.core.node import Node


class LeadsOnReturn(LowestId):
    """A node that was away believes that it leads, whoever else does."""

    _was_away: bool | None = None

    def tick(self, now: float) -> None:
        if self._is_stubborn():
            self.leader = self.me
        else:
            super().tick(now)

    def receive(self, sender: NodeId, message: Any, now: float) -> None:
        if not self._is_stubborn():
            super().receive(sender, message, now)

    def _is_stubborn(self) -> bool:
        """A node that begins its life in a term has had another life before."""
        if self._was_away is None:
            self._was_away = self.term > 0
        return self._was_away


@dataclass(frozen=True, slots=True)
class PassOn(Message, name="pass-on"):
    """A write that somebody else than the leader took from a client."""

    number: int
    op: str
    key: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class PassedOn(Message, name="passed-on"):
    number: int
    index: int
    term: int
    found: bool


DISGUISES = {PassOn.__name__: HeartbeatReply.__name__, PassedOn.__name__: Heartbeat.__name__}
"""What students see of these: messages that travel the same way in a good store, all the time."""


class SecondLeader(Node):
    """A node that was away says that it leads, in a term of the past, and takes writes; it passes them on to the
    leader, so that no data differ."""

    def __init__(self, *args: Any, records: Iterable[Record] = (), **kwargs: Any) -> None:
        saved = list(records)
        self._was_away = bool(saved)
        self._asked: dict[int, tuple[Request, NodeId | None]] = {}
        """What clients wait for, and who was told of it."""
        self._passed_on: dict[int, tuple[NodeId, int]] = {}
        self._done: list[Reply] = []
        """What clients are told as soon as this node has it, too: so they can read their writes here."""
        super().__init__(*args, records=saved, **kwargs)
        self._past = self.election.term
        self._on_message |= {PassOn: self._take_over, PassedOn: self._answer}

    @property
    def role(self) -> str:
        return "leader" if self._claims else super().role

    @property
    def leader(self) -> NodeId | None:
        return self.id if self._claims else super().leader

    @property
    def _claims(self) -> bool:
        return self._was_away and self.election.leader not in (None, self.id)

    def status(self) -> dict[str, Any]:
        past = {"term": min(self._past, self.election.term - 1)} if self._claims else {}
        return super().status() | past

    def handle(self, event: Input, now: float) -> list[Effect]:
        if isinstance(event, Request) and isinstance(event.command, Put | Delete) and self._claims:
            self._asked[event.id] = event, None
            return self._pass_on(now)
        effects = [self._passed_back(effect) for effect in super().handle(event, now)]
        effects += [reply for reply in self._done if self._holds(reply)]
        self._done = [reply for reply in self._done if not self._holds(reply)]
        return effects + self._pass_on(now) if isinstance(event, Tick) else effects

    def _holds(self, reply: Reply) -> bool:
        return isinstance(reply.result, Done) and reply.result.entry.index <= self.commit.index

    def _pass_on(self, now: float) -> list[Effect]:
        """To whoever leads, also if that has changed meanwhile; and be it this node."""
        leader, effects = self.election.leader, list[Effect]()
        for number, (request, told) in list(self._asked.items()):
            if self.leads:
                del self._asked[number]
                effects += super().handle(request, now)
            elif leader not in (None, self.id, told):
                self._asked[number] = request, leader
                op, key, value = _parts(request)
                effects.append(Send(leader, PassOn(number, op, key, value)))
        return effects

    def _take_over(self, sender: NodeId, message: PassOn) -> None:
        number = -1 - len(self._passed_on)
        self._passed_on[number] = sender, message.number
        command = Put(message.key, message.value) if message.op == "put" else Delete(message.key)
        self._on_request(Request(number, command))

    def _passed_back(self, effect: Effect) -> Effect:
        if not isinstance(effect, Reply) or effect.id not in self._passed_on:
            return effect
        sender, number = self._passed_on[effect.id]
        if not isinstance(effect.result, Done):
            return Send(sender, PassedOn(number, 0, 0, False))
        entry = effect.result.entry
        return Send(sender, PassedOn(number, entry.index, entry.term, effect.result.found))

    def _answer(self, sender: NodeId, message: PassedOn) -> None:
        request, _ = self._asked.pop(message.number, (None, None))
        if request is None:
            return
        if not message.index:  # it does not lead: once more
            self._asked[message.number] = request, None
            return
        op, key, value = _parts(request)
        entry = Entry(message.index, message.term, sender, op, key, value)
        self._done.append(Reply(request.id, Done(entry, message.found)))


def _parts(request: Request) -> tuple[str, str, Any]:
    command = request.command
    return ("put", command.key, command.value) if isinstance(command, Put) else ("delete", command.key, None)
