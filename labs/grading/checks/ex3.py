"""Exercise 3: runs of the student's election in a simulated cluster, judged by the rules of `labs.rules`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from labs.events import Event
from labs.grading.election_proxy import readable
from labs.grading.results import Check, Outcome, failed, passed
from labs.grading.session import Session
from labs.pictures import spacetime_svg
from labs.rules import RULES, Claims, Rule, Violation, check_run
from labs.schedules import Run, Schedule, Step, carry_out, random_schedule

BY_NAME = {rule.name: rule for rule in RULES}
WINDOW = 1.5
"""Seconds before the violation that its picture shows."""

Schedules = Callable[[Session], Iterable[Schedule]]


@dataclass(frozen=True)
class Part:
    """Some rules, and the runs in which to look for what breaks them."""

    id: str
    title: str
    points: float
    rules: tuple[str, ...]
    schedules: Schedules
    hint: str
    claims: Claims = Claims(votes=True)
    depends_on: tuple[str, ...] = ("ex3.elects",)

    def check(self) -> Check:
        sentences = ". ".join(BY_NAME[name].sentence for name in self.rules)
        return Check(
            f"ex3.{self.id}",
            "ex3",
            self.title,
            self.points,
            self._judge,
            rule=sentences + ".",
            hint=self.hint,
            depends_on=self.depends_on,
        )

    def _judge(self, session: Session) -> Outcome:
        rules = [BY_NAME[name] for name in self.rules]
        count = 0
        for schedule in self.schedules(session):
            run = carry_out(schedule, session.elections())
            if session.fault is not None:
                raise session.fault
            count += 1
            violation = _first(run, rules, self.claims)
            if violation is not None:
                return _told(run, violation)
        return passed(f"{count} runs without a violation")


def _first(run: Run, rules: list[Rule], claims: Claims) -> Violation | None:
    return min(check_run(run, claims, rules), key=lambda violation: violation.time, default=None)


def _told(run: Run, violation: Violation) -> Outcome:
    events = readable([Event(e.time, e.node, e.event, e.kind, e.seq, e.id, e.peer, e.details) for e in run.trace])
    window = (max(0.0, violation.time - WINDOW), violation.time + 0.2)
    shown = [event for event in events if window[0] - 1 <= event.time <= window[1] + 1]
    picture = spacetime_svg(shown, node_ids=run.node_ids, window=window, highlight=violation.events, origin=0.0)
    schedule = run.schedule
    return failed(
        f"{violation.sentence}. {violation.text}",
        evidence=(
            f"rule: {violation.rule}",
            f"{schedule.nodes} nodes, seed {schedule.seed}, at {violation.time:.3f} s of {schedule.length:g} s",
            *(
                f"{step.time:.2f} s: {step.action} {' '.join(map(str, step.args))}".rstrip()
                for step in schedule.steps[-8:]
            ),
        ),
        picture=picture,
    )


# --------------------------------------------------------------------------------------------------------
# Runs. Each seed gives one; directed ones come first, because chance makes them too seldom.


def _calm(session: Session) -> Iterable[Schedule]:
    for nodes in (3, 5):
        steps = (Step(2.5, "crash_leader"), Step(5.5, "start_all"))
        yield Schedule(nodes=nodes, seed=session.seeds[0], length=7.0, calm=1.0, steps=steps)


def _harsh(session: Session) -> Iterable[Schedule]:
    for seed in session.seeds[:6]:
        for nodes in (5, 3):
            yield random_schedule(100 * seed + nodes, Schedule(nodes=nodes, length=4.0, calm=1.0))


def _halves(session: Session) -> Iterable[Schedule]:
    """Partitions in which no side, or a wrong one, could be taken for a majority."""
    for seed in session.seeds[:4]:
        yield Schedule(
            nodes=4,
            seed=seed,
            length=4.5,
            calm=1.0,
            steps=(
                Step(1.6, "partition", (("node-1", "node-2"), ("node-3", "node-4"))),
                Step(3.2, "crash_leader"),
            ),
        )
        yield Schedule(
            nodes=5,
            seed=seed,
            length=5.0,
            calm=1.0,
            steps=(
                Step(1.6, "partition", (("node-1", "node-2"), ("node-3", "node-4", "node-5"))),
                Step(3.0, "crash", ("node-5",)),
                Step(3.1, "crash", ("node-4",)),
            ),
        )
    yield from _harsh(session)


def _tails(session: Session) -> Iterable[Schedule]:
    """A deposed leader with a tail of its own against newer entries, again and again."""
    for seed in session.seeds[:4]:
        steps: list[Step] = []
        for turn in range(3):
            time = 2.0 + 2.4 * turn
            steps += [Step(time, "isolate_leader")]
            steps += [Step(time + 0.01 + n / 1000, "write_to_leader", (f"tail{turn}.{n}", n)) for n in range(12)]
            steps += [
                Step(time + 1.3, "write_to_leader", (f"kept{turn}", turn)),
                Step(time + 1.5, "heal"),
                Step(time + 1.501, "crash_leader"),
                Step(time + 2.2, "start_all"),
            ]
        yield Schedule(nodes=3, seed=seed, length=9.5, calm=4.5, steps=tuple(steps))
    for seed in session.seeds[:4]:
        yield replace(random_schedule(100 * seed + 5, Schedule(length=4.0, calm=4.5)), slowest=0.05)


def _alarm_clock(session: Session) -> Iterable[Schedule]:
    """All wake up at once, on a network slower than their clocks' differences: only patience that differs elects."""
    for seed in session.seeds[:4]:
        yield Schedule(nodes=5, seed=seed, fastest=0.05, slowest=0.06, length=5.0, calm=0.5)
    yield Schedule(nodes=5, seed=session.seeds[-1], length=6.0, calm=0.5)
    for seed in session.seeds[:3]:
        yield random_schedule(100 * seed + 8, Schedule(nodes=5, length=3.0, calm=5.0))


def _lonely(session: Session) -> Iterable[Schedule]:
    for seed in session.seeds[:4]:
        steps = (Step(2.0, "isolate_leader"), Step(4.5, "heal"))
        yield Schedule(nodes=5, seed=seed, length=5.0, calm=1.0, steps=steps)


def _visitors(session: Session) -> Iterable[Schedule]:
    """A node is cut off and comes back to a healthy leader, at a different point of its patience each time."""
    for number, seed in enumerate(session.seeds[:5]):
        node = f"node-{number % 5 + 1}"
        steps: list[Step] = []
        time = 3.0
        while time < 11:
            steps += [Step(time, "isolate", (node,)), Step(time + 1.41 + 0.07 * number, "heal")]
            time += 2.63
        yield Schedule(nodes=5, seed=seed, length=12.0, calm=0.5, steps=tuple(steps))


PARTS = (
    Part(
        "elects",
        "A leader is elected, and another when it crashes",
        10,
        ("a leader is back in time", "one leader in the end"),
        _calm,
        "A candidate that does not win must try again; a heartbeat of this term or a later one has a leader behind it.",
        depends_on=(),
    ),
    Part(
        "votes",
        "One vote a term, also across a crash",
        15,
        ("one vote a term", "terms never go back", "one leader a term"),
        _harsh,
        "Set self.vote before you answer, to your own id when you ask; forget it only when a later term begins.",
    ),
    Part(
        "majority",
        "A majority of all nodes elects",
        15,
        ("elected by a majority",),
        _halves,
        "Count each voter once, votes of this term only, and compare with self.majority, not with who seems to live.",
    ),
    Part(
        "log",
        "No acknowledged write is lost",
        20,
        ("acknowledged writes stay", "committed entries stay", "logs match"),
        _tails,
        "Grant a vote only if the candidate's (term, index) is not smaller than self.log.last: the term counts first.",
        depends_on=("ex3.elects", "ex3.votes", "ex3.majority"),
    ),
    Part(
        "patience",
        "A leader is back in time, and then stays",
        20,
        ("a leader is back in time", "a settled cluster stays settled"),
        _alarm_clock,
        "Draw a new timeout between one and two times self.timeout whenever you begin to wait; a heartbeat begins it anew.",
    ),
    Part(
        "lonely",
        "A leader without a majority steps down",
        10,
        ("a lonely leader steps down",),
        _lonely,
        "Note when each follower was heard last (HeartbeatReply); without a majority for self.timeout set self.leader to None.",
        Claims(votes=True, steps_down=True),
    ),
    Part(
        "pre-vote",
        "A returning node leaves a healthy leader alone",
        10,
        ("a healthy leader is left alone",),
        _visitors,
        "Before you begin a new term ask whether you could win it, and change neither term nor vote for that question;"
        " who hears a leader says no.",
        Claims(votes=True, pre_vote=True),
        depends_on=("ex3.elects", "ex3.patience"),
    ),
)


def checks(level: str) -> list[Check]:
    return [part.check() for part in PARTS]
