"""What a node was, and for how long, told by its notes and by what was done to it.

Law of this module: pure data in, pure data out; an unknown kind of note changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from labs.trace import kinds
from labs.trace.events import Event

Role = Literal["follower", "candidate", "leader", "paused", "down"]

DEATHS = {kinds.STOP, kinds.KILL, kinds.CRASH}
BIRTHS = {kinds.START, kinds.RESTART}


@dataclass(frozen=True, slots=True)
class Stretch:
    """`node` was one thing from `start` to `end`: one role, one term (None: not known), one believed leader."""

    node: str
    start: float
    end: float
    role: Role
    term: int | None = None
    leader: str | None = None


def number(value: Any) -> int | None:
    """`value` if it is a whole number, else None: details are whatever a node wrote into them."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


class _Life:
    """What one node is, told by its notes and by what was done to it. Alive, paused and role are kept apart: a paused
    leader wakes up as one."""

    def __init__(self, node: str, events: list[Event]) -> None:
        self.node = node
        self.alive = not _begins_dead(events)
        self.paused = False
        self.role, self.term, self.leader = _first_belief(node, events)
        self.vote: Any = None
        self._next_term: int | None = None

    @property
    def now(self) -> tuple[Role, int | None, str | None]:
        if not self.alive:
            return ("down", self.term, None)
        return ("paused" if self.paused else self.role, self.term, self.leader)

    def live(self, event: Event) -> None:
        if event.event == "fault":
            self._suffer(event.kind)
        elif event.event == "note":
            handler = self._notes.get(event.kind)
            if handler is not None:
                handler(self, event.details)

    def _suffer(self, kind: str) -> None:
        if kind in DEATHS:
            self.alive, self.paused = False, False
        elif kind in BIRTHS:
            self._be_born()
        elif kind in (kinds.PAUSE, kinds.RESUME):
            self.paused = kind == kinds.PAUSE

    def _be_born(self) -> None:
        if not self.alive:
            self.alive, self.paused = True, False
            self.role, self.leader, self.vote = "follower", None, None

    def _take_term(self, details: dict[str, Any]) -> None:
        term = number(details.get("term"))
        self.term = self.term if term is None else term

    def _on_started(self, _: dict[str, Any]) -> None:
        self._be_born()

    def _on_recovered(self, details: dict[str, Any]) -> None:
        self._be_born()
        self._take_term(details)

    def _on_election_timeout(self, _: dict[str, Any]) -> None:
        self.role, self.leader = "candidate", None

    def _on_catching_up(self, _: dict[str, Any]) -> None:
        if self.role != "leader":
            self.role = "candidate"  # it has won, and fetches what it lacks before it opens for writes

    def _on_waiting_for(self, _: dict[str, Any]) -> None:
        self.role = "follower"  # it stands back for another

    def _on_state(self, details: dict[str, Any]) -> None:
        vote, before, self.vote = details.get("vote"), self.vote, details.get("vote")
        if self.role == "leader":
            self._next_term = number(details.get("term"))  # it never leads in that one: it is about to step down
            return
        self._take_term(details)
        if vote == self.node:
            self.role, self.leader = "candidate", None
        elif self.role == "candidate" and before == self.node:
            self.role = "follower"  # its own vote is gone with the term in which it stood

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

    _notes: ClassVar[dict[str, Callable[[_Life, dict[str, Any]], None]]] = {
        kinds.STARTED: _on_started, kinds.RECOVERED: _on_recovered, kinds.ELECTION_TIMEOUT: _on_election_timeout,
        kinds.CATCHING_UP: _on_catching_up, kinds.WAITING_FOR: _on_waiting_for, kinds.STATE: _on_state,
        kinds.BECAME_LEADER: _on_became_leader, kinds.STEPPED_DOWN: _on_stepped_down, kinds.FOLLOWING: _on_following,
    }  # fmt: skip


def _begins_dead(events: list[Event]) -> bool:
    """A node that is started before it does anything else was not there before."""
    for event in events:
        if event.event == "fault" or event.kind == kinds.STARTED:
            return event.kind in BIRTHS or event.kind == kinds.STARTED
        if event.event not in ("request", "reply"):
            return False
    return False


def _first_belief(node: str, events: list[Event]) -> tuple[Role, int | None, str | None]:
    """What the node was before the first event: whoever stops leading, or sends heartbeats, before it tells of having
    begun to lead, led already (the list then begins in the middle of a run)."""
    for event in events:
        if event.kind in (kinds.BECAME_LEADER, kinds.FOLLOWING, kinds.STARTED, kinds.ELECTION_TIMEOUT):
            break
        if event.kind == kinds.STEPPED_DOWN or (event.event == "sent" and event.kind == "Heartbeat"):
            return ("leader", number(event.details.get("term")), node)
    return ("follower", None, None)


def stretches(node: str, events: list[Event], start: float, end: float) -> list[Stretch]:
    life = _Life(node, events)
    found: list[Stretch] = []
    since, before = start, life.now
    for event in events:
        life.live(event)
        if life.now != before:
            _add_stretch(found, node, since, event.time, before)
            since, before = event.time, life.now
    found.append(Stretch(node, since, end, *before))
    return found


def _add_stretch(
    found: list[Stretch], node: str, start: float, end: float, belief: tuple[Role, int | None, str | None]
) -> None:
    if end > start:
        found.append(Stretch(node, start, end, *belief))
