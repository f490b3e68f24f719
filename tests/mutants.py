"""The mistakes that students make in leader election, each planted in the reference solution.

`python -m tests.mutants` prints the table of mutants, the rules that find them and the number of schedules it took.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace

from labs.rules import Claims, Violation, check_run
from labs.schedules import Schedule, Step, carry_out, random_schedule
from replstore.election import Election, Seat
from replstore.messages import HeartbeatReply, Message, NodeId
from solutions.ex3_election import MyElection, RequestVote, Vote

FULL = Claims(votes=True, steps_down=True, pre_vote=True)
PLAIN = Claims(votes=True)


class Plain(MyElection):
    """The reference without pre-vote and without stepping down: correct, only less polite."""

    def campaign(self, now: float, pre: bool) -> None:
        super().campaign(now, pre=False)

    def step_down_if_lonely(self, now: float) -> None:
        return


class TwoVotesInOneTerm(MyElection):
    def answer_vote(self, sender: NodeId, request: RequestVote, now: float) -> None:
        self.vote = None
        super().answer_vote(sender, request, now)


class OwnVoteNotRecorded(Plain):
    def campaign(self, now: float, pre: bool) -> None:
        super().campaign(now, pre)
        self.vote = None

    def count(self, voter: NodeId, vote: Vote, now: float) -> None:
        self.votes.add(voter)
        if self.leader is None and vote.term == self.term and len(self.votes) >= self.majority:
            self.leader = self.me
            self.heard = dict.fromkeys(self.peers, now)


class NeverAdoptsAHigherTerm(Plain):
    def adopt(self, term: int) -> None:
        if self.leader != self.me:
            super().adopt(term)


class TimerResetOnAnyRequest(Plain):
    def receive(self, sender: NodeId, message: Message, now: float) -> None:
        super().receive(sender, message, now)
        if isinstance(message, RequestVote):
            self.wait(now)

    def wait(self, now: float) -> None:
        # (Nearly the same patience everywhere, as where this mistake was seen: the one that asks first asks always.)
        self.deadline = now + self.timeout * (1 + self.rng.random() / 10)


class TimerNeverReset(Plain):
    def wait(self, now: float) -> None:
        if self.deadline <= now:
            super().wait(now)


class NoRandomization(Plain):
    def wait(self, now: float) -> None:
        self.deadline = now + self.timeout


class TimeoutShorterThanTheHeartbeat(Plain):
    def wait(self, now: float) -> None:
        self.deadline = now + self.heartbeat * self.rng.random()


class NeverAsksAgain(Plain):
    def campaign(self, now: float, pre: bool) -> None:
        super().campaign(now, pre)
        self.deadline = float("inf")


class CountsVotesOfAnOldTerm(Plain):
    def campaign(self, now: float, pre: bool) -> None:
        kept = set(self.votes)
        super().campaign(now, pre)
        self.votes |= kept

    def adopt(self, term: int) -> None:
        kept = set(self.votes)
        super().adopt(term)
        self.votes |= kept

    def count(self, voter: NodeId, vote: Vote, now: float) -> None:
        super().count(voter, replace(vote, term=self.term, pre=False), now)


class HalfIsEnough(MyElection):
    def __init__(self, seat: Seat) -> None:
        super().__init__(seat)
        self.majority = (len(self.peers) + 1) // 2


class MajorityOfTheLiving(Plain):
    def count(self, voter: NodeId, vote: Vote, now: float) -> None:
        alive = 1 + sum(now - heard < self.timeout for heard in self.heard.values())
        self.majority = alive // 2 + 1
        super().count(voter, vote, now)


class VoteForgottenInACrash(MyElection):
    def tick(self, now: float) -> None:
        if not self.deadline:
            self.vote = None
        super().tick(now)


class TermForgottenInACrash(Plain):
    def tick(self, now: float) -> None:
        if not self.deadline:
            self.term = 0
        super().tick(now)


class PreVoteBumpsTheTerm(MyElection):
    def campaign(self, now: float, pre: bool) -> None:
        if pre:
            self.term += 1
            self.vote = None
        super().campaign(now, pre)


class PreVoteRecordsTheVote(MyElection):
    def answer_pre_vote(self, sender: NodeId, request: RequestVote, now: float) -> None:
        super().answer_pre_vote(sender, request, now)
        if request.term > self.term and request.last >= self.log.last:
            self.term, self.vote = request.term, sender


class PreVoteThoughTheLeaderLives(MyElection):
    def answer_pre_vote(self, sender: NodeId, request: RequestVote, now: float) -> None:
        granted = request.term > self.term and request.last >= self.log.last
        self.send(sender, Vote(request.term if granted else self.term, granted, pre=True))


class LongerLogWins(Plain):
    """Compares the logs' lengths and not their last terms."""

    def answer_vote(self, sender: NodeId, request: RequestVote, now: float) -> None:
        newer = (self.log.last[0], request.last[1])
        super().answer_vote(sender, replace(request, last=newer), now)


class AnyLogWins(Plain):
    def answer_vote(self, sender: NodeId, request: RequestVote, now: float) -> None:
        super().answer_vote(sender, replace(request, last=self.log.last), now)


class NeverStepsDown(MyElection):
    def step_down_if_lonely(self, now: float) -> None:
        return


class CountsItselfTwice(MyElection):
    def count(self, voter: NodeId, vote: Vote, now: float) -> None:
        super().count(voter, vote, now)
        if voter == self.me and self.leader is None:
            super().count("myself", vote, now)


class IgnoresHeartbeatReplies(Plain):
    """Never learns from its followers that a later term has begun."""

    def receive(self, sender: NodeId, message: Message, now: float) -> None:
        if not isinstance(message, HeartbeatReply):
            super().receive(sender, message, now)


@dataclass(frozen=True)
class Mutant:
    """`rule` is the rule that names the mistake and must be among those that find it."""

    mistake: str
    strategy: type[Election]
    rule: str
    claims: Claims = PLAIN
    nodes: int = 5


MUTANTS: tuple[Mutant, ...] = (
    Mutant("two votes in one term", TwoVotesInOneTerm, "one vote a term", FULL),
    Mutant("own vote not recorded", OwnVoteNotRecorded, "elected by a majority"),
    Mutant("a leader does not adopt a higher term", NeverAdoptsAHigherTerm, "one leader in the end"),
    Mutant("does not listen to what followers answer", IgnoresHeartbeatReplies, "one leader in the end"),
    Mutant("timer reset on any vote request", TimerResetOnAnyRequest, "a leader is back in time"),
    Mutant("timer never reset", TimerNeverReset, "a settled cluster stays settled"),
    Mutant("no randomization", NoRandomization, "a leader is back in time"),
    Mutant("timeout shorter than the heartbeat", TimeoutShorterThanTheHeartbeat, "a settled cluster stays settled"),
    Mutant("a candidate never retries", NeverAsksAgain, "a leader is back in time"),
    Mutant("votes of an old term counted", CountsVotesOfAnOldTerm, "elected by a majority"),
    Mutant("half is enough", HalfIsEnough, "elected by a majority", FULL),
    Mutant("a majority of the living", MajorityOfTheLiving, "elected by a majority"),
    Mutant("counts itself twice", CountsItselfTwice, "elected by a majority", FULL),
    Mutant("vote not kept over a crash", VoteForgottenInACrash, "one vote a term", FULL),
    Mutant("term not kept over a crash", TermForgottenInACrash, "terms never go back"),
    Mutant("pre-vote bumps the term", PreVoteBumpsTheTerm, "a healthy leader is left alone", FULL),
    Mutant("pre-vote records the vote", PreVoteRecordsTheVote, "a healthy leader is left alone", FULL),
    Mutant(
        "pre-vote granted while the leader lives", PreVoteThoughTheLeaderLives, "a healthy leader is left alone", FULL
    ),
    Mutant("logs compared by length only", LongerLogWins, "acknowledged writes stay"),
    Mutant("votes for any log", AnyLogWins, "acknowledged writes stay"),
    Mutant("a lonely leader stays", NeverStepsDown, "a lonely leader steps down", FULL),
)


# --------------------------------------------------------------------------------------------------------
# Schedules: a few directed ones, then random ones


def directed() -> Iterator[Schedule]:
    """Situations that chance makes too seldom."""
    # All wake up together on a network slower than their ticks: only different patience elects somebody.
    yield Schedule(fastest=0.05, slowest=0.06, length=8.0)
    # A quiet hour.
    yield Schedule(length=8.0)
    # A node is cut off again and again, and each time comes back to a healthy leader.
    yield Schedule(length=40.0, steps=tuple(_comings_and_goings("node-5", 40.0)))
    # A deposed leader with a long tail of its own, against a shorter log with newer entries.
    yield Schedule(length=12.0, seed=1, steps=tuple(_long_tail()))
    yield Schedule(length=12.0, seed=2, steps=tuple(_stale_leader_returns()))


def _comings_and_goings(node: str, length: float) -> Iterator[Step]:
    time = 3.0
    while time < length - 3:
        yield Step(time, "isolate", (node,))
        yield Step(time + 1.53, "heal")
        time += 2.77


def _long_tail() -> Iterator[Step]:
    yield Step(2.0, "write_to_leader", ("a", 1))
    yield Step(2.5, "isolate_leader")
    for number in range(20):
        yield Step(2.51 + number / 1000, "write_to_leader", (f"tail{number}", number))
    yield Step(4.5, "write_to_leader", ("kept", 1))
    yield Step(5.0, "heal")
    yield Step(5.001, "crash_leader")
    yield Step(8.0, "start_all")


def _stale_leader_returns() -> Iterator[Step]:
    for number in range(4):
        time = 2.0 + number * 2.2
        yield Step(time, "isolate_leader")
        yield Step(time + 1.5, "write_to_leader", (f"k{number}", number))
        yield Step(time + 1.6, "heal")
        yield Step(time + 1.601, "crash_leader")
        yield Step(time + 2.0, "start_all")


def schedules(nodes: int) -> Iterator[Schedule]:
    """First the directed ones, then random ones without end."""
    for schedule in directed():
        yield replace(schedule, nodes=nodes)
    seed = 0
    while True:
        yield random_schedule(seed, Schedule(nodes=nodes))
        seed += 1


def hunt(mutant: Mutant, limit: int) -> tuple[dict[str, int], Violation | None]:
    """For each rule that finds the mutant, after how many schedules; and the first violation of its own rule."""
    found: dict[str, int] = {}
    for number, schedule in enumerate(schedules(mutant.nodes), 1):
        for violation in check_run(carry_out(schedule, mutant.strategy), mutant.claims):
            found.setdefault(violation.rule, number)
            if violation.rule == mutant.rule:
                return found, violation
        if number >= limit:
            return found, None
    raise AssertionError("schedules never end")


def main() -> int:
    limit = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    missed = 0
    print("| mistake | found by its rule | after schedules | other rules that found it by then |")
    print("|---|---|---|---|")
    for mutant in MUTANTS:
        found, violation = hunt(mutant, limit)
        missed += violation is None
        others = ", ".join(f"{rule} ({count})" for rule, count in found.items() if rule != mutant.rule)
        print(
            f"| {mutant.mistake} | {mutant.rule} | {found.get(mutant.rule, f'not in {limit}')} | {others} |", flush=True
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
