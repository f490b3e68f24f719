"""A checked run once more, to be looked at: as a simulated cluster to step through, and as a picture.

Law of this module: what is shown is the run that was judged, or it is said that it is not. The check ran the student's
class in a sandbox; here it is imported into this process, under a module name of its own. That is the student's own
kernel, in which the code runs anyway; and only so can one pause inside a run, change its course, and rewind. It gets
the same dice as in the sandbox, and both runs are compared event by event (`differs`).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from random import Random

from labs.cluster.base import ClusterError, Settings
from labs.cluster.simulated import SimulatedCluster
from labs.grading.check import Scene
from labs.grading.election_gateway import readable
from labs.pictures import read_timeline, spacetime_svg
from labs.simulation.loading import election_from_source
from labs.simulation.schedule import Run, Schedule, Strategy, begin, carry_out, mend, simulation
from labs.simulation.simulator import Simulator
from labs.trace.events import Event
from labs.trace.story import shortened, story
from labs.trace.timeline import excerpt
from replstore.core.election import Election, ElectionContext

BEFORE = 1.5
"""Seconds before the moment that counts at which a replay is opened, and with which its picture begins."""
AFTER = 0.3
SENTENCES = 60


class CannotReplay(ClusterError):
    """The class cannot be used here; the message says why."""


def strategy_of(text: str, name: str = "MyElection") -> Strategy:
    """The election class in `text`, with the random generator that it has in the sandbox. Raises `CannotReplay`."""
    try:
        cls = election_from_source(text, name)
    except ValueError as error:
        raise CannotReplay(str(error)) from error

    def seated(seat: ElectionContext) -> Election:
        return cls(replace(seat, rng=Random(seat.rng.getrandbits(64))))

    seated.__name__ = name
    return seated


def differs(run: Run, strategy: Strategy) -> str:
    """Run the schedule again. Empty if everything happened as it did then; else a sentence."""
    again = carry_out(run.schedule, strategy).trace
    if run.failure is not None:
        # The sandbox is asked ahead of time, so the exception that ended the run may belong to a somewhat later moment.
        again = again[: len(run.trace)]
    pairs = itertools.zip_longest(map(_happening, run.trace), map(_happening, again))
    different = next((one or other for one, other in pairs if one != other), None)
    if different is None:
        return ""
    return (
        f"This time the run went another way, from {different[0]:.3f} s on: the code does not depend on its inputs"
        " alone. Does it read the clock, draw numbers from elsewhere than self.rng, or depend on the order of a set?"
    )


def _happening(event: Event) -> tuple[float, str, str, str]:
    """What must be the same. Messages have other type names when they come out of the sandbox."""
    return event.time, event.node, event.event, event.peer


class ReplayedCluster(SimulatedCluster):
    """A schedule as a cluster: its steps happen by themselves as time passes. What one does beside changes the run
    from there on; a rewind to before it undoes it."""

    def __init__(self, schedule: Schedule, strategy: Strategy, name: str = "MyElection") -> None:
        self._schedule = schedule
        settings = Settings(
            nodes=schedule.nodes,
            heartbeat_ms=round(1000 * schedule.heartbeat),
            election_timeout_ms=round(1000 * schedule.timeout),
            mode=schedule.mode,
            election=name,
            durable=schedule.durable,
            seed=schedule.seed,
        )
        super().__init__(settings, election=strategy)

    def _simulation(self) -> Simulator:
        sim = simulation(self._schedule, self._election)
        begin(sim, self._schedule, [])
        sim.at(self._schedule.length, mend, sim)
        return sim

    @property
    def end(self) -> float:
        """When the checked run was over; the replayed one goes on if one lets it."""
        return self._schedule.length + self._schedule.calm


def moments_of(scene: Scene) -> list[tuple[str, float]]:
    """Where to go in a replayed run: names and times."""
    failure = math.ceil(1000 * scene.moment) / 1000  # a time that can be read, and at which it has happened
    return [("the beginning", 0.0), ("just before", opening(scene)), ("the failure", failure)]


def opening(scene: Scene) -> float:
    return round(max(0.0, scene.moment - BEFORE), 3)


# -- pictures ----------------------------------------------------------------------------------------------


def draw(scene: Scene, run: Run, width: float, whole: bool, proof: bool) -> tuple[str, list[tuple[float, str]]]:
    """The space–time diagram of `run`, around the scene's moment or the whole of it, and the story of the same time.
    `proof`: the events that prove the failure stand out."""
    events = readable(run.trace)
    last = events[-1].time if events else 0.0
    window = (0.0, last) if whole else (opening(scene), min(last, scene.moment + AFTER))
    near = excerpt(events, window[0] - 1, window[1] + 1)
    svg = spacetime_svg(
        near, node_ids=run.node_ids, window=window, width=width, highlight=scene.proof if proof else (), origin=0.0
    )
    text = [line for line in story(read_timeline(events, run.node_ids)) if window[0] <= line.time <= window[1]]
    return svg, [(round(line.time, 6), line.text) for line in shortened(text, SENTENCES)]
