"""Exercise 2: followers are behind. By how much, and how can a client live with it?

    cluster.delay_replication(ms, jitter_ms=0)   holds back every copy on its way to the followers
    cluster.put(key, value)                      .ok, and in .body the entry's "term" and "index"
    cluster.get(key, via=node)                   .ok, .value, .code; in .body the "term" and "index" of what was read
    cluster.leader(), cluster.node_ids, cluster.now(), cluster.sleep(seconds)

Of two values of one key the newer has the greater pair (term, index).

Run it:    pytest exercises/ -k ex2        or        replab check ex2
"""

from __future__ import annotations

from typing import Any, TypedDict

from labs import Cluster


class Sample(TypedDict):
    node: str
    stale: bool
    """The first read, made right after the write was acknowledged, did not give the new value."""
    seconds: float
    """From the acknowledgement until this node gave the new value (0 where the first read already did)."""


def staleness(cluster: Cluster, delay_ms: float) -> list[Sample]:
    """(a) [25 points] Delay replication by `delay_ms`, write, and read at once from every follower, again and again
    until the new value appears. Do that for ten writes; one sample for each write and follower. Undo the delay in the
    end.

    What is expected: samples of followers only, whoever leads (it need not be node-1). Copies take the delay and
    irregularly more, so measure. Times may be wrong by 0.15 s.
    """
    raise NotImplementedError("staleness")


def stale_fraction(samples: list[Sample]) -> float:
    """(b) [10 points] The share of samples whose first read was stale, 0 to 1; 0 where there are no samples."""
    raise NotImplementedError("stale_fraction")


class Session:
    """(c) [65 points] One user's session: many reads, some writes, on followers that are behind.

    * *read your writes*: after `put(key, value)` was acknowledged, `get(key)` gives that value or a newer one
    * *monotonic reads*: what `get(key)` gave once, a later `get(key)` never goes behind
    * it reads from followers whenever it may: a session that always asks the leader works, but loses points
    * if a write was lost in a fail-over, and even the leader does not have it any more, `get` gives what the leader has

    What is expected: `get` asks a node each time, so that it sees what others wrote. Where followers have what the
    session may be shown, they alone answer at least half of the reads. Several sessions share nothing: what one has
    seen does not bind the other. A node that comes back may hold writes that were lost: their index may be higher than
    that of newer entries, their term is lower.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def put(self, key: str, value: Any) -> bool:
        """Write; returns whether it was acknowledged."""
        raise NotImplementedError("Session.put")

    def get(self, key: str) -> Any:
        """The key's value, None where it has none."""
        raise NotImplementedError("Session.get")
