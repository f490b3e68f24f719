"""Level `faults`: what a cluster does when nodes are killed, paused or cut off, and when messages are lost, repeated or
late. Mode `async`, as in the lesson.

Law of this module: nothing is asked that `async` does not promise. A write that only a dead or deposed leader had may
be lost; afterwards all nodes must hold the same.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from labs.cluster.base import NodeStatus
from labs.conform.bench import TimedCluster
from labs.conform.check import Level, NotAsSaid, TooLate
from labs.conform.scene import MISSING, Scene, agreed, agreed_among, path_of, running, same

FAULTS = Level("faults")
COPIED_WITHIN = 3.0
"""Seconds in which data must have reached every node that can be reached."""
WRITE_WITHIN = 0.5
"""Seconds that a leader may take over a write when a follower does not answer."""
LOSS = 0.3
LATEST_MS = 300

_LEADS = ("elects",)


def another_leads(than: str, term: int, names: list[str]) -> Any:
    """A condition: these nodes agree on a leader other than `than`, in a later term."""

    def later_leader(cluster: TimedCluster) -> str | None:
        seen = [status for status in cluster.status().values() if status.node_id in names]
        leader = agreed_among(seen)
        return leader if leader not in (None, than) and all((s.term or 0) > term for s in seen) else None

    return later_leader


def status_of(scene: Scene, node: str) -> NodeStatus:
    return scene.cluster.status()[node]


def term_of(scene: Scene, node: str) -> int:
    return status_of(scene, node).term or 0


@FAULTS.check("Without anybody's help one node comes to lead, and the others follow it in the same term.")
def elects(scene: Scene) -> None:
    if scene.bench.without_leader:
        raise NotAsSaid(scene.bench.without_leader)
    scene.settle()


# -- the leader goes --------------------------------------------------------------------------------------


@FAULTS.check(
    "When the leader is killed, the others elect one of them in a later term, and it takes writes.",
    points=3,
    needs=_LEADS,
    hint="The timer starts anew with each heartbeat; the leader's silence must be noticed after ELECTION_TIMEOUT_MS.",
)
def killed_leader(scene: Scene) -> None:
    leader = scene.settle()
    term = term_of(scene, leader)
    scene.write(leader, "kept", 1)
    scene.within(COPIED_WITHIN, "the write is on every node", scene.all_have({"kept": 1}))
    scene.do(f"kill {leader}", lambda: scene.cluster.kill(leader))
    rest = scene.others(leader)
    new = scene.within(scene.cluster.election_allowed, "a new leader", another_leads(leader, term, rest))
    scene.write(new, "after", 2)
    scene.within(COPIED_WITHIN, "old and new data on both", scene.all_have({"kept": 1, "after": 2}, rest))


@FAULTS.check(
    "A node that was killed comes back as a follower, and gets what it missed without a new write.",
    points=3,
    needs=("killed-leader",),
    hint="The answer to a heartbeat can say how far a follower is.",
)
def returning(scene: Scene) -> None:
    leader = scene.settle()
    back = scene.others(leader)[0]
    scene.write(leader, "missed-delete", 1)
    scene.within(COPIED_WITHIN, "the write is on every node", scene.all_have({"missed-delete": 1}))
    scene.do(f"kill {back}", lambda: scene.cluster.kill(back))
    for number in range(3):
        scene.write(leader, f"missed-{number}", number)
    scene.delete(leader, "missed-delete")
    term = term_of(scene, leader)
    scene.do(f"start {back}", lambda: scene.cluster.start(back))
    scene.within(scene.cluster.election_allowed, f"{back} follows", lambda cluster: agreed(cluster) == leader)
    scene.expect(term_of(scene, leader) == term, f"the return of a node cost a term: {scene.seen()}")
    wanted = {f"missed-{number}": number for number in range(3)} | {"missed-delete": MISSING}
    scene.within(COPIED_WITHIN, f"{back} has what it missed", scene.all_have(wanted, [back]))


@FAULTS.check(
    "When the leader is paused, the others elect one; when it wakes up, it follows, and what was written stays.",
    points=3,
    needs=("killed-leader",),
    hint="A paused node refuses nothing and answers nothing: every request to a peer needs a time limit. A leader that "
    "meets a higher term follows it.",
)
def paused_leader(scene: Scene) -> None:
    leader = scene.settle()
    term = term_of(scene, leader)
    scene.do(f"pause {leader}", lambda: scene.cluster.pause(leader))
    rest = scene.others(leader)
    new = scene.within(scene.cluster.election_allowed, "a new leader", another_leads(leader, term, rest))
    scene.write(new, "meanwhile", "new")
    scene.do(f"resume {leader}", lambda: scene.cluster.resume(leader))
    scene.within(scene.cluster.election_allowed, "one leader", another_leads("", term, list(scene.nodes)))
    scene.within(COPIED_WITHIN, "the write of the meantime is on every node", scene.all_have({"meanwhile": "new"}))


@FAULTS.check(
    "When the leader is cut off, the other side elects a leader in a later term; after the cut one leader remains.",
    points=3,
    needs=("killed-leader",),
)
def cut_leader(scene: Scene) -> None:
    leader = scene.settle()
    term = term_of(scene, leader)
    rest = scene.others(leader)
    scene.do(f"cut {leader} off", lambda: scene.cluster.partition([leader], rest))
    new = scene.within(scene.cluster.election_allowed, "a leader of the others", another_leads(leader, term, rest))
    scene.write(new, "side", "majority")
    scene.put(leader, "side", "minority")  # whether it takes this is its own affair
    scene.do("heal", scene.cluster.heal)
    scene.within(scene.cluster.election_allowed, "one leader", another_leads("", term, list(scene.nodes)))
    _all_alike(scene, ["side"])


@FAULTS.check(
    "When a follower hears nothing but is heard (a cut in one direction), one leader remains after the cut.",
    needs=("cut-leader",),
)
def one_way_cut(scene: Scene) -> None:
    leader = scene.settle()
    deaf = scene.others(leader)[-1]
    scene.do(f"cut {leader} to {deaf}", lambda: scene.cluster.cut(leader, deaf))
    scene.cluster.sleep(1.5 * scene.cluster.settings.election_timeout)
    scene.do("heal", scene.cluster.heal)
    final = scene.within(scene.cluster.election_allowed, "one leader", agreed)
    scene.write(str(final), "healed", 1)
    scene.within(COPIED_WITHIN, "the next write is on every node", scene.all_have({"healed": 1}))


# -- a follower goes --------------------------------------------------------------------------------------


@FAULTS.check(
    "A follower that is dead does not hold up writes, nor the other follower.",
    points=2,
    needs=_LEADS,
)
def dead_follower(scene: Scene) -> None:
    _writes_go_on(scene, "kill", lambda cluster, node: cluster.kill(node))


@FAULTS.check(
    "A follower that is paused does not hold up writes, nor the other follower.",
    points=2,
    needs=_LEADS,
    hint="Send to each follower on its own, and do not wait for one before you turn to the next.",
)
def paused_follower(scene: Scene) -> None:
    _writes_go_on(scene, "pause", lambda cluster, node: cluster.pause(node))


def _writes_go_on(scene: Scene, what: str, end: Any) -> None:
    leader = scene.settle()
    term = term_of(scene, leader)
    gone, other = scene.others(leader)
    scene.do(f"{what} {gone}", lambda: end(scene.cluster, gone))
    slowest, ended = 0.0, time.monotonic() + 1.5 * scene.cluster.settings.election_timeout
    number = 0
    while time.monotonic() < ended:
        number += 1
        reply = scene.put(leader, what, number)
        slowest = max(slowest, reply.seconds)
        scene.expect(reply.code == 200, f"write {number} was not taken while {gone} was away: {scene.seen()}")
        if slowest > WRITE_WITHIN:
            raise TooLate(f"a write took {slowest:.2f} s while {gone} did not answer; allowed are {WRITE_WITHIN:g} s")
        scene.cluster.sleep(scene.cluster.settings.heartbeat_ms / 1000)
    scene.measured.append(f"the slowest of {number} writes took {slowest:.3f} s, allowed {WRITE_WITHIN:g} s")
    scene.within(COPIED_WITHIN, f"{other} has the last write", scene.all_have({what: number}, [other]))
    seen = [status_of(scene, node) for node in (leader, other)]
    quiet = agreed_among(seen) == leader and seen[0].term == term
    scene.expect(quiet, f"while {gone} was away, the others held an election: {scene.seen()}")


# -- data -------------------------------------------------------------------------------------------------


@FAULTS.check("A DELETE reaches every follower, like a write.", points=2, needs=_LEADS)
def deletes(scene: Scene) -> None:
    leader = scene.settle()
    scene.write(leader, "short-lived", 1)
    scene.within(COPIED_WITHIN, "the write is on every node", scene.all_have({"short-lived": 1}))
    scene.delete(leader, "short-lived")
    scene.within(COPIED_WITHIN, "it is gone everywhere", scene.all_have({"short-lived": MISSING}))


@FAULTS.check(
    "Messages that are repeated change nothing: all nodes end with the leader's data.",
    needs=("deletes",),
)
def repeated(scene: Scene) -> None:
    leader = scene.settle()
    scene.do("repeat each message", lambda: scene.cluster.lose_messages(0, 1.0))
    _write_much(scene, leader)
    scene.do("repeat no more", lambda: scene.cluster.lose_messages(0))
    _all_alike(scene, _KEYS)


@FAULTS.check(
    "Messages that overtake each other do not bring old data back: all nodes end with the leader's data.",
    points=2,
    needs=("deletes",),
    hint="Number the changes, and let a follower ignore what is older than what it has.",
)
def overtaking(scene: Scene) -> None:
    leader = scene.settle()
    scene.do(f"hold each replicate back by 0 to {LATEST_MS} ms", lambda: scene.cluster.delay_replication(0, LATEST_MS))
    _write_much(scene, leader)
    scene.cluster.sleep(LATEST_MS / 1000)
    scene.do("hold nothing back", lambda: scene.cluster.delay_replication(0))
    _all_alike(scene, _KEYS)
    _overtake(scene, leader, lambda: scene.write(leader, "a", "newer"), {"a": "newer"})
    _overtake(scene, leader, lambda: scene.delete(leader, "a"), {"a": MISSING})


def _overtake(scene: Scene, leader: str, change: Callable[[], object], wanted: dict[str, Any]) -> None:
    """Hold a write to the same key back until `change`, which is made later, has arrived."""
    heartbeat = scene.cluster.settings.heartbeat_ms / 1000
    held = 4 * heartbeat
    scene.do(f"hold each replicate back by {held:.1f} s", lambda: scene.cluster.delay_replication(held * 1000))
    scene.write(leader, "a", "older")
    scene.cluster.sleep(1.5 * heartbeat)  # also a node that sends with its heartbeats has sent it then
    scene.do("hold nothing more back", lambda: scene.cluster.delay_replication(0))
    released = time.monotonic() + held
    change()
    scene.within(COPIED_WITHIN, "the newer change is on every node", scene.all_have(wanted))
    scene.cluster.sleep(max(0.0, released - time.monotonic()))
    _all_alike(scene, ["a"])


@FAULTS.check(
    "Messages that are lost are sent again: all nodes end with the same data.",
    points=2,
    needs=("deletes",),
)
def lost(scene: Scene) -> None:
    leader = scene.settle()
    scene.do(f"lose {LOSS:.0%} of all messages", lambda: scene.cluster.lose_messages(LOSS))
    _write_much(scene, leader, strict=False)
    scene.cluster.sleep(2 * scene.cluster.settings.heartbeat_ms / 1000)
    scene.do("lose no more", lambda: scene.cluster.lose_messages(0))
    scene.within(scene.cluster.election_allowed, "one leader", agreed)
    _all_alike(scene, _KEYS)


@FAULTS.check(
    "A replicate of a former leader that arrives late does not overwrite what its successor wrote.",
    points=3,
    needs=("killed-leader",),
    hint="Every message says its term; a node ignores what comes from an earlier one than its own.",
)
def late_replicate(scene: Scene) -> None:
    leader = scene.settle()
    term = term_of(scene, leader)
    cluster, rest = scene.cluster, scene.others(leader)
    scene.write(leader, "late", "first")
    scene.within(COPIED_WITHIN, "the first write is on every node", scene.all_have({"late": "first"}))
    held = 2 * cluster.settings.election_timeout + 1.0
    scene.do(f"hold each replicate back by {held:.1f} s", lambda: cluster.delay_replication(held * 1000))
    sent = time.monotonic()
    scene.write(leader, "late", "old")
    cluster.sleep(0.1)  # long enough for the message to be on its way
    scene.do(f"kill {leader}", lambda: cluster.kill(leader))
    scene.do("hold nothing more back", lambda: cluster.delay_replication(0))
    new = scene.within(cluster.election_allowed, "a new leader", another_leads(leader, term, rest))
    scene.write(new, "late", "new")
    scene.within(COPIED_WITHIN, "the new write is on both", scene.all_have({"late": "new"}, rest))
    if time.monotonic() > sent + held:
        raise TooLate(f"the new leader's write came after the message that was held back by {held:.1f} s")
    cluster.sleep(max(0.0, sent + held + 0.3 - time.monotonic()))
    late = [e for e in cluster.events() if e.event == "received" and e.peer == leader and e.time > scene.began + held]
    if not any(event.kind == "Replicate" for event in late):
        scene.measured.append("no message was held back: none was called /internal/replicate, so little was shown")
    for node in rest:
        told = scene.get(node, "late").body.get("value")
        scene.expect(told == "new", f"after the late message of {leader}, {node} has {told!r} instead of 'new'")


# -- the same everywhere ----------------------------------------------------------------------------------

_KEYS = ["a", "b", "c"]


def _write_much(scene: Scene, leader: str, strict: bool = True) -> None:
    """Many quick writes to few keys, the last of them a DELETE."""
    for number in range(24):
        (scene.write if strict else scene.put)(leader, _KEYS[number % len(_KEYS)], number)
    scene.delete(leader, _KEYS[-1])


def _all_alike(scene: Scene, keys: list[str]) -> None:
    """Each node has the leader's data, also a moment later."""
    leader = agreed(scene.cluster) or scene.within(scene.cluster.election_allowed, "one leader", agreed)
    what = "all nodes have the leader's data"
    scene.within(COPIED_WITHIN, what, lambda _: not _differing(scene, str(leader), keys))
    scene.cluster.sleep(2 * scene.cluster.settings.heartbeat_ms / 1000)
    later = _differing(scene, str(leader), keys)
    if later:
        raise NotAsSaid(f"all nodes had the same data, and then no more: {later}")


def _differing(scene: Scene, leader: str, keys: list[str]) -> str:
    """The first difference in words; empty if there is none."""
    cluster = scene.cluster
    for key in keys:
        told = {status.node_id: cluster.get(key, via=status.node_id) for status in running(cluster)}
        right = told[leader]
        for node, answer in told.items():
            if answer.code != right.code or not same(answer.value, right.value):
                bodies = json.dumps(answer.body), json.dumps(right.body)
                return f"{path_of(key)} of {node} is {bodies[0]}, of {leader} {bodies[1]}"
    return ""
