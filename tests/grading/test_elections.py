"""A student's election in the grader's simulator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import solutions
from labs.cluster.base import Settings
from labs.cluster.simulated import SimulatedCluster
from labs.grading.checks.ex3_runs import tails
from labs.grading.election_gateway import StudentMessage, readable
from labs.grading.errors import ErrorKind, GraderError, StudentError
from labs.grading.look_ahead import LookAheadSimulator
from labs.grading.rehearsal import LookAhead
from labs.grading.sandbox.limits import SandboxLimits
from labs.grading.session import Session
from labs.lesson.exercises import BY_ID
from labs.simulation.schedule import Schedule, Step, carry_out, random_schedule
from labs.simulation.simulator import Simulator
from replstore.core.contract import Put, Tick
from replstore.core.lowest_id import LowestId
from tests.grading.toys import GOOD_EX3, QUICK

THE_COURSES = "from replstore.lowest_id import LowestId\nclass MyElection(LowestId):\n    pass\n"
VOTING = (Path(solutions.__file__).parent / "ex3_election.py").read_text(encoding="utf-8")


def session(source: str, limits: SandboxLimits = QUICK) -> Session:
    return Session(BY_ID["ex3"], {"ex3_election.py": source}, limits=limits)


def strategy(tick: str = "pass", receive: str = "pass", begin: str = "pass") -> str:
    return (
        "from dataclasses import dataclass\n"
        "from replstore.election import Election\n"
        "from replstore.messages import Heartbeat, HeartbeatReply, Message, Replicate, START\n"
        "@dataclass(frozen=True)\n"
        "class Hello(Message):\n    term: int\n    extra: object = None\n"
        "class MyElection(Election):\n"
        f"    def __init__(self, seat):\n        super().__init__(seat)\n        {begin}\n"
        f"    def tick(self, now):\n        {tick}\n"
        f"    def receive(self, sender, message, now):\n        {receive}\n"
    )


def run(child: Session, seconds: float = 2, seed: int = 1) -> Simulator:
    simulator = Simulator(3, child.elections(), seed=seed)
    simulator.start()
    simulator.run_for(seconds)
    return simulator


def story(simulator: Simulator) -> list[tuple[object, ...]]:
    """The run without the names of messages, which differ between the proxy and the real thing."""
    return [(e.time, e.node, e.event, e.peer) for e in simulator.trace]


def test_the_run_is_the_same_as_with_the_class_itself() -> None:
    def drive(simulator: Simulator) -> Simulator:
        simulator.start()
        simulator.run_for(2)
        simulator.crash("node-1")
        simulator.run_for(2)
        simulator.start("node-1")
        simulator.run_for(2)
        return simulator

    class InTheExercise(LowestId):
        catches_up = False  # there it does not count

    here = drive(Simulator(3, InTheExercise, seed=3))
    with session(THE_COURSES) as child:
        there = drive(Simulator(3, child.elections(), seed=3))

    assert story(there) == story(here)


def test_own_messages_with_tuples_arrive_as_they_were() -> None:
    with session(GOOD_EX3) as child:
        simulator = run(child)

    assert simulator.hosts["node-1"].node is not None
    assert simulator.hosts["node-1"].node.leads


def test_term_and_vote_survive_a_crash() -> None:
    source = strategy(
        tick="if self.term == 0: self.term, self.vote = 7, ('node-2', 7)\n"
        "        self.note('seen', t=self.term, v=str(self.vote))"
    )
    with session(source) as child:
        simulator = run(child, 0.5)
        simulator.crash("node-1")
        before = len(simulator.trace)
        simulator.start("node-1")
        simulator.run_for(0.5)

    seen = [e.details for e in simulator.trace[before:] if e.node == "node-1" and e.kind == "seen"]
    assert seen[0] == {"t": 7, "v": "('node-2', 7)"}


def test_each_node_has_dice_of_its_own_and_they_repeat() -> None:
    source = strategy(tick="self.note('die', n=self.rng.random())")

    def dice(seed: int) -> dict[str, list[float]]:
        with session(source) as child:
            simulator = run(child, 0.3, seed)
        rolled = [e for e in simulator.trace if e.kind == "die"]
        return {node: [e.details["n"] for e in rolled if e.node == node] for node in simulator.node_ids}

    first = dice(1)
    assert first == dice(1) != dice(2)
    assert len({rolls[0] for rolls in first.values()}) == 3


def test_the_log_is_seen_as_it_is() -> None:
    source = (
        THE_COURSES
        + "\n    def tick(self, now):\n        self.note('log', last=self.log.last)\n        super().tick(now)\n"
    )
    with session(source) as child:
        simulator = run(child)

    lasts = [e.details["last"] for e in simulator.trace if e.kind == "log"]
    assert lasts[0] == {"tuple": [0, 0]}
    assert lasts[-1] == {"tuple": [1, 1]}


def test_it_runs_behind_a_cluster_too() -> None:
    with session(THE_COURSES) as child:
        settings = Settings(heartbeat_ms=100, election_timeout_ms=400)
        with SimulatedCluster(settings, election=child.elections()) as cluster:
            cluster.start()
            assert cluster.wait_for(lambda c: c.leader()) == "node-1"
            assert cluster.put("k", 1).ok


def test_a_strategy_cannot_speak_for_the_node() -> None:
    with session(strategy(tick="self.note('became_leader', term=1)")) as child:
        kinds = {e.kind for e in run(child).trace}

    assert "strategy_became_leader" in kinds
    assert "became_leader" not in kinds


def test_pictures_show_the_students_own_names() -> None:
    with (
        session(strategy(tick="self.broadcast(Hello(4, [1]))")) as child,
        SimulatedCluster(Settings(heartbeat_ms=100, election_timeout_ms=400), election=child.elections()) as cluster,
    ):
        cluster.start()
        cluster.sleep(0.2)
        events = cluster.events()

    assert any(event.kind == StudentMessage.__name__ for event in events)
    shown = [event for event in readable(events) if event.kind == "Hello"]
    assert shown[0].details == {"term": 4}


class Counter:
    questions = 0


@contextmanager
def counted(child: Session) -> Iterator[Counter]:
    """How many questions the session puts to its sandbox."""
    counter, ask = Counter(), child.ask

    def asked(do: str, question: Mapping[str, Any], limit: float) -> Any:
        counter.questions += 1
        return ask(do, question, limit)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(child, "ask", asked)
        yield counter


def test_looking_ahead_saves_questions_and_changes_nothing() -> None:
    """Nodes that crash in the middle of a step, sleep, and are cut off included."""

    def drive(child: Session, simulator_class: type[Simulator]) -> Simulator:
        simulator = simulator_class(5, child.elections(), seed=3, mode="quorum", drift=0.01)
        simulator.start()
        for turn in range(4):
            simulator.run_for(1.1)
            simulator.crash_within_a_step(f"node-{turn + 1}")
            simulator.pause("node-5")
            simulator.request("node-2", Put("a", turn))
            simulator.run_for(0.3)
            simulator.partition(["node-1", "node-2"], ["node-3", "node-4", "node-5"])
            simulator.resume("node-5")
            simulator.run_for(0.9)
            simulator.start()
            simulator.heal()
        return simulator

    with session(VOTING) as child, counted(child) as one_by_one:
        alone = drive(child, Simulator)
    with session(VOTING) as child, counted(child) as together:
        ahead = drive(child, LookAheadSimulator)

    assert ahead.trace == alone.trace
    assert together.questions < one_by_one.questions / 2


@pytest.mark.sample(1)
@pytest.mark.parametrize("source", [VOTING, THE_COURSES], ids=["votes", "lowest id"])
@pytest.mark.parametrize(("mode", "durable"), [("quorum", True), ("async", False), ("sync", True)])
def test_a_harsh_run_is_the_same_with_and_without_looking_ahead(source: str, mode: str, durable: bool) -> None:
    """Whatever is lost, doubled, delayed, cut off, asleep or crashed: only what is certain is announced."""
    with session(source) as child:
        for seed in range(3):
            base = Schedule(nodes=3 + seed, length=3.0, calm=0.7, mode=mode, durable=durable)
            schedule = random_schedule(seed, base)
            alone = carry_out(schedule, child.elections())
            ahead = carry_out(schedule, child.elections(), simulator_class=LookAheadSimulator)

            assert ahead.trace == alone.trace
            assert ahead.error is alone.error is None


def test_nothing_is_announced_beyond_a_step_that_a_strategy_could_make_matter() -> None:
    """A node becomes a candidate a moment before a step that concerns candidates, and what was under way is held."""
    schedule = list(tails(7000))[3]
    assert any(step.action == "delay_candidates" for step in schedule.steps)
    with session(VOTING) as child:
        alone = carry_out(schedule, child.elections())
        ahead = carry_out(schedule, child.elections(), simulator_class=LookAheadSimulator)

    assert ahead.trace == alone.trace
    assert ahead.error is alone.error is None


def test_a_cluster_at_rest_is_announced_a_long_way_ahead() -> None:
    """Ticks, heartbeats and their answers: 60 virtual seconds of five nodes are 17,000 calls of strategies."""
    with session(VOTING) as child, counted(child) as counter:
        simulator = LookAheadSimulator(5, child.elections(), seed=1, mode="quorum")
        simulator.start()
        simulator.run_for(2)
        counter.questions = 0
        simulator.run_for(60)

    assert counter.questions < 150


def test_a_follower_that_is_down_and_lacks_an_entry_is_no_reason_to_ask_more_often() -> None:
    with session(VOTING) as child, counted(child) as counter:
        simulator = LookAheadSimulator(5, child.elections(), seed=1, mode="quorum")
        simulator.start()
        simulator.run_for(2)
        [leader] = [host.id for host in simulator.hosts.values() if host.node is not None and host.node.leads]
        simulator.crash("node-5" if leader != "node-5" else "node-4")
        simulator.request(leader, Put("name", "Alice"))
        simulator.run_for(2)
        counter.questions = 0
        simulator.run_for(60)

    assert counter.questions < 150


def test_steps_that_wait_for_a_candidate_are_no_reason_to_ask_more_often() -> None:
    steps = tuple(Step(round(2 + number / 100, 2), "isolate_candidates") for number in range(300))
    with session(VOTING) as child, counted(child) as counter:
        schedule = Schedule(nodes=3, steps=steps, length=5, calm=1)
        carry_out(schedule, child.elections(), simulator_class=LookAheadSimulator)

    assert counter.questions < 60


def test_an_answer_that_is_no_longer_right_is_the_graders_fault() -> None:
    with session(strategy(tick="self.term += 1")) as child:
        host = child.elections()
        simulator = Simulator(3, host, seed=1)
        simulator.start()
        host.foresee([LookAhead(0.1, [("node-1", 0.1, Tick()), ("node-2", 0.1, Tick())])])
        node = simulator.hosts["node-2"].node
        assert node is not None

        with pytest.raises(GraderError, match="ahead of time"):
            node.election.tick(0.4)


INVALID = {
    "self.leader = 'node-9'": "leader must be None or a node's id",
    "self.leader = 3": "leader must be None or a node's id",
    "self.term = 'one'": "term must be a whole number",
    "self.term = True": "term must be a whole number",
    "self.term = -1": "term must be a whole number",
    "self.term = 10 ** 30": "term must be a whole number",
    "self.term = 1.5": "term must be a whole number",
    "self.term = float('nan')": "not JSON compliant",
    "self.vote = {1, 2}": "a set does not survive JSON",
    "self.vote = self": "does not survive JSON",
    "self.vote = 'x' * 5000": "vote is too large",
    "self.send('node-9', Hello(1))": "'node-9' is no peer of node-1",
    "self.send(self.me, Hello(1))": "'node-1' is no peer of node-1",
    "self.broadcast('hello')": "only messages can be sent",
    "self.broadcast(Hello(1, {1}))": "a set does not survive JSON",
    "self.broadcast(Hello(1, 'x' * 200_000))": "a message too large",
    "self.broadcast(Heartbeat(3, START, 1))": "Heartbeat is the node's message",
    "self.note('x' * 100)": "a note that is none",
    "self.note('x', text='x' * 3000)": "a note of more than",
    "self.note('x', text={1})": "a set does not survive JSON",
}


@pytest.mark.sample(5)
@pytest.mark.parametrize("code", INVALID)
def test_what_no_node_could_use_is_an_invalid_reply(code: str) -> None:
    with session(strategy(tick=code)) as child:
        with pytest.raises(StudentError) as caught:
            run(child)
        assert caught.value.kind is ErrorKind.INVALID_REPLY
        assert INVALID[code] in caught.value.message


def test_a_message_that_its_receiver_cannot_read_is_named() -> None:
    with session(strategy(tick="self.broadcast(Hello('one'))")) as child, pytest.raises(StudentError) as caught:
        run(child)

    assert (
        "a message of yours cannot be read by its receiver: Hello.term: expected int, got str" in caught.value.message
    )


@pytest.mark.parametrize(
    ("storm", "limits", "what"),
    [
        ("self.broadcast(Hello(1))", replace(QUICK, messages=2000), "more than 2,000 messages sent in one run"),
        ("[self.note('x') for _ in range(100)]", replace(QUICK, notes=2000), "more than 2,000 notes in one run"),
        ("self.note('x', text='y' * 900)", replace(QUICK, note_bytes=9000), "more than 9,000 bytes of notes in one"),
    ],
)
def test_a_storm_ends_the_run(storm: str, limits: SandboxLimits, what: str) -> None:
    """A few bytes of an answer are an event in the grader's memory, and every rule looks at each."""
    stormy = strategy(tick=storm, receive=storm)
    with session(stormy, limits) as child, pytest.raises(StudentError, match=what) as caught:
        run(child, 60)

    assert caught.value.kind is ErrorKind.RESOURCE_LIMIT


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("raise NotImplementedError", ErrorKind.NOT_ATTEMPTED),
        ("raise ValueError('boom')", ErrorKind.RAISED),
        ("while True: pass", ErrorKind.TIME_LIMIT),
        ("import os; os._exit(0)", ErrorKind.ENDED),
    ],
)
def test_faults_in_a_strategy_end_the_run(code: str, kind: ErrorKind) -> None:
    with session(strategy(tick=code), replace(QUICK, question=0.5)) as child, pytest.raises(StudentError) as caught:
        run(child)

    assert caught.value.kind is kind


def test_after_a_fault_every_later_call_meets_it_again() -> None:
    with session(strategy(tick="raise ValueError('boom')")) as child:
        simulator = Simulator(3, child.elections())
        simulator.start()
        for _ in range(2):
            with pytest.raises(StudentError, match="boom"):
                simulator.run_for(1)


def test_a_base_class_alone_is_not_attempted() -> None:
    source = "from replstore.election import Election\nclass MyElection(Election):\n    pass\n"
    with session(source) as child, pytest.raises(StudentError) as caught:
        run(child)

    assert caught.value.kind is ErrorKind.NOT_ATTEMPTED


def test_a_second_run_starts_from_nothing() -> None:
    with session(GOOD_EX3) as child:
        first, second = run(child, seed=5), run(child, seed=5)

    assert first.trace == second.trace
