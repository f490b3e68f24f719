"""What the panel knows of one node, and what can be done to it now.

Law of this module: pure, as `model`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labs.cluster.base import NodeStatus
from labs.panel.logs import LogSeen, log_of
from labs.trace import kinds
from labs.trace.events import Event
from labs.trace.roles import RoleTracker

PROBE_KEY = "panel.probe"
"""The key of the background client behind the availability strip."""

PROBES = ("off", "reads", "writes")
"""What the background client does: nothing, read, or read and write. A write is an entry of the log like any other, so
it changes what one sees of the log."""


@dataclass
class NodeView:
    """What the panel knows of one node."""

    id: str
    state: str = "unknown"
    answers: bool = False
    role: str | None = None
    term: int | None = None
    leader: str | None = None
    keys: int | None = None
    changed: float = float("-inf")
    """When an event last changed role or state; an older status does not overrule it."""
    raw: Mapping[str, Any] = field(default_factory=dict)
    log: LogSeen | None = None
    """Its log as it told it last; None where it tells none."""

    def __post_init__(self) -> None:
        self.tracker = RoleTracker(self.id)
        self._told: tuple[str | None, int | None] = (None, None)

    def take_status(self, status: NodeStatus, asked: float) -> None:
        self.state, self.answers = status.state, status.answers
        self.tracker.running = status.state != "stopped"
        if status.answers:
            self.role, self.term, self.leader = status.role, status.term, status.leader_id
            self.tracker.believe(status.role, status.term, status.leader_id)
            self.raw = status.raw
            self._told = (status.role, status.term)
            self.keys = keys_of_clients(status)
            self.log = log_of(status.raw, asked)

    def take_note(self, event: Event) -> None:
        """A note that tells of the role."""
        if event.kind == kinds.STARTED or self.state == "unknown":  # it speaks, so it runs
            self.state, self.answers = "running", True
        self.tracker.apply(event)
        if self.role is not None or event.kind != kinds.STATE:  # a saved term alone does not tell who leads
            self.role, self.term, self.leader = self.tracker.role, self.tracker.term, self.tracker.leader
        self.changed = event.time

    @property
    def look(self) -> str:
        """One word for the picture: `leader`, `follower`, `candidate`, `paused`, `stopped`, `silent` or `unknown`."""
        if self.state in ("paused", "stopped", "unknown"):
            return self.state
        return self.role or "candidate" if self.answers else "silent"

    @property
    def told_that_it_leads(self) -> bool:
        """Whether its last status is of the present leadership: what it told before was about another one."""
        return self.look == "leader" and self._told == ("leader", self.term)

    @property
    def blocked(self) -> set[str]:
        return set(self.faults.get("blocked", ()))

    @property
    def faults(self) -> Mapping[str, Any]:
        found = self.raw.get("faults")
        return found if isinstance(found, Mapping) else {}


def keys_of_clients(status: NodeStatus) -> int | None:
    """Without the background client's key, which is none of the student's. None where the node does not tell."""
    return None if status.total_keys is None else status.total_keys - (PROBE_KEY in listed_keys(status))


def listed_keys(status: NodeStatus) -> list[str]:
    """The keys that the node lists; none where it lists none."""
    listed = status.raw.get("keys")
    return [key for key in listed if isinstance(key, str)] if isinstance(listed, list) else []


NODE_VERBS = ("start", "stop", "kill", "pause", "resume")


def why_not(view: NodeView, verb: str) -> str:
    """Why `verb` cannot act on this node now; empty if it can."""
    if verb == "start":
        reasons = {"running": "is already running", "paused": "is paused: resume it"}
    elif verb == "resume":
        reasons = {"running": "is not paused", "stopped": "is stopped: start it"}
    elif verb == "kill":
        reasons = {"stopped": "is not running"}
    elif verb == "stop":
        reasons = {"stopped": "is not running", "paused": "is paused and would not hear it: resume it, or kill it"}
    else:
        reasons = {"stopped": "is not running", "paused": "is already paused"}
    reason = reasons.get(view.state, "")
    return f"{view.id} {reason}." if reason else ""
