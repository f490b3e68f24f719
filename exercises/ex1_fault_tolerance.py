"""Exercise 1: what still works when nodes stop?

You get a running `cluster` and may do to it whatever you like. The verbs you need:

    cluster.node_ids                      ("node-1", "node-2", "node-3"); five nodes are possible, too
    cluster.stop(node), cluster.start(node)
    cluster.put(key, value)               finds the leader by itself; .ok tells whether it worked
    cluster.get(key, via=node)            asks one node; .ok, .value, and .code 404 where there is no such key
    cluster.delete(key)
    cluster.leader()                      who leads now, or None
    cluster.wait_for(condition, timeout)  asks condition(cluster) until it is true; raises ConditionTimeout
    cluster.sleep(seconds), cluster.now() the cluster's own time
    cluster.settings.election_timeout     in seconds

Run it:    pytest exercises/ -k ex1        or        replab check ex1
"""

from __future__ import annotations

from typing import TypedDict

from labs import Cluster


class Row(TypedDict):
    """What still worked while the nodes in `stopped` were down."""

    stopped: list[str]
    reads: bool
    """A key written before could be read at one of the running nodes at least."""
    writes: bool
    """`cluster.put` was acknowledged."""
    leader: str | None
    """Who leads once everything has settled, two election timeouts after the stop; None: nobody does."""
    leaderless_seconds: float | None
    """How long the store was without a leader after the stop: 0 where it never was, None where `leader` is None."""


class Verdict(TypedDict):
    survives: bool
    reason: str
    """In a sentence: what you saw."""


def availability(cluster: Cluster) -> list[Row]:
    """(a) [30 points] Stop each set of nodes, look what works, start them again; one row for each set.

    The sets: none; each single node; each pair of the first three nodes. Give a cluster without a leader ten election
    timeouts before you say that none came, and let everybody catch up before the next set.

    What is expected: a set counts if its nodes are down together for at least one election timeout (so does not the
    moment between two stops). Read and write while they are down: a row about which nobody asked is not right. The key
    that you read was written before the stop. A write whose outcome is unknown was not acknowledged. A leader that is
    left without a majority may need two election timeouts to notice; then it leads no longer. Times may be wrong by a
    quarter of a second. Two rows for one set are wrong; rows for further sets do no harm.
    """
    raise NotImplementedError("availability")


def survives(cluster: Cluster) -> Verdict:
    """(b) [70 points] Your own acceptance test: does this store keep what it promises?

    * it goes on when any one node stops, and elects a new leader when that was the leader
    * what it acknowledged and had time to copy (two election timeouts) is still there then, deletes included
    * a node that comes back catches up with what it missed, and the cluster has one leader
    * what it acknowledged is still there after all nodes were stopped and started again

    You will be given good clusters and secretly broken ones: one that drops deletes, one that forgets after a restart,
    one whose returning nodes stay stale, one that takes writes at two leaders, one that acknowledges long before it
    writes, one that loses a write now and then (say every tenth), one that stands still when a node stops. Some hide
    it. Perhaps only one of the nodes drops deletes, stays stale or must not stop, and it may be one that never leads.
    A deleted key may be gone until its node starts again. A restart may cost the newest writes alone. A node that comes
    back may follow what is new and never get what it missed. The data of a store with two leaders may agree everywhere,
    and one of the two may lead in a term of the past. Say which is which.

    What is expected: True for a store that keeps all this, False for one that does not. There are three or five nodes,
    and two stopped ones need not be survived. Writing is refused for a moment after the leader has stopped:
    `cluster.put` waits for a new one by itself. You have 600 s of the cluster's own time.
    """
    raise NotImplementedError("survives")
