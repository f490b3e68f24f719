"""The runs in which Exercise 3's rules are looked after: each a situation that one mistake cannot get through.

Law of this module: a seed gives the same runs to everybody, at every level. Directed ones make happen what chance makes
too seldom; they fix who leads by letting one node wake up before the others.

Times are in seconds, the election timeout is 0.4 s (`Schedule.timeout`), and a leader is due within ten of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from random import Random
from typing import Any

from labs.simulation.schedule import Schedule, Step, random_schedule

NAMES = tuple(f"node-{number}" for number in range(1, 6))
DUE = 4.1
"""A little more than ten election timeouts: by then a cluster whose majority is up and connected has a leader, whom
everybody follows. What is done to the leader, whoever that is, happens from here on."""


def _schedule(nodes: int, seed: int, length: float, *steps: Step, calm: float = 0.0, **manners: Any) -> Schedule:
    return Schedule(nodes=nodes, seed=seed, length=length, calm=calm, steps=steps, **manners)


def _slow(nodes: int, seed: int, length: float, *steps: Step, calm: float = 0.0) -> Schedule:
    """Messages take a quarter of the timeout and clocks agree: candidates meet unless their timeouts differs."""
    return _schedule(nodes, seed, length, *steps, calm=calm, fastest=0.09, slowest=0.1, drift=0.0)


def _crown_node_1(nodes: int) -> Iterator[Step]:
    """The others sleep until it has asked for their votes. It leads at 1.6 s at the latest."""
    for name in NAMES[1:nodes]:
        yield Step(0.0, "pause", (name,))
    yield Step(1.3, "resume_all")


def _leader_sleeps(time: float, nodes: int = 3) -> Iterator[Step]:
    """node-1, which leads, falls asleep. When it wakes up it first hears its followers' last answers, and leads on,
    however it keeps account of who is there."""
    links = [(name, "node-1") for name in NAMES[1:nodes]]
    yield from (Step(round(time - 0.15, 2), "hold", link) for link in links)
    yield Step(time, "pause", ("node-1",))
    yield from (Step(round(time + 0.01, 2), "release", link) for link in links)


def _chance(seed: int, length: float = 3.0) -> Iterator[Schedule]:
    """Harsh ones: crashes between two effects, loss, repetition, partitions, sleep."""
    for nodes in (5, 3):
        yield random_schedule(100 * seed + nodes, Schedule(nodes=nodes, length=length, calm=0.5))


# --------------------------------------------------------------------------------------------------------
# (a)


def elections(seed: int) -> Iterator[Schedule]:
    yield _schedule(3, seed, 6.0, Step(1.8, "crash_leader"))
    # Everybody asks in vain at first, and two of five are down for good.
    down = (Step(0.1, "crash", ("node-1",)), Step(0.1, "crash", ("node-3",)))
    yield _schedule(5, seed, 5.7, Step(0.0, "partition"), *down, Step(1.5, "heal"))
    # Leader after leader crashes, and each is back before the next one does.
    steps: list[Step] = []
    for number in range(1, 4):
        time = round(number * (DUE + 0.5), 1)
        steps += [Step(time, "crash_leader"), Step(time + 0.4, "start_all")]
    yield _schedule(3, seed, steps[-1].time + DUE + 0.1, *steps)
    # node-1 has asked in vain for so long that, if it doubled its patience each time, it would wait far too long now;
    # node-3 is down, and node-2 lacks a write, so that nobody else can win.
    alone = (
        Step(1.65, "crash", ("node-3",)),
        Step(1.7, "partition"),
        Step(1.71, "write", ("node-1", "tail", 1)),
        Step(32.0, "heal"),
    )
    yield _schedule(3, seed, 32.0 + DUE, *_crown_node_1(3), *alone)


def votes(seed: int) -> Iterator[Schedule]:
    """Election after election on a slow network: several candidates in each term."""
    steps: list[Step] = []
    for number in range(3):
        time = 1.4 + 1.1 * number
        steps += [Step(time, "crash_leader"), Step(time + 0.05, "start_all")]
    yield _slow(5, seed, 4.6, *steps)
    yield _slow(3, seed, 3.5, *steps[:4], *_forgetful(seed, 3.5))
    yield _slow(3, seed, 3.0, *_candidates_restart(3.0))
    yield from _chance(seed)


def _forgetful(seed: int, until: float) -> Iterator[Step]:
    """Now this node, now that one crashes and is back at once: what it had promised must still hold."""
    rng = Random(f"forgetful/{seed}")
    time = 0.3
    while time < until:
        node = rng.choice(NAMES[:3])
        yield Step(round(time, 4), "crash", (node,))
        yield Step(round(time + 0.002, 4), "start", (node,))
        time += 0.3 * rng.random()


def _candidates_restart(until: float) -> Iterator[Step]:
    """Whoever has just asked for votes crashes and is back at once: it has voted for itself already."""
    time = 0.4
    while time < until:
        yield Step(round(time, 3), "crash_candidates")
        yield Step(round(time + 0.002, 3), "start_all")
        time += 0.12


def terms(seed: int) -> Iterator[Schedule]:
    # node-5 has been alone from the beginning, its term climbs; node-1 is cut off while it leads; both come back.
    # node-5 is asleep then: what it hears first, when it wakes up, is a leader of whose election it has heard nothing.
    yield _schedule(
        5,
        seed,
        4.3,
        *_crown_node_1(4),
        Step(0.0, "partition", (NAMES[:4], NAMES[4:])),
        Step(2.0, "partition", (NAMES[:1], NAMES[4:], NAMES[1:4])),
        Step(3.0, "crash", ("node-3",)),
        Step(3.05, "start", ("node-3",)),
        *(Step(3.9, "pause", ("node-5",)), Step(4.1, "heal")),
        calm=DUE,
    )
    # While the leader sleeps a candidate begins a new term, and nobody hears of it; then the leader wakes up.
    yield _schedule(
        3,
        seed,
        3.1,
        *_crown_node_1(3),
        *_leader_sleeps(1.8),
        *(Step(round(2.2 + number / 100, 2), "isolate_candidates") for number in range(60)),
        Step(2.8, "resume_all"),
        calm=DUE,
        fastest=0.02,
        slowest=0.03,
    )
    # node-1's last heartbeats arrive when it has crashed and another leads in a later term.
    late = [("node-1", to) for to in NAMES[1:3]]
    yield _schedule(
        3,
        seed,
        1.9 + DUE + 1.0,
        *_crown_node_1(3),
        *(Step(1.7, "hold", link) for link in late),
        Step(1.9, "crash", ("node-1",)),
        *(Step(1.9, "put_aside", link) for link in late),
        Step(1.9 + DUE, "arrive_late"),
    )


PAIRS = (((0, 1), (2, 3)), ((0, 2), (1, 4)), ((0, 3), (2, 4)), ((0, 4), (1, 3)), ((1, 2), (3, 4)))


def majorities(seed: int) -> Iterator[Schedule]:
    """Pairs, halves, and the least that is enough."""
    # Two at a time can talk, each with each in turn: over five terms everybody's vote, in no term a majority.
    # Then each vote arrives twice, as any message may: who counts messages instead of voters finds three votes in two.
    twice = Step(0.0, "repeat_elections")
    rounds = (tuple(tuple(NAMES[number] for number in pair) for pair in pairs) for pairs in PAIRS)
    steps = tuple(Step(float(time), "partition", pairs) for time, pairs in enumerate(rounds))
    yield _schedule(5, seed, 5.0, *steps)
    yield _schedule(5, seed, 5.0, twice, *steps)
    halves = Step(0.05, "partition", (NAMES[:2], NAMES[2:4]))
    yield _schedule(4, seed, 2.5, halves)
    yield _schedule(4, seed, 2.5, twice, halves)
    yield _schedule(3, seed, 2.0, Step(0.05, "crash", ("node-3",)))
    yield _schedule(3, seed, 6.0, *_request_of_an_old_term(), fastest=0.02, slowest=0.03, drift=0.0)
    yield from _chance(seed + 1)


def _request_of_an_old_term() -> Iterator[Step]:
    """node-1's request for term 1 arrives when node-2 has learnt of term 2, and has no vote in it and no leader: all
    that node-3 said in terms 1 and 2 was lost, and it has just refused to vote for node-2."""
    yield Step(0.0, "pause", ("node-2",))
    yield Step(0.0, "pause", ("node-3",))
    yield Step(1.3, "resume", ("node-2",))
    yield from (Step(round(1.31 + number / 100, 2), "delay_candidates") for number in range(19))
    yield Step(1.5, "pause", ("node-2",))
    yield Step(1.51, "resume", ("node-3",))
    for time in (2.8, 4.3):
        yield Step(time, "resume", ("node-2",))
        yield Step(round(time + 0.04, 2), "isolate_candidates")  # its question was answered, its request is under way
        yield Step(round(time + 0.2, 2), "pause", ("node-2",))
        yield Step(round(time + 0.25, 2), "partition", (NAMES[:3],))
    yield Step(4.56, "pause", ("node-3",))
    yield Step(4.57, "resume", ("node-2",))
    yield Step(5.6, "resume", ("node-3",))
    yield Step(5.635, "release", ("node-1", "node-2"))
    yield Step(5.67, "resume", ("node-1",))
    yield Step(5.9, "heal")


# --------------------------------------------------------------------------------------------------------
# (b)


def tails(seed: int) -> Iterator[Schedule]:
    """Logs that are longer against logs that are newer."""
    # node-1 leads and writes what reaches nobody; node-2 leads, as the only one awake to ask, and commits less. Then
    # node-2 and one of three holders of its entry are gone: of the others only those with the newer log may lead. At
    # first these cannot reach each other, so that node-1 alone could find a majority.
    tail = (Step(round(1.71 + number / 1000, 3), "write", ("node-1", f"tail{number}", number)) for number in range(8))
    yield _schedule(
        5,
        seed,
        6.1,
        *_crown_node_1(5),
        Step(1.7, "isolate", ("node-1",)),
        *(Step(1.7, "pause", (name,)) for name in NAMES[2:]),
        *tail,
        Step(2.7, "resume_all"),
        Step(3.6, "write", ("node-2", "kept", 1)),
        Step(3.9, "crash", ("node-2",)),
        Step(3.9, "crash", ("node-5",)),
        Step(3.901, "heal"),
        *(Step(3.902, "cut", link) for link in permutations(NAMES[2:4])),
        Step(5.3, "heal"),
        Step(6.0, "start_all"),
        calm=2.1,
    )
    # All entries are of one term, and node-3 lacks some. The leader is gone, and node-3 is the only one awake to ask.
    yield _schedule(
        3,
        seed,
        5.5,
        *_crown_node_1(3),
        Step(1.65, "write", ("node-1", "both", 1)),
        Step(1.8, "isolate", ("node-3",)),
        *(Step(round(1.85 + number / 100, 2), "write", ("node-1", f"kept{number}", number)) for number in range(3)),
        Step(2.2, "crash", ("node-1",)),
        Step(2.2, "pause", ("node-2",)),
        Step(2.201, "heal"),
        Step(3.6, "resume_all"),
        Step(5.0, "start_all"),
        calm=1.5,
    )
    # Again and again the leader is cut off, its successor commits, and crashes as soon as the old one is back.
    steps: list[Step] = []
    for number in range(2):
        time = round(1.8 + 2.2 * number, 1)
        steps += [
            Step(time, "isolate_leader"),
            Step(time + 1.4, "write_to_leader", (f"k{number}", number)),
            Step(time + 1.5, "heal"),
            Step(time + 1.501, "crash_leader"),
            Step(time + 1.9, "start_all"),
        ]
    yield _schedule(5, seed, 6.2, *steps, calm=1.0)
    # A candidate could win when it asked; its request arrives when others have committed a write.
    for another in (0, 500):
        yield _schedule(3, seed + another, 4.5, *_late_request(), calm=1.0, fastest=0.02, slowest=0.03)
        long = _late_request_with_a_long_log()
        yield _schedule(3, seed + another, 6.2, *long, calm=1.0, fastest=0.02, slowest=0.03)
    yield random_schedule(100 * seed + 7, Schedule(nodes=5, length=3.0, calm=1.5))


def _late_request() -> Iterator[Step]:
    """While the leader sleeps a candidate begins a new term. Its request arrives when the leader, awake again, has
    committed a write and crashed."""
    yield from _crown_node_1(3)
    yield from _leader_sleeps(2.0)
    yield from (Step(round(2.4 + number / 100, 2), "delay_candidates") for number in range(60))
    yield Step(3.0, "resume", ("node-1",))
    yield Step(3.25, "write", ("node-1", "late", 1))
    yield Step(3.4, "crash", ("node-1",))
    yield Step(3.401, "heal")
    yield Step(3.45, "resume_all")
    yield Step(4.4, "start_all")


def _late_request_with_a_long_log() -> Iterator[Step]:
    """node-1 has a tail that nobody else has, and asks for term 3 before the others begin term 2, in which they commit
    a write. When its request arrives its log is the longer one, and no longer the newer one."""
    yield from _crown_node_1(3)
    yield from (Step(1.7, what, (name,)) for what, name in zip(("isolate", "pause", "pause"), NAMES[:3], strict=True))
    tail = (Step(round(1.71 + number / 1000, 3), "write", ("node-1", f"tail{number}", number)) for number in range(4))
    yield from tail
    # Whenever it asks whether it might win, the others sleep; they wake up to answer. Its first request is lost.
    for heal, awake in ((2.6, 3.5), (3.6, 4.8)):
        yield from (Step(heal, "heal"), Step(awake, "resume_all"), Step(awake + 0.005, "pause", ("node-3",)))
    yield from (Step(3.505, "pause", ("node-2",)), Step(3.54, "isolate", ("node-1",)), Step(4.84, "delay_candidates"))
    yield from (Step(5.0, "resume", ("node-3",)), Step(5.6, "write_to_leader", ("newer", 1)))
    yield from (*(Step(5.8, "release", ("node-1", name)) for name in NAMES[1:3]), Step(5.9, "resume", ("node-1",)))


# --------------------------------------------------------------------------------------------------------
# (c)


def randomized_timeouts(seed: int) -> Iterator[Schedule]:
    """All wake up at once; a quiet time; and then a minority is down for good."""
    yield _schedule(5, seed, 3.0)
    yield _slow(9, 3 * seed + 1, 4.3)
    # Who asks first may be dead, or the leader; and the network is slow.
    yield _slow(5, seed, 2 * DUE, Step(DUE, "crash_leader"))
    # A leadership lasts though two of four followers will never answer again.
    down = (Step(0.1, "crash", ("node-2",)), Step(0.1, "crash", ("node-4",)))
    yield _schedule(5, seed, DUE + 2.5, *down)
    yield _schedule(3, seed, 3.4 + DUE + 3.0, *_long_log_and_new_log())
    yield _schedule(5, seed, 9.8, *_heartbeats_of_the_past())
    # Two of three: candidates of nearly the same patience meet for ever if they have drawn it once and for all. Again
    # and again whoever leads begins anew.
    again = [Step(float(time), "restart_leader") for time in range(2, 10)]
    pair = (Step(0.0, "crash", ("node-3",)), *again)
    yield _schedule(3, seed, 9.0 + DUE, *pair, fastest=0.065, slowest=0.07, drift=0.0)


def _long_log_and_new_log() -> Iterator[Step]:
    """node-1's log is the longer one, and that of whoever leads after it the newer: when this one is gone, one of the
    two others can win. Its leadership then lasts though one follower never answers."""
    yield from _crown_node_1(3)
    yield Step(1.7, "isolate", ("node-1",))
    tail = (Step(round(1.71 + number / 1000, 3), "write", ("node-1", f"tail{number}", number)) for number in range(4))
    yield from tail
    yield Step(3.4, "crash_leader")
    yield Step(3.4, "heal")


def _heartbeats_of_the_past() -> Iterator[Step]:
    """node-1 crashes, and so does who leads after it. Then heartbeats of node-1 come late, one by one: no reason to
    wait. (They were kept on their way to two nodes at a time, so that it had a majority.)"""
    yield from _crown_node_1(5)
    for time, names in ((1.7, NAMES[3:]), (3.0, NAMES[1:3])):
        yield from (Step(time, "hold", ("node-1", name)) for name in names)
        yield from (Step(round(time + 1.2, 1), "put_aside", ("node-1", name)) for name in names)
    yield Step(4.3, "crash", ("node-1",))
    yield Step(5.6, "crash_leader")
    yield from (Step(round(5.65 + 0.35 * number, 2), "the_past_arrives") for number in range(12))


# --------------------------------------------------------------------------------------------------------
# (d)


def without_quorum(seed: int) -> Iterator[Schedule]:
    """A leader with nobody, one with a follower that makes no majority, and one that is heard and hears nobody."""
    yield _schedule(3, seed, DUE + 1.4, Step(DUE, "isolate_leader"))
    yield _schedule(5, seed, DUE + 1.4, Step(DUE, "isolate_leader_with_a_follower"))
    yield _schedule(3, seed, DUE + 1.4, Step(DUE, "deafen_leader"))


def visitors(seed: int) -> Iterator[Schedule]:
    """Two followers are cut off together and come back; then one of them alone no longer hears the leader."""
    yield _schedule(
        5,
        seed,
        DUE + 4.9,
        Step(DUE + 1.0, "isolate_two_followers"),
        Step(DUE + 2.4, "heal"),
        Step(DUE + 3.5, "cut_to_follower"),
    )
    # node-3 has asked whether it might win, the answer comes when it has a leader. node-2 sleeps until both have asked.
    yield _schedule(
        3,
        seed,
        3.4,
        Step(0.0, "hold", ("node-2", "node-3")),
        Step(0.0, "cut", ("node-3", "node-1")),
        Step(0.0, "pause", ("node-2",)),
        Step(1.3, "resume_all"),
        Step(2.4, "heal"),
    )
    # One has missed an entry; then the other sleeps, and hears itself called to vote before it hears the leader.
    yield _schedule(
        3,
        seed,
        5.9,
        *_crown_node_1(3),
        Step(2.5, "isolate", ("node-3",)),
        Step(2.52, "write", ("node-1", "missed", 1)),
        Step(3.7, "heal"),
        Step(4.7, "pause", ("node-2",)),
        Step(5.5, "resume_all"),
    )
    # While the leader sleeps node-3 asks whether it might win; node-2's answer comes long after the leader is back. It
    # is no answer to what node-3 asks when later it does not hear the leader any more.
    yield _schedule(
        3,
        seed,
        6.4,
        *_crown_node_1(3),
        *_leader_sleeps(2.2),
        Step(2.2, "hold", ("node-2", "node-3")),
        Step(3.3, "resume", ("node-1",)),
        Step(3.4, "put_aside", ("node-2", "node-3")),
        Step(4.6, "arrive_late"),
        Step(5.2, "cut", ("node-1", "node-3")),
    )
    # It has missed nothing: only that the others hear a leader speaks against it. At many moments of its own timer.
    steps: list[Step] = []
    time = DUE + 1.0
    for number in range(4):
        away = 0.85 + 0.13 * number
        steps += [Step(round(time, 2), "isolate_follower"), Step(round(time + away, 2), "heal")]
        time += away + 1.0
    yield _schedule(3, seed, round(time, 2), *steps)
