"""`ClusterPanel`: the living picture of a cluster in a notebook.

Law of this module: it joins the parts and decides nothing. The browser's messages go to `actions`, the cluster's news
come from `poller` through `model`, the drawing is `frontend/src/panel.ts`. Exceptions end as a sentence on the panel
(and in `errors`), because a traceback of a background thread would land in some other cell, or nowhere.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anywidget
import traitlets

from labs.cluster.base import Answer, Cluster, ClusterError
from labs.panel import actions, assets
from labs.panel.actions import BadCommand, CommandWorker, PanelCommand
from labs.panel.background import beside
from labs.panel.cells import CELLS
from labs.panel.messages import told
from labs.panel.model import PanelModel
from labs.panel.player import Player
from labs.panel.poller import Poller, Wanted, write_probe
from labs.trace.why import explain

PARTS = ("ring", "nodes", "logs", "values", "client", "network", "time")
"""The parts of a panel; `values` is the table of which node holds what."""


class ClusterPanel(anywidget.AnyWidget):
    """Shows `cluster` and lets one break it; the same over processes, Docker and the simulator.

    * `availability`: what a small background client does twice a second: `reads` (or True: it asks any node, which
      leaves no trace), `writes` (it also writes the key `panel.probe`, which is an entry of the log), `off` (or False)
    * `speed`, `moments`, `span`, `playing`: of a simulation, how fast it is played at first, names of times that one
      may want to go to, how many seconds the timeline shows, and whether time passes from the start
    * `parts`: which of `PARTS` are shown (default: all), for a small panel beside one step
    * `in_cell`: it belongs to the cell that is being run (and not to another widget, which then closes it)

    Its threads end with `close()`, and when the cell that made it is run again.
    """

    _esm = assets.script("panel.js")
    _css = assets.style("panel.css")

    nodes: Any = traitlets.List().tag(sync=True)
    network: Any = traitlets.Dict().tag(sync=True)
    data: Any = traitlets.Dict().tag(sync=True)
    info: Any = traitlets.Dict().tag(sync=True)
    logs: Any = traitlets.Dict().tag(sync=True)
    parts: Any = traitlets.List().tag(sync=True)
    """Which parts are shown, of `PARTS`."""
    doing: Any = traitlets.List().tag(sync=True)
    """Commands that are being carried out: `{id, verb, node, text}`."""
    answer: Any = traitlets.Dict().tag(sync=True)
    """What came back for the last read or write from the panel."""
    problems: Any = traitlets.List().tag(sync=True)
    """Sentences about what goes wrong: `{id, text}`."""
    availability: Any = traitlets.Unicode().tag(sync=True)
    player: Any = traitlets.Dict().tag(sync=True)
    """Empty for real nodes; for the simulator `{playing, speed, rewinds, moments, span}`."""

    def __init__(
        self,
        cluster: Cluster,
        availability: bool | str = "reads",
        *,
        speed: float = 1.0,
        moments: Sequence[tuple[str, float]] = (),
        span: float | None = None,
        playing: bool = False,
        in_cell: bool = True,
        parts: Sequence[str] = (),
    ) -> None:
        self.errors: deque[BaseException] = deque(maxlen=50)
        self._resting = ""
        self._again: Callable[[], Cluster] | None = None
        self._views = 0
        self._seen = time.monotonic()
        self._publishing = threading.RLock()
        self._beginning = threading.Lock()  # a panel that is closed does not begin to watch another cluster
        self._shut = False
        self._simulated = cluster.backend == "simulated"
        self._guard: contextlib.AbstractContextManager[Any] = (
            threading.RLock() if self._simulated else contextlib.nullcontext()
        )
        self._playing = (speed, moments, span, playing)
        self._watch(cluster)
        if isinstance(availability, bool):
            availability = "reads" if availability else "off"
        strange = [part for part in parts if part not in PARTS]
        if strange:
            raise ValueError(f"a panel has no part {strange[0]!r}; its parts are {', '.join(PARTS)}")
        super().__init__(availability=availability, parts=list(parts), **self._present())
        self.on_msg(self._heard)
        if in_cell:
            CELLS.enter(self)
        self._begin_to_watch()

    def _watch(self, cluster: Cluster) -> None:
        """All that belongs to one cluster."""
        self.cluster = cluster
        self._play = Player(cluster, self._guard, *self._playing) if self._simulated else None
        urls = {node: cluster.url(node) for node in cluster.node_ids}
        self._model = PanelModel(cluster.node_ids, cluster.backend, cluster.settings, urls)
        self._poller = Poller(
            cluster, self._model, self._publish, self._report, self._wanted, self._guard, self._write_beside
        )
        self._client = CommandWorker("panel-client", self._carry_out, self._failed)
        self._hands = self._client if self._simulated else CommandWorker("panel-hands", self._carry_out, self._failed)

    def _write_beside(self, cluster: Cluster, node: str, value: int) -> Answer:
        """The background client's write."""
        return write_probe(cluster, node, value)

    def _begin_to_watch(self) -> None:
        self._poller.begin()
        if self._play:
            self._play.begin(self._report)

    def close(self, join_timeout: float = 0.0) -> None:
        """End the panel's threads and take it from the screen. The cluster goes on. Safe to call twice. `join_timeout`:
        seconds that each thread is waited for, so that none of them uses the cluster any more."""
        with self._beginning:
            self._shut = True
            self._end(join_timeout)
        super().close()

    def rest(self, why: str, again: Callable[[], Cluster] | None = None) -> None:
        """The cluster is stopped, or is about to be: end the panel's threads and leave its last minute on the screen.
        `why` is what every control now says. `again` starts another cluster in its place, and returns it: the panel
        then offers that."""
        self._resting, self._again = why, again
        self._end()
        with self._poller.lock:
            self._model.end(why, self.cluster.now())
            self._model.can_begin_again = again is not None
            self._publish(self._model, self.cluster.now())

    def _start_again(self) -> None:
        """On a thread of its own: starting takes a while, and the workers of the old cluster have ended."""
        again, self._again = self._again, None
        if again is None:
            return
        try:
            cluster = again()
        except Exception as error:  # noqa: BLE001 - whatever a backend raises belongs on the panel
            self._again = again
            self._failed("Starting a new cluster", error)
            return
        finally:
            self.doing = []
        with self._beginning:
            if self._shut:
                return
            self._resting = ""
            self._watch(cluster)
            self._publish(self._model, cluster.now())
            self.send({"type": "history", "now": cluster.now(), "rate": self._rate, **self._model.history()})
            self._begin_to_watch()

    @property
    def alive(self) -> bool:
        """Whether the panel still watches its cluster."""
        return self._poller.alive

    def _end(self, join_timeout: float = 0.0) -> None:
        self._poller.end(join_timeout)
        self._client.end(join_timeout)
        self._hands.end(join_timeout)
        if self._play:
            self._play.end(join_timeout)

    # -- from the cluster -----------------------------------------------------------------------------

    def _present(self) -> dict[str, Any]:
        return {**self._model.picture(), "player": self._play.state() if self._play else {}}

    def _publish(self, model: PanelModel, now: float) -> None:
        """Send what has changed. Traits compare before they send, so silence costs nothing."""
        with self._publishing, self.hold_sync():
            for name, value in self._present().items():
                setattr(self, name, value)
        news = model.drain()
        if news and self._views > 0:
            self.send({"type": "news", "now": now, "rate": self._rate, **news})

    @property
    def _rate(self) -> float:
        """Seconds of the cluster's time that pass in one second."""
        if self._resting:
            return 0.0
        return self._play.rate if self._play else 1.0

    def _wanted(self) -> Wanted:
        """What the poller is to do now: nobody watches → nothing but an occasional look."""
        watched = self._views > 0 or time.monotonic() - self._seen < DOZE_AFTER
        runs = self._play is None or self._play.rate > 0
        return Wanted(watch=watched, probe=self.availability if watched and runs else "off")

    # -- from the browser -----------------------------------------------------------------------------

    def _heard(self, _: Any, message: Mapping[str, Any], __: Any) -> None:
        """A message from a view. Runs on a kernel thread: it may only note and enqueue."""
        what = message.get("do")
        if what == "hello":
            self._greet()
        elif what == "bye":
            self._views = max(0, self._views - 1)
            self._seen = time.monotonic()
        else:
            self._take(message)

    def _greet(self) -> None:
        self._views += 1
        now = self.cluster.now()
        with self._poller.lock:
            self._publish(self._model, now)
            self.send({"type": "history", "now": now, "rate": self._rate, **self._model.history()})
        self._poller.wake()

    def _take(self, message: Mapping[str, Any]) -> None:
        try:
            command = actions.parse(message, self.cluster.node_ids)
            if self._resting and not (command.verb == "again" and self._again):
                raise BadCommand(self._resting)
        except BadCommand as wrong:
            self._tell(f"command-{message.get('id')}", str(wrong))
            self.send({"type": "done", "id": message.get("id")})
            return
        self._begin(command)
        if command.verb == "again":
            beside("panel-again", self._start_again)
            self.send({"type": "done", "id": command.id})
            return
        (self._client if command.verb in actions.CLIENT else self._hands).submit(command)

    def _begin(self, command: PanelCommand) -> None:
        entry = {"id": command.id, "verb": command.verb, "node": command.node, "text": actions.doing(command)}
        with self._publishing:
            self.problems = [p for p in self.problems if not str(p["id"]).startswith("command")]
            self.doing = [*self.doing, entry]

    def _carry_out(self, command: PanelCommand) -> None:
        """On a worker's thread."""
        try:
            self._do(command)
        except Exception as error:  # noqa: BLE001 - whatever a backend raises belongs beside the control that caused it
            self.errors.append(error)
            self._tell(f"command-{command.id}", sentence(f"Could not finish: {actions.doing(command)}", error))
        finally:
            with self._publishing:
                self.doing = [entry for entry in self.doing if entry["id"] != command.id]
            self.send({"type": "done", "id": command.id})
            self._poller.wake()

    def _do(self, command: PanelCommand) -> None:
        if command.verb == "availability":
            self.availability = command.arguments["does"]
        elif command.verb == "rows":
            with self._poller.lock:
                self._model.values.show_all = command.arguments["all"]
        elif command.verb == "spacetime":
            self._draw(**command.arguments)
        elif command.verb == "why":
            self._explain(command.arguments["at"])
        elif command.verb in actions.PANEL:
            self._steer(command)
        else:
            with self._guard:
                asked = self.cluster.leader() if command.verb in actions.CLIENT else None
                answer = actions.act(self.cluster, command)
            if answer is not None:
                self._show(command, answer, command.arguments["via"] or asked)

    def _show(self, command: PanelCommand, answer: Answer, node: str | None) -> None:
        url = self.cluster.url(node) if node else None
        self.answer = {
            "id": command.id, "verb": command.verb, "key": command.arguments["key"], "code": answer.code,
            "outcome": answer.outcome.value, "body": answer.body, "node": answer.node,
            "ms": round(answer.seconds * 1000, 1), "attempts": answer.attempts,
            "curl": actions.curl(command, url) or actions.python(command),
        }  # fmt: skip

    def _draw(self, start: float, end: float, width: float) -> None:
        from labs.pictures.spacetime import spacetime_svg  # a big module that most panels never need

        with self._guard:
            events = self._model.without_probes(self.cluster.events())
        # The axis of real nodes begins at the window; the simulator's own time is worth reading.
        origin = 0.0 if self._simulated else start
        window = (start - origin, end - origin)
        svg = spacetime_svg(events, node_ids=self.cluster.node_ids, window=window, width=width, origin=origin)
        self.send({"type": "spacetime", "svg": svg, "start": start, "end": end})

    def _explain(self, at: float) -> None:
        with self._guard:
            events = self.cluster.events()
        self.send({"type": "why", "at": at, "explanations": told(explain(events, self.cluster.node_ids, at))})

    def _steer(self, command: PanelCommand) -> None:
        if self._play is None:
            raise ClusterError("Only a simulated cluster can be stepped, played and rewound; real time does not stop.")
        if command.verb == "save":
            with self._guard:
                text = self._play.saved()
            self.send({"type": "saved", "name": f"run-{self.cluster.settings.seed}.json", "text": text})
            return
        with self._guard:
            if self._play.steer(command):
                self._start_over()

    def _start_over(self) -> None:
        """The cluster went back in time: what the panel knew has not happened."""
        self._model = PanelModel(self.cluster.node_ids, self.cluster.backend, self.cluster.settings)
        self._poller.start_over(self._model)
        self.send({"type": "history", "now": self.cluster.now(), "rate": self._rate, **self._model.history()})

    # -- what goes wrong ------------------------------------------------------------------------------

    def _failed(self, doing: str, error: BaseException) -> None:
        self.errors.append(error)
        self._tell(f"command-{time.monotonic()}", sentence(doing, error))

    def _report(self, doing: str, error: BaseException | None) -> None:
        """A loop's trouble stays on the panel until the loop works again (`error` is then None)."""
        if error is None:
            with self._publishing:
                self.problems = [p for p in self.problems if p["id"] != doing]
            return
        self.errors.append(error)
        self._tell(doing, sentence(doing, error))

    def _tell(self, name: str, text: str) -> None:
        with self._publishing:
            others = [p for p in self.problems if p["id"] != name]
            self.problems = [*others, {"id": name, "text": text}][-4:]


DOZE_AFTER = 30.0
"""Seconds without anybody watching after which the panel leaves the cluster alone."""


def sentence(doing: str, error: BaseException) -> str:
    """An exception as one sentence for a student."""
    text = str(error).strip() or type(error).__name__
    if not isinstance(error, ClusterError):
        text = f"{text} ({type(error).__name__})"
    return f"{doing}: {text}"
