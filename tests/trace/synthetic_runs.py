"""Runs written by hand, for the tests of pictures: what a simulator or real nodes would report, told step by step.

Nothing here elects or replicates by rules; a test decides what happened, and the diary writes it down as events.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

from labs.trace.events import Event

FIVE = tuple(f"node-{number}" for number in range(1, 6))
THREE = FIVE[:3]


class Diary:
    """Writes events. Messages take 8 ± 4 ms unless told otherwise."""

    def __init__(self, nodes: Sequence[str] = FIVE, seed: int = 1, start: float = 0.0) -> None:
        self.nodes = tuple(nodes)
        self.events: list[Event] = []
        self._rng = Random(seed)
        self._start = start
        self._seqs = dict.fromkeys(nodes, 0)
        self._ids = dict.fromkeys(nodes, 0)
        self._clients = 0

    def done(self) -> list[Event]:
        return sorted(self.events, key=lambda event: event.time)

    def _add(self, time: float, node: str, event: str, kind: str, details: dict[str, Any], **more: str) -> None:
        self._seqs[node] = self._seqs.get(node, 0) + 1
        self.events.append(Event(self._start + time, node, event, kind, self._seqs[node], details=details, **more))

    def note(self, time: float, node: str, kind: str, **details: Any) -> None:
        self._add(time, node, "note", kind, details)

    def fault(self, time: float, kind: str, node: str = "", **details: Any) -> None:
        self.events.append(Event(self._start + time, node, "fault", kind, details=details))

    def send(
        self, time: float, sender: str, to: str, kind: str, arrives: bool = True, copies: int = 1,
        delay: float | None = None, **details: Any,
    ) -> float:  # fmt: skip
        """One message; gives the time of its arrival."""
        self._ids[sender] += 1
        way = {"id": f"{sender}:{self._ids[sender]}"}
        self._add(time, sender, "sent", kind, details, peer=to, **way)
        if not arrives:
            self._add(time, sender, "dropped", kind, details, peer=to, **way)
            return time
        arrival = time
        for _ in range(copies):
            arrival += self._rng.uniform(0.004, 0.012) if delay is None else delay
            self._add(arrival, to, "received", kind, details, peer=sender, **way)
        return arrival

    def broadcast(self, time: float, sender: str, to: Iterable[str], kind: str, **details: Any) -> None:
        for peer in to:
            self.send(time, sender, peer, kind, **details)

    def beats(
        self, leader: str, term: int, start: float, end: float, reached: Iterable[str] | None = None, every: float = 0.1
    ) -> None:
        """The leader's heartbeats and the answers of those whom they reach (None: everybody)."""
        reached = [n for n in (self.nodes if reached is None else reached) if n != leader]
        time, turn = start, 0
        while time < end:
            turn += 1
            for peer in self.nodes:
                if peer != leader:
                    here = peer in reached
                    arrival = self.send(time, leader, peer, "Heartbeat", here, term=term, commit=0, round=turn)
                    if here:
                        self.send(arrival, peer, leader, "HeartbeatReply", term=term, round=turn, follows=True)
            time += every

    def elect(self, time: float, node: str, term: int, yes: Iterable[str], no: Iterable[str] = ()) -> float:
        """A whole campaign: timeout, votes; gives the time of the last answer. Nobody wins by it yet."""
        self.note(time, node, "election_timeout")
        self.note(time, node, "state", term=term, vote=node)
        yes, no = list(yes), list(no)
        last = time
        for peer in self.nodes:
            if peer == node:
                continue
            arrival = self.send(time, node, peer, "RequestVote", peer in yes + no, term=term, last=(term - 1, 3))
            if peer in yes + no:
                granted = peer in yes
                if granted:
                    self.note(arrival, peer, "state", term=term, vote=node)
                last = max(last, self.send(arrival, peer, node, "Vote", term=term, granted=granted))
        return last

    def crown(self, time: float, node: str, term: int, followers: Iterable[str]) -> None:
        self.note(time, node, "became_leader", term=term)
        for follower in followers:
            if follower != node:
                self.note(time + self._rng.uniform(0.005, 0.015), follower, "following", leader=node, term=term)

    def replicate(self, time: float, leader: str, term: int, index: int, to: Iterable[str], count: int = 1) -> None:
        for peer in to:
            if peer == leader:
                continue
            arrival = self.send(
                time, leader, peer, "Replicate", term=term, prev=index - 1, commit=index - 1, count=count
            )
            self.note(arrival, peer, "appended", first=index, last=index + count - 1)
            self.send(arrival + 0.001, peer, leader, "Replicated", term=term, ok=True, index=index)
        self.note(time + 0.022, leader, "committed", index=index, term=term, leader=leader)

    def put(self, time: float, node: str, key: str, value: Any, outcome: str = "ok", took: float = 0.025) -> None:
        """A client's write; `outcome` `none`: no answer ever came."""
        self._clients += 1
        name = {"id": f"client:{self._clients}"}
        self._add(time, node, "request", "put", {"key": key, "value": value}, **name)
        if outcome != "none":
            codes = {"ok": 200, "failed": 503, "unknown": 504}
            self._add(
                time + took, node, "reply", "put", {"key": key, "code": codes[outcome], "outcome": outcome}, **name
            )


def birth(diary: Diary, time: float = 0.0) -> None:
    for number, node in enumerate(diary.nodes):
        diary.note(time + number * 0.01, node, "started", election="Raft", mode="quorum")


def steady(messages: int = 300, seed: int = 1) -> list[Event]:
    """Five nodes: an election, then heartbeats with some writes, of at least so many messages in all."""
    diary = Diary(FIVE, seed)
    birth(diary)
    won = diary.elect(0.35, "node-2", 1, yes=("node-1", "node-3", "node-4", "node-5"))
    diary.crown(won, "node-2", 1, FIVE)
    time, index = won, 1
    while sum(event.event == "sent" for event in diary.events) < messages:
        diary.beats("node-2", 1, time, time + 0.29)
        diary.put(time + 0.15, "node-2", "x", index)
        diary.replicate(time + 0.152, "node-2", 1, index, FIVE)
        index += 1
        time += 0.3
    return diary.done()


def split_vote(start: float = 0.0) -> list[Event]:
    """Two candidates in term 2 share the votes; the next one, of term 3, wins."""
    diary = Diary(FIVE, seed=2, start=start)
    birth(diary)
    won = diary.elect(0.2, "node-1", 1, yes=FIVE[1:])
    diary.crown(won, "node-1", 1, FIVE)
    diary.beats("node-1", 1, won, 0.6)
    diary.fault(0.62, "kill", "node-1")
    diary.elect(0.95, "node-2", 2, yes=("node-3",), no=("node-4", "node-5"))
    diary.elect(0.954, "node-4", 2, yes=("node-5",), no=("node-2", "node-3"))
    won = diary.elect(1.25, "node-5", 3, yes=("node-2", "node-3", "node-4"))
    diary.crown(won, "node-5", 3, FIVE[1:])
    diary.beats("node-5", 3, won, 1.7, reached=FIVE[1:])
    return diary.done()


def two_leaders() -> list[Event]:
    """A cut leaves the old leader with a minority; both sides have a leader until it heals, and a write is lost."""
    diary = Diary(FIVE, seed=3)
    birth(diary)
    won = diary.elect(0.2, "node-1", 1, yes=FIVE[1:])
    diary.crown(won, "node-1", 1, FIVE)
    diary.beats("node-1", 1, won, 0.7)
    diary.put(0.4, "node-1", "x", 1)
    diary.replicate(0.405, "node-1", 1, 2, FIVE)
    diary.fault(0.7, "partition", groups=[["node-1", "node-2"], ["node-3", "node-4", "node-5"]])
    diary.beats("node-1", 1, 0.74, 1.6, reached=("node-1", "node-2"))
    diary.put(0.9, "node-1", "x", 5)
    diary.replicate(0.905, "node-1", 1, 3, ("node-2",))
    won = diary.elect(1.08, "node-4", 2, yes=("node-3", "node-5"))
    diary.crown(won, "node-4", 2, ("node-3", "node-5"))
    diary.beats("node-4", 2, won, 1.6, reached=("node-3", "node-4", "node-5"))
    diary.put(1.3, "node-4", "x", 7)
    diary.replicate(1.305, "node-4", 2, 3, ("node-3", "node-5"))
    diary.put(1.45, "node-2", "y", 1, "failed", took=0.01)
    diary.fault(1.62, "heal")
    diary.beats("node-4", 2, 1.66, 2.2)
    diary.note(1.672, "node-1", "state", term=2, vote=None)
    diary.note(1.672, "node-1", "stepped_down", term=1)
    diary.note(1.673, "node-1", "following", leader="node-4", term=2)
    diary.note(1.674, "node-2", "following", leader="node-4", term=2)
    diary.replicate(1.69, "node-4", 2, 3, ("node-1", "node-2"), count=2)
    for node in ("node-1", "node-2"):
        diary.note(1.7, node, "truncated", after=2)
        diary.note(1.7, node, "write_lost", op="put", key="x", value=5, index=3, term=1)
    return diary.done()


def crash_and_restart() -> list[Event]:
    """Three nodes, faults of every kind: crash and restart, pause and resume, delay, loss, duplicates."""
    diary = Diary(THREE, seed=4)
    for node in THREE:
        diary.fault(0.0, "start", node)
        diary.note(0.05, node, "started", election="Raft", mode="async")
    won = diary.elect(0.3, "node-3", 1, yes=THREE[:2])
    diary.crown(won, "node-3", 1, THREE)
    diary.beats("node-3", 1, won, 0.9)
    diary.fault(0.5, "delay", replication_delay_ms=100, jitter_ms=20)
    diary.put(0.55, "node-3", "key", "value")
    diary.send(0.56, "node-3", "node-1", "Replicate", delay=0.11, term=1, count=1)
    diary.send(0.56, "node-3", "node-2", "Replicate", delay=0.1, copies=2, term=1, count=1)
    diary.fault(0.8, "delay", replication_delay_ms=0, jitter_ms=0)
    diary.fault(0.93, "crash", "node-3")
    diary.put(1.0, "node-3", "late", 2, "none")
    won = diary.elect(1.3, "node-1", 2, yes=("node-2",))
    diary.crown(won, "node-1", 2, THREE[:2])
    diary.beats("node-1", 2, won, 1.75, reached=THREE[:2])
    diary.fault(1.7, "restart", "node-3")
    diary.note(1.72, "node-3", "recovered", entries=4, keys=3, term=1)
    diary.note(1.8, "node-3", "following", leader="node-1", term=2)
    diary.fault(1.9, "loss", drop=0.2, duplicate=0.1)
    diary.beats("node-1", 2, 1.8, 2.4)
    diary.send(2.0, "node-1", "node-3", "Snapshot", term=2, count=3)
    diary.note(2.02, "node-3", "installed_snapshot", index=9, keys=3)
    diary.fault(2.2, "pause", "node-2")
    diary.put(2.3, "node-1", "k", 3, "unknown", took=0.2)
    diary.fault(2.5, "resume", "node-2")
    diary.note(2.55, "node-2", "wondered", about='<everything> & "nothing"')
    diary.send(2.6, "node-1", "node-2", "Replicate", delay=1.0, term=2, count=7)
    return [event for event in diary.done() if event.time < 2.65]
