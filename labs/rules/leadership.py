"""Rules about time: leaders that should go, leaders that should stay, leaders that should come.

Raft §5.2 (a leader is elected in bounded time), Ongaro's thesis §6.2 (a lonely leader steps down) and §9.6 (a healthy
one is left alone).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from labs.rules.evidence import RECOVERY, Evidence, Finding, in_the_end, proven
from labs.rules.world import DEATHS, World
from labs.trace import kinds
from labs.trace.events import Event

# --------------------------------------------------------------------------------------------------------
# A leader that hears from no majority


@dataclass
class _Office:
    """A leadership: since when, and when each follower was heard in it."""

    began: Event
    heard: dict[str, float]
    told: bool = False

    def majority_until(self, majority: int) -> float:
        """Until when a majority, the leader included, had been heard lately."""
        others = sorted(self.heard.values(), reverse=True)
        return others[majority - 2] if majority > 1 else float("inf")


class _Offices:
    """Who leads, and who sleeps meanwhile: a paused node cannot notice that time passes."""

    def __init__(self, node_ids: tuple[str, ...]) -> None:
        self.nodes = node_ids
        self.held: dict[str, _Office] = {}
        self.asleep: dict[str, float] = {}

    def apply(self, event: Event) -> None:
        node = event.node
        if event.event == "received":
            if node in self.held:
                self.held[node].heard[event.peer] = event.time
        elif event.event in ("note", "fault"):
            self._turn(event)

    def _turn(self, event: Event) -> None:
        node = event.node
        match event.event, event.kind:
            case "note", kinds.BECAME_LEADER:
                self.held[node] = _Office(event, {n: event.time for n in self.nodes if n != node})
            case "note", kinds.STEPPED_DOWN:
                self.held.pop(node, None)
            case "fault", kinds.PAUSE:
                self.asleep[node] = event.time
            case "fault", kinds.RESUME:
                self._wake(node, event.time)
            case "fault", kind if kind in DEATHS:
                self.held.pop(node, None)
                self.asleep.pop(node, None)

    def _wake(self, node: str, now: float) -> None:
        slept = now - self.asleep.pop(node, now)
        if office := self.held.get(node):
            office.heard = {peer: time + slept for peer, time in office.heard.items()}


def lonely(evidence: Evidence) -> Iterable[Finding]:
    """A leader may be without a majority for two timeouts: one to notice, one for delays and ticks."""
    patience = 2 * evidence.timeout + 2 * evidence.slowest
    offices = _Offices(evidence.node_ids)
    for event in evidence.events:
        offices.apply(event)
        office = offices.held.get(event.node)
        if office is None or office.told or event.node in offices.asleep:
            continue
        since = office.majority_until(evidence.majority)
        if event.time - since > patience:
            office.told = True
            yield proven(
                f"{event.node} led term {office.began.details['term']} and had heard from no majority since"
                f" {since:.3f} s; at {event.time:.3f} s it still led",
                office.began,
                event,
            )


# --------------------------------------------------------------------------------------------------------
# A leader that should be left alone


def disturbed(evidence: Evidence) -> Iterable[Finding]:
    return _new_terms_under_a_healthy_leader(evidence, evidence.majority)


def unsettled(evidence: Evidence) -> Iterable[Finding]:
    yield from _new_terms_under_a_healthy_leader(evidence, len(evidence.node_ids))
    yield from _never_at_rest(evidence)


class _Health:
    """The latest leader, and since when the same nodes have been around it."""

    def __init__(self, node_ids: tuple[str, ...], enough: int) -> None:
        self.world = World(node_ids)
        self.enough = enough
        self.leader: Event | None = None
        self.core: frozenset[str] = frozenset()
        self.since = 0.0

    def apply(self, event: Event) -> None:
        if event.event == "fault":
            self.world.apply(event)
            if self.leader is not None and self.leader.node not in self.world.up:
                self.leader = None
            now = self.world.core(self.leader.node) if self.leader else frozenset()
            still = self.core & now
            if len(still) < self.enough:
                still, self.since = now, event.time
            self.core = still
        elif event.kind == kinds.BECAME_LEADER:
            self.leader = event
            self.core, self.since = self.world.core(event.node), event.time
        elif event.kind == kinds.STEPPED_DOWN and self.leader is not None and event.node == self.leader.node:
            self.leader = None

    @property
    def term(self) -> int | None:
        """The leader's, if it has enough nodes around it."""
        return self.leader.details["term"] if self.leader is not None and len(self.core) >= self.enough else None


def _new_terms_under_a_healthy_leader(evidence: Evidence, enough: int) -> Iterable[Finding]:
    """A leader is healthy once it has had the same `enough` nodes around it for two timeouts, all of them awake and
    connected, while nobody anywhere was in a later term. Then nobody may begin a later term as long as that lasts."""
    health = _Health(evidence.node_ids, enough)
    latest = 0
    for event in evidence.story:
        health.apply(event)
        if event.kind != kinds.STATE:
            continue
        term = event.details["term"]
        latest, begun = max(latest, term), term >= latest
        if health.term is None or term <= health.term:
            continue
        if begun and event.time - max(health.since, evidence.quick_from) > 2 * evidence.timeout:
            assert health.leader is not None
            yield proven(
                f"{health.leader.node} led term {health.term} with {', '.join(sorted(health.core))} around it since"
                f" {health.since:.3f} s, yet {event.node} moved to term {term} at {event.time:.3f} s",
                health.leader,
                event,
            )
        health.leader = None


def _never_at_rest(evidence: Evidence) -> Iterable[Finding]:
    """Where leaders never last two timeouts, terms go on climbing though nothing is wrong."""
    world = World(evidence.node_ids)
    since = float("inf")
    latest = 0
    for event in evidence.story:
        if event.event == "fault":
            was_whole = world.whole
            world.apply(event)
            if not (world.whole and was_whole):
                since = max(event.time, evidence.quick_from) if world.whole else float("inf")
        elif event.kind == kinds.STATE and event.details["term"] > latest:
            latest = event.details["term"]
            if event.time - since > evidence.bound:
                yield proven(
                    f"nothing had been wrong since {since:.3f} s, {RECOVERY} election timeouts and more, yet"
                    f" {event.node} began term {latest} at {event.time:.3f} s",
                    event,
                )
                return


# --------------------------------------------------------------------------------------------------------
# A leader that should come


class _Vacancy:
    """Since when a majority that could elect a leader has been without one."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.world = World(evidence.node_ids)
        self.group: frozenset[str] = frozenset()
        self.leading: set[str] = set()
        self.since = float("inf")

    def apply(self, event: Event) -> None:
        vacant = self.vacant
        group = self.group
        if event.event == "fault":
            self.world.apply(event)
            if event.kind in DEATHS:
                self.leading.discard(event.node)
            self.group = self.world.able()
        elif event.kind == kinds.BECAME_LEADER:
            self.leading.add(event.node)
        elif event.kind == kinds.STEPPED_DOWN:
            self.leading.discard(event.node)
        if not vacant or group != self.group:
            self.since = max(event.time, self.evidence.quick_from)

    @property
    def vacant(self) -> bool:
        return bool(self.group) and not self.group & self.leading

    def too_long(self, now: float) -> bool:
        return self.vacant and now - self.since > self.evidence.bound


def leaderless(evidence: Evidence) -> Iterable[Finding]:
    """A majority that can talk to each other and to nobody else has to find a leader, whoever is missing."""
    vacancy = _Vacancy(evidence)
    last = list(evidence.events[-1:])  # the end of the run counts, too
    for event in [*evidence.story, *last]:
        if vacancy.too_long(event.time):
            yield proven(
                f"nothing had kept {', '.join(sorted(vacancy.group))} from electing a leader since"
                f" {vacancy.since:.3f} s; at {event.time:.3f} s, {RECOVERY} election timeouts later, none of them led",
                event,
            )
            return
        vacancy.apply(event)


def several_in_the_end(evidence: Evidence) -> Iterable[Finding]:
    run = evidence.settled
    leaders = sorted(name for name, node in run.nodes.items() if node.leads) if run else []
    if run and len(leaders) > 1:
        text = f"{run.schedule.calm:g} s after everything was mended, {' and '.join(leaders)} each think that they lead"
        yield in_the_end(evidence, text, *leaders)


def lost_in_the_end(evidence: Evidence) -> Iterable[Finding]:
    run = evidence.settled
    leaders = [name for name, node in run.nodes.items() if node.leads] if run else []
    if run is None or not leaders:
        return  # another rule's business
    for name, node in run.nodes.items():
        follows = node.election.leader
        if name not in leaders and follows not in leaders:
            whom = f"still followed {follows}, which does not lead" if follows else "followed nobody"
            text = f"{run.schedule.calm:g} s after everything was mended, {leaders[0]} led and {name} {whom}"
            yield in_the_end(evidence, f"{text} (term {node.election.term})", name, leaders[0])
