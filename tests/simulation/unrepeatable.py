"""Elections that cannot be replayed, each for another reason. (A module, so that another process finds them.)"""

from __future__ import annotations

import datetime
import random
import time
from random import Random
from time import monotonic

from replstore.core.election import ElectionContext
from replstore.core.messages import Message
from solutions.ex3_election import MyElection

LIVES: list[float] = []
_DICE = Random()


class GoesThroughASet(MyElection):
    def broadcast(self, message: Message) -> None:
        others = set(self.peers)
        for peer in others:
            self.send(peer, message)


class GoesThroughItsOwnSet(MyElection):
    def __init__(self, seat: ElectionContext) -> None:
        super().__init__(seat)
        self.friends: set[str] = {*seat.peers}

    def broadcast(self, message: Message) -> None:
        for peer in list(self.friends):
            self.send(peer, message)


class SortsItsSet(MyElection):
    def broadcast(self, message: Message) -> None:
        for peer in sorted(set(self.peers)):
            self.send(peer, message)


class UsesTheGlobalDice(MyElection):
    def wait(self, now: float) -> None:
        self.deadline = now + self.timeout * (1 + random.random())


class UsesAClock(MyElection):
    def tick(self, now: float) -> None:
        super().tick(time.time())


class UsesAClockImportedByName(MyElection):
    def tick(self, now: float) -> None:
        super().tick(monotonic())


class UsesTheCalendar(MyElection):
    def tick(self, now: float) -> None:
        super().tick(datetime.datetime.now().timestamp())


class HasItsOwnDice(MyElection):
    """Without a seed: the operating system gives another one each time."""

    def wait(self, now: float) -> None:
        self.deadline = now + self.timeout * (1 + _DICE.random())
