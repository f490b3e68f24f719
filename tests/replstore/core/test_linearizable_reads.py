"""A linearizable read is confirmed by answers to heartbeats that were sent after it came, whatever the strategy does:
lead again in the same term, also after a crash, while answers to its earlier leaderships are still on their way."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from replstore.core.contract import (
    Done,
    Effect,
    Flush,
    Input,
    LinearizableGet,
    Put,
    Received,
    Record,
    Reply,
    Request,
    Save,
    Send,
    Tick,
    Value,
)
from replstore.core.election import Election
from replstore.core.messages import Heartbeat, HeartbeatReply, Message, NodeId, Replicate, Replicated
from replstore.core.node import Node
from solutions.ex3_election import MyElection, RequestVote, Vote
from tools.mutant_elections import LeadsAgainByALateVote

ME, PEERS = "node-1", ("node-2", "node-3")


class Puppet(Election):
    """Leads, and steps down, when it is told to."""

    def tick(self, now: float) -> None:
        """Nothing by itself."""

    def receive(self, sender: NodeId, message: Message, now: float) -> None:
        """It listens to nobody."""


@dataclass
class Bench:
    """One node of three by hand: its time, what it saved, and every heartbeat that it has sent, in order.

    Its entries are agreed to at once, so that only the heartbeats' answers decide about a read.
    """

    strategy: type[Election]
    records: list[Record] = field(default_factory=list)
    heartbeats: list[tuple[NodeId, Heartbeat]] = field(default_factory=list)
    sent: list[tuple[NodeId, Message]] = field(default_factory=list)
    replies: dict[int, Any] = field(default_factory=dict)
    now: float = 0.0
    lives: int = 0

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Again after a crash, from what was saved."""
        self.lives += 1
        rng = Random(self.lives)
        self.node = Node(
            ME, PEERS, self.strategy, heartbeat=0.1, timeout=0.4, mode="quorum", rng=rng, records=self.records
        )

    def feed(self, event: Input) -> None:
        self._carry_out(self.node.handle(event, self.now) + self.node.handle(Flush(), self.now))

    def _carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Save(record):
                    self.records.append(record)
                case Reply(id, result):
                    self.replies[id] = result
                case Send(to, Heartbeat() as heartbeat):
                    self.heartbeats.append((to, heartbeat))
                case Send(to, Replicate() as batch):
                    end = batch.prev.index + len(batch.entries)
                    self.feed(Received(to, Replicated(batch.term, True, end)))
                case Send(to, message):
                    self.sent.append((to, message))

    def pass_time(self, seconds: float = 0.1) -> None:
        for _ in range(round(seconds / 0.025)):
            self.now += 0.025
            self.feed(Tick())

    def say(self, leader: NodeId | None, term: int) -> None:
        """The puppet's word for who leads."""
        self.node.election.leader, self.node.election.term = leader, term
        self.feed(Tick())

    def answer(self, number: int) -> None:
        """The answer to the heartbeat of this number arrives, now or once more."""
        to, heartbeat = self.heartbeats[number]
        self.feed(Received(to, HeartbeatReply(heartbeat.term, heartbeat.round, True, self.node.log.last_id)))


# -- any strategy ----------------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(["heartbeats", "step down", "lead again", "lead on", "crash", "read", "answers to all before"]),
        max_size=12,
    )
)
def test_no_answer_to_a_heartbeat_sent_before_the_read_came_confirms_it(story: list[str]) -> None:
    bench = Bench(Puppet)
    bench.say(ME, 1)
    before = [0]  # how many heartbeats had been sent when each read came
    answered = 0
    for action in [*story, "lead again", "read", "answers to all before"]:
        term = max(1, bench.node.election.term)
        match action:
            case "heartbeats":
                bench.pass_time()
            case "step down":
                bench.say(None, term)
            case "lead again":
                bench.say(ME, term)
            case "lead on":
                bench.say(ME, term + 1)
            case "crash":
                bench.start()
            case "read":
                before.append(len(bench.heartbeats))
                bench.feed(Request(len(before) - 1, LinearizableGet("k")))
            case "answers to all before":
                answered = before[-1]
                for number in range(answered):
                    bench.answer(number)
        told = [read for read, reply in bench.replies.items() if isinstance(reply, Value)]
        assert all(before[read] < answered for read in told)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["heartbeats", "step down", "lead again", "lead on", "crash"]), max_size=40))
def test_a_round_of_heartbeats_never_comes_twice_in_a_term(story: list[str]) -> None:
    bench = Bench(Puppet)
    bench.say(ME, 1)
    seen: set[tuple[NodeId, int, int]] = set()
    for action in story:
        term = max(1, bench.node.election.term)
        match action:
            case "heartbeats":
                bench.pass_time(0.3)
            case "step down":
                bench.say(None, term)
            case "lead again":
                bench.say(ME, term)
            case "lead on":
                bench.say(ME, term + 1)
            case "crash":
                bench.start()
    for to, heartbeat in bench.heartbeats:
        assert (to, heartbeat.term, heartbeat.round) not in seen
        seen.add((to, heartbeat.term, heartbeat.round))


def test_a_read_is_answered_once_a_majority_has_answered_a_later_heartbeat() -> None:
    """(So that the tests above do not hold for want of any answer.)"""
    bench = Bench(Puppet)
    bench.say(ME, 1)
    bench.feed(Request(1, Put("k", "v")))
    bench.say(None, 1)
    bench.say(ME, 1)
    bench.feed(Request(2, LinearizableGet("k")))
    bench.pass_time()
    assert 2 not in bench.replies
    bench.answer(len(bench.heartbeats) - 1)

    assert bench.replies[2].entry.value == "v"


# -- the case in which it was seen -----------------------------------------------------------------------


def deposed(strategy: type[Election]) -> Bench:
    """It leads by node-2's vote, has "old" acknowledged, and steps down, since nobody answers it any more. (Meanwhile
    the others elect node-2 in term 2 and acknowledge "new".)"""
    bench = Bench(strategy)
    while not any(isinstance(message, RequestVote) for _, message in bench.sent):
        bench.pass_time(0.025)
    bench.feed(Received("node-2", Vote(1, True, pre=True)))
    bench.feed(Received("node-2", Vote(1, True, pre=False)))
    assert bench.node.leads
    bench.feed(Request(1, Put("k", "old")))
    assert isinstance(bench.replies[1], Done)
    for _ in range(3):
        bench.pass_time()
        bench.answer(len(bench.heartbeats) - 2)
    while bench.node.leads:
        bench.pass_time(0.025)
    return bench


def test_the_reference_is_not_made_leader_again_by_a_vote_that_comes_late() -> None:
    bench = deposed(MyElection)
    bench.feed(Received("node-3", Vote(1, True, pre=False)))
    bench.feed(Received("node-2", Vote(1, True, pre=False)))  # sent twice by the network

    assert not bench.node.leads
    assert bench.node.election.leader is None


def test_a_strategy_that_is_made_leader_again_gives_no_stale_read() -> None:
    bench = deposed(LeadsAgainByALateVote)
    bench.feed(Received("node-3", Vote(1, True, pre=False)))
    assert bench.node.leads
    assert bench.node.election.term == 1
    before = len(bench.heartbeats)
    bench.feed(Request(2, LinearizableGet("k")))
    for number in range(before):
        bench.answer(number)

    assert 2 not in bench.replies
