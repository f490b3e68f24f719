"""Elections in sentences: who started one and why, who voted, who won, who stepped down, and when two led at once.

Law of this module: it says what the events show. Where they do not show a reason, it gives none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from labs.trace import kinds
from labs.trace.events import Event
from labs.trace.messages import Delivery
from labs.trace.prose import Sentence, duration, listed
from labs.trace.roles import RoleInterval, whole_number
from labs.trace.sentences import past_of
from labs.trace.timeline import Timeline
from replstore.core.messages import natural_order

AT_ONCE = 0.01
"""Seconds after a timeout within which a node's next note belongs to it."""

TOGETHER = 0.25
"""Nodes that begin to follow a leader within so many seconds are told of in one sentence."""


class ElectionSentences:
    """The election sentences of one run: see `lines`."""

    def __init__(self, run: Timeline) -> None:
        self._run = run
        self._received: dict[str, list[tuple[float, Delivery]]] = defaultdict(list)
        for delivery in run.deliveries:
            for arrival in delivery.arrivals[:1]:
                self._received[delivery.receiver].append((arrival, delivery))
        for received in self._received.values():
            received.sort(key=lambda item: item[0])
        self._saved: dict[str, list[Event]] = defaultdict(list)
        for note in run.notes:
            if note.kind == kinds.STATE:
                self._saved[note.node].append(note)
        self._withdrawals = self._find_withdrawals()

    def _find_withdrawals(self) -> dict[tuple[str, float], Event]:
        """By node and time of its timeout: the note with which it left the election to another."""
        timeouts = {(note.node, note.time) for note in self._run.notes if note.kind == kinds.ELECTION_TIMEOUT}
        waits = [note for note in self._run.notes if note.kind == "waiting_for"]
        pairs = (
            ((node, time), wait) for wait in waits for node, time in timeouts
            if node == wait.node and time <= wait.time <= time + AT_ONCE
        )  # fmt: skip
        return dict(pairs)

    def lines(self) -> Iterator[Sentence]:
        for note in self._run.notes:
            if note.kind == kinds.ELECTION_TIMEOUT:
                yield Sentence(note.time, 60, self._started(note))
            elif note.kind == kinds.BECAME_LEADER:
                yield Sentence(note.time, 80, self._won(note))
            elif note.kind == kinds.STEPPED_DOWN:
                yield Sentence(note.time, 65, self.stepped_down(note))
            elif note.kind == kinds.WAITING_FOR and note not in self._withdrawals.values():
                yield Sentence(note.time, 40, f"{note.node} waited for {note.details.get('leader', '?')} to lead")
            elif note.kind == kinds.CATCHING_UP:
                yield Sentence(note.time, 40, past_of(note))
        yield from self._followings()
        yield from self._split_votes()
        yield from self._simultaneous_leaders()

    # -- starting an election --------------------------------------------------------------------------

    def _started(self, note: Event) -> str:
        wait = self._withdrawals.get((note.node, note.time))
        if wait is not None:
            return f"{note.node} {self._reason(note)} and waited for {wait.details.get('leader', '?')} to lead"
        return f"{note.node} {self._reason(note)} and called an election{self._in_term(note)}"

    def _reason(self, note: Event) -> str:
        before = [s for s in self._run.roles.get(note.node, []) if s.start < note.time]
        if before and before[-1].role == "candidate":
            return f"had not won within {duration(note.time - before[-1].start)}"
        leader = before[-1].leader if before else None
        if leader is None:
            return "heard of no leader"
        last = self._last_sign_of(leader, note.node, note.time)
        since = "" if last is None else f" for {duration(note.time - last)}"
        return f"heard nothing from {leader}{since}"

    def _last_sign_of(self, leader: str, node: str, before: float) -> float | None:
        """When `node` last got what only leaders send: one that asks for votes after a crash is no leader any more."""
        signs = (time for time, p in self._received[node] if p.sender == leader and p.kind in kinds.FROM_LEADERS)
        return max((time for time in signs if time <= before), default=None)

    def _in_term(self, note: Event) -> str:
        for saved in self._saved[note.node]:
            if note.time <= saved.time <= note.time + AT_ONCE:
                term = whole_number(saved.details.get("term"))
                return "" if term is None else f" for term {term}"
        return ""

    # -- its end --------------------------------------------------------------------------------------

    def _won(self, note: Event) -> str:
        term = whole_number(note.details.get("term"))
        voters = self._voters(note.node, term, note.time)
        votes = f" with the vote{'s' if len(voters) > 1 else ''} of {listed(voters)}" if voters else ""
        role = "leader" if term is None else f"leader of term {term}"
        return f"{note.node} became {role}{votes}{self._time_without_leader(note)}"

    def _voters(self, node: str, term: int | None, before: float) -> list[str]:
        votes = (p for time, p in self._received[node] if time <= before and p.family == "election" and p.vote)
        return sorted({p.sender for p in votes if p.term == term and not p.is_pre_vote}, key=natural_order)

    def _time_without_leader(self, note: Event) -> str:
        earlier = [s for s in self._run.leaderships() if s.start < note.time]
        if not earlier or any(s.end >= note.time for s in earlier):
            return ""
        return f", after {duration(note.time - max(s.end for s in earlier))} without a leader"

    def stepped_down(self, note: Event) -> str:
        """The sentence of this note: from which term, and why."""
        term = whole_number(note.details.get("term"))
        later = [
            p for time, p in self._received[note.node]
            if time <= note.time and term is not None and p.term is not None and p.term > term
        ]  # fmt: skip
        from_term = "" if term is None else f" from term {term}"
        why = f", having heard of term {later[-1].term} from {later[-1].sender}" if later else ""
        return f"{note.node} stepped down{from_term}{why}"

    def _followings(self) -> Iterator[Sentence]:
        """Those who follow one leader at about the same time in one sentence, at the moment of the last of them."""
        groups: dict[tuple[str, str], list[list[Event]]] = defaultdict(list)
        for note in self._run.notes:
            if note.kind != kinds.FOLLOWING:
                continue
            waves = groups[str(note.details.get("leader", "?")), str(note.details.get("term", "?"))]
            if not waves or note.time > waves[-1][-1].time + TOGETHER:
                waves.append([])
            waves[-1].append(note)
        for (leader, term), waves in groups.items():
            for wave in waves:
                who = sorted({note.node for note in wave}, key=natural_order)
                yield Sentence(wave[-1].time, 30, f"{listed(who)} followed {leader} in term {term}")

    # -- what goes wrong ------------------------------------------------------------------------------

    def _split_votes(self) -> Iterator[Sentence]:
        won = {whole_number(note.details.get("term")) for note in self._run.notes if note.kind == kinds.BECAME_LEADER}
        stood: dict[int, dict[str, float]] = defaultdict(dict)
        for notes in self._saved.values():
            for note in notes:
                term = whole_number(note.details.get("term"))
                if term is not None and note.details.get("vote") == note.node:
                    stood[term].setdefault(note.node, note.time)
        for term, candidates in stood.items():
            if len(candidates) > 1 and term not in won:
                names = listed(sorted(candidates, key=natural_order))
                text = f"in term {term} {names} stood against each other and nobody won: a split vote"
                yield Sentence(self._end_of(term, max(candidates.values())), 75, text)

    def _end_of(self, term: int, latest: float) -> float:
        later = (
            note.time for notes in self._saved.values() for note in notes
            if note.time >= latest and (whole_number(note.details.get("term")) or 0) > term
        )  # fmt: skip
        return min(later, default=latest)

    def _simultaneous_leaders(self) -> Iterator[Sentence]:
        """Two nodes that each believed they led, for as long as both did."""
        leaderships = self._run.leaderships()
        for place, one in enumerate(leaderships):
            for other in leaderships[place + 1 :]:
                if other.start >= one.end:
                    break
                if other.node != one.node:
                    yield Sentence(other.start, 90, _both_led(one, other))


def _both_led(one: RoleInterval, other: RoleInterval) -> str:
    together = duration(min(one.end, other.end) - other.start)
    if one.term is None or other.term is None:
        return f"for {together} two nodes believed they led: {one.node} and {other.node}"
    if one.term == other.term:
        return f"for {together} {one.node} and {other.node} both led, in the same term {one.term}"
    claims = f"{one.node} (term {one.term}) and {other.node} (term {other.term})"
    return f"for {together} two nodes believed they led: {claims}"
