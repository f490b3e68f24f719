"""Records the failures that Exercise 3's notebook shows.

`python -m tools.record_failures` writes `labs/lesson/failures/*.json`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from labs.grading.checks.ex3 import PARTS
from labs.grading.election_gateway import readable
from labs.lesson.failures import GOOD, NAMES, Failure, file_of
from labs.rules import check_run
from labs.simulation.schedule import Run, Schedule, Step, carry_out
from labs.trace.events import Event
from labs.trace.kinds import BECAME_LEADER
from labs.trace.timeline import excerpt
from replstore.core.election import Election
from solutions.ex3_election import MyElection
from tools.mutant_elections import AnyLogWins, NeverStepsDown, NoRandomization, Plain

SEED = 0


@dataclass(frozen=True)
class Recipe:
    """Which election fails, in the runs of which part of the exercise, by which rule, and the seconds to look at. The
    run is the first one with so many nodes in which the rule is broken."""

    lacks: str
    election: type[Election]
    part: str
    rule: str
    window: tuple[float, float]
    nodes: int = 5


RECIPES = {
    "old-log": Recipe(
        "votes for whoever asks first, however old that node's log is",
        AnyLogWins,
        "log",
        "acknowledged writes stay",
        (3.55, 4.3),
    ),
    "same-timeout": Recipe(
        "lets every node wait equally long",
        NoRandomization,
        "randomized-timeout",
        "a leader is back in time",
        (3.3, 4.0),
    ),
    "no-pre-vote": Recipe(
        "calls an election at once, without asking whether it could win",
        Plain,
        "pre-vote",
        "a healthy leader is left alone",
        (5.9, 7.1),
    ),
    "leader-without-quorum": Recipe(
        "lets a leader lead on, whoever still hears it",
        NeverStepsDown,
        "quorum",
        "a leader without a quorum steps down",
        (4.0, 5.1),
        nodes=3,
    ),
}


def record(name: str) -> Failure:
    recipe = RECIPES[name]
    part = next(part for part in PARTS if part.id == recipe.part)
    runs = (carry_out(schedule, recipe.election) for schedule in part.schedules(SEED) if schedule.nodes == recipe.nodes)
    broken = ((run, violation) for run in runs for violation in check_run(run, part.claims))
    run, violation = next((run, violation) for run, violation in broken if violation.rule == recipe.rule)
    return Failure(
        name=name,
        lacks=recipe.lacks,
        check=f"ex3.{recipe.part}",
        seed=SEED,
        rule=violation.sentence,
        text=violation.text,
        window=recipe.window,
        node_ids=run.node_ids,
        proof=tuple(violation.events),
        events=shown(run, recipe.window),
    )


def good() -> Failure:
    """The reference: the leader crashes, another node asks, wins, and leads."""
    run = carry_out(Schedule(nodes=3, seed=SEED, length=3.5, calm=0.0, steps=(Step(2.0, "crash_leader"),)), MyElection)
    assert not check_run(run)
    (led,) = [event.time for event in run.trace if event.kind == BECAME_LEADER and event.time > 2.0]
    window = (1.8, round(led + 0.25, 2))
    return Failure(
        name=GOOD, lacks="", check="", seed=SEED, rule="", text="", window=window, node_ids=run.node_ids, proof=(),
        events=shown(run, window),
    )  # fmt: skip


def shown(run: Run, window: tuple[float, float]) -> tuple[Event, ...]:
    """What is to be seen, and a second more on either side, for what is in the air at the edges."""
    kept = excerpt(readable(run.trace), window[0] - 1, window[1] + 1)
    return tuple(event._replace(time=round(event.time, 6)) for event in kept)


def written(failure: Failure) -> str:
    """An event a line, so that a change can be read."""
    data = failure.to_json()
    events = ",\n".join(json.dumps(event, ensure_ascii=False) for event in data.pop("events"))
    head = json.dumps(data, ensure_ascii=False, indent=1).removesuffix("\n}")
    return f'{head},\n "events": [\n{events}\n]\n}}\n'


def main() -> None:
    for name in NAMES:
        file_of(name).write_text(written(record(name)), encoding="utf-8", newline="\n")
    file_of(GOOD).write_text(written(good()), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
