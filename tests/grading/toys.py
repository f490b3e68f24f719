"""A small suite for the grader's own tests: three toy exercises under the real ones' file names.

ex1: `double(n)`. ex2: `echo(cluster)` writes a key and says what it read and who leads. ex3: `MyElection`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from labs.cluster.base import Settings
from labs.cluster.simulated import SimulatedCluster
from labs.grading.check import Check, CheckOutcome, StudentCode, failed, passed
from labs.grading.cluster_gateway import ClusterGateway
from labs.grading.sandbox.limits import MIB, SandboxLimits
from labs.simulation.simulator import Simulator

SUITE_SPEC = "tests.grading.toys:SUITE"
QUICK = SandboxLimits(load=3, question=3, call=1.0, check=6, exercise=12, memory=256 * MIB, disk_bytes=4 * MIB)

GOOD_EX1 = "def double(n):\n    return 2 * n\n"
GOOD_EX2 = """\
from labs.cluster import Cluster

def echo(cluster: Cluster):
    leader = cluster.wait_for(lambda c: c.leader())
    cluster.put("name", "Alice")
    return {"value": cluster.get("name").value, "leader": leader}
"""
GOOD_EX3 = """\
from dataclasses import dataclass
from replstore.election import Election
from replstore.messages import Heartbeat, Message

@dataclass(frozen=True)
class Claim(Message):
    term: int
    names: tuple[str, ...] = ()

class MyElection(Election):
    heard = None

    def tick(self, now):
        if self.heard is None:
            self.heard = now + self.rng.random() * self.timeout
        if self.leader is None and now - self.heard > self.timeout and self.me == min(self.me, *self.peers):
            self.term += 1
            self.vote = (self.me, self.term)
            self.leader = self.me
            self.note("election_timeout")
            self.broadcast(Claim(self.term, (self.me,)))

    def receive(self, sender, message, now):
        self.heard = now
        if isinstance(message, Claim) and message.term > self.term:
            assert message.names == (sender,)
            self.term, self.leader = message.term, sender
        elif isinstance(message, Heartbeat) and message.term >= self.term:
            self.term, self.leader = message.term, sender
"""
GOOD = {
    "ex1_fault_tolerance.py": GOOD_EX1,
    "ex2_replication_lag.py": GOOD_EX2,
    "ex3_election.py": GOOD_EX3,
}


def doubles_seeds(code: StudentCode) -> CheckOutcome:
    right = [seed for seed in code.seeds if code.call("double", seed) == 2 * seed]
    if len(right) == len(code.seeds):
        return passed()
    return failed("not doubled", evidence=(f"right for {right}",), share=len(right) / len(code.seeds))


def doubles_text(code: StudentCode) -> CheckOutcome:
    answer = code.call("double", "ab")
    return passed() if answer == "abab" else failed(f"double('ab') gave {answer!r}", picture="<svg></svg>")


def answers_anything(code: StudentCode) -> CheckOutcome:
    code.call("double", 1)
    return passed()


def echoes(code: StudentCode) -> CheckOutcome:
    with SimulatedCluster(Settings(heartbeat_ms=100, election_timeout_ms=400)) as cluster:
        cluster.start()
        answer = code.call("echo", ClusterGateway(cluster))
        if answer == {"value": "Alice", "leader": "node-1"}:
            return passed()
        return failed(f"echo gave {answer!r}")


def elects(code: StudentCode) -> CheckOutcome:
    for seed in code.seeds:
        run = Simulator(3, code.elections(), seed=seed)
        run.start()
        run.run_for(1.5)
        leads = [node for node, host in run.hosts.items() if host.node and host.node.leads]
        if leads != ["node-1"]:
            return failed(f"leaders: {leads}", replay=f"replab check ex3 --seed {seed}")
    return passed()


def grader_breaks(code: StudentCode) -> CheckOutcome:
    raise ZeroDivisionError("a mistake of ours")


CHECKS = (
    Check("double", "ex1", "Doubles numbers", 4, doubles_seeds, rule="double(n) is 2n.", hint="Multiply."),
    Check("text", "ex1", "Doubles text", 2, doubles_text, depends_on=("double",)),
    Check("echo", "ex2", "Echoes", 3, echoes),
    Check("elects", "ex3", "Elects the lowest", 5, elects, rule="One leader."),
)
HIDDEN = Check("any", "ex1", "Answers at all", 1, answers_anything, hidden=True, rule="It answers.")
BROKEN = Check("broken", "ex1", "Breaks the grader", 1, grader_breaks)


class ToySuite:
    name = "toys 1"

    def __init__(self, *extra: Check, twice: bool = True) -> None:
        self._extra = extra
        self._twice = twice

    def checks(self, level: str, seeds: tuple[int, ...]) -> Sequence[Check]:
        checks = [*CHECKS, *self._extra, *([HIDDEN] if level == "instructor" else [])]
        return [replace(check, twice=self._twice) for check in checks]


SUITE = ToySuite()
ONCE = ToySuite(twice=False)
BROKEN_SUITE = ToySuite(BROKEN)
