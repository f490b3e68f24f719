"""Exercise 2 in another way: one token for the whole session, compared with how far each node's log is committed.

A follower that has committed as much as the session has seen cannot show it anything older, unless it holds a branch
that was given up: the term in `status` is the node's, not the entry's. So the term of each answer is compared, too.
"""

from __future__ import annotations

from typing import Any

from labs import Cluster

# -- (a), (b) --------------------------------------------------------------------------------------------


def staleness(cluster: Cluster, delay_ms: float) -> list[dict[str, Any]]:
    """All followers are asked in rounds, a fiftieth of a second apart."""
    leader = cluster.wait_for(lambda c: c.leader())
    followers = [node for node in cluster.node_ids if node != leader]
    cluster.delay_replication(delay_ms)
    samples: list[dict[str, Any]] = []
    for number in range(10):
        assert cluster.put(f"probe-{number}", number, via=leader).ok
        since = cluster.now()
        seen: dict[str, dict[str, Any]] = {}
        rounds = 0
        while len(seen) < len(followers):
            for node in followers:
                if node not in seen and cluster.get(f"probe-{number}", via=node).code == 200:
                    seen[node] = {"node": node, "stale": rounds > 0, "seconds": cluster.now() - since}
            rounds += 1
            cluster.sleep(0.02)
        samples += seen.values()
    cluster.delay_replication(0)
    return samples


def stale_fraction(samples: list[dict[str, Any]]) -> float:
    stale = [sample for sample in samples if sample["stale"]]
    return len(stale) / max(1, len(samples))


# -- (c) -------------------------------------------------------------------------------------------------


class Session:
    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.token = (0, 0)
        self.terms: dict[str, int] = {}

    def put(self, key: str, value: Any) -> bool:
        answer = self.cluster.put(key, value)
        if answer.ok:
            self.token = max(self.token, (answer.body["term"], answer.body["index"]))
            self.terms[key] = answer.body["term"]
        return answer.ok

    def get(self, key: str) -> Any:
        states = self.cluster.status()
        for node, state in states.items():
            committed = (state.term or 0, state.raw.get("commit_index", 0))
            if state.role == "follower" and state.leader_id and committed >= self.token:
                answer = self.cluster.get(key, via=node)
                if answer.ok and answer.body.get("term", 0) >= self.terms.get(key, 0):
                    self.token = max(self.token, committed)
                    self.terms[key] = answer.body.get("term", 0)
                    return answer.value
        return self._ask_the_leader(key)

    def _ask_the_leader(self, key: str) -> Any:
        """What it does not have, nobody has: its present is the session's, even if that is behind the token."""
        answer = self.cluster.get(key)
        leader = self.cluster.leader()
        if leader is not None:
            state = self.cluster.status()[leader]
            self.token = (state.term or 0, state.raw["commit_index"])
            self.terms[key] = answer.body.get("term", 0)
        return answer.value
