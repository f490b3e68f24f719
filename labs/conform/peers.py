"""Level `peers`: the lab's own peer protocol, for nodes that are to live in one cluster with Python nodes.

Law of this module: everything that is asked stands in `docs/protocol.md` under "Between nodes". A node that answers a
heartbeat in its own way speaks another protocol, and is not wrong.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from labs.conform.check import Level, NotAsSaid, NotTried
from labs.conform.faults import COPIED_WITHIN, another_leads, term_of
from labs.conform.scene import MISSING, Scene, agreed, path_of
from labs.conform.scripted import EXAMINED, PATHS, Message, Peer, Script, Stage, messages_in

PEERS = Level("peers")
LEADER, OTHER = "node-1", "node-3"
NOTHING = [0, 0, ""]
PYTHON_NODE = [sys.executable, "-P", "-m", "replstore"]  # -P: not a replstore.py of the folder that is examined


def put(index: int, term: int, leader: str, key: str, value: Any) -> list[Any]:
    return [index, term, leader, "put", key, value]


def noop(index: int, term: int, leader: str) -> list[Any]:
    return [index, term, leader, "noop", "", None]


def expect(message: Message, **fields: Any) -> None:
    for name, value in fields.items():
        if message[name] != value:
            raise NotAsSaid(f"{message['type']}: {name} must be {value!r}, and is {message[name]!r}")


def heartbeat(peer: Peer, term: int, commit: list[Any] | None = None, round_number: int = 1) -> Message:
    return peer.ask("heartbeat", "heartbeat_reply", term=term, commit=commit or NOTHING, round=round_number)


def replicate(peer: Peer, term: int, prev: list[Any], entries: list[list[Any]], commit: int = 0) -> Message:
    return peer.ask("replicate", "replicated", term=term, prev=prev, entries=entries, commit=commit)


def on_stage(body: Callable[[Stage, Peer, Peer], None]) -> Callable[[Scene], None]:
    """A check with two scripted peers; `node-1` leads in term 3 at its beginning."""

    def run(scene: Scene) -> None:
        with Stage(scene) as stage:
            leader, other = stage.peers[LEADER], stage.peers[OTHER]
            heartbeat(leader, 3)
            body(stage, leader, other)

    run.__name__ = body.__name__
    return run


# -- following --------------------------------------------------------------------------------------------


@PEERS.check(
    "A heartbeat is answered with a heartbeat_reply: term, round, that it follows, and its log's end.",
    points=2,
    hint="An answer is a list of envelopes: [{from, id, message}].",
)
def heartbeats(scene: Scene) -> None:
    with Stage(scene) as stage:
        leader = stage.peers[LEADER]
        reply = leader.say("heartbeat", term=3, commit=NOTHING, round=1)
        if reply.code != 200 or not isinstance(reply.value, list):
            raise NotTried("the node answers a heartbeat of the lab's protocol in a way of its own")
        told = [one for one in messages_in(reply, "heartbeat") if one["type"] == "heartbeat_reply"]
        scene.expect(len(told) == 1, "one heartbeat_reply was expected in the answer")
        expect(told[0], term=3, round=1, follows=True, last=NOTHING)
        seen = stage.cluster.status()[EXAMINED]
        follows = (seen.role, seen.term, seen.leader_id) == ("follower", 3, LEADER)
        scene.expect(follows, f"after a heartbeat of term 3 it must follow {LEADER}: {scene.seen()}")
        expect(heartbeat(leader, 3, round_number=2), round=2, follows=True)


@PEERS.check("Entries are taken, answered, and take effect when they are committed, not before.", 2, ("heartbeats",))
@on_stage
def entries(stage: Stage, leader: Peer, other: Peer) -> None:
    added = [noop(1, 3, LEADER), put(2, 3, LEADER, "name", {"a": None})]
    expect(replicate(leader, 3, NOTHING, added, commit=1), term=3, ok=True, index=2)
    stage.scene.expect(stage.scene.get(EXAMINED, "name").code == 404, "an entry took effect before it was committed")
    expect(heartbeat(leader, 3, [2, 3, LEADER], 2), last=[2, 3, LEADER])
    told = stage.scene.get(EXAMINED, "name")
    stage.scene.expect(told.body.get("value") == {"a": None}, "a committed entry took no effect")
    gone = [[3, 3, LEADER, "delete", "name", None]]
    expect(replicate(leader, 3, [2, 3, LEADER], gone, commit=3), ok=True, index=3)
    stage.scene.expect(stage.scene.get(EXAMINED, "name").code == 404, "a committed delete took no effect")


@PEERS.check("Entries behind a gap are refused, with the log's end.", 1, ("entries",))
@on_stage
def gap(stage: Stage, leader: Peer, other: Peer) -> None:
    replicate(leader, 3, NOTHING, [noop(1, 3, LEADER)])
    expect(replicate(leader, 3, [5, 3, LEADER], [put(6, 3, LEADER, "a", 1)]), ok=False, index=1)
    expect(replicate(leader, 3, [1, 2, OTHER], [put(2, 3, LEADER, "a", 1)]), ok=False, index=0)


@PEERS.check("Entries that come twice, or late, take nothing back.", 1, ("entries",))
@on_stage
def twice(stage: Stage, leader: Peer, other: Peer) -> None:
    added = [noop(1, 3, LEADER), put(2, 3, LEADER, "a", 1), put(3, 3, LEADER, "a", 2)]
    for _ in range(2):
        expect(replicate(leader, 3, NOTHING, added, commit=3), ok=True, index=3)
    expect(replicate(leader, 3, NOTHING, added[:1], commit=1), ok=True, index=1)
    expect(heartbeat(leader, 3, [3, 3, LEADER], 2), last=[3, 3, LEADER])
    stage.scene.expect(
        stage.scene.get(EXAMINED, "a").body.get("value") == 2, "an old message brought an old value back"
    )


@PEERS.check("Entries of an earlier leader that were not committed give way to those of the present one.", 2, ("gap",))
@on_stage
def other_history(stage: Stage, leader: Peer, other: Peer) -> None:
    replicate(
        leader, 3, NOTHING, [noop(1, 3, LEADER), put(2, 3, LEADER, "a", "old"), put(3, 3, LEADER, "b", 1)], commit=1
    )
    expect(heartbeat(other, 4), term=4, follows=True)
    refused = replicate(other, 4, [3, 4, OTHER], [put(4, 4, OTHER, "a", "new")])
    stage.scene.expect(
        not refused["ok"] and refused["index"] <= 2, "another history at the place before was not noticed"
    )
    expect(replicate(other, 4, [1, 3, LEADER], [put(2, 4, OTHER, "a", "new")], commit=2), ok=True, index=2)
    expect(heartbeat(other, 4, [2, 4, OTHER], 2), last=[2, 4, OTHER])
    stage.scene.expect(
        stage.scene.get(EXAMINED, "a").body.get("value") == "new", "the present leader's entry is missing"
    )


@PEERS.check("A committed entry is not replaced: the answer is log_conflict.", 1, ("other-history",))
@on_stage
def conflict(stage: Stage, leader: Peer, other: Peer) -> None:
    replicate(leader, 3, NOTHING, [noop(1, 3, LEADER), put(2, 3, LEADER, "a", "old")], commit=2)
    heartbeat(other, 4)
    answer = other.ask(
        "replicate", "log_conflict", term=4, prev=[1, 3, LEADER], entries=[put(2, 4, OTHER, "a", "new")], commit=2
    )
    expect(answer, term=4)
    stage.holds("a", "old", "a committed entry was replaced")


@PEERS.check("What comes from an earlier term is not followed: the answer tells the present term.", 2, ("entries",))
@on_stage
def earlier_term(stage: Stage, leader: Peer, other: Peer) -> None:
    heartbeat(other, 5)
    expect(heartbeat(leader, 3), term=5, follows=False)
    leader.say("replicate", term=3, prev=NOTHING, entries=[noop(1, 3, LEADER)], commit=1)
    expect(heartbeat(other, 5, round_number=2), term=5, follows=True, last=NOTHING)
    same_term = heartbeat(leader, 5)
    expect(same_term, term=5, follows=False)


@PEERS.check("A snapshot is taken piece by piece, and replaces everything.", 2, ("entries",))
@on_stage
def snapshots(stage: Stage, leader: Peer, other: Peer) -> None:
    replicate(leader, 3, NOTHING, [noop(1, 3, LEADER), put(2, 3, LEADER, "old", 1)], commit=2)
    heartbeat(other, 6)
    items = [put(4, 5, OTHER, "a", 1), put(7, 5, OTHER, "b", {"x": []}), put(9, 6, OTHER, "c", None)]
    at = [9, 6, OTHER]

    def piece(offset: int, part: list[Any]) -> Message:
        fields = {"term": 6, "at": at, "offset": offset, "total": 3, "items": part, "force": True}
        return other.ask("snapshot", "snapshot_received", **fields)

    expect(piece(0, items[:2]), term=6, at=at, offset=2)
    stage.scene.expect(stage.scene.get(EXAMINED, "old").code == 200, "half a snapshot took effect")
    expect(piece(0, items[:2]), offset=2)
    expect(piece(2, items[2:]), term=6, at=at, offset=3)
    for key, value in (("a", 1), ("b", {"x": []}), ("c", None)):
        stage.holds(key, value, f"{key} of the snapshot is missing")
    stage.scene.expect(stage.scene.get(EXAMINED, "old").code == 404, "what the snapshot does not have is still there")
    expect(replicate(other, 6, at, [put(10, 6, OTHER, "a", 2)], commit=10), ok=True, index=10)
    stage.holds("a", 2, "an entry behind the snapshot is missing")


@PEERS.check("A message that is malformed, unknown or from a stranger is refused with 400; the node goes on.", 1,
             ("heartbeats",))  # fmt: skip
@on_stage
def malformed(stage: Stage, leader: Peer, other: Peer) -> None:
    good = {"type": "heartbeat", "term": 3, "commit": NOTHING, "round": 2}
    for what, envelope in (
        ("a term that is a text", leader.envelope({**good, "term": "three"})),
        ("a missing field", leader.envelope({"type": "heartbeat", "term": 3})),
        ("an unknown type", leader.envelope({"type": "greeting", "term": 3})),
        ("an unknown sender", {**leader.envelope(good), "from": "node-9"}),
        ("no envelope", good),
    ):
        reply = leader.post("/internal/heartbeat", envelope)
        stage.scene.expect(reply.code == 400, f"{what}: 400 was expected, {reply.code or reply.problem} came")
        stage.scene.expect(bool(reply.body.get("error")), f"{what}: the answer has no error")
    expect(heartbeat(leader, 3, round_number=3), follows=True)


# -- leading ----------------------------------------------------------------------------------------------


def follower_of(peer: Peer) -> tuple[list[list[Any]], Script]:
    """A scripted follower with a log of its own, and that log."""
    log: list[list[Any]] = []

    def answer(path: str, message: Message) -> list[Message]:
        term = message["term"]
        if message["type"] == "heartbeat":
            last = log[-1][:3] if log else NOTHING
            return [{"type": "heartbeat_reply", "term": term, "round": message["round"], "follows": True, "last": last}]
        if message["type"] == "replicate":
            before = message["prev"][0]
            if before > len(log) or (before and log[before - 1][:3] != message["prev"]):
                return [{"type": "replicated", "term": term, "ok": False, "index": min(before - 1, len(log))}]
            end = before + len(message["entries"])
            log[before:end] = message["entries"]
            return [{"type": "replicated", "term": term, "ok": True, "index": end}]
        return []

    return log, answer


@PEERS.check(
    "The lowest id that is alive leads, with heartbeats in rising rounds and entries from a noop on; it follows a "
    "leader of a later term.",
    points=4,
    needs=("heartbeats",),
)
def leads(scene: Scene) -> None:
    with Stage(scene) as stage:
        other = stage.peers[OTHER]
        log, other.script = follower_of(other)
        leader = scene.within(2 * scene.cluster.election_allowed, "it leads", lambda cluster: cluster.leader())
        scene.expect(leader == EXAMINED, f"{EXAMINED} must lead, and {leader} does")
        scene.write(EXAMINED, "name", "Alice")
        _arrives(scene, log, ["put", "name", "Alice"])
        scene.delete(EXAMINED, "name")
        _arrives(scene, log, ["delete", "name", None])
        scene.cluster.sleep(3 * scene.cluster.settings.heartbeat_ms / 1000)
        _as_a_leader_speaks(scene, other, log)
        later = term_of(scene, EXAMINED) + 3
        expect(heartbeat(stage.peers[LEADER], later), term=later, follows=True)
        seen = scene.cluster.status()[EXAMINED]
        deposed = (seen.role, seen.leader_id) == ("follower", LEADER)
        scene.expect(deposed, f"it must follow {LEADER}, which leads in a later term: {scene.seen()}")
        scene.expect(scene.put(EXAMINED, "a", 1).code == 503, "it took a write although another node leads")


def _arrives(scene: Scene, log: list[list[Any]], command: list[Any]) -> None:
    scene.within(COPIED_WITHIN, f"{command[0]} is at the other node", lambda _: any(e[3:] == command for e in log))


def _as_a_leader_speaks(scene: Scene, follower: Peer, log: list[list[Any]]) -> None:
    """Whether all that came to the follower has the protocol's form."""
    scene.expect(not follower.faults, "; ".join(follower.faults[:2]))
    term = term_of(scene, EXAMINED)
    scene.expect(log[0] == noop(1, term, EXAMINED), f"the first entry must be a noop of its term, and is {log[0]}")
    beats = [message for _, message in follower.heard if message["type"] == "heartbeat"]
    rounds = [beat["round"] for beat in beats if beat["term"] == term]
    scene.expect(rounds == sorted(set(rounds)), f"rounds of heartbeats must rise, and are {rounds[:10]}")
    commit, end = beats[-1]["commit"], log[-1][:3]
    scene.expect(commit == end, f"the last heartbeat's commit is {commit}, and the log ends in {end}")
    for path, message in follower.heard:
        wanted = f"/internal/{PATHS.get(message['type'], 'election')}"
        scene.expect(path == wanted, f"{message['type']} goes to {wanted}, and went to {path}")


@PEERS.check("To fetch_log a follower ships what it has, as if it led.", 2, ("entries",))
@on_stage
def lends(stage: Stage, leader: Peer, other: Peer) -> None:
    added = [noop(1, 3, LEADER), put(2, 3, LEADER, "a", 1)]
    replicate(leader, 3, NOTHING, added, commit=2)
    log, other.script = follower_of(other)
    heartbeat(other, 4)
    reply = other.say("fetch_log", term=4)
    deadline = time.monotonic() + COPIED_WITHIN
    pending = messages_in(reply, "fetch_log")
    while log != added and time.monotonic() < deadline:
        for message in pending:
            for answer in other.script("", message):
                pending = messages_in(other.post("/internal/replicate", other.envelope(answer)), "replicated")
        heartbeat(other, 4)
        time.sleep(0.02)
    stage.scene.expect(log == added, f"of the two entries of its log, {log} came")


# -- together with Python nodes ---------------------------------------------------------------------------


def _mixed(position: str) -> Callable[[Scene], None]:
    def run(scene: Scene) -> None:
        nodes = scene.bench.nodes.named()
        commands = dict.fromkeys(nodes.commands, PYTHON_NODE) | {position: nodes.commands[position]}
        ours = frozenset(nodes.commands) - {position}
        cluster = scene.bench.fresh("quorum", replace(nodes, commands=commands, ours=ours))
        scene.do(f"start a cluster of Python nodes, in which {position} is this one", cluster.start)
        allowed = 2 * cluster.election_allowed
        leader = str(scene.within(allowed, "one leader", agreed))
        data: dict[str, Any] = {f"key-{number}": [number] for number in range(5)}
        for key, value in data.items():
            scene.write(leader, key, value)
        scene.within(COPIED_WITHIN, "every node has the data", scene.all_have(data))
        term, rest = term_of(scene, leader), scene.others(leader)
        scene.do(f"kill {leader}", lambda: cluster.kill(leader))
        new = scene.within(allowed, "a new leader", another_leads(leader, term, rest))
        scene.write(new, "after", 1)
        scene.delete(new, "key-0")
        data |= {"after": 1, "key-0": MISSING}
        scene.do(f"start {leader}", lambda: cluster.start(leader))
        final = str(scene.within(allowed, "one leader", agreed))
        scene.within(COPIED_WITHIN, "every node has the data", scene.all_have(data))
        answer = scene.ask(final, "GET", f"{path_of('after')}?read=linearizable")
        scene.expect(answer.code == 200, f"a linearizable read of the leader {final} failed")
        for node in scene.nodes:
            cluster.kill(node)
        scene.do("kill all nodes and start them again", cluster.start)
        scene.within(allowed, "one leader", agreed)
        scene.within(COPIED_WITHIN, "every node has the data", scene.all_have(data))
        scene.bench.spent = True

    return run


for _number in (1, 2, 3):
    PEERS.add(
        f"mixed-{_number}",
        f"As node-{_number} among Python nodes, in mode quorum: writes, a fail-over, a return, a crash of all.",
        _mixed(f"node-{_number}"),
        points=3,
        needs=("entries", "leads", "lends"),
    )
