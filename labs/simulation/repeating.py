"""Walks that a search has found, as schedules that repeat them with real nodes.

Law of this module: a walk may come from a student's process. It is looked at part by part, and what is none is left
out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from labs.simulation.schedule import Schedule, Step
from replstore.core.messages import NodeId

BEGIN = 0.06
"""When the clocks stop: each node has been asked for the time by then, and nobody has acted."""
APART = 0.1
"""Virtual seconds between two steps, so that they stand apart in a picture."""
CALM = 2.0
"""Seconds after the last step: by then a write is lost that will be."""
MOST_WALKS, MOST_STEPS, MOST_TEXT = 4, 60, 2000


def timed(steps: Iterable[Sequence[str]]) -> Iterator[tuple[float, str, tuple[Any, ...]]]:
    """The steps of a walk (`explorer.walks.as_data`) as `(time, action, arguments)`; what is none is left out. At the
    end all goes on by itself."""
    yield BEGIN, "take_over", ()
    time = BEGIN
    for number, step in enumerate(steps):
        time = round(time + APART, 3)
        name, *arguments = step
        if name == "commit":
            yield time, "write_by_steps", (arguments[0], f"stored{number}")
            yield round(time + APART / 2, 3), "exchange", tuple(arguments)
        else:
            yield time, f"{name}_by_steps", tuple(arguments)
    yield round(time + APART, 3), "let_go", ()


def schedules_of(walks: Any) -> tuple[Schedule, ...]:
    """The schedules that repeat these walks. What is no walk of three nodes is left out: it comes from a student's
    process, and proves nothing before real nodes have gone the same way."""
    nodes = tuple(f"node-{number}" for number in range(1, 4))
    taken = [walk for walk in walks if is_walk(walk, nodes)][:MOST_WALKS] if type(walks) is list else []
    return tuple(_schedule(walk) for walk in taken)


def _schedule(walk: list[list[str]]) -> Schedule:
    steps = tuple(Step(*step) for step in timed(walk))
    return Schedule(nodes=3, steps=steps, length=steps[-1].time + 0.1, calm=CALM, drift=0.0)


def is_walk(data: Any, nodes: Sequence[NodeId]) -> bool:
    """Whether this is a walk of these nodes as `as_data` writes it, and not too long."""
    return type(data) is list and len(data) <= MOST_STEPS and all(_is_step(step, nodes) for step in data)


def _is_step(step: Any, nodes: Sequence[NodeId]) -> bool:
    if type(step) is not list or not all(type(part) is str and len(part) <= MOST_TEXT for part in step):
        return False
    match step:
        case ["wait" | "restart", node]:
            return node in nodes
        case ["commit" | "take", one, other, *what]:
            return one != other and {one, other} <= set(nodes) and len(what) == (step[0] == "take")
    return False
