"""Many simulated runs counted, and one of them shown."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import ipywidgets as widgets

from labs.cluster.opening import processes_work
from labs.notebook.telling import show
from labs.pictures import spacetime_svg, tell
from labs.rules import lost_writes
from labs.rules.survey import SurveyJob, Tally, count_all, judge
from labs.simulation.loading import find_election
from labs.simulation.schedule import Run, carry_out
from labs.trace.events import Event
from labs.trace.kinds import APPENDED, WRITE_LOST

ELECTIONS = {
    "lowest-id": "LowestId",
    "bully": "Bully",
    "solutions.ex3_election:MyElection": "votes (reference)",
    "exercises.ex3_election:MyElection": "votes (yours)",
}
MODES = ("async", "quorum", "sync")
BEST = 1.0
"""Seconds between the two that can be seen well."""
BEFORE, AFTER = 0.3, 0.3
"""Seconds of a run that are shown before a write is taken and after it is dropped."""


@dataclass(frozen=True)
class Survey:
    """The counts of many runs, by election (as it is named in the table) and mode."""

    tallies: dict[tuple[str, str], Tally]
    schedules: int

    def __getitem__(self, place: tuple[str, str]) -> Tally:
        return self.tallies[place]

    def _repr_html_(self) -> str:
        elections = list(dict.fromkeys(election for election, _ in self.tallies))
        modes = [mode for mode in MODES if (elections[0], mode) in self.tallies]
        head = "".join(f"<th style='text-align:left'>{mode}</th>" for mode in modes)
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(election)}</th>"
            + "".join(f"<td style='text-align:left'>{_cell(self.tallies[election, mode])}</td>" for mode in modes)
            + "</tr>"
            for election in elections
        )
        caption = f"{self.schedules} runs each, of ten seconds with crashes, cuts and pauses, the same for all"
        return f"<table><caption>{caption}</caption><tr><th></th>{head}</tr>{rows}</table>"

    def __repr__(self) -> str:
        return "\n".join(
            f"{election}, {mode}: {_cell(tally).replace('<br>', ', ').replace('<b>', '').replace('</b>', '')}"
            for (election, mode), tally in self.tallies.items()
        )


def _cell(tally: Tally) -> str:
    lost = f"{tally.lost} lost"
    return "<br>".join(
        (
            f"{tally.acknowledged} acknowledged",
            f"<b>✗ {lost}</b>" if tally.lost else lost,
            f"{tally.unserved:.0%} not served",
            f"two leaders in a term: {tally.runs_with_two_leaders} runs",
        )
    )


def survey(schedules: int = 8, modes: Sequence[str] = MODES, nodes: int = 5) -> Survey:
    """Run each election in each mode through the same random faults, and count. Some 20 seconds for 8 schedules."""
    names = {name: title for name, title in ELECTIONS.items() if _works(name)}
    jobs = [SurveyJob(name, mode, nodes, seed) for name in names for mode in modes for seed in range(schedules)]
    tallies = {(title, mode): Tally() for title in names.values() for mode in modes}
    bar = widgets.IntProgress(max=len(jobs), description="Runs:")
    show(bar)
    workers = min(2, os.cpu_count() or 1) if processes_work() else 1
    for job, tally in count_all(jobs, workers):
        tallies[names[job.election], job.mode] += tally
        bar.value += 1
    bar.close()
    return Survey(tallies, schedules)


def _works(name: str) -> bool:
    """Whether there is such an election, and it elects somebody in a quiet second or two."""
    try:
        find_election(name)
        job = SurveyJob(name, "quorum", 3, 0)
        run, _ = judge(job)
    except ValueError:
        return False
    return run.error is None


def lost_run(election: str = "lowest-id", mode: str = "async", nodes: int = 5, seeds: int = 50) -> None:
    """A write that was acknowledged and then lost, in one of the survey's runs: of the first `seeds` the one in which
    that fits best into a picture, as that and in words. If none loses any, it says so."""
    found = [loss for seed in range(seeds) if (loss := _loss(SurveyJob(election, mode, nodes, seed))) is not None]
    if not found:
        words = f"In none of {seeds} runs with {election}, {mode} an acknowledged write is lost."
        show({"text/html": f"<p>{escape(words)}</p>", "text/plain": words}, raw=True)
        return
    run, kept, dropped = min(found, key=lambda loss: abs(loss[2].time - loss[1].time - BEST))
    window = (max(0.0, kept.time - BEFORE), dropped.time + AFTER)
    key, value = dropped.details["key"], dropped.details["value"]
    words = (
        f"{kept.time:.2f} s: {kept.node} writes {key} = {value} and tells the client “success”. "
        f"{dropped.time:.2f} s: {dropped.node} drops that write, because the leader's log has another entry there."
    )
    picture = spacetime_svg(
        run.trace, node_ids=run.node_ids, window=window, highlight=[kept.seq, dropped.seq], origin=0.0,
        title=f"✗ A write that was acknowledged is lost ({election}, {mode})",
    )  # fmt: skip
    story = "".join(f"<li>{escape(one)}</li>" for one in tell(run.trace, window=window, origin=0.0, limit=12))
    page = f"<p>{escape(words)}</p>{picture}<details><summary>In words</summary><ul>{story}</ul></details>"
    show({"text/html": page, "text/plain": words}, raw=True)


def _loss(job: SurveyJob) -> tuple[Run, Event, Event] | None:
    """The run, the note of the node that took the write, and that of the first one that dropped it."""
    run = carry_out(job.schedule, find_election(job.election))
    lost = {(one.entry.index, one.entry.term): one for one in lost_writes(run)}
    for dropped in run.trace:
        place = (dropped.details.get("index"), dropped.details.get("term"))
        if dropped.kind == WRITE_LOST and place in lost:
            node = lost[place].node
            for kept in run.trace:
                entries = range(kept.details.get("first", 0), kept.details.get("last", -1) + 1)
                if kept.kind == APPENDED and kept.node == node and place[0] in entries and kept.time < dropped.time:
                    return run, kept, dropped
    return None
