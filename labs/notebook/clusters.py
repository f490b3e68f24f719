"""The clusters, panels and exercises that a notebook has open, and their end."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from IPython.core.getipython import get_ipython

from labs.cluster import FAST, Cluster, Settings, open_cluster
from labs.cluster.opening import processes_work
from labs.lesson.nodes import chosen
from labs.notebook.sides import show_beside
from labs.page.start import SIMULATED, make_ready
from labs.panel import ClusterPanel, ExercisePanel
from labs.pictures.still import said, still

START_TIMEOUT = 30.0
"""Seconds of the cluster's time in which a started cluster must have a leader."""
STILL = "The cluster as it was when this cell was run."
_running: dict[str, Cluster] = {}
_again: dict[str, Callable[[], Cluster]] = {}
"""How each of them was started."""
_panels: list[ClusterPanel] = []
_exercises: dict[str, ExercisePanel] = {}
make_ready()


def cluster(
    backend: str | None = None,
    name: str = "lab",
    settings: Settings | None = None,
    command: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
    **changes: Any,
) -> Cluster:
    """A started cluster with a leader. Calling it again under the same `name` (a cell that is run twice) ends the one
    before. `backend`: as for `open_cluster`; without one, what `nodes_are` says. `command`: the nodes are this program,
    in any language, as for `ForeignCluster`: `command=["node", "dist/main.js"]`. `changes` are fields of `Settings`:
    `mode="quorum"`, `nodes=5`, `election="bully"`, …"""
    before = _running.get(name)
    made: Cluster
    if command is not None:
        from labs.cluster.foreign import PATIENT, ForeignCluster  # needs processes, which a web page does not have

        made = ForeignCluster(replace(settings or PATIENT, **changes), command)
    else:
        made = open_cluster(backend or chosen().backend, replace(settings or FAST, **changes))
    if not processes_work():
        print(SIMULATED)
    if before is not None:
        if before.backend != made.backend:
            print(f"The cluster {name!r} of before ({before.backend}) is stopped; give name=… to keep both.")
        end(name)
    _running[name] = made
    _again[name] = partial(cluster, backend, name, settings, command, **changes)
    made.start()
    made.wait_for(lambda c: c.leader(), timeout=START_TIMEOUT)
    return made


def end(name: str = "lab") -> None:
    """Stop the cluster of this name. Its panels keep their last minute, and offer to start another in its place."""
    old = _running.pop(name, None)
    if old is None:
        return
    for panel in [p for p in _panels if p.cluster is old]:
        panel.rest("This cluster was stopped. Start a new one with the button on top.", partial(_again_for, name, old))
    old.close()


def _again_for(name: str, old: Cluster) -> Cluster:
    """A new cluster of this name, or the one that a cell has started meanwhile. The notebook's variables that held the
    old one hold it from now on."""
    made = _running.get(name) or _again[name]()
    shell = get_ipython()
    variables = {} if shell is None else shell.user_ns
    for variable in [name for name, value in variables.items() if value is old]:
        variables[variable] = made
    return made


@atexit.register
def end_all() -> None:
    for name in list(_running):
        end(name)


class NotebookPanel(ClusterPanel):
    """A panel with a still picture in its place where no widget can run, as in an export to HTML or on GitHub."""

    def _repr_mimebundle_(self, **options: Any) -> Any:
        bundle = super()._repr_mimebundle_(**options)
        if not isinstance(bundle, tuple):
            return bundle
        data, metadata = bundle
        nodes = list(self.cluster.status().values())
        page = f"{still(nodes, STILL)}<p>{STILL} To bring it to life, run the notebook's cells from the top.</p>"
        return {**data, "text/html": page, "text/plain": "; ".join(map(said, nodes))}, metadata


def panel(of: Cluster, parts: Sequence[str] = ()) -> ClusterPanel:
    """The living picture of a cluster; put it last in a cell. In a web page its simulated time passes by itself.
    `parts`: only these, as for `ClusterPanel`: `lab.panel(cluster, parts=("ring", "logs"))`."""
    made = NotebookPanel(of, playing=not processes_work(), parts=parts)
    _panels.append(made)
    return made


def beside(of: Cluster) -> None:
    """The same, beside the notebook, where it stays in view. Where there is no room beside (not JupyterLab), below the
    cell."""
    show_beside(panel(of))


def exercise(name: str, **where: Any) -> ExercisePanel:
    """The checks of `ex1`, `ex2` or `ex3`, running, with all that they see; put it last in a cell. `where` the code is:
    as for `ExercisePanel` (default: the exercise's file)."""
    if name in _exercises:
        _exercises.pop(name).close()
    made = _exercises[name] = _exercise_panel()(name, **where)
    return made.run()


def _exercise_panel() -> type[ExercisePanel]:
    if processes_work():
        return ExercisePanel
    from labs.panel.page_exercise import PageExercisePanel

    return PageExercisePanel


def all_well() -> None:
    """The last cell of a notebook: stop everything, and fail if anything failed in the background. Checks that are
    still being run are waited for."""
    for one in _exercises.values():
        one.wait()
        one.rest()
        so_far = " so far; it is still being checked, as its panel shows" if one.checking else ""
        print(f"Exercise {one.exercise.id[2:]}: {one.marks.earned:g} of {one.marks.points:g} points{so_far}.")
    errors = [error for one in _panels for error in one.errors]
    errors += [error for one in _exercises.values() for error in one.errors]
    end_all()
    assert not errors, f"in the background: {errors}"
    print("All clusters of this notebook are stopped.")
