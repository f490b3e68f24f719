"""The student's `Election` objects, one for each node of the grader's simulation.

All nodes of a run live in this one process, each with a strategy object of its own. A strategy that keeps its state in
its module or class instead of in itself thereby shares it between nodes: the student's mistake, which the run shows.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from labs.grading.child.values import BadValue
from replstore.core.election import Election, ElectionContext
from replstore.core.messages import Message
from replstore.wire.codec import CodecError, decode_message, encode_message, pack, unpack

_PLAIN = (str, int, type(None))
"""Votes that travel as they are."""


class _Log:
    last: tuple[int, int] = (0, 0)


class Place:
    """One node's seat, and what its strategy has asked for since the last answer."""

    def __init__(self, strategy: type[Election], question: dict[str, Any]) -> None:
        self.log = _Log()
        self.sent: list[list[str]] = []
        self.notes: list[list[Any]] = []
        self.said: list[Any] = []
        term, index = question["last"]
        self.log.last = (term, index)
        self.election = strategy(
            ElectionContext(
                me=question["me"],
                peers=tuple(question["peers"]),
                log=self.log,
                rng=Random(question["seed"]),
                timeout=question["timeout"],
                heartbeat=question["heartbeat"],
                send=self.send,
                note=self.note,
            )
        )

    def send(self, peer: str, message: Message) -> None:
        # Written down at once: whoever changes the message afterwards does not change what was sent.
        self.sent.append([peer, _name(message), _plain(encode_message, message)])

    def note(self, kind: str, **details: Any) -> None:
        self.notes.append([kind, _plain(pack, details)])

    def answer(self) -> list[Any]:
        """What the node reads after a call: leader, term, vote, and what was sent and noted meanwhile."""
        election = self.election
        sent, self.sent = self.sent, []
        notes, self.notes = self.notes, []
        vote = election.vote
        self.said = [election.leader, election.term, vote if type(vote) in _PLAIN else _plain(pack, vote)]
        return [*self.said, sent, notes]


class Elections:
    def __init__(self) -> None:
        self._places: dict[int, Place] = {}

    def create(self, strategy: type[Election], question: dict[str, Any]) -> list[Any]:
        place = self._places[question["place"]] = Place(strategy, question)
        return place.answer()

    def remove(self, places: list[int]) -> None:
        for place in places:
            self._places.pop(place, None)

    def play(self, moments: list[list[list[Any]]]) -> list[Any]:
        """The events of each moment, in their order; no further than the first moment of which anything came, because
        that may change what happens in the next. Answers how many moments came before that one, and its answers."""
        for number, steps in enumerate(moments):
            before = [self._places[step[0]].said for step in steps]
            answers = [self._step(*step) for step in steps]
            if any(answer != [*said, [], []] for said, answer in zip(before, answers, strict=True)):
                return [number, answers]
        return [len(moments), []]

    def _step(self, number: int, now: float, *news: Any) -> list[Any]:
        """A step without news is a tick."""
        place = self._places[number]
        if news:
            self._learn(place, now, *news)
        else:
            place.election.tick(now)
        return place.answer()

    def _learn(
        self, place: Place, now: float, last: list[int], state: list[Any] | None, sender: str | None, text: str
    ) -> None:
        place.log.last = (last[0], last[1])
        election = place.election
        if state is not None:  # the node has put back what it saved before a crash
            election.term, election.vote = state[0], unpack(state[1])
        if sender is None:
            election.tick(now)
        else:
            election.receive(sender, _message(text), now)


def _plain(encode: Callable[[Any], Any], value: Any) -> Any:
    try:
        return encode(value)
    except CodecError as error:
        raise BadValue(str(error)) from None


def _message(text: str) -> Message:
    try:
        return decode_message(text)
    except CodecError as error:
        raise BadValue(f"a message of yours cannot be read by its receiver: {error}") from None


def _name(message: Message) -> str:
    if not isinstance(message, Message):
        raise BadValue(f"only messages can be sent (dataclasses derived from Message), not {type(message).__name__}")
    return type(message).__name__
