"""Round after round on real nodes until the time is up, or as much was broken as was asked for.

Law of this module: a round ends with a verdict, and the first verdict that is not clean ends the campaign, with
everything that led to it kept.
"""

from __future__ import annotations

import shlex
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from labs.cluster import ClusterError, Settings
from labs.history import Operation
from tools.nemesis.attack import Attack
from tools.nemesis.clients import Crowd, Habits
from tools.nemesis.evidence import keep
from tools.nemesis.judge import Verdict, judge, read_all
from tools.nemesis.plan import Pace, draw
from tools.nemesis.targets import Target, open_target

ELECTIONS = {"lowest-id": "LowestId", "bully": "Bully", "majority": "MyElection"}
"""`majority` is the reference solution of Exercise 3."""
REAL = {"lowest-id": "lowest-id", "bully": "bully", "majority": "solutions.ex3_election:MyElection"}
CONVERGENCE = 60.0
"""Seconds that a mended cluster may take to agree: far more than it needs, for a machine that is busy with others."""
ANSWERS = 30
"""Writes that are acknowledged before the first fault of a round: there must be something to lose."""
REMEMBERED = 50
"""Keys of each round that are read again when the cluster's life ends."""


@dataclass(frozen=True)
class Order:
    """What to do. Times in seconds unless they say otherwise.

    `build`: the module under `tools.nemesis.builds` that the nodes load, `real` for the node as it is. `rounds_a_life`:
    after so many rounds a new cluster takes the place of the old. `kills`, `faults`: stop when both are reached.
    """

    mode: str = "quorum"
    election: str = "lowest-id"
    seed: int = 0
    seconds: float = 60.0
    kills: int | None = None
    faults: int | None = None
    backend: str = "process"
    nodes: int = 3
    heartbeat_ms: int = 100
    election_timeout_ms: int = 400
    build: str = "small"
    round_seconds: float = 8.0
    rounds_a_life: int = 8
    habits: Habits = field(default_factory=Habits)
    pace: Pace = field(default_factory=Pace)
    keep_in: Path = Path("nemesis-evidence")
    commands: tuple[tuple[str, str], ...] = ()
    """Node and command, for nodes in other languages; the others load the build `real`."""

    @property
    def settings(self) -> Settings:
        build = f"tools.nemesis.builds.{self.build}:{ELECTIONS[self.election]}"
        return Settings(
            nodes=self.nodes,
            mode=self.mode,
            election=REAL[self.election] if self.build == "real" else build,
            heartbeat_ms=self.heartbeat_ms,
            election_timeout_ms=self.election_timeout_ms,
        )

    @property
    def command(self) -> str:
        """The command that gives the same plans again."""
        default = Order()
        said = f"python -m tools.nemesis --mode {self.mode} --election {self.election} --seed {self.seed}"
        timings = ("heartbeat_ms", "election_timeout_ms", "round_seconds")
        for name in ("backend", "nodes", "build", *timings, "kills", "faults"):
            if getattr(self, name) != getattr(default, name):
                said += f" --{name.replace('_', '-')} {getattr(self, name)}"
        said += "".join(f" --node {shlex.quote(f'{node}={command}')}" for node, command in self.commands)
        said += f" --only {' '.join(self.pace.kinds)}" if self.pace.kinds else ""
        said += f" --every {self.pace.every:g}" if self.pace.every != default.pace.every else ""
        return f"{said} --minutes {self.seconds / 60:g}"


@dataclass
class Report:
    """What was done and what came of it. `unknown`: writes whose outcome no client knows; `lost`, `untold`: as in
    `Verdict`."""

    rounds: int = 0
    kills: int = 0
    faults: int = 0
    acknowledged: int = 0
    unknown: int = 0
    refused: int = 0
    reads: int = 0
    lost: int = 0
    untold: int = 0
    moments: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    evidence: Path | None = None

    @property
    def ok(self) -> bool:
        return not self.violations

    def add(self, attack: Attack, history: list[Operation], verdict: Verdict) -> None:
        self.rounds += 1
        self.kills += attack.kills
        self.faults += attack.faults
        self.moments += attack.moments
        writes = [op for op in history if not op.is_read]
        self.acknowledged += sum(op.ok for op in writes)
        self.unknown += sum(op.may_have_written and not op.ok for op in writes)
        self.refused += sum(not op.may_have_written for op in writes)
        self.reads += sum(op.is_read and op.ok for op in history)
        self.lost += len(verdict.lost)
        self.untold += len(verdict.untold)
        self.violations += verdict.violations


def run(order: Order, say: Callable[[str], None] = lambda text: None) -> Report:
    """Attack and judge until the order is fulfilled, or a promise is broken."""
    report = Report()
    deadline = time.monotonic() + order.seconds
    life = 0
    while report.ok and not _fulfilled(order, report, deadline):
        life += 1
        with open_target(order.backend, order.settings, dict(order.commands)) as target:
            target.start()
            _Life(order, target, report, say, deadline).live(life)
    return report


def _fulfilled(order: Order, report: Report, deadline: float) -> bool:
    wanted = (order.kills is None or report.kills >= order.kills, order.faults is None or report.faults >= order.faults)
    targets = order.kills is not None or order.faults is not None
    return (targets and all(wanted)) or time.monotonic() >= deadline


class _Life:
    """One cluster through some rounds."""

    def __init__(
        self, order: Order, target: Target, report: Report, say: Callable[[str], None], deadline: float
    ) -> None:
        self.order = order
        self.target = target
        self.report = report
        self.say = say
        self.deadline = deadline
        self.agreed: dict[str, object] = {}

    def live(self, life: int) -> None:
        for number in range(1, self.order.rounds_a_life + 1):
            self._round(f"{life}.{number}")
            if not self.report.ok or _fulfilled(self.order, self.report, self.deadline):
                break
        if self.report.ok and self.order.mode != "async":
            self.report.violations += self._changed_since()

    def _round(self, name: str) -> None:
        order, target = self.order, self.target
        seconds = min(order.round_seconds, max(3.0, self.deadline - time.monotonic()))
        plan = draw(f"{order.seed}/{name}", order.round_seconds, target.node_ids, order.pace)
        plan = replace(plan, seconds=seconds)
        crowd = Crowd(target, f"r{name}", order.habits, plan.seed)
        attack = Attack(target, crowd, plan)
        crowd.start()
        target.wait_for(lambda _: crowd.acknowledged >= ANSWERS, CONVERGENCE)
        failure = ""
        try:
            attack.run()
        except ClusterError as error:
            failure = f"a node did not start again: {error}"
        finally:
            crowd.finish(CONVERGENCE)
        verdict = self._judged(attack, crowd, failure)
        self.report.add(attack, crowd.history, verdict)
        self._remember(verdict)
        self.say(_line(name, attack, crowd.history, verdict))
        if not verdict.ok:
            folder = order.keep_in / f"{order.mode}-{order.election}-{order.seed}-{name}"
            self.report.evidence = keep(
                folder,
                target=target,
                plan=plan,
                diary=attack.diary,
                history=crowd.history,
                local_reads=crowd.local_reads,
                verdict=verdict,
                command=order.command,
            )

    def _judged(self, attack: Attack, crowd: Crowd, failure: str) -> Verdict:
        if failure:
            return Verdict([failure])
        try:
            attack.mend()
        except ClusterError as error:
            return Verdict([f"a node did not start again: {error}"])
        return judge(self.target, crowd.history, crowd.local_reads, CONVERGENCE)

    def _remember(self, verdict: Verdict) -> None:
        held = next(iter(verdict.contents.values()), {})
        self.agreed |= {key: held[key] for key in sorted(held)[:REMEMBERED]}

    def _changed_since(self) -> list[str]:
        """What earlier rounds left behind, nobody has written since."""
        contents = read_all(self.target, sorted(self.agreed))
        return [
            f"changed without a write: {node} has {held.get(key, 'nothing')!r:.60} under {key}, not {value!r:.60}"
            for node, held in contents.items()
            for key, value in self.agreed.items()
            if held.get(key) != value
        ]


def _line(name: str, attack: Attack, history: list[Operation], verdict: Verdict) -> str:
    acknowledged = sum(op.ok and not op.is_read for op in history)
    reads = sum(op.ok and op.is_read for op in history)
    unknown = sum(op.may_have_written and not op.ok for op in history)
    lost = f", {len(verdict.lost)} lost ({len(verdict.untold)} of them untold)" if verdict.lost else ""
    word = "fine" if verdict.ok else f"{len(verdict.violations)} VIOLATIONS"
    return (
        f"round {name}: {attack.kills} kills, {attack.faults} other faults; {acknowledged} writes acknowledged,"
        f" {unknown} unknown, {reads} linearizable reads{lost}: {word}"
    )
