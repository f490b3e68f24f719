"""A survey: many runs of elections on the same schedules, counted: writes lost, writes not served, rules broken.

Law of this module: the count for a job depends on the job alone, so any number of processes may share the work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from multiprocessing import get_context

from labs.rules import RULES, Claims, Violation, check_run, lost_writes
from labs.simulation.loading import find_election
from labs.simulation.schedule import Run, Schedule, carry_out, random_schedule
from replstore.core.election import Election

ONE_LEADER = "one leader a term"


@dataclass(frozen=True)
class SurveyJob:
    """One run: an election (`lowest-id`, `bully`, `module:Class`) lives through the schedule that `seed` stands for."""

    election: str
    mode: str
    nodes: int
    seed: int
    claims: Claims | None = None

    @property
    def schedule(self) -> Schedule:
        return random_schedule(self.seed, Schedule(nodes=self.nodes, mode=self.mode))

    @property
    def replay(self) -> str:
        """The command that shows this run."""
        where = f"--mode {self.mode} --nodes {self.nodes} --seed {self.seed}"
        return f"replab replay --election {self.election} {where}{self.promises}"

    @property
    def promises(self) -> str:
        """The options that say what the election was held to, if that was said."""
        made = vars(self.claims) if self.claims is not None else {}
        return "".join(f" --claim {name.replace('_', '-')}" for name, claimed in made.items() if claimed)


@dataclass(frozen=True)
class Tally:
    """`asked`: writes that clients wanted done; `served`: those to which a node said yes; `acknowledged`: how often one
    did (two leaders may both take the same write); `lost`: how many of these promises were broken. The others count
    runs. `broken`: for each rule the seeds with a violation."""

    runs: int = 0
    asked: int = 0
    served: int = 0
    acknowledged: int = 0
    lost: int = 0
    runs_with_losses: int = 0
    runs_with_two_leaders: int = 0
    broken: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def __add__(self, other: Tally) -> Tally:
        names = [name for name in vars(self) if name != "broken"]
        rules = {**self.broken, **other.broken}
        return Tally(
            **{name: getattr(self, name) + getattr(other, name) for name in names},
            broken={rule: self.broken.get(rule, ()) + other.broken.get(rule, ()) for rule in rules},
        )

    @property
    def unserved(self) -> float:
        """The share of wanted writes to which nobody said yes."""
        return 1 - self.served / self.asked if self.asked else 0.0


def claims_of(strategy: type[Election]) -> Claims:
    """What may be expected of it unless it says more: a strategy that elects without regard to logs does not vote."""
    return Claims(votes=not strategy.catches_up)


def judge(job: SurveyJob) -> tuple[Run, list[Violation]]:
    """The run, and everything in it that breaks a rule."""
    strategy = find_election(job.election)
    run = carry_out(job.schedule, strategy)
    return run, check_run(run, job.claims or claims_of(strategy))


def count(job: SurveyJob) -> Tally:
    """Carry one job out. Raises `ValueError` for an election that does not exist."""
    run, violations = judge(job)
    lost = len(lost_writes(run))
    two = check_run(run, Claims(votes=True), [rule for rule in RULES if rule.name == ONE_LEADER])
    return Tally(
        runs=1,
        asked=sum(step.action == "write_to_leader" for step in run.schedule.steps),
        served=len({call.command.key for call in run.acknowledged}),
        acknowledged=len(run.acknowledged),
        lost=lost,
        runs_with_losses=int(lost > 0),
        runs_with_two_leaders=int(bool(two)),
        broken={violation.rule: (job.seed,) for violation in violations},
    )


def count_all(jobs: Sequence[SurveyJob], workers: int) -> Iterator[tuple[SurveyJob, Tally]]:
    """Each job with its count, as they are done."""
    with ExitStack() as stack:
        if workers > 1:
            pool = stack.enter_context(get_context("spawn").Pool(workers))
            yield from pool.imap_unordered(_count, jobs, chunksize=2)
        else:
            yield from map(_count, jobs)


def _count(job: SurveyJob) -> tuple[SurveyJob, Tally]:
    return job, count(job)


def cell(job: SurveyJob) -> SurveyJob:
    """What all jobs of one cell of the table share."""
    return replace(job, seed=0)
