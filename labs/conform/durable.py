"""Level `durable`: what a node with a `DATA_DIR` and `REPLICATION_MODE=quorum` keeps, whoever crashes.

Law of this module: the lesson asks for none of this. A node that writes nothing into its `DATA_DIR` has not tried, and
is not wrong.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from random import Random

from labs.conform.check import Level, NotAsSaid, NotTried
from labs.conform.faults import COPIED_WITHIN, another_leads, term_of
from labs.conform.scene import MISSING, Scene, agreed, path_of
from labs.history import Operation, Recorder, RecordingClient, check, lost_writes
from labs.pictures.history import draw_violation

DURABLE = Level("durable")
QUORUM = "quorum"
KEYS = ("x", "y")
CLIENTS = 3
KILLS = 3


@DURABLE.check(
    "After a crash of all nodes, everything is there that was acknowledged, and what was deleted stays deleted.",
    points=4,
    needs=("faults.elects",),
    hint="Write each change to a file in DATA_DIR, flush it to the disk (fsync), and only then answer. Read it back at "
    "the start.",
)
def crash_of_all(scene: Scene) -> None:
    leader = scene.settle(QUORUM)
    kept = {f"kept-{number}": {"number": number} for number in range(5)}
    for key, value in kept.items():
        scene.write(leader, key, value)
    scene.write(leader, "gone", 1)
    scene.delete(leader, "gone")
    scene.within(COPIED_WITHIN, "every node has the data", scene.all_have({**kept, "gone": MISSING}))
    cluster = scene.cluster
    if not any(file.is_file() for node in scene.nodes for file in cluster.data_folder(node).rglob("*")):
        raise NotTried("the nodes write nothing into their DATA_DIR, and the lesson does not ask for it")
    term = term_of(scene, leader)
    for node in scene.nodes:
        scene.do(f"kill {node}", lambda node=node: cluster.kill(node))  # type: ignore[misc]
    scene.do("start all nodes", cluster.start)
    new = scene.within(2 * cluster.election_allowed, "one leader", agreed)
    scene.expect(term_of(scene, str(new)) > term, f"the term went back: {term} before, {scene.seen()} now")
    scene.within(COPIED_WITHIN, "every node has the data again", scene.all_have({**kept, "gone": MISSING}))


@DURABLE.check(
    "In mode quorum, a leader that reaches nobody acknowledges no write.",
    points=3,
    needs=("crash-of-all",),
    hint="Answer 200 when a majority has the write, and 504 when that does not come within the election timeout.",
)
def no_quorum(scene: Scene) -> None:
    leader = scene.settle(QUORUM)
    cluster = scene.cluster
    scene.do(f"cut {leader} off", lambda: cluster.partition([leader], scene.others(leader)))
    reply = scene.put(leader, "alone", 1, timeout=cluster.settings.election_timeout + 2)
    scene.expect(reply.code != 200, f"{leader} acknowledged a write of which nobody else can have a copy")
    scene.do("heal", cluster.heal)
    scene.within(cluster.election_allowed, "one leader", agreed)


@DURABLE.check(
    "In mode quorum, a deposed leader answers no read with read=linearizable from its old data.",
    points=2,
    needs=("crash-of-all",),
    hint="Before it answers, a leader asks a majority whether they still follow it; or it refuses with 503.",
)
def deposed_read(scene: Scene) -> None:
    leader = scene.settle(QUORUM)
    cluster, term = scene.cluster, term_of(scene, leader)
    scene.write(leader, "read", "old")
    scene.do(f"pause {leader}", lambda: cluster.pause(leader))
    new = scene.within(2 * cluster.election_allowed, "a new leader", another_leads(leader, term, scene.others(leader)))
    scene.write(new, "read", "new")
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(scene.ask, leader, "GET", f"{path_of('read')}?read=linearizable", timeout=10.0)
        cluster.sleep(0.2)  # the question is there when the node wakes up
        scene.do(f"resume {leader}", lambda: cluster.resume(leader))
        reply = asked.result()
    old = reply.code == 200 and reply.body.get("value") != "new"
    scene.expect(not old, f"{leader}, which leads no more, answered with {reply.body.get('value')!r}")
    scene.within(cluster.election_allowed, "one leader", agreed)


@DURABLE.check(
    "In mode quorum, whichever leader is killed, no acknowledged write is lost, and what clients see is linearizable.",
    points=6,
    needs=("crash-of-all",),
    hint="A new leader must have every write that a majority had: elect none whose log is older than a majority's, or "
    "let it fetch the newest log of a majority first.",
)
def kills(scene: Scene) -> None:
    scene.settle(QUORUM)
    cluster, allowed = scene.cluster, 2 * scene.cluster.election_allowed
    recorder, ending = Recorder(cluster), threading.Event()
    threads = [
        threading.Thread(target=_work, args=(client, Random(client.name), ending))
        for client in recorder.clients(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in range(KILLS):
            cluster.sleep(0.5)
            leader = str(scene.within(allowed, "one leader", lambda cluster: cluster.leader()))
            term, rest = term_of(scene, leader), scene.others(leader)
            scene.do(f"kill {leader}", lambda leader=leader: cluster.kill(leader))  # type: ignore[misc]
            scene.within(allowed, "a new leader", another_leads(leader, term, rest))
            scene.do(f"start {leader}", lambda leader=leader: cluster.start(leader))  # type: ignore[misc]
    finally:
        ending.set()
        for thread in threads:
            thread.join()
    scene.within(allowed, "one leader", agreed)
    _judge(scene, recorder.operations)


def _work(client: RecordingClient, dice: Random, ending: threading.Event) -> None:
    number = 0
    while not ending.is_set():
        number += 1
        key = dice.choice(KEYS)
        if dice.random() < 0.5:
            client.put(key, f"{client.name}-{number}", timeout=2.0)
        else:
            client.get(key, linearizable=True, timeout=2.0)
        ending.wait(0.02 + 0.06 * dice.random())


def _judge(scene: Scene, history: list[Operation]) -> None:
    acknowledged = sum(operation.ok and not operation.is_read for operation in history)
    scene.expect(acknowledged > 0, "not a single write was acknowledged")
    scene.measured.append(f"{len(history)} operations of {CLIENTS} clients, {acknowledged} writes acknowledged")
    verdict = check(history)
    if not verdict.ok:
        found = verdict.violations[0]
        trouble = NotAsSaid(f"what clients saw is not linearizable: {found.sentence}")
        trouble.picture = draw_violation(found)
        raise trouble
    scene.within(
        COPIED_WITHIN, "all nodes have the same data", lambda _: len({_held(scene, n) for n in scene.nodes}) == 1
    )
    contents = {node: dict(_held(scene, node)) for node in scene.nodes}
    lost = lost_writes(history, contents)
    scene.expect(not lost, "; ".join(write.sentence for write in lost[:3]))


def _held(scene: Scene, node: str) -> tuple[tuple[str, object], ...]:
    answers = {key: scene.cluster.get(key, via=node) for key in KEYS}
    return tuple((key, answer.value) for key, answer in answers.items() if answer.code == 200)
