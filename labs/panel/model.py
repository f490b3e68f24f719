"""What the panel shows, folded from what the cluster says.

Law of this module: pure. No thread, no clock, no widget, no network: statuses and events go in (`observe`, `feed`,
`read`, `probe`), one JSON-able picture comes out (`picture`, and `drain` for what happened since the last call).
Only what a browser needs leaves it.

Two sources speak about the same nodes: `/status` is complete but late, events are quick but partial. Whichever spoke
last is believed, so a new leader is on the screen before anybody asked it for its status.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from labs.cluster.base import NodeStatus, Settings
from labs.panel.log_table import LogTable, Row
from labs.panel.logs import UNKNOWN, Comparison, compare
from labs.panel.losses import Losses, value_of
from labs.panel.messages import message_of
from labs.panel.node_view import NODE_VERBS, PROBE_KEY, NodeView, listed_keys, why_not
from labs.panel.values import Values
from labs.panel.votes import Votes
from labs.trace import kinds, sentences
from labs.trace.events import Event
from labs.trace.requests import outcome_of
from labs.trace.roles import RoleTracker

MINUTE = 60.0
"""How many seconds of the past the panel keeps."""

REQUEST_TIMEOUT = 2.0
"""Seconds after which a request without an answer is shown as such."""

LEVELS = {
    kinds.ELECTION_TIMEOUT: "election", kinds.BECAME_LEADER: "crown", kinds.STEPPED_DOWN: "election",
    kinds.FOLLOWING: "election", kinds.WRITE_LOST: "lost",
}  # fmt: skip
UNMARKED = {kinds.COMMITTED, kinds.APPENDED, kinds.CONNECTED, kinds.DISCONNECTED}
"""Notes of every single write and connection: the other views show them, the timeline would drown in them."""


class PanelModel:
    """Everything the panel knows. `backend` and `settings` are the cluster's, `urls` its nodes' addresses."""

    def __init__(
        self, node_ids: Sequence[str], backend: str, settings: Settings, urls: Mapping[str, str | None] | None = None
    ) -> None:
        self.backend = backend
        self.settings = settings
        self.urls = dict(urls or {})
        self.nodes = {name: NodeView(name) for name in node_ids}
        self.values = Values(node_ids)
        self.votes = {name: Votes(name) for name in node_ids}
        self.timers: dict[str, list[Any]] = {}
        """By node: when it last said how many seconds it waits before it acts for want of a leader."""
        self.groups: list[list[str]] = []
        self.bands: dict[str, deque[list[Any]]] = {name: deque() for name in node_ids}
        self.marks: deque[dict[str, Any]] = deque()
        self.lag: deque[list[Any]] = deque()
        self.probes: deque[list[Any]] = deque()
        self.ended = ""
        """Why the cluster is no more; empty while it is."""
        self.can_begin_again = False
        self._observed = False
        self._log_table = LogTable()
        self._requests: dict[str, Event] = {}
        self._losses = Losses()
        self._news: dict[str, list[Any]] = {}

    # -- in -------------------------------------------------------------------------------------------

    def observe(self, statuses: Mapping[str, NodeStatus], asked: float) -> None:
        """The nodes' statuses, asked for at `asked` (the cluster's time)."""
        self._observed = True
        for name, status in statuses.items():
            if name in self.nodes:
                self._observe(self.nodes[name], status, asked)
        followers = [name for name in self.nodes if name != self.leader]
        self._add(self.lag, "lag", [asked, {name: self._compared(self.nodes[name]).behind for name in followers}])
        self.values.observe({name: listed_keys(status) for name, status in statuses.items() if status.answers})

    def _observe(self, view: NodeView, status: NodeStatus, asked: float) -> None:
        if asked < view.changed:
            return
        view.take_status(status, asked)
        if status.answers and view.log is not None:
            self._log_table.observe(view.log)
        self._band(view, asked)

    def _compared(self, view: NodeView) -> Comparison:
        """The node's copy against the leader's log, as far as both have told of it since that one leads."""
        leader = self.nodes[self.leader] if self.leader else None
        if leader is None or leader is view or not view.answers or not leader.told_that_it_leads:
            return UNKNOWN
        if view.log is not None and leader.log is not None:
            return compare(view.log, leader.log)
        lag = leader.raw.get("lag")  # what the leader knows of a node that tells nothing of its log
        known = lag.get(view.id) if isinstance(lag, Mapping) else None
        return Comparison(behind=known if isinstance(known, int) and not isinstance(known, bool) else None)

    def feed(self, events: Iterable[Event]) -> None:
        """New events, each one once, in the order of their time."""
        for event in events:
            handler = self._handlers.get(event.event)
            if handler is not None:
                handler(self, event)

    def read(self, node: str, key: str, value: Any, at: float) -> None:
        """`node` holds `value` for `key` (`values.ABSENT`: it has no such key)."""
        self.values.read(node, key, value, at)

    def probe(self, at: float, read: str, write: str | None) -> None:
        """The background client's read and write, each `ok`, `failed` or `unknown`; None: it did not write."""
        self._add(self.probes, "probes", [at, read, write])

    def end(self, why: str, at: float) -> None:
        """The cluster was stopped at `at`: no node runs any more, and nobody leads."""
        self.ended = why
        for view in self.nodes.values():
            if view.state == "stopped":
                continue
            view.state, view.answers, view.changed = "stopped", False, at
            view.tracker.running = False
            self._band(view, at)

    # -- events, by their family ----------------------------------------------------------------------

    def _sent(self, event: Event) -> None:
        self._push("messages", [event.id, *message_of(event), event.time])
        left = event.details.get("gives_up_in_ms")
        if isinstance(left, int) and not isinstance(left, bool):
            self.timers[event.node] = [event.node, event.time, left / 1000]
            self._push("timers", self.timers[event.node])

    def _received(self, event: Event) -> None:
        self._push("arrived", [event.id, event.time])
        if event.node in self.votes:
            self.votes[event.node].hears(event)

    def _dropped(self, event: Event) -> None:
        self._push("lost", [event.id, *message_of(event), event.time])

    def _note(self, event: Event) -> None:
        view = self.nodes.get(event.node)
        if view is not None and RoleTracker.depends_on(event):
            view.take_note(event)
            self._band(view, event.time)
        if event.node in self.votes:
            self.votes[event.node].notes(event)
        if event.kind == kinds.BECAME_LEADER:
            self._losses.elected(event)
        if event.kind == kinds.WRITE_LOST and event.details.get("key") != PROBE_KEY:
            self.values.lose(self._losses.told(event))
        if event.kind not in UNMARKED:
            self._mark(event, LEVELS.get(event.kind, "info"), sentences.sentence_of(event), sentences.bubble_of(event))

    def _fault(self, event: Event) -> None:
        if event.kind == kinds.SETTINGS and event.node:
            return  # each node's echo of a fault that the cluster object has already told
        view = self.nodes.get(event.node)
        if view is not None:
            self._fault_at(view, event)
        if event.kind == kinds.PARTITION:
            self.groups = [list(group) for group in event.details.get("groups", ())]
        if event.kind == kinds.HEAL:
            self.groups = []
        self._mark(event, "fault", sentences.sentence_of(event))

    def _fault_at(self, view: NodeView, event: Event) -> None:
        view.tracker.apply(event)
        if event.kind in kinds.STOPS:
            view.state, view.answers = "stopped", False
        elif event.kind == kinds.PAUSE:
            view.state, view.answers = "paused", False
        elif event.kind == kinds.RESUME:
            view.state, view.answers = "running", True
        else:
            return
        view.changed = event.time
        self._band(view, event.time)

    def _request(self, event: Event) -> None:
        if event.kind in ("put", "delete") and not self.is_probe(event):
            self._requests[event.id] = event

    def _reply(self, event: Event) -> None:
        request = self._requests.pop(event.id, None)
        if request is None:
            return
        key, outcome = str(request.details.get("key")), outcome_of(event)
        self.values.written(key, event.time)
        if outcome == "ok":
            self._losses.acknowledged[key, value_of(request)] = event
        self._mark(event, f"write-{outcome}", sentences.request_sentence(request, event))

    def _give_up(self, before: float) -> None:
        """Requests sent before that time get no answer any more: their writes are of unknown outcome."""
        for number, request in list(self._requests.items()):
            if request.time < before:
                del self._requests[number]
                self.values.written(str(request.details.get("key")), request.time)
                self._mark(request, "write-unknown", sentences.request_sentence(request, None))

    _handlers: ClassVar[dict[str, Callable[[PanelModel, Event], None]]] = {
        "sent": _sent, "received": _received, "dropped": _dropped, "note": _note, "fault": _fault,
        "request": _request, "reply": _reply,
    }  # fmt: skip

    # -- the background client's own ------------------------------------------------------------------

    def is_probe(self, event: Event) -> bool:
        """Whether this is a request or reply of the panel's own background client."""
        return event.event in ("request", "reply") and event.details.get("key") == PROBE_KEY

    def without_probes(self, events: Iterable[Event]) -> list[Event]:
        """`events` without the background client's operations (a simulated reply is known only by its request)."""
        kept = list(events)
        probes = {event.id for event in kept if self.is_probe(event)}
        return [event for event in kept if event.event not in ("request", "reply") or event.id not in probes]

    # -- out ------------------------------------------------------------------------------------------

    @property
    def nodes_to_read(self) -> list[str]:
        """All nodes, those first that answered last; none before anything is known of them."""
        if not self._observed:
            return []
        return sorted(self.nodes, key=lambda name: not self.nodes[name].answers)

    @property
    def leader(self) -> str | None:
        """Of several nodes that believe they lead, the one with the highest term; among equals the first."""
        leaders = self._leaders()
        return max(leaders, key=lambda view: view.term or 0).id if leaders else None

    def _leaders(self) -> list[NodeView]:
        return [view for view in self.nodes.values() if view.look == "leader"]

    def picture(self) -> dict[str, Any]:
        """The present, as JSON: one entry for each of the widget's traits."""
        return {
            "nodes": [self._node(view) for view in self.nodes.values()],
            "network": self._network(),
            "data": self.values.table(self.leader, {n for n, v in self.nodes.items() if v.answers}),
            "info": self._info(),
            "logs": self._logs(),
        }

    def _logs(self) -> dict[str, Any]:
        told = [(view, view.log) for view in self.nodes.values() if view.log is not None]
        rows = [Row(view.id, log, self._compared(view), view.answers) for view, log in told]
        return self._log_table.picture(rows, self.leader, self._copies(), self._losses.acknowledged)

    def history(self) -> dict[str, Any]:
        """The last minute, for a browser that has just opened the panel."""
        return {
            "bands": [[name, *band] for name, bands in self.bands.items() for band in bands],
            "marks": list(self.marks),
            "lag": list(self.lag),
            "probes": list(self.probes),
            "timers": list(self.timers.values()),
        }

    def drain(self) -> dict[str, list[Any]]:
        """What is new since the last call, by the names of `News`: `messages`, `arrived`, `lag` and so on."""
        news, self._news = self._news, {}
        return news

    def settle(self, now: float) -> None:
        """Time has passed: requests without an answer are given up, and history older than a minute is dropped (of
        each node's bands the last one is kept, since it still holds)."""
        self._give_up(now - REQUEST_TIMEOUT)
        before = now - MINUTE
        for kept in (self.marks, self.lag, self.probes):
            while kept and _time_of(kept[0]) < before:
                kept.popleft()
        for bands in self.bands.values():
            while len(bands) > 1 and bands[1][0] < before:
                bands.popleft()
        self._losses.forget(before - 4 * MINUTE)

    def _node(self, view: NodeView) -> dict[str, Any]:
        copy = self._compared(view)
        return {
            "id": view.id, "look": view.look, "state": view.state, "term": view.term, "leader": view.leader,
            "keys": view.keys, "lag": copy.behind, "parted": copy.parted, "url": self.urls.get(view.id),
            "votes": self.votes[view.id].picture(len(self.nodes)) if view.look in ("candidate", "leader") else None,
            "why": {verb: self.ended or why_not(view, verb) for verb in NODE_VERBS},
        }  # fmt: skip

    def _network(self) -> dict[str, Any]:
        faults = next((view.faults for view in self.nodes.values() if view.answers and view.faults), {})
        return {
            "cuts": self._cuts(), "groups": self.groups,
            "delay_ms": faults.get("replication_delay_ms", 0), "jitter_ms": faults.get("jitter_ms", 0),
            "drop": faults.get("drop", 0), "duplicate": faults.get("duplicate", 0),
        }  # fmt: skip

    def _cuts(self) -> list[list[str]]:
        names = list(self.nodes)
        pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
        return [[a, b] for a, b in pairs if self._cut(a, b)]

    def _cut(self, one: str, other: str) -> bool:
        # The fault was just announced but nobody's status shows it yet, or a stopped node cannot show it: the
        # announced groups say so.
        if self.groups:
            return not any(one in group and other in group for group in self.groups)
        return any(b in self.nodes[a].blocked and self.nodes[a].answers for a, b in ((one, other), (other, one)))

    def _mode(self) -> str:
        told = (str(v.raw["mode"]) for v in self.nodes.values() if v.answers and "mode" in v.raw)
        return next(told, "" if self._is_foreign else self.settings.mode)

    @property
    def _is_foreign(self) -> bool:
        """Nodes of whatever program: how they elect and replicate is theirs, and known only if they tell it."""
        return self.backend == "foreign"

    def _copies(self) -> int | None:
        return {"async": 1, "quorum": len(self.nodes) // 2 + 1, "sync": len(self.nodes)}.get(self._mode())

    def _info(self) -> dict[str, Any]:
        settings = self.settings
        return {
            "backend": self.backend, "mode": self._mode(), "copies": self._copies(),
            "election": "" if self._is_foreign else settings.election,
            "heartbeat_ms": settings.heartbeat_ms, "timeout_ms": settings.election_timeout_ms,
            "seed": settings.seed, "leader": self.leader, "split": len(self._leaders()) > 1,
            "sentence": self._sentence(), "ended": self.ended,
            "again": self.can_begin_again,
        }  # fmt: skip

    def _sentence(self) -> str:
        """Who leads, in words: the panel's headline."""
        if self.ended:
            return "This cluster was stopped"
        leaders = self._leaders()
        if len(leaders) > 1:
            claims = " and ".join(f"{view.id} (term {view.term})" for view in leaders)
            return f"Split brain: {claims} each believe they lead"
        if leaders:
            return f"{leaders[0].id} leads in term {leaders[0].term}"
        if not any(view.answers for view in self.nodes.values()):
            return "No node answers"
        return "No leader: waiting for an election"

    # -- bookkeeping ----------------------------------------------------------------------------------

    def _band(self, view: NodeView, at: float) -> None:
        """A stretch of one look and one term; consecutive statuses that agree make one band."""
        band = [at, view.look, view.term]
        bands = self.bands[view.id]
        if bands and bands[-1][1:] == band[1:]:
            return
        bands.append(band)
        self._push("bands", [view.id, *band])

    def _mark(self, event: Event, level: str, text: str, bubble: str = "") -> None:
        mark = {"t": event.time, "node": event.node, "kind": event.kind, "level": level, "text": text}
        if bubble:
            mark["bubble"] = bubble
        self._add(self.marks, "marks", mark)

    def _add(self, kept: deque[Any], name: str, item: Any) -> None:
        kept.append(item)
        self._push(name, item)

    def _push(self, name: str, item: Any) -> None:
        self._news.setdefault(name, []).append(item)


def _time_of(item: Any) -> float:
    return float(item["t"] if isinstance(item, dict) else item[0])
