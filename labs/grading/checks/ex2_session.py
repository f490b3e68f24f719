"""Users' sessions of Exercise 2 beside another client's writes, and what they read that they should not have.

Law of this module: what is said of a read is compared with the cluster's own answers. The guarantees are judged by
`labs.history.sessions`, which accuses nobody without proof.
"""

from __future__ import annotations

from random import Random
from typing import Any

from labs.cluster.base import Answer, Outcome
from labs.cluster.simulated import SimulatedCluster
from labs.grading.check import CheckOutcome, StudentCode, StudentObject, failed
from labs.grading.checks.clusters import Kind, make, scene
from labs.grading.cluster_gateway import ClusterCall, ClusterGateway
from labs.grading.dice import mixed
from labs.history.operations import Operation
from labs.history.sessions import MONOTONIC_READS, READ_YOUR_WRITES, violations_of
from labs.history.versions import Sources
from replstore.core.lowest_id import LowestId

KIND = Kind(3, "async", LowestId, "LowestId")
ALLOWED = ("put", "get", "delete", "leader", "now", "sleep", "status")
KEYS = ("a", "b", "c")

OWN, SEEN = "own", "seen"
GUARANTEES = {OWN: READ_YOUR_WRITES, SEEN: MONOTONIC_READS}
CHECKS = {OWN: "read-your-writes", SEEN: "monotonic-reads"}

EntryVersion = tuple[int, int]


class Scenario:
    """Some users' sessions beside another client's writes, over followers that are behind."""

    def __init__(
        self, code: StudentCode, seed: int, number: int, delay: float = 0, jitter: float = 0, users: int = 1
    ) -> None:
        """`number` tells the scenarios of one seed apart."""
        self.seed = seed
        self.rng = Random(mixed(f"session/{10 * seed + number}", code.dice))
        self.cluster = make(KIND, 10 * seed + number, dice=code.dice)
        self.cluster.delay_replication(delay, jitter)
        self.gateway = ClusterGateway(self.cluster, ALLOWED)
        self.users: list[StudentObject] = [code.create("Session", self.gateway) for _ in range(users)]
        self.operations: list[Operation] = []
        self.answers: dict[str, str] = {}
        """What is wrong with an answer whatever was read or written before: the first of each kind."""
        self.asked: list[tuple[bool, bool]] = []
        """Of each `get`: whether a follower was asked for the key, and whether the leader was."""

    @property
    def user(self) -> StudentObject:
        return self.users[0]

    def failed(self, check: str, message: str, share: float = 0.0) -> CheckOutcome:
        """With the way back here: the cluster as it is now, and the command."""
        replay = f"replab check ex2 --only ex2.{check} --seed {self.seed}"
        return failed(message, share=share, scene=scene(self.cluster), replay=replay)

    # -- steps ----------------------------------------------------------------------------------------

    def play(self, steps: int) -> None:
        for number in range(steps):
            key, draw = self.rng.choice(KEYS), self.rng.random()
            who = self.rng.randrange(len(self.users))
            if draw < 0.25:
                self.put(key, f"mine {number}", who)
            elif draw < 0.4:
                self.write_as_another(key, f"theirs {number}")
            else:
                self.get(key, who)
            self.cluster.sleep(self.rng.choice([0, 0.02, 0.1, 0.3]))

    def put(self, key: str, value: Any, who: int = 0) -> None:
        began = self.cluster.now()
        acknowledged, written = self.try_to_put(key, value, who)
        if not written:
            self._wrong(OWN, f"put({key!r}, …) returned, and no write of it was acknowledged")
        elif acknowledged is not True:
            self._wrong(OWN, f"put({key!r}, …) returned {acknowledged!r:.100}, though it was acknowledged")
        # Whatever the session makes of it: what the cluster acknowledged was written.
        client = _name(who) if written and acknowledged is True else "nobody"
        self._note_write(client, key, value, began, written[-1] if written else None)

    def try_to_put(self, key: str, value: Any, who: int = 0) -> tuple[Any, list[Answer]]:
        """What the session says, and those of the cluster's answers that acknowledge a write."""
        before = len(self.gateway.calls)
        acknowledged = self.users[who].call("put", key, value)
        puts = [call.result for call in self.gateway.calls[before:] if call.method == "put"]
        return acknowledged, [answer for answer in puts if isinstance(answer, Answer) and answer.ok]

    def write_as_another(self, key: str, value: Any) -> None:
        began = self.cluster.now()
        answer = self.cluster.put(key, value)
        self._note_write("another client", key, value, began, answer if answer.ok else None)

    def _note_write(self, client: str, key: str, value: Any, began: float, answer: Answer | None) -> None:
        term, index = version_of(answer) if answer else (None, None)
        outcome, node = (Outcome.OK, answer.node) if answer else (Outcome.UNKNOWN, None)
        self.operations.append(
            Operation(client, "put", key, value, began, self.cluster.now(), outcome, node=node, term=term, index=index)
        )

    def get(self, key: str, who: int = 0) -> Any:
        before, began = len(self.gateway.calls), self.cluster.now()
        value = self.users[who].call("get", key)
        calls = [call for call in self.gateway.calls[before:] if call.method == "get"]
        self.asked.append(_asked(calls, key, self.cluster))
        node = calls[-1].result.node if calls and isinstance(calls[-1].result, Answer) else None
        if value is not None and type(value) not in (str, int):
            self._nobody_wrote(key, value, who)  # all that is written here are texts and whole numbers
            return value
        read = Operation(
            _name(who), "get", key, None, began, self.cluster.now(), Outcome.OK, value, value is not None, node
        )
        if not Sources(self.operations).of_read(read):
            self._nobody_wrote(key, value, who)
        self.operations.append(read)
        return value

    def _nobody_wrote(self, key: str, value: Any, who: int) -> None:
        """It is neither what was read before, or newer, nor what the session itself wrote, or newer."""
        text = f"get({key!r}) gave {value!r:.100}, which nobody ever wrote"
        self._wrong(SEEN, text)
        if any(op.client == _name(who) and op.key == key and not op.is_read for op in self.operations):
            self._wrong(OWN, text)

    def _wrong(self, guarantee: str, text: str) -> None:
        self.answers.setdefault(guarantee, text)

    # -- judging --------------------------------------------------------------------------------------

    def problem(self, guarantee: str) -> str | None:
        """What broke the guarantee (`OWN`, `SEEN`); None: nothing did."""
        if guarantee in self.answers:
            return self.answers[guarantee]
        found = violations_of(GUARANTEES[guarantee], self.operations)
        return found[0].sentence if found else None


def version_of(answer: Answer) -> EntryVersion:
    return answer.body["term"], answer.body["index"]


def _name(who: int) -> str:
    return f"session {who + 1}"


def _asked(gets: list[ClusterCall], key: str, cluster: SimulatedCluster) -> tuple[bool, bool]:
    leader = cluster.leader()
    asked = [call.arguments.get("via") for call in gets if call.arguments.get("key") == key]
    return any(node not in (None, leader) for node in asked), any(node in (None, leader) for node in asked)
