"""Rules about leadership over time: when a leader must step down, when it must stay, when one must be elected.

Raft §5.2 (a leader is elected in bounded time), Ongaro's thesis §6.2 (a leader without a quorum steps down:
CheckQuorum) and §9.6 (a leader that has a majority is not disturbed).
"""

from __future__ import annotations

from collections.abc import Iterable

from labs.rules.evidence import RECOVERY, Finding, TraceView, in_the_end, proven
from labs.rules.network_state import NetworkState
from labs.trace import kinds
from labs.trace.events import Event
from labs.trace.roles import Leaders

# --------------------------------------------------------------------------------------------------------
# When a leader must step down


class _Quorums:
    """Of each leader, when it last received something from each follower. A paused node cannot notice that time
    passes, so the time of a pause does not count."""

    def __init__(self, node_ids: tuple[str, ...]) -> None:
        self.nodes = node_ids
        self.leaders = Leaders()
        self.paused: dict[str, float] = {}
        self._received: dict[str, dict[str, float]] = {}

    def apply(self, event: Event) -> None:
        self.leaders.apply(event)
        node = event.node
        match event.event, event.kind:
            case "received", _:
                if node in self.leaders.since:
                    self._received[node][event.peer] = event.time
            case "note", kinds.BECAME_LEADER:
                self._received[node] = {peer: event.time for peer in self.nodes if peer != node}
            case "fault", kinds.PAUSE:
                self.paused[node] = event.time
            case "fault", kinds.RESUME:
                paused_for = event.time - self.paused.pop(node, event.time)
                if node in self.leaders.since:
                    received = self._received[node]
                    self._received[node] = {peer: time + paused_for for peer, time in received.items()}
            case "fault", kind if kind in kinds.STOPS:
                self.paused.pop(node, None)

    def majority_until(self, leader: str, majority: int) -> float:
        """The latest time at which a majority, the leader included, had been heard from."""
        times = sorted(self._received[leader].values(), reverse=True)
        return times[majority - 2] if majority > 1 else float("inf")


def leads_without_quorum(evidence: TraceView) -> Iterable[Finding]:
    """A leader may be without a majority for two timeouts: one to notice, one for delays and ticks."""
    longest = 2 * evidence.timeout + 2 * evidence.slowest
    quorums = _Quorums(evidence.node_ids)
    reported: list[Event] = []
    for event in evidence.events:
        quorums.apply(event)
        began = quorums.leaders.since.get(event.node)
        if began is None or event.node in quorums.paused or began in reported:
            continue
        since = quorums.majority_until(event.node, evidence.majority)
        if event.time - since > longest:
            reported.append(began)
            yield proven(
                f"{event.node} led term {began.details['term']} and had heard from no majority since"
                f" {since:.3f} s; at {event.time:.3f} s it still led",
                began,
                event,
            )


# --------------------------------------------------------------------------------------------------------
# When a leader must stay


def disturbed(evidence: TraceView) -> Iterable[Finding]:
    return _new_terms_under_a_healthy_leader(evidence, evidence.majority)


def unsettled(evidence: TraceView) -> Iterable[Finding]:
    yield from _new_terms_under_a_healthy_leader(evidence, len(evidence.node_ids))
    yield from _never_at_rest(evidence)
    yield from _given_up(evidence)


class _LatestLeader:
    """The latest leader, and since when the same nodes have been connected with it."""

    def __init__(self, node_ids: tuple[str, ...], enough: int) -> None:
        self.network = NetworkState(node_ids)
        self.enough = enough
        self.leader: Event | None = None
        self.group: frozenset[str] = frozenset()
        self.since = 0.0

    def apply(self, event: Event) -> None:
        if event.event == "fault":
            self.network.apply(event)
            if self.leader is not None and self.leader.node not in self.network.up:
                self.leader = None
            now = self.network.connected_with(self.leader.node) if self.leader else frozenset()
            remaining = self.group & now
            if len(remaining) < self.enough:
                remaining, self.since = now, event.time
            self.group = remaining
        elif event.kind == kinds.BECAME_LEADER:
            self.leader = event
            self.group, self.since = self.network.connected_with(event.node), event.time
        elif event.kind == kinds.STEPPED_DOWN and self.leader is not None and event.node == self.leader.node:
            self.leader = None

    @property
    def term(self) -> int | None:
        """The leader's, if it has enough nodes around it."""
        return self.leader.details["term"] if self.leader is not None and len(self.group) >= self.enough else None


def _new_terms_under_a_healthy_leader(evidence: TraceView, enough: int) -> Iterable[Finding]:
    """A leader is healthy once it has been connected with the same `enough` running nodes for two timeouts, while no
    node was in a later term. Then no node may begin a later term, one in which nobody has been, as long as that lasts.
    """
    health = _LatestLeader(evidence.node_ids, enough)
    highest = 0
    for event in evidence.story:
        if event.kind == kinds.STEPPED_DOWN and _without_need(event, health, highest, evidence):
            assert health.leader is not None
            yield proven(
                f"{event.node} led term {health.term} with {', '.join(sorted(health.group))} around it since"
                f" {health.since:.3f} s, yet it gave its leadership up at {event.time:.3f} s",
                health.leader,
                event,
            )
        health.apply(event)
        if event.kind != kinds.STATE:
            continue
        term = event.details["term"]
        begun = term > highest  # who only takes over a term that somebody began before, disturbs nobody
        highest = max(highest, term)
        if health.term is None or term <= health.term:
            continue
        if begun and event.time - max(health.since, evidence.quick_from) > 2 * evidence.timeout:
            assert health.leader is not None
            yield proven(
                f"{health.leader.node} led term {health.term} with {', '.join(sorted(health.group))} around it since"
                f" {health.since:.3f} s, yet {event.node} moved to term {term} at {event.time:.3f} s",
                health.leader,
                event,
            )
        health.leader = None


def _without_need(event: Event, health: _LatestLeader, highest: int, evidence: TraceView) -> bool:
    """Whether the leader that steps down here was healthy: no node had been in a later term. Only of a simulated run:
    on a busy machine a leader may hear too late from its followers."""
    if evidence.run is None or not evidence.claims.votes:
        return False
    if health.leader is None or event.node != health.leader.node or health.term is None or highest > health.term:
        return False
    return event.time - max(health.since, evidence.quick_from) > 2 * evidence.timeout


def _never_at_rest(evidence: TraceView) -> Iterable[Finding]:
    """Where leaders never last two timeouts, terms go on climbing though nothing is wrong."""
    network = NetworkState(evidence.node_ids)
    since = float("inf")
    latest = 0
    for event in evidence.story:
        if event.event == "fault":
            before = network.faultless
            network.apply(event)
            if not (network.faultless and before):
                since = max(event.time, evidence.quick_from) if network.faultless else float("inf")
        elif event.kind == kinds.STATE and event.details["term"] > latest:
            latest = event.details["term"]
            if event.time - since > evidence.bound:
                yield proven(
                    f"nothing had been wrong since {since:.3f} s, {RECOVERY} election timeouts and more, yet"
                    f" {event.node} began term {latest} at {event.time:.3f} s",
                    event,
                )
                return


def _given_up(evidence: TraceView) -> Iterable[Finding]:
    """Who begins to follow the same leader in the same term again had given it up in between. Only of a simulated run:
    on a busy machine a heartbeat may be late."""
    if evidence.run is None or not evidence.claims.votes:
        return
    health = _LatestLeader(evidence.node_ids, len(evidence.node_ids))
    followed: dict[str, Event] = {}
    for event in evidence.story:
        health.apply(event)
        if event.event == "fault" and event.kind in kinds.STOPS:
            followed.pop(event.node, None)
        if event.kind != kinds.FOLLOWING:
            continue
        before = followed.get(event.node)
        followed[event.node] = event
        if before is None or before.details != event.details or health.term != event.details["term"]:
            continue
        if event.time - max(health.since, evidence.quick_from) > 3 * evidence.timeout:
            yield proven(
                f"{event.details['leader']} led term {health.term} with all nodes around it since {health.since:.3f} s,"
                f" yet {event.node}, which followed it from {before.time:.3f} s on, gave it up: at {event.time:.3f} s"
                " it began to follow it again",
                before,
                event,
            )
            return


def does_not_last(evidence: TraceView) -> Iterable[Finding]:
    """A majority that nobody else can reach has nothing to disturb it. Once that has been so for as long as an election
    may take, it begins no new term."""
    network = NetworkState(evidence.node_ids)
    group: frozenset[str] = frozenset()
    since, latest = float("inf"), 0
    for event in evidence.story:
        if event.event == "fault":
            network.apply(event)
            now = network.electing_majority()
            if now != group:
                group, since = now, max(event.time, evidence.quick_from)
        elif event.kind == kinds.STATE and event.details["term"] > latest:
            latest = event.details["term"]
            # (Of a group of all another rule tells.)
            if event.node in group and len(group) < len(evidence.node_ids) and event.time - since > evidence.bound:
                yield proven(
                    f"since {since:.3f} s, {RECOVERY} election timeouts and more, nothing had kept"
                    f" {', '.join(sorted(group))} from having one leader and keeping it, yet {event.node} began term"
                    f" {latest} at {event.time:.3f} s",
                    event,
                )
                return


# --------------------------------------------------------------------------------------------------------
# When a leader must be elected


class _Leaderless:
    """Since when a majority that could elect a leader has been without one."""

    def __init__(self, evidence: TraceView) -> None:
        self.evidence = evidence
        self.network = NetworkState(evidence.node_ids)
        self.group: frozenset[str] = frozenset()
        self.leaders = Leaders()
        self.since = float("inf")

    def apply(self, event: Event) -> None:
        leaderless, group = self.leaderless, self.group
        self.leaders.apply(event)
        if event.event == "fault":
            self.network.apply(event)
            self.group = self.network.electing_majority()
        if not leaderless or group != self.group:
            self.since = max(event.time, self.evidence.quick_from)

    @property
    def leaderless(self) -> bool:
        return bool(self.group) and not self.group & self.leaders.since.keys()

    def too_long(self, now: float) -> bool:
        return self.leaderless and now - self.since > self.evidence.bound


def leaderless(evidence: TraceView) -> Iterable[Finding]:
    """A majority that can talk to each other and to nobody else has to find a leader, whoever is missing."""
    state = _Leaderless(evidence)
    last = list(evidence.events[-1:])  # the end of the run counts, too
    for event in [*evidence.story, *last]:
        if state.too_long(event.time):
            yield proven(
                f"nothing had kept {', '.join(sorted(state.group))} from electing a leader since"
                f" {state.since:.3f} s; at {event.time:.3f} s, {RECOVERY} election timeouts later, none of them led",
                event,
            )
            return
        state.apply(event)


def several_in_the_end(evidence: TraceView) -> Iterable[Finding]:
    run = evidence.settled
    leaders = sorted(name for name, node in run.nodes.items() if node.leads) if run else []
    if run and len(leaders) > 1:
        text = f"{run.schedule.calm:g} s after everything was mended, {' and '.join(leaders)} each think that they lead"
        yield in_the_end(evidence, text, *leaders)


def lost_in_the_end(evidence: TraceView) -> Iterable[Finding]:
    run = evidence.settled
    leaders = [name for name, node in run.nodes.items() if node.leads] if run else []
    if run is None or not leaders:
        return  # another rule's business
    for name, node in run.nodes.items():
        follows, term = node.election.leader, node.election.term
        if name in leaders:
            continue
        if follows not in leaders:
            whom = f"still followed {follows}, which does not lead" if follows else "followed nobody"
        elif term != run.nodes[follows].election.term:  # then it takes none of that leader's entries
            whom = f"took {follows} for its leader, but not in its term, {run.nodes[follows].election.term}"
        else:
            continue
        text = f"{run.schedule.calm:g} s after everything was mended, {leaders[0]} led and {name} {whom}"
        yield in_the_end(evidence, f"{text} (term {term})", name, leaders[0])
