"""Witnesses of Exercise 3: a run in which nothing happened proves nothing in favour of a strategy.

Law of this module: a witness asks for what the exercise promises and for no more: a leader within ten election
timeouts, and messages that make it one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from labs.rules.knowledge import is_the_strategys_own
from labs.simulation.schedule import Run
from labs.trace import kinds
from labs.trace.events import Event
from labs.trace.roles import Leaders

Missing = tuple[Run, str]
"""A run, and what it was to show and did not."""

Witness = Callable[[Sequence[Run]], Missing | None]
"""Is given all runs of a part for one seed."""


def nothing_to_show(runs: Sequence[Run]) -> Missing | None:
    return None


def somebody_led(moment: float) -> Witness:
    """At `moment`, in the runs that go on after it."""

    def witness(runs: Sequence[Run]) -> Missing | None:
        for run in runs:
            if run.schedule.length > moment + run.schedule.timeout and not _leaders(run, moment):
                return run, (
                    f"nobody led at {moment:g} s, ten election timeouts after the start; what a leader would have done"
                    " afterwards cannot be seen"
                )
        return None

    return witness


def _leaders(run: Run, moment: float) -> set[str]:
    leaders = Leaders()
    for event in run.trace:
        if event.time >= moment:
            break
        leaders.apply(event)
    return set(leaders.since)


def leaders_were_told_something(runs: Sequence[Run]) -> Missing | None:
    """Somebody led after it had received a message of the strategy's own. (Whether it had the votes is another part's
    business.)"""
    first: tuple[Run, Event] | None = None
    for run in runs:
        told: set[str] = set()
        for event in run.trace:
            if event.event == "received" and is_the_strategys_own(event):
                told.add(event.node)
            elif event.event == "note" and event.kind == kinds.BECAME_LEADER:
                if event.node in told:
                    return None
                first = first or (run, event)
    if first is None:
        return None
    run, event = first
    return run, (
        f"whoever became leader had got no message of your strategy from another node ({event.node} at"
        f" {event.time:.3f} s, for instance): it led without asking anybody"
    )


def somebody_voted_for_another(runs: Sequence[Run]) -> Missing | None:
    for run in runs:
        for event in run.trace:
            if event.event == "note" and event.kind == kinds.STATE and event.details["vote"] not in (None, event.node):
                return None
    return runs[0], "no node ever voted for another one: set self.vote to the id of the node that you vote for"
