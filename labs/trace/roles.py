"""Roles over time: which role a node had from when to when, and who leads, from its notes and from what was done to it.

Law of this module: pure data in, pure data out; an unknown kind of note changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, cast

from labs.trace import kinds
from labs.trace.events import Event

Role = Literal["follower", "candidate", "leader", "paused", "down"]


@dataclass(frozen=True, slots=True)
class RoleInterval:
    """From `start` to `end` `node` had one role, one term (None: not known), and believed in one leader."""

    node: str
    start: float
    end: float
    role: Role
    term: int | None = None
    leader: str | None = None


def whole_number(value: Any) -> int | None:
    """`value` if it is a whole number, else None: details are whatever a node wrote into them."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


class Leaders:
    """Who leads, as far as notes and faults tell: `since` has, for each node that leads, the event with which that
    began. A paused leader is still one."""

    def __init__(self) -> None:
        self.since: dict[str, Event] = {}

    def apply(self, event: Event) -> None:
        """Events of other kinds change nothing."""
        if event.event == "note":
            if event.kind == kinds.BECAME_LEADER:
                self.since[event.node] = event
            elif event.kind == kinds.STEPPED_DOWN:
                self.since.pop(event.node, None)
        elif event.event == "fault" and event.kind in kinds.STOPS:
            self.since.pop(event.node, None)

    @property
    def highest(self) -> str | None:
        """Of several leaders the one with the highest term, as a client sees it; None if nobody leads."""
        return max(self.since, key=lambda node: self.since[node].details["term"], default=None)


class RoleTracker:
    """What one node is at the moment, event by event. Running, paused and role are kept apart: a leader that is paused
    and resumed still leads."""

    def __init__(self, node: str, running: bool = True) -> None:
        self.node = node
        self.running = running
        self.paused = False
        self.role: Role = "follower"
        self.term: int | None = None
        self.leader: str | None = None
        self._vote: Any = None
        self._next_term: int | None = None

    @property
    def current(self) -> tuple[Role, int | None, str | None]:
        """Role, term and the leader that the node believes in."""
        if not self.running:
            return ("down", self.term, None)
        return ("paused" if self.paused else self.role, self.term, self.leader)

    @classmethod
    def depends_on(cls, event: Event) -> bool:
        """Whether this note can change a role."""
        return event.event == "note" and event.kind in cls._notes

    def believe(self, role: str | None, term: int | None, leader: str | None) -> None:
        """Start from what the node itself says, as in its status."""
        if role in ("follower", "candidate", "leader"):
            self.role = cast(Role, role)
        self.term, self.leader = term, leader

    def apply(self, event: Event) -> None:
        """Take account of one event of this node."""
        if event.event == "fault":
            self._fault(event.kind)
        elif event.event == "note":
            handler = self._notes.get(event.kind)
            if handler is not None:
                handler(self, event.details)

    def _fault(self, kind: str) -> None:
        if kind in kinds.STOPS:
            self.running, self.paused = False, False
        elif kind in kinds.STARTS:
            self._start()
        elif kind in (kinds.PAUSE, kinds.RESUME):
            self.paused = kind == kinds.PAUSE

    def _start(self) -> None:
        if not self.running:
            self.running, self.paused = True, False
            self.role, self.leader, self._vote = "follower", None, None

    def _take_term(self, details: dict[str, Any]) -> None:
        term = whole_number(details.get("term"))
        self.term = self.term if term is None else term

    def _on_started(self, _: dict[str, Any]) -> None:
        self._start()

    def _on_recovered(self, details: dict[str, Any]) -> None:
        self._start()
        self._take_term(details)

    def _on_election_timeout(self, _: dict[str, Any]) -> None:
        self.role, self.leader = "candidate", None

    def _on_catching_up(self, _: dict[str, Any]) -> None:
        if self.role != "leader":
            self.role = "candidate"  # it has won, and fetches the entries that it lacks before it accepts writes

    def _on_waiting_for(self, _: dict[str, Any]) -> None:
        self.role = "follower"  # it leaves the election to another node

    def _on_state(self, details: dict[str, Any]) -> None:
        vote, before, self._vote = details.get("vote"), self._vote, details.get("vote")
        if self.role == "leader":
            self._next_term = whole_number(details.get("term"))  # it never leads in that one: it will step down now
            return
        self._take_term(details)
        if vote == self.node:
            self.role, self.leader = "candidate", None
        elif self.role == "candidate" and before == self.node:
            self.role = "follower"  # it was a candidate in the term before, and has no vote of its own in this one

    def _on_became_leader(self, details: dict[str, Any]) -> None:
        self._take_term(details)
        self.role, self.leader = "leader", self.node

    def _on_stepped_down(self, _: dict[str, Any]) -> None:
        self.role, self.leader = "follower", None
        self._take_term({"term": self._next_term})
        self._next_term = None

    def _on_following(self, details: dict[str, Any]) -> None:
        self._take_term(details)
        leader = details.get("leader")
        self.role, self.leader = "follower", leader if isinstance(leader, str) else None

    _notes: ClassVar[dict[str, Callable[[RoleTracker, dict[str, Any]], None]]] = {
        kinds.STARTED: _on_started,
        kinds.RECOVERED: _on_recovered,
        kinds.ELECTION_TIMEOUT: _on_election_timeout,
        kinds.CATCHING_UP: _on_catching_up,
        kinds.WAITING_FOR: _on_waiting_for,
        kinds.STATE: _on_state,
        kinds.BECAME_LEADER: _on_became_leader,
        kinds.STEPPED_DOWN: _on_stepped_down,
        kinds.FOLLOWING: _on_following,
    }


def role_intervals(node: str, events: list[Event], start: float, end: float) -> list[RoleInterval]:
    """The roles of `node` from `start` to `end`; `events` are its own, in order."""
    tracker = RoleTracker(node, running=not _begins_down(events))
    tracker.role, tracker.term, tracker.leader = _first_role(node, events)
    found: list[RoleInterval] = []
    since, before = start, tracker.current
    for event in events:
        tracker.apply(event)
        if tracker.current != before:
            if event.time > since:
                found.append(RoleInterval(node, since, event.time, *before))
            since, before = event.time, tracker.current
    found.append(RoleInterval(node, since, end, *before))
    return found


def _begins_down(events: list[Event]) -> bool:
    """A node that is started before it does anything else did not run before."""
    for event in events:
        if event.event == "fault" or event.kind == kinds.STARTED:
            return event.kind in kinds.STARTS or event.kind == kinds.STARTED
        if event.event not in ("request", "reply"):
            return False
    return False


def _first_role(node: str, events: list[Event]) -> tuple[Role, int | None, str | None]:
    """What the node was before the first event. If it steps down or sends heartbeats before it says that it became
    leader, then it led already: the list begins in the middle of a run."""
    for event in events:
        if event.kind in (kinds.BECAME_LEADER, kinds.FOLLOWING, kinds.STARTED, kinds.ELECTION_TIMEOUT):
            break
        if event.kind == kinds.STEPPED_DOWN or (event.event == "sent" and event.kind == kinds.HEARTBEAT):
            return ("leader", whole_number(event.details.get("term")), node)
    return ("follower", None, None)
