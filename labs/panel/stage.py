"""What an exercise panel has open below its checks: a replayed run, a cluster as a check left it, real
nodes, or what a search found.

Law of this module: at most one at a time, and what it opens it closes, panel first. It blocks; its caller's thread is
one of its own. Every failure is a `ClusterError` or the cluster's own exception, for the caller to tell.
"""

from __future__ import annotations

import html
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import ipywidgets as widgets

from labs.cluster.base import FAST, Cluster, ClusterError
from labs.cluster.opening import open_cluster
from labs.grading.check import Scene
from labs.lesson.nodes import chosen
from labs.panel.panel import ClusterPanel
from labs.panel.replays import ReplayedCluster, differs, moments_of, opening, strategy_of
from labs.panel.searching import Found
from labs.pictures import spacetime_svg

SLOWLY = 0.2
"""Seconds of a replayed run that pass in a second: elections there take tenths of one."""
SPANS = (6.0, 12.0, 30.0)
"""Seconds that a timeline can show, beside a minute."""
JOIN_TIMEOUT = 2.0
"""Seconds for each of a panel's threads to let go of the cluster."""
MODULE = "my_election"
NODES = 3
PICTURE_WIDTH = 940.0
"""A search's picture fits beside JupyterLab's file browser."""
SEARCHED = (
    "Messages may be late, lost and in any order, and a node's patience may end at any moment; the run with the fewest"
    " steps that breaks the rule is the one shown. Each step is drawn as one second."
)


@dataclass(frozen=True)
class Open:
    """What is open. `kind`: `replay`, `left`, `real` or `search`; `title` and `text` are for people, `warning` for the
    worst. A search has no cluster, and a panel only if it found something."""

    kind: str
    title: str
    text: str
    cluster: Cluster | None
    panel: ClusterPanel | widgets.HTML | None
    warning: str = ""


class FailedCheck(NamedTuple):
    """A check that failed in a run or at a cluster; `text` is the code that it was about."""

    title: str
    scene: Scene
    text: str


class ReplayView:
    """`changed(open)` is called whenever something else is open, None: nothing."""

    def __init__(self, changed: Callable[[Open | None], None]) -> None:
        self._changed = changed
        self._folder: Path | None = None
        self.open: Open | None = None

    def replay(self, title: str, scene: Scene, text: str, whose: str) -> None:
        """The scene's run, with the class in `text`: `yours` or `the reference`."""
        assert scene.run is not None
        strategy = strategy_of(text)
        warning = differs(scene.run, strategy) if whose == "yours" else ""
        cluster = ReplayedCluster(scene.run.schedule, strategy)
        cluster.sleep(opening(scene))
        class_ = "your class" if whose == "yours" else "the reference solution"
        sentence = (
            f"The run that the check judged, with {class_}, halted at {opening(scene):.2f} s: step or play it."
            f" It was judged at {scene.moment:.3f} s and ends at {cluster.end:.2f} s. Whatever you do here changes the"
            " run from there on; rewind to undo it."
        )
        self._show(
            "replay",
            f"Replay: “{title}”",
            sentence,
            cluster,
            warning,
            speed=SLOWLY,
            span=span_for(cluster.end),
            moments=moments_of(scene),
        )

    def left(self, title: str, scene: Scene) -> None:
        """A simulated cluster as the student's function left it."""
        assert scene.reopen is not None
        text = (
            "The simulated cluster as your function left it; the timeline shows what it did."
            " Rewind to any moment of it. From there on it is your turn: your function's later calls are not repeated."
        )
        moments = [("the beginning", 0.0), ("the end", scene.moment)]
        self._show(
            "left", f"The cluster of “{title}”", text, scene.reopen(), "", span=span_for(scene.moment), moments=moments
        )

    def real(self, text: str) -> None:
        """Real nodes whose leader is elected by the class in `text`."""
        self.leave()
        self._folder = Path(tempfile.mkdtemp(prefix="replab-election-"))
        (self._folder / f"{MODULE}.py").write_text(text, encoding="utf-8", newline="\n")
        settings = replace(
            FAST, nodes=NODES, mode="quorum", election=f"{MODULE}:MyElection", python_path=(self._folder,)
        )
        backend = chosen().backend
        cluster = None
        try:
            cluster = open_cluster("process" if backend == "simulated" else backend, settings)
            cluster.start()
        except BaseException:
            if cluster is not None:
                cluster.close()
            self._forget()
            raise
        what = "containers" if cluster.backend == "docker" else "processes here"
        sentence = f"{NODES} {what} elect their leader with your class as it is now. Kill the leader."
        self._show("real", "Your election on real nodes", sentence, cluster, "")

    def searched(self, found: Found) -> None:
        """What the search told, with a picture of the run that it found."""
        self.leave()
        picture = None
        if found.steps:
            steps = "".join(f"<li>{html.escape(step)}</li>" for step in found.steps)
            node_ids = sorted({event.node for event in found.events})
            svg = spacetime_svg(found.events, node_ids=node_ids, width=PICTURE_WIDTH, origin=0.0)
            picture = widgets.HTML(f'<div style="overflow-x: auto">{svg}</div><ol>{steps}</ol>')
        text = SEARCHED if found.steps else f"{found.told} {SEARCHED}"
        self.open = Open("search", "Every order of messages", text, None, picture, found.told if found.steps else "")
        self._changed(self.open)

    def _show(self, kind: str, title: str, text: str, cluster: Cluster, warning: str, **options: Any) -> None:
        if kind != "real":
            self.leave()
        try:
            panel = ClusterPanel(cluster, availability="reads" if kind == "real" else "off", in_cell=False, **options)
        except BaseException:
            cluster.close()
            self._forget()
            raise
        self.open = Open(kind, title, text, cluster, panel, warning)
        self._changed(self.open)

    def leave(self) -> None:
        """Close what is open. Safe to call twice."""
        old, self.open = self.open, None
        if old is None:
            return
        self._changed(None)
        try:
            if isinstance(old.panel, ClusterPanel):
                old.panel.close(JOIN_TIMEOUT)
            elif old.panel is not None:
                old.panel.close()
            if old.cluster is not None:
                old.cluster.close()
        finally:
            self._forget()

    def _forget(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def span_for(length: float) -> float | None:
    """How much a timeline is to show of a run of so many seconds; None: the usual minute."""
    return next((span for span in SPANS if length <= span), None)


def why(error: BaseException) -> str:
    """An exception's first sentence; where it only announces what follows, the last line of that, too."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    text = f"{lines[0]} {lines[-1].strip()}" if lines[0].endswith(":") and len(lines) > 1 else lines[0]
    return text if isinstance(error, ClusterError) else f"{text} ({type(error).__name__})"
