"""Requests wait a moment for those of the clients that were just answered, where that lets them share a message."""

from __future__ import annotations

from random import Random

import pytest

from replstore.core.batching import BATCH_TIME, FEW, FULL_BATCH, Batching
from replstore.core.contract import (
    Effect,
    Flush,
    FlushAfter,
    LinearizableGet,
    Put,
    Received,
    Reply,
    Request,
    Send,
    Tick,
)
from replstore.core.election import Election
from replstore.core.messages import Heartbeat, HeartbeatReply, Message, NodeId, Replicate, Replicated
from replstore.core.node import Node
from replstore.core.replication import PACE


class LeadsAtOnce(Election):
    def tick(self, now: float) -> None:
        self.term, self.leader = 1, self.me

    def receive(self, sender: NodeId, message: Message, now: float) -> None:
        """It listens to nobody."""


class Leader:
    """A leader of three, and what it does about clients and about node-2's answers."""

    def __init__(self, mode: str = "quorum") -> None:
        peers = ["node-2", "node-3"]
        self.node = Node("node-1", peers, LeadsAtOnce, heartbeat=10.0, timeout=40.0, mode=mode, rng=Random(1))
        self.node.handle(Tick(), 0.0)
        self.agree(0.001)
        self.requests = 0

    def write(self, now: float) -> list[Effect]:
        self.requests += 1
        self.node.handle(Request(self.requests, Put("k", self.requests)), now)
        return self.node.handle(Flush(), now)

    def read(self, now: float) -> list[Effect]:
        self.requests += 1
        self.node.handle(Request(self.requests, LinearizableGet("k")), now)
        return self.node.handle(Flush(), now)

    def agree(self, now: float) -> list[Effect]:
        """Both followers have everything that was shipped."""
        for peer in self.node.peers:
            assert self.node.leading is not None
            shipped = self.node.leading.replication.progress[peer].next - 1
            self.node.handle(Received(peer, Replicated(1, True, max(1, shipped))), now)
        return self.node.handle(Flush(), now)

    def confirm(self, now: float) -> list[Effect]:
        assert self.node.leading is not None
        reply = HeartbeatReply(1, self.node.leading.state.round, True, self.node.log.last_id)
        return self.node.handle(Received("node-2", reply), now) + self.node.handle(Flush(), now)


def shipped(effects: list[Effect]) -> list[int]:
    """The number of entries in each message to node-2."""
    sent = [effect.message for effect in effects if type(effect) is Send and effect.to == "node-2"]
    return [len(message.entries) for message in sent if type(message) is Replicate and message.entries]


def answered(effects: list[Effect]) -> int:
    return sum(type(effect) is Reply for effect in effects)


def test_a_client_that_is_alone_never_waits() -> None:
    leader = Leader()
    for time in (0.1, 0.2, 0.3):
        assert shipped(leader.write(time)) == [1]
        assert answered(leader.agree(time + 0.01)) == 1


def test_what_waits_when_a_client_is_answered_waits_for_that_clients_next_write() -> None:
    leader = Leader()
    leader.write(0.1)
    assert shipped(leader.write(0.1001)) == [], "the first is still under way"

    effects = leader.agree(0.1005)
    assert (answered(effects), shipped(effects)) == (1, [])
    assert [effect.seconds for effect in effects if type(effect) is FlushAfter] == [pytest.approx(BATCH_TIME)]

    assert shipped(leader.write(0.1012)) == [2]


def test_it_waits_no_longer_than_a_moment() -> None:
    leader = Leader()
    leader.write(0.1)
    leader.write(0.1001)
    leader.agree(0.101)

    assert shipped(leader.node.handle(Flush(), 0.101 + BATCH_TIME / 2)) == []
    assert shipped(leader.node.handle(Flush(), 0.101 + BATCH_TIME)) == [1]


def test_where_waiting_was_in_vain_it_is_not_tried_again_at_once() -> None:
    leader = Leader()
    leader.write(0.1)
    leader.write(0.1001)
    leader.agree(0.101)
    leader.node.handle(Flush(), 0.101 + BATCH_TIME)

    leader.write(0.1025)
    assert shipped(leader.agree(0.103)) == [1], "at once, though a client was answered"


def test_reads_that_come_during_a_round_of_heartbeats_share_the_next() -> None:
    leader = Leader()
    leader.read(0.1)
    assert not [e for e in leader.read(0.1001) if type(e) is Send and type(e.message) is Heartbeat]

    effects = leader.confirm(0.101)
    assert answered(effects) == 1
    assert not [effect for effect in effects if type(effect) is Send], "the reader that was answered may come again"

    effects = leader.read(0.1012)
    assert len([effect for effect in effects if type(effect) is Send]) == 2
    assert answered(leader.confirm(0.102)) == 2


def test_a_round_whose_answers_are_lost_does_not_hold_up_reads_for_long() -> None:
    leader = Leader()
    leader.read(0.1)
    effects = leader.read(0.1001)
    [wake] = [effect.seconds for effect in effects if type(effect) is FlushAfter]

    assert [e for e in leader.node.handle(Flush(), 0.1001 + wake) if type(e) is Send and type(e.message) is Heartbeat]


@pytest.mark.parametrize("here", [FULL_BATCH, FULL_BATCH + 1, 4 * FULL_BATCH])
def test_many_together_wait_for_nobody(here: int) -> None:
    company = Batching()
    company.answered(30, here, 1.0)

    assert company.wait_until(here, 1.0) is None


@pytest.mark.parametrize(("clients", "times"), [(1, 1), (FEW - 1, 1), (2 * FEW, 2), (FULL_BATCH, 4), (300, 4)])
def test_many_clients_get_as_much_longer_to_come_back(clients: int, times: int) -> None:
    company = Batching()
    company.answered(clients, 1, 1.0)

    until = company.wait_until(1, 1.0)

    assert until is not None
    assert until == pytest.approx(1.0 + times * BATCH_TIME, abs=BATCH_TIME / 10)
    assert company.wait_until(1, until) is None


def test_the_pauses_between_waits_in_vain_double_up_to_a_limit() -> None:
    company = Batching()
    now, pauses = 0.0, []
    for _ in range(9):
        skipped = 0
        while True:
            now += 1
            company.answered(1, 1, now)
            if company.wait_until(1, now) is not None:
                break
            skipped += 1
        assert company.wait_until(1, now + BATCH_TIME) is None
        pauses.append(skipped)

    assert pauses == [0, 1, 3, 7, 15, 31, 63, 64, 64]


def test_one_wait_that_was_worth_it_ends_the_pauses() -> None:
    company = Batching()
    company.answered(1, 1, 1.0)
    company.wait_until(1, 2.0)
    company.answered(1, 1, 3.0)

    company.answered(1, 1, 4.0)
    assert company.wait_until(2, 4.0) is None
    company.answered(1, 1, 5.0)
    assert company.wait_until(1, 5.0) == 5.0 + BATCH_TIME


def test_where_no_client_waits_for_copies_writes_travel_together() -> None:
    """In `async`: the first of a burst goes at once, the others 2 ms later, whether answers came or not."""
    leader = Leader("async")

    assert shipped(leader.write(0.1)) == [1]
    assert shipped(leader.agree(0.1002)) == []
    effects = leader.write(0.1003)
    assert (answered(effects), shipped(effects)) == (1, [])
    assert [effect.seconds for effect in effects if type(effect) is FlushAfter] == [pytest.approx(PACE - 0.0003)]
    assert shipped(leader.write(0.1004)) == []

    assert shipped(leader.node.handle(Flush(), 0.1 + PACE)) == [2]
    leader.agree(0.103)
    assert shipped(leader.write(0.2)) == [1]
