"""The mistakes that students make in leader election, each planted in the reference solution.

`python -m tools.mutants` prints the table of mutants, the rules that find them and the number of schedules it took.
(Mutants by machine, for all exercises: `python -m tools.mutate`.)
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from labs.rules import Claims, Violation, check_run
from labs.simulation.schedule import Schedule, Step, carry_out, random_schedule
from replstore.core.election import Election
from tools.mutant_elections import (
    AnyLogWins,
    AsksOneAfterTheOther,
    CountsItselfTwice,
    CountsVotesOfAnOldTerm,
    DeafToAnswers,
    HalfIsEnough,
    LongerLogWins,
    MajorityOfTheLiving,
    NeverAsksAgain,
    NeverStepsDown,
    NoRandomization,
    OnceALeaderAlwaysALeader,
    OwnVoteNotRecorded,
    PreVoteBumpsTheTerm,
    PreVoteRecordsTheVote,
    PreVoteThoughTheLeaderLives,
    RefusesWithoutAdopting,
    TermForgottenInACrash,
    TimeoutShorterThanTheHeartbeat,
    TimerNeverReset,
    TimerNotResetOnAVote,
    TimerResetOnAnyRequest,
    TwoVotesInOneTerm,
    VoteForgottenInACrash,
)

FULL = Claims(votes=True, steps_down=True, pre_vote=True)
PLAIN = Claims(votes=True)


@dataclass(frozen=True)
class Mutant:
    """`rule` is the rule that names the mistake; it is found by the schedule of this `number`, from 1 (`schedules`).

    `parts`: what Exercise 3's checks take points for, where a mutant is graded (`ex3.…`).
    """

    mistake: str
    strategy: type[Election]
    rule: str
    number: int
    parts: tuple[str, ...]
    claims: Claims = PLAIN
    nodes: int = 5


IMPOLITE = ("quorum", "pre-vote")
"""What every descendant of `Plain` loses, whatever else is wrong with it."""

MUTANTS: tuple[Mutant, ...] = (
    Mutant("two votes in one term", TwoVotesInOneTerm, "one vote a term", 4, ("votes", "randomized-timeout"), FULL),
    Mutant("own vote not recorded", OwnVoteNotRecorded, "elected by a majority", 3, ("majority",)),
    Mutant("no step-down on a higher term", OnceALeaderAlwaysALeader, "one leader in the end", 3, ("terms", *IMPOLITE)),
    Mutant(
        "rejects a higher term without adopting it",
        RefusesWithoutAdopting,
        "everybody follows in the end",
        3,
        ("terms", *IMPOLITE),
    ),
    Mutant(
        "does not listen to what followers answer", DeafToAnswers, "everybody follows in the end", 6, ("terms",), FULL
    ),
    Mutant(
        "timer reset on any vote request",
        TimerResetOnAnyRequest,
        "a leader is back in time",
        1,
        ("randomized-timeout", *IMPOLITE),
    ),
    Mutant(
        "timer never reset",
        TimerNeverReset,
        "a settled cluster stays settled",
        1,
        ("randomized-timeout", *IMPOLITE),
    ),
    Mutant(
        "timer not reset on granting a vote",
        TimerNotResetOnAVote,
        "a settled cluster stays settled",
        1,
        ("randomized-timeout", *IMPOLITE),
        nodes=9,
    ),
    Mutant("no randomization", NoRandomization, "a leader is back in time", 1, ("randomized-timeout", *IMPOLITE)),
    Mutant(
        "timeout shorter than the heartbeat",
        TimeoutShorterThanTheHeartbeat,
        "a settled cluster stays settled",
        1,
        ("randomized-timeout", *IMPOLITE),
    ),
    Mutant("a candidate never retries", NeverAsksAgain, "a leader is back in time", 4, ("elects",)),
    Mutant("votes of an old term counted", CountsVotesOfAnOldTerm, "elected by a majority", 3, ("majority",)),
    Mutant("half is enough", HalfIsEnough, "elected by a majority", 5, ("majority",), FULL),
    Mutant("a majority of the living", MajorityOfTheLiving, "elected by a majority", 1, ("majority",)),
    Mutant("counts itself twice", CountsItselfTwice, "elected by a majority", 5, ("majority",), FULL),
    Mutant("vote not kept over a crash", VoteForgottenInACrash, "one vote a term", 8, ("votes",), FULL),
    Mutant("term not kept over a crash", TermForgottenInACrash, "terms never go back", 7, ("terms", *IMPOLITE)),
    Mutant("pre-vote bumps the term", PreVoteBumpsTheTerm, "a healthy leader is left alone", 3, ("pre-vote",), FULL),
    Mutant(
        "pre-vote records the vote",
        PreVoteRecordsTheVote,
        "elected by a majority",
        3,
        ("majority", "terms"),  # it takes a later term and keeps the leader of the earlier one
        FULL,
    ),
    Mutant(
        "pre-vote though the leader lives",
        PreVoteThoughTheLeaderLives,
        "a healthy leader is left alone",
        3,
        ("pre-vote",),
        FULL,
    ),
    Mutant("logs compared by length only", LongerLogWins, "acknowledged writes stay", 7, ("log", *IMPOLITE)),
    Mutant("votes for any log", AnyLogWins, "acknowledged writes stay", 3, ("log", *IMPOLITE)),
    Mutant("a blocking call to a dead peer", AsksOneAfterTheOther, "a leader is back in time", 5, ("elects",)),
    Mutant(
        "a leader without a quorum stays", NeverStepsDown, "a leader without a quorum steps down", 7, ("quorum",), FULL
    ),
)


# --------------------------------------------------------------------------------------------------------
# Schedules: a few directed ones, then random ones


NAMES = ("node-1", "node-2", "node-3", "node-4", "node-5")


def _comings_and_goings(node: str, length: float) -> Iterator[Step]:
    """It is away for longer than any patience, and every other time it misses a write."""
    for number in range(int((length - 3.0) / 1.53)):
        time = 3.0 + 1.53 * number
        yield Step(time, "isolate", (node,))
        if number % 2:
            yield Step(time + 0.1, "write_to_leader", (f"k{number}", 1))
        yield Step(time + 1.03, "heal")


def _unheard_candidate() -> Iterator[Step]:
    yield Step(3.0, "pause_leader")
    for number in range(20):
        yield Step(3.4 + number * 0.05, "isolate_candidates")
    yield Step(4.4, "heal")
    yield Step(4.4, "resume_all")


def _star(time: float, hub: str, nodes: Sequence[str]) -> Iterator[Step]:
    """The others hear only the hub: no other can be elected."""
    others = [node for node in nodes if node != hub]
    for sender in others:
        for to in others:
            if sender != to:
                yield Step(time, "cut", (sender, to))


def _long_tail() -> Iterator[Step]:
    """node-1 leads and gets writes that reach nobody; node-2 leads and commits fewer; of those who are left only node-1
    and the holders of node-2's entry can make a majority, so one of them has to be elected."""
    yield from _star(0.0, "node-1", NAMES)
    yield Step(3.0, "isolate", ("node-1",))
    yield from _star(3.001, "node-2", NAMES[1:])
    for number in range(20):
        yield Step(3.01, "write", ("node-1", f"tail{number}", number))
    yield Step(5.5, "write", ("node-2", "kept", 1))
    yield Step(6.0, "crash", ("node-2",))
    yield Step(6.0, "crash", ("node-5",))
    yield Step(6.001, "heal")
    yield Step(10.0, "start_all")


def _stale_leader_returns() -> Iterator[Step]:
    for number in range(4):
        time = 2.0 + number * 2.2
        yield Step(time, "isolate_leader")
        yield Step(time + 1.5, "write_to_leader", (f"k{number}", number))
        yield Step(time + 1.6, "heal")
        yield Step(time + 1.601, "crash_leader")
        yield Step(time + 2.0, "start_all")


DIRECTED: dict[str, Schedule] = {
    # All wake up together on a network slower than their ticks: only different patience elects somebody.
    "slow": Schedule(seed=2, fastest=0.09, slowest=0.1, drift=0.0, length=8.0),
    "quiet": Schedule(length=8.0),
    # A node is cut off again and again, and each time comes back to a healthy leader.
    "returning node": Schedule(length=40.0, steps=tuple(_comings_and_goings("node-5", 40.0))),
    # Everybody campaigns in vain before anybody can win.
    "each alone": Schedule(steps=(Step(0.0, "partition"), Step(2.0, "heal"))),
    "two down": Schedule(steps=(Step(0.1, "crash", ("node-1",)), Step(0.1, "crash", ("node-3",)))),
    # A candidate takes a new term and nobody hears of it; the old leader, awake again, goes on with the others.
    "unheard candidate": Schedule(seed=4, fastest=0.09, slowest=0.1, steps=tuple(_unheard_candidate())),
    # A deposed leader with a long tail of its own, against a shorter log with newer entries.
    "long tail": Schedule(length=12.0, steps=tuple(_long_tail())),
    "stale leader": Schedule(length=12.0, seed=2, steps=tuple(_stale_leader_returns())),
}
"""Situations that chance makes too seldom, for five nodes."""


def schedules(nodes: int) -> Iterator[Schedule]:
    """First the directed ones, then random ones without end."""
    for schedule in DIRECTED.values():
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


HEAD = """\
| mistake | found by its rule | in schedule | other rules that found it by then | lost in Exercise 3: `ex3.` |
|---|---|---|---|---|"""


def row(mutant: Mutant, found: dict[str, int], limit: int) -> str:
    others = ", ".join(f"{rule} ({count})" for rule, count in found.items() if rule != mutant.rule)
    number = found.get(mutant.rule, f"not in {limit}")
    return f"| {mutant.mistake} | {mutant.rule} | {number} | {others} | {', '.join(mutant.parts)} |"


def main() -> int:
    parser = argparse.ArgumentParser(description="Find every mutant, and print how.")
    parser.add_argument("--limit", type=int, default=400, help="schedules to try for each")
    asked = parser.parse_args()
    wrong = 0
    print(HEAD)
    for mutant in MUTANTS:
        found, _ = hunt(mutant, asked.limit)
        wrong += found.get(mutant.rule) != mutant.number
        print(row(mutant, found, asked.limit), flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
