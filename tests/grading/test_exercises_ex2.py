"""Exercise 2's checks: each mistake costs what it is about and nothing else. (Right designs get everything: see
`test_banks`, and with sandboxes `test_exercises_marks`.)"""

from __future__ import annotations

import pytest

from tools.direct import lost, outcome, planted, the_checks

GET = "    def get(self, key: str) -> Any:\n"
NEW_ENOUGH = "return key not in self._seen or (answer.code == 200 and _version(answer) >= self._seen[key])"
REMEMBER_WRITE = "            self._seen[key] = _version(answer)\n        return answer.ok"
TAKE = "    def _take(self, key: str, answer: Answer) -> Any:\n"
ASK_LEADER = "        return self._take(key, self.cluster.get(key))\n"
FIRST_LOOK = "    first = {node"
WAIT_FOR_LEADER = """\
        answer = self.cluster.get(key)
        while answer.code == 200 and not self._new_enough(key, answer):
            self.cluster.sleep(0.1)
            answer = self.cluster.get(key)
        return self._take(key, answer)
"""
NO_DELAY = "    cluster.delay_replication(0)\n"
ONE_BY_ONE = """\
    first = {}
    for node in waiting:
        first[node] = cluster.get("staleness", via=node).value != value
        cluster.wait_for(lambda c, node=node: c.get("staleness", via=node).value == value)
    unused = {node"""

MISTAKES: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "reads at the leader only": (
        "ex2.reads-followers",
        [(GET, f"{GET}        return self._take(key, self.cluster.get(key))\n")],
    ),
    "forgets what it wrote": ("ex2.read-your-writes", [(REMEMBER_WRITE, "            pass\n        return answer.ok")]),
    "forgets what it read": (
        "ex2.monotonic-reads",
        [
            (
                "        if answer.code == 200:\n            self._seen[key] = _version(answer)\n",
                "        if answer.ok:\n            pass\n",
            )
        ],
    ),
    "takes a missing key for an answer": (
        "ex2.read-your-writes",
        [(NEW_ENOUGH, "return key not in self._seen or answer.code == 404 or _version(answer) >= self._seen[key]")],
    ),
    "remembers a deleted key for ever": (
        "ex2.deletes",
        [
            (
                TAKE,
                f"{TAKE}        self.values = getattr(self, 'values', {{}})\n"
                "        if answer.code == 404:\n            return self.values.get(key)\n"
                "        self.values[key] = answer.value\n",
            )
        ],
    ),
    "writes back what it has read": (
        "ex2.deletes",
        [(TAKE, f"{TAKE}        if answer.code == 200:\n            self.cluster.put(key, answer.value)\n")],
    ),
    "waits for a write that was lost": ("ex2.fail-over", [(ASK_LEADER, WAIT_FOR_LEADER)]),
    "says that it wrote whatever came of it": (
        "ex2.fail-over",
        [("        return answer.ok\n", "        return True\n")],
    ),
    "looks for the first time after a wait": ("ex2.staleness", [(FIRST_LOOK, f"    cluster.sleep(0.3)\n{FIRST_LOOK}")]),
    "begins to count before the write": (
        "ex2.staleness",
        [
            ("    acknowledged = cluster.now()\n", ""),
            (
                '    cluster.put("staleness", value)\n',
                '    acknowledged = cluster.now() - 0.3\n    cluster.put("staleness", value)\n',
            ),
        ],
    ),
    "waits for one follower before it looks at the next": ("ex2.staleness", [(FIRST_LOOK, ONE_BY_ONE)]),
    "counts a first read as stale that was not": (
        "ex2.staleness",
        [("stale=False, seconds=0.0", "stale=True, seconds=0.0")],
    ),
    "forgets to delay replication": ("ex2.staleness", [("    cluster.delay_replication(delay_ms)\n", "")]),
    "takes the delay back before it writes": (
        "ex2.staleness",
        [("    cluster.delay_replication(delay_ms)\n", "    cluster.delay_replication(delay_ms)\n" + NO_DELAY)],
    ),
    "leaves the delay on": ("ex2.staleness", [("        cluster.delay_replication(0)\n", "        pass\n")]),
    "measures three writes": ("ex2.staleness", [("WRITES = 10", "WRITES = 3")]),
    "measures milliseconds": (
        "ex2.staleness",
        [("seconds=cluster.now() - acknowledged", "seconds=1000 * (cluster.now() - acknowledged)")],
    ),
    "divides by nothing where there are no samples": ("ex2.fraction", [(" if samples else 0.0", "")]),
    "gives a percentage": ("ex2.fraction", [("    return sum(sample", "    return 100 * sum(sample")]),
}


@pytest.mark.slow
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_solution_that(mistake: str) -> None:
    intended, changes = MISTAKES[mistake]

    assert lost("ex2", planted("ex2", *changes)).keys() == {intended}


@pytest.mark.slow
def test_a_session_that_does_not_say_that_it_wrote_is_not_told_that_nobody_wrote() -> None:
    """The write was acknowledged and is read later; what is wrong is the answer of `put` alone."""
    found = lost("ex2", planted("ex2", ("        return answer.ok\n", "        return None\n")))

    assert "ex2.monotonic-reads" not in found
    checks = the_checks("ex2")
    told = outcome(
        checks["ex2.read-your-writes"], planted("ex2", ("        return answer.ok\n", "        return None\n"))
    )
    assert all("though it was acknowledged" in line for line in told.evidence)
