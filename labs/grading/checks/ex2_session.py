"""A user's session of Exercise 2 beside another client's writes, and what it read that it should not have.

Law of this module: what is said of a read is compared with the cluster's own answers and logs.
"""

from __future__ import annotations

from random import Random
from typing import Any

from labs.cluster.base import Answer
from labs.cluster.simulated import SimulatedCluster
from labs.grading.check import CheckOutcome, StudentCode, StudentObject, failed
from labs.grading.checks.clusters import Kind, make, scene
from labs.grading.cluster_gateway import ClusterCall, ClusterGateway
from replstore.core.lowest_id import LowestId

KIND = Kind(3, "async", LowestId, "LowestId")

EntryVersion = tuple[int, int]


class Scenario:
    """A user's session beside another client's writes, over followers that are behind."""

    def __init__(self, code: StudentCode, seed: int, number: int, delay: float, jitter: float) -> None:
        """`number` tells the scenarios of one seed apart."""
        self.seed = seed
        self.rng = Random(f"session/{10 * seed + number}")
        self.cluster = make(KIND, 10 * seed + number)
        self.cluster.delay_replication(delay, jitter)
        allowed = ("put", "get", "delete", "leader", "now", "sleep", "status")
        self.gateway = ClusterGateway(self.cluster, allowed)
        self.user: StudentObject = code.create("Session", self.gateway)
        self.versions: dict[tuple[str, Any], EntryVersion] = {}
        self.own: dict[str, EntryVersion] = {}
        self.seen: dict[str, EntryVersion] = {}
        self.problems: dict[str, str] = {}
        self.gets: list[tuple[int, int]] = []

    def failed(self, check: str, message: str, share: float = 0.0) -> CheckOutcome:
        """With the way back here: the cluster as it is now, and the command."""
        replay = f"replab check ex2 --only ex2.{check} --seed {self.seed}"
        return failed(message, share=share, scene=scene(self.cluster), replay=replay)

    def play(self, steps: int) -> None:
        for number in range(steps):
            key = self.rng.choice(["a", "b", "c"])
            draw = self.rng.random()
            if draw < 0.25:
                self.put(key, f"mine {number}")
            elif draw < 0.4:
                self.write_as_another(key, f"theirs {number}")
            else:
                self.get(key)
            self.cluster.sleep(self.rng.choice([0, 0.02, 0.1, 0.3]))

    def put(self, key: str, value: str) -> None:
        acknowledged, written = self.try_to_put(key, value)
        if written:  # whatever the session makes of it
            self.versions[key, value] = version_of(written[-1])
        if not written:
            self.problems.setdefault("own", f"put({key!r}, …) returned, and no write of it was acknowledged")
            return
        if acknowledged is not True:
            self.problems.setdefault(
                "own", f"put({key!r}, …) returned {acknowledged!r:.100}, though it was acknowledged"
            )
            return
        version = self.versions[key, value]
        self.own[key] = max(self.own.get(key, (0, 0)), version)
        self.seen[key] = max(self.seen.get(key, (0, 0)), version)

    def try_to_put(self, key: str, value: str) -> tuple[Any, list[Answer]]:
        """What the session says, and those of the cluster's answers that acknowledge a write."""
        before = len(self.gateway.calls)
        acknowledged = self.user.call("put", key, value)
        puts = [call.result for call in self.gateway.calls[before:] if call.method == "put"]
        return acknowledged, [answer for answer in puts if isinstance(answer, Answer) and answer.ok]

    def write_as_another(self, key: str, value: str) -> None:
        answer = self.cluster.put(key, value)
        if answer.ok:
            self.versions[key, value] = version_of(answer)

    def get(self, key: str) -> None:
        before = len(self.gateway.calls)
        value = self.user.call("get", key)
        calls = self.gateway.calls[before:]
        self.gets.append((_asked_leader(calls, self.cluster), len(calls)))
        version = (0, 0) if value is None else self._version_of(key, value)
        if version is None:
            self.problems.setdefault("seen", f"get({key!r}) gave {value!r}, which nobody ever wrote")
            return
        if version < self.own.get(key, (0, 0)):
            self.problems.setdefault("own", f"get({key!r}) gave {value!r}, older than this session's own last write")
        elif version < self.seen.get(key, (0, 0)):
            self.problems.setdefault(
                "seen", f"get({key!r}) gave {value!r}, older than what this session had read before"
            )
        self.seen[key] = max(self.seen.get(key, (0, 0)), version)

    def _version_of(self, key: str, value: Any) -> EntryVersion | None:
        """Of the writes of this value the newest: an acknowledged one, or one that some node has in its log, though
        nobody was told so. None: nobody ever wrote it."""
        if type(value) is not str:
            return None  # all that is written here are texts
        entries = [
            (entry.term, entry.index)
            for host in self.cluster.simulator.hosts.values()
            if host.node is not None
            for entry in host.node.log.after(host.node.log.base.index)
            if (entry.op, entry.key) == ("put", key) and entry.value == value
        ]
        known = self.versions.get((key, value))
        return max([*entries, *([known] if known else [])], default=None)


def version_of(answer: Answer) -> EntryVersion:
    return answer.body["term"], answer.body["index"]


def _asked_leader(calls: list[ClusterCall], cluster: SimulatedCluster) -> int:
    leader = cluster.leader()
    return sum(call.method == "get" and call.arguments.get("via") in (None, leader) for call in calls)
