"""Keeps a `PanelModel` up to date with its cluster, from background threads that cost next to nothing at rest.

Law of this module: it never touches the widget. What is new goes to `publish`, what went wrong goes to `report` as a
sentence; a thread here survives every exception and ends when it is told to.

Three things are asked for at three speeds, because they fail and hang differently: events (many times a second, they
make the picture move), statuses and copies of values (on news, otherwise seldom), and the background client's probes
(twice a second: a read from any node, past the students' history; a write only where somebody wants it). A node that
hangs delays its status, never the picture of the others.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from labs.cluster.base import Answer, Cluster
from labs.cluster.client import ClientOperation
from labs.panel.background import Loop, Report
from labs.panel.model import PanelModel
from labs.panel.node_view import PROBE_KEY
from labs.panel.values import ABSENT
from labs.trace import kinds
from labs.trace.events import Event

EVENTS_EVERY = 0.18
"""Seconds between two looks at the events: with the network's and the browser's share, an event is on the screen
within 0.3 s."""
STATUS_EVERY = 2.0
STATUS_WHEN_LIVELY = 0.25
PROBE_EVERY = 0.5
PROBE_TIMEOUT = 0.4
READS_PER_ROUND = 9
"""Copies read in one round: bounds what the data view costs."""
SWEEP_EVERY = 2.0
"""Seconds between two looks at copies that nobody is known to have changed."""

LIVELY = frozenset(
    (
        *(kinds.BECAME_LEADER, kinds.ELECTION_TIMEOUT, kinds.FOLLOWING),
        *(kinds.STARTED, kinds.RECOVERED, kinds.WRITE_LOST),
        *(kinds.APPENDED, kinds.TRUNCATED, kinds.COMMITTED, kinds.INSTALLED_SNAPSHOT),
    )
)

DOZING = 1.0
"""Seconds between two turns of a loop that has nothing to do."""

Publish = Callable[[PanelModel, float], None]


class Wanted(NamedTuple):
    """What is wanted of the poller at the moment. `probe`: what the background client does, one of `PROBES`."""

    watch: bool = True
    probe: str = "reads"


class Poller:
    """Watches `cluster` for `model`. `publish(model, now)` is called, under the model's lock, after each look.

    `wanted()` is asked at each turn. `guard` is held from a look at the cluster until the model knows of it: a real
    lock for the simulator, whose past can change between the two; nothing for real nodes. `write(cluster, node, value)`
    is how the background client writes (default: `write_probe`).
    """

    def __init__(
        self,
        cluster: Cluster,
        model: PanelModel,
        publish: Publish,
        report: Report,
        wanted: Callable[[], Wanted] = Wanted,
        guard: contextlib.AbstractContextManager[Any] | None = None,
        write: Callable[[Cluster, str, int], Answer] | None = None,
    ) -> None:
        self.cluster = cluster
        self.model = model
        self.lock = threading.RLock()
        self._wanted = wanted
        self._guard = guard or contextlib.nullcontext()
        self._publish = publish
        self._copy = copies_of(cluster)
        self._put = write or write_probe
        self._position = 0
        self._count = 0
        self._turn = 0
        self._swept = 0.0
        self._events = Loop("panel-events", "Looking at the nodes' events", self._look, report)
        self._status = Loop("panel-status", "Asking the nodes for their status", self._ask, report)
        self._probe = Loop("panel-probe", "The background client", self._try, report)
        self._loops = (self._events, self._status, self._probe)

    def begin(self) -> None:
        for loop in self._loops:
            loop.begin()

    def end(self, timeout: float = 0.0) -> None:
        for loop in self._loops:
            loop.end(timeout)

    @property
    def alive(self) -> bool:
        return any(loop.alive for loop in self._loops)

    def wake(self) -> None:
        """Something was just done to the cluster: look at once."""
        self._events.wake()
        self._status.wake()

    def start_over(self, model: PanelModel) -> None:
        """The cluster went back in time: fill this empty model from the beginning. Call it with the guard held."""
        with self.lock:
            self.model, self._position = model, 0
        self.wake()

    # -- events ---------------------------------------------------------------------------------------

    def _look(self) -> float:
        if not self._wanted().watch:
            return DOZING
        with self._guard:
            events, self._position = self.cluster.events_since(self._position)
            now = self.cluster.now()
            with self.lock:
                self.model.feed(events)
                self.model.settle(now)
                self._publish(self.model, now)
        if any(self._calls_for_a_look(event) for event in events):
            self._status.wake()
        return EVENTS_EVERY

    def _calls_for_a_look(self, event: Event) -> bool:
        """Whether statuses or copies have probably changed (the background client's own writes are not worth it)."""
        news = event.event in ("fault", "reply") or event.kind in LIVELY
        return news and not self.model.is_probe(event)

    # -- statuses and values --------------------------------------------------------------------------

    def _ask(self) -> float:
        if not self._wanted().watch:
            return DOZING
        with self._guard:
            asked = self.cluster.now()
            statuses = self.cluster.status()
            with self.lock:
                self.model.observe(statuses, asked)
                lively = self._lively()
        self._read_copies()
        return STATUS_WHEN_LIVELY if lively else STATUS_EVERY

    def _lively(self) -> bool:
        picture = self.model.picture()
        behind = any(node["lag"] for node in picture["nodes"])
        stale = any("since" in cell for row in picture["data"]["rows"] for cell in row["cells"].values())
        commit = picture["logs"]["commit"]
        waiting = commit is not None and commit < picture["logs"]["last"]
        return behind or stale or waiting

    def _read_copies(self) -> None:
        with self.lock:
            answering = {name for name, view in self.model.nodes.items() if view.answers}
            wanted = self.model.values.wanted(READS_PER_ROUND, self.model.leader, answering)
            if not wanted and time.monotonic() - self._swept > SWEEP_EVERY:
                self._swept, self._turn = time.monotonic(), self._turn + 1
                wanted = self.model.values.sweep(self._turn, answering)
        for node, key in wanted:
            self._read_copy(node, key)

    def _read_copy(self, node: str, key: str) -> None:
        with self._guard:
            value = self._copy(node, key)
            now = self.cluster.now()
        with self.lock:
            if value is NO_ANSWER:
                self.model.values.retry(node, key)
            else:
                self.model.read(node, key, value, now)

    # -- the background client ------------------------------------------------------------------------

    def _try(self) -> float:
        wanted = self._wanted().probe
        with self.lock:
            nodes = self.model.nodes_to_read
            leader = self.model.leader
        if wanted == "off" or not nodes:
            return PROBE_EVERY if wanted == "off" else EVENTS_EVERY
        began = time.monotonic()
        with self._guard:
            at = self.cluster.now()
            read = "ok" if any(self._copy(node, PROBE_KEY) is not NO_ANSWER for node in nodes) else "failed"
            write = self._write(leader) if wanted == "writes" else None
        with self.lock:
            self.model.probe(at, read, write)
        return max(0.05, PROBE_EVERY - (time.monotonic() - began))

    def _write(self, leader: str | None) -> str:
        if leader is None:
            return "failed"
        self._count += 1
        return self._put(self.cluster, leader, self._count).outcome.value


def write_probe(cluster: Cluster, node: str, value: int) -> Answer:
    """What the background client writes. Nobody does it by hand: a simulation's `undo` goes past it."""
    with getattr(cluster, "unattended", contextlib.nullcontext)():
        return cluster.put(PROBE_KEY, value, via=node, timeout=PROBE_TIMEOUT)


class _NoAnswer:
    """In place of a copy: the node did not say."""


NO_ANSWER = _NoAnswer()


def copies_of(cluster: Cluster) -> Callable[[str, str], Any]:
    """How to look at `node`'s copy of `key`: past the cluster's client, because what the panel reads is no part of the
    students' history, and in the simulator must not even take time."""
    peek: Callable[[str, str], Answer] | None = getattr(cluster, "peek", None)
    return _copies_over_http(cluster) if peek is None else lambda node, key: _peeked(peek(node, key))


def _peeked(answer: Answer) -> Any:
    return _copy(answer.code, answer.body)


def _copies_over_http(cluster: Cluster) -> Callable[[str, str], Any]:
    from labs.cluster.transport import Transport

    transport = Transport()

    def over_http(node: str, key: str) -> Any:
        url = cluster.url(node)
        if url is None:
            return NO_ANSWER
        reply = transport.exchange("GET", url + ClientOperation("get", key).path, timeout=PROBE_TIMEOUT)
        return _copy(reply.code, reply.body)

    return over_http


def _copy(code: int | None, body: Mapping[str, Any]) -> Any:
    if code == 200:
        return body.get("value")
    return ABSENT if code == 404 else NO_ANSWER
