"""Directed scenarios of replication, with elections that obey a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from labs.rules import Claims, check_run
from labs.simulation.schedule import Run, Schedule, Step, Strategy, carry_out
from replstore.core.node import Node
from tests.simulation.scripted import Reign, scripted
from tools.mutant_elections import LeadsAgainByALateVote
from tools.mutants import PLAIN


def broken(run: Run, claims: Claims = PLAIN) -> set[str]:
    return {violation.rule for violation in check_run(run, claims)}


@dataclass(frozen=True)
class Scenario:
    """A plan for the elections and one for the faults."""

    schedule: Schedule
    strategy: Strategy

    def run(self, node_class: type[Node]) -> Run:
        return carry_out(self.schedule, self.strategy, node_class)


def at(*steps: tuple[object, ...]) -> tuple[Step, ...]:
    """`(time, action, argument…)`: shorter to read."""
    return tuple(Step(float(str(time)), str(action), tuple(args)) for time, action, *args in steps)


def one_leader(*steps: tuple[object, ...], **manners: Any) -> Scenario:
    """node-1 leads all the time."""
    plan = scripted(Reign(0.1, 1, "node-1", ("node-2", "node-3")))
    return Scenario(Schedule(nodes=3, drift=0.0, length=3.0, steps=at(*steps), **manners), plan)


def figure_8() -> Scenario:
    """Raft, figure 8, (a) to (d): an entry of an earlier term is on a majority, and yet it is overwritten.

    Messages take 50 ms, so that there is time between "node-3 has said yes" and "it has the next entry as well". The
    entry is so large that it travels alone.
    """
    alone = "isolate", "node-1"
    steps = at(
        (1.0, "partition", ("node-1", "node-2"), ("node-3", "node-4", "node-5")),
        (1.1, "write", "node-1", "x", "large" * 60_000),  # (a) node-1 and node-2 have it
        (1.5, "crash", "node-1"),
        (1.5, "partition"),  # (b) node-5 leads in term 2, and what it appends reaches nobody
        (2.5, "crash", "node-5"),
        (2.9, "heal"),
        (2.9, "start", "node-1"),  # (c) node-1 leads in term 3 and ships the old entry to node-3
        (3.285, *alone),
        (3.285, "crash", "node-1"),
        (3.5, "start", "node-5"),  # (d) node-5 leads in term 4 and overwrites it
        (4.5, "heal"),
        (4.5, "start", "node-1"),
    )
    plan = scripted(
        Reign(0.1, 1, "node-1", ("node-2", "node-3", "node-4", "node-5")),
        Reign(2.0, 2, "node-5", ("node-3", "node-4")),
        Reign(3.0, 3, "node-1", ("node-2", "node-3")),
        Reign(4.0, 4, "node-5", ("node-1", "node-2", "node-3", "node-4")),
    )
    return Scenario(Schedule(fastest=0.05, slowest=0.05, drift=0.0, length=6.0, steps=steps), plan)


def stray_entries(*together: str) -> Scenario:
    """node-3 led once and has two entries that nobody else has; node-1, with those `together` with it, has two others
    there. The values are the same, so that only the logs can show it."""
    steps = at(
        (1.0, "partition", together),
        (1.1, "write", "node-3", "k", "v"),
        (1.2, "write", "node-3", "k", "v"),
        (2.2, "write", "node-1", "k", "v"),
        (3.0, "heal"),
    )
    plan = scripted(
        Reign(0.1, 1, "node-3", ("node-1", "node-2")),
        Reign(2.0, 2, "node-1", ("node-2",)),
        Reign(3.0, 3, "node-1", ("node-2", "node-3")),
    )
    return Scenario(Schedule(nodes=3, drift=0.0, length=4.0, steps=steps), plan)


def leads_again(strategy: Strategy = LeadsAgainByALateVote) -> Scenario:
    """node-1 leads by node-2's vote; node-3's is held back, and so are the answers to its heartbeats, until it steps
    down. The others elect a leader and acknowledge a newer value. Then node-3's vote and answers arrive at last, and
    node-1 is asked."""
    steps = at(
        (0.0, "pause", "node-2"),
        (0.0, "pause", "node-3"),
        (0.0, "hold", "node-3", "node-1"),
        (1.3, "resume_all"),
        (1.7, "write", "node-1", "k", "old"),
        (2.0, "hold", "node-2", "node-1"),
        (2.6, "cut", "node-1", "node-2"),
        (2.6, "cut", "node-1", "node-3"),
        (2.6, "disconnect", "node-2", "node-1"),
        (2.6, "disconnect", "node-3", "node-1"),
        (4.5, "write_to_leader", "k", "new"),
        (5.0, "release", "node-3", "node-1"),
        (5.0, "release", "node-2", "node-1"),
        (5.01, "read", "node-1", "k"),
        (5.5, "heal"),
    )
    return Scenario(Schedule(nodes=3, drift=0.0, length=6.0, steps=steps), strategy)


def many_writes() -> list[tuple[object, ...]]:
    return [(0.5 + n / 50, "write", "node-1", f"k{n}", n) for n in range(60)]


LATE_ANSWERS = one_leader(*many_writes(), fastest=0.001, slowest=0.1, duplicate=0.5)
DELETES = one_leader((0.5, "write", "node-1", "k", 1), (1.0, "delete", "node-1", "k"))
CUT_OFF_LEADER = Scenario(
    Schedule(
        nodes=3,
        drift=0.0,
        length=3.0,
        steps=at((1.0, "isolate", "node-1"), (1.1, "write", "node-1", "k", 1), (2.0, "heal")),
    ),
    scripted(
        Reign(0.1, 1, "node-1", ("node-2", "node-3")),
        Reign(1.5, 2, "node-2", ("node-3",)),
        Reign(2.0, 3, "node-2", ("node-1", "node-3")),
    ),
)
SCENARIOS = {
    "figure 8": figure_8(),
    "stray entries": stray_entries(),
    "stray entries, others committed": stray_entries("node-1", "node-2"),
    "late answers": LATE_ANSWERS,
    "deletes": DELETES,
    "cut-off leader": CUT_OFF_LEADER,
    "leads again in its term": leads_again(),
}
