"""Why something is as it is at one moment: the chain of events that led to it, in sentences, the latest first.

Law of this module: it says what the events show, and gives no reason where they show none. Each reason names
the messages that carry it, so that a picture can light them up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from labs.trace import kinds
from labs.trace.elections import ElectionSentences
from labs.trace.events import Event
from labs.trace.messages import Delivery
from labs.trace.network import FaultInterval, sides
from labs.trace.prose import duration, listed
from labs.trace.roles import RoleInterval, whole_number
from labs.trace.sentences import sentence_of
from labs.trace.timeline import Timeline, read_timeline
from replstore.core.messages import natural_order

RECENT = 90.0
"""Seconds before the moment from which messages are looked at; what nodes noted is looked at from the beginning."""


@dataclass(frozen=True)
class Reason:
    """One link of the chain: what happened at `time` (the events' own), and the messages that show it."""

    time: float
    text: str
    messages: tuple[Delivery, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """`question` says what is explained; `reasons` are the chain, each the cause of the one before."""

    question: str
    reasons: tuple[Reason, ...]


def explain(events: Iterable[Event], node_ids: Sequence[str], at: float) -> list[Explanation]:
    """Who leads at the moment `at`, and why; or why nobody does. Of two leaders each is explained."""
    kept = [e for e in events if e.time <= at and (e.event in ("note", "fault") or e.time > at - RECENT)]
    run = read_timeline(kept, node_ids)
    leading = [interval for node in node_ids if (interval := run.role_at(node, at)) and interval.role == "leader"]
    why = _Why(run, at)
    if not leading:
        return [Explanation("Why does nobody lead?", tuple(why.nobody_leads()))]
    leading.sort(key=lambda interval: interval.term or 0, reverse=True)
    found = [Explanation(f"Why does {one.node} lead?", tuple(why.leads(one))) for one in leading]
    if len(leading) > 1:
        found[-1] = Explanation(found[-1].question, (*why.still_leads(leading[-1], leading[0]), *found[-1].reasons))
    return found


class _Why:
    """Reasons from one run, up to one moment."""

    def __init__(self, run: Timeline, at: float) -> None:
        self._run = run
        self._at = at
        self._elections = ElectionSentences(run)

    # -- somebody leads -------------------------------------------------------------------------------

    def leads(self, interval: RoleInterval) -> list[Reason]:
        node = interval.node
        won = self._last_note(node, kinds.BECAME_LEADER, interval.start + 0.001)
        if won is None:
            return [Reason(interval.start, f"{node} led already when these events begin")]
        term = whole_number(won.details.get("term"))
        votes = self._votes(node, term, won.time)
        reasons = [Reason(won.time, f"{node} became leader of term {won.details.get('term', '?')}")]
        if votes:
            voters = listed(sorted({vote.sender for vote in votes}, key=natural_order))
            got, of = len({vote.sender for vote in votes}) + 1, len(self._run.node_ids)
            text = f"{voters} voted for it: with its own vote {got} of {of}, and more than half is enough"
            reasons.append(Reason(max(vote.last_seen for vote in votes), text, votes))
        else:
            reasons.append(Reason(won.time, f"no votes decided this: {self._rule(node)}"))
        called = self._last_note(node, kinds.ELECTION_TIMEOUT, won.time)
        return reasons + (self.called(called) if called is not None else [])

    def called(self, note: Event) -> list[Reason]:
        """Why a node called an election."""
        before = [role for role in self._run.roles.get(note.node, []) if role.start < note.time]
        leader = next((role.leader for role in reversed(before) if role.leader), None)
        if leader is None or leader == note.node:
            return [Reason(note.time, f"{note.node} called an election: it had heard of no leader")]
        last = self._last_sign(leader, note.node, note.time)
        if last is None:
            reason = Reason(note.time, f"{note.node} called an election: it heard nothing from {leader}")
        else:
            silence = duration(note.time - last.arrivals[0])
            text = f"{note.node} called an election: its last message from {leader} was {silence} old"
            reason = Reason(note.time, text, (last,))
        return [reason, *self.silence(leader, note.node, note.time, last)]

    def silence(self, leader: str, node: str, before: float, last: Delivery | None) -> list[Reason]:
        """Why `node` heard no more from `leader`: what was done to that node or to the network."""
        since = last.sent if last is not None else float("-inf")
        faults = [f for f in self._run.faults if f.node == leader and f.time <= before]
        stop = next((f for f in reversed(faults) if f.kind in {*kinds.STOPS, kinds.PAUSE, *kinds.STARTS}), None)
        if stop is not None and stop.kind in {*kinds.STOPS, kinds.PAUSE}:
            return [Reason(stop.time, sentence_of(stop))]
        cut = self._cut(leader, node, before)
        if cut is not None:
            return [Reason(cut.start, self._cut_text(cut, leader, node))]
        lost = tuple(d for d in self._run.lost if (d.sender, d.receiver) == (leader, node) and since < d.sent <= before)
        if lost:
            return [Reason(lost[-1].sent, f"{len(lost)} of {leader}'s messages to {node} were lost", lost[-5:])]
        down = self._last_note(leader, kinds.STEPPED_DOWN, before)
        return [Reason(down.time, f"{leader} had stepped down")] if down is not None and down.time > since else []

    def still_leads(self, old: RoleInterval, new: RoleInterval) -> list[Reason]:
        """Why a leader of an earlier term has not given up: it has not heard of the later one."""
        cut = self._cut(new.node, old.node, self._at)
        text = f"{old.node} still believes that it leads: it has heard nothing of {new.node}'s term {new.term}"
        why = [Reason(cut.start, self._cut_text(cut, new.node, old.node))] if cut is not None else []
        return [Reason(self._at, text), *why]

    # -- nobody leads ---------------------------------------------------------------------------------

    def nobody_leads(self) -> list[Reason]:
        past = [role for role in self._run.leaderships() if role.end <= self._at]
        reasons = [Reason(self._at, text) for text in self._meanwhile()]
        if not past:
            return [*reasons, Reason(self._run.start, "no node has become leader since these events began")]
        last = past[-1]
        term = "" if last.term is None else f" in term {last.term}"
        reasons.append(Reason(last.end, f"{last.node}, which led{term}, leads no longer"))
        ends = [f for f in self._run.faults if f.node == last.node and last.end - 0.001 <= f.time <= last.end + 0.001]
        down = self._last_note(last.node, kinds.STEPPED_DOWN, last.end + 0.001)
        if ends:
            reasons.append(Reason(ends[-1].time, sentence_of(ends[-1])))
        elif down is not None and down.time >= last.end - 0.001:
            reasons.append(Reason(down.time, self._elections.stepped_down(down)))
        return reasons

    def _meanwhile(self) -> list[str]:
        """What the nodes that run do about it."""
        texts = []
        running = 0
        for node in self._run.node_ids:
            role = self._run.role_at(node, self._at)
            if role is None or role.role in ("down", "paused"):
                continue
            running += 1
            if role.role == "candidate":
                texts.append(f"{node} stands for election since {duration(self._at - role.start)}")
        if 2 * running <= len(self._run.node_ids):
            texts.append(f"only {running} of {len(self._run.node_ids)} nodes run")
        return texts or ["no node has called an election yet"]

    # -- looking --------------------------------------------------------------------------------------

    def _last_note(self, node: str, kind: str, before: float) -> Event | None:
        notes = [n for n in self._run.notes if n.node == node and n.kind == kind and n.time <= before]
        return notes[-1] if notes else None

    def _votes(self, node: str, term: int | None, before: float) -> tuple[Delivery, ...]:
        return tuple(
            d for d in self._run.deliveries
            if d.receiver == node and d.family == "election" and d.vote and not d.is_pre_vote and d.term == term
            and d.arrivals and d.arrivals[0] <= before
        )  # fmt: skip

    def _last_sign(self, leader: str, node: str, before: float) -> Delivery | None:
        signs = [
            d for d in self._run.deliveries
            if d.sender == leader and d.receiver == node and d.kind in kinds.FROM_LEADERS
            and d.arrivals and d.arrivals[0] <= before
        ]  # fmt: skip
        return max(signs, key=lambda d: d.arrivals[0], default=None)

    def _cut(self, sender: str, receiver: str, at: float) -> FaultInterval | None:
        moment = min(at, self._run.end)
        cuts = [f for f in self._run.network_faults if f.start <= moment <= f.end and f.separates(sender, receiver)]
        return cuts[-1] if cuts else None

    def _cut_text(self, cut: FaultInterval, sender: str, receiver: str) -> str:
        if cut.kind == kinds.CUT:
            return f"{sender} can no longer reach {receiver}"
        return f"the network was cut: {sides(cut.groups)}"

    def _rule(self, node: str) -> str:
        started = self._last_note(node, kinds.STARTED, self._at)
        name = str(started.details.get("election", "")) if started is not None else ""
        rules = {
            "LowestId": "under LowestId the lowest id leads of those that are not taken for dead",
            "Bully": "under Bully a node leads when no higher id objects",
        }
        return rules.get(name, "no message that grants a vote is among the events")
