"""Which election loses acknowledged writes in which mode: `replab simulate` as a few lines for a notebook.

Law of this module: the same runs and the same counts as the command's, in plain text.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from labs.cluster.opening import processes_work
from labs.rules.survey import SurveyJob, Tally, cell, count_all
from labs.simulation.loading import find_election

MODES = ("async", "quorum", "sync")
ELECTIONS = ("lowest-id", "bully", "solutions.ex3_election:MyElection")


def losses(nodes: int = 5, schedules: int = 8, elections: Sequence[str] = ELECTIONS) -> None:
    """Print a table: of the acknowledged writes, how many were lost. Each election and mode goes through the same
    `schedules` random runs. Elections that are not in this copy of the lab are left out."""
    known = [name for name in elections if _exists(name)]
    jobs = [SurveyJob(name, mode, nodes, seed) for name in known for mode in MODES for seed in range(schedules)]
    counted: dict[tuple[str, str], Tally] = {}
    workers = min(2, os.cpu_count() or 1) if processes_work() else 1
    for job, tally in count_all(jobs, workers):
        place = cell(job).election, job.mode
        counted[place] = counted.get(place, Tally()) + tally
    width = max(map(len, known))
    print(f"{'':{width}}  {'   '.join(f'{mode:>22}' for mode in MODES)}")
    for name in known:
        print(f"{name:{width}}  {'   '.join(f'{_told(counted[name, mode]):>22}' for mode in MODES)}")


def _exists(name: str) -> bool:
    try:
        find_election(name)
    except ValueError:
        return False
    return True


def _told(tally: Tally) -> str:
    return f"{tally.lost} of {tally.acknowledged} writes lost"
