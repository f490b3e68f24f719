"""What a submission is charged: what it causes, wherever and however it causes it, and nothing that others cause."""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import pytest

from labs.grading.errors import ErrorKind, GraderError, StudentError
from labs.grading.sandbox.limits import MIB, SandboxLimits
from labs.grading.sandbox.sandbox import Sandbox
from labs.grading.session import Session, SubmissionTime
from labs.lesson.exercises import BY_ID
from labs.simulation.schedule import Schedule
from tests.grading.toys import GOOD_EX3

LIMITS = SandboxLimits(load=10, call=2, check=6, memory=300 * MIB)
ALLOCATES = """
import os, time
def double(n):
    for _ in range(4):
        if os.fork() == 0:
            held = bytearray(150 * 2**20)
            for place in range(0, len(held), 4096):
                held[place] = 1
            time.sleep(1000)
    {then}
    return 2 * n
"""
BURNS = """
import os
def double(n):
    for _ in range(4):
        if os.fork() == 0:
            while True: pass
    {then}
    return 2 * n
"""
THREADS = """
import threading
def burn():
    while True: pass
for _ in range(4): threading.Thread(target=burn, daemon=True).start()
def double(n):
    while True: pass
"""


def session(source: str, limits: SandboxLimits = LIMITS, whole: SubmissionTime | None = None) -> Session:
    return Session(BY_ID["ex1"], {"ex1_fault_tolerance.py": source}, limits=limits, whole=whole)


def refusal(one: Session) -> StudentError:
    with pytest.raises(StudentError) as caught:
        one.call("double", 1)
    return caught.value


def test_the_limit_of_memory_is_that_of_all_processes_together() -> None:
    with session(ALLOCATES.format(then="time.sleep(1000)"), replace(LIMITS, call=20, check=20)) as one:
        error = refusal(one)

    assert error.kind is ErrorKind.RESOURCE_LIMIT
    assert "300 MiB of memory, all processes together" in error.message


def test_memory_is_watched_between_the_questions_too() -> None:
    with Sandbox({"ex1_fault_tolerance.py": ALLOCATES.format(then="pass")}, LIMITS) as sandbox:
        sandbox.ask("load", {"module": "ex1_fault_tolerance"}, 10)
        sandbox.ask("call", {"object": None, "name": "double", "arguments": [1], "keep": None}, 10)
        deadline = time.monotonic() + 30
        while sandbox._family is not None and sandbox._family.excess is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_processor_time_that_children_take_between_the_questions_is_charged() -> None:
    with session(BURNS.format(then="pass")) as one:
        one.call("double", 1)
        sandbox, before = one._sandbox, one.seconds
        assert sandbox is not None
        deadline = time.monotonic() + 60
        while sandbox.seconds < before + 0.5:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        one.restart()
        assert one.seconds >= before + 0.5


@pytest.mark.slow
@pytest.mark.parametrize("source", [BURNS.format(then="while True: pass"), THREADS], ids=["children", "threads"])
def test_what_its_own_processes_take_from_each_other_is_not_given_back(source: str) -> None:
    begun = time.monotonic()
    with session(source) as one:
        assert refusal(one).kind is ErrorKind.TIME_LIMIT
        assert one.seconds >= 1.9
    assert time.monotonic() - begun < 40  # five times the limit, and a start on a loaded machine


@pytest.mark.skipif(sys.platform != "linux", reason="policies")
@pytest.mark.parametrize("how", ["os.nice(5)", "os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))"])
def test_a_process_that_lowers_its_priority_to_be_charged_less_is_ended(how: str) -> None:
    source = f"import os, time\ndef double(n):\n    {how}\n    time.sleep(100)\n"
    with session(source, replace(LIMITS, call=20, check=20)) as one:
        error = refusal(one)

    assert error.kind is ErrorKind.RESOURCE_LIMIT
    assert "changed its own priority" in error.message


def test_charges_never_fall() -> None:
    source = "import time\ndef double(n):\n    time.sleep(0.02)\n    return 2 * n\n"
    charges = [0.0]
    with session(source) as one:
        for _ in range(30):
            one.call("double", 1)
            charges.append(one.seconds)
        one.restart()

    assert charges == sorted(charges)
    assert charges[-1] >= 0.2  # of 0.6 s; what others took from our own thread is given back


def test_bytes_are_counted_together() -> None:
    source = "def double(n):\n    return 'x' * 900_000\n"
    with session(source, replace(LIMITS, traffic_bytes=5 * MIB)) as one:
        for _ in range(5):
            one.call("double", 1)
        assert "5,242,880 bytes asked and answered" in refusal(one).message


# --------------------------------------------------------------------------------------------------------
# A submission as a whole


def test_a_submission_that_sleeps_its_time_away_fails_by_its_own_doing() -> None:
    limits = replace(LIMITS, submission=1, call=100, check=100)
    with session("import time\ndef double(n):\n    time.sleep(100)\n", limits) as one:
        one.load()
        one._whole = SubmissionTime(limits)  # a loaded machine takes its time to start the process
        assert refusal(one).kind is ErrorKind.TIME_LIMIT
        with pytest.raises(StudentError, match="the 1 s for one submission are used up"):
            one.call("double", 1)


def test_on_a_machine_so_loaded_that_little_was_the_students_there_is_no_mark() -> None:
    limits = replace(LIMITS, submission=0.2)
    whole = SubmissionTime(limits)
    time.sleep(0.25)

    with pytest.raises(GraderError, match="the machine was too loaded"):
        whole.look()


def test_what_a_student_causes_in_the_grader_is_its_own_doing_on_a_loaded_machine_too() -> None:
    whole = SubmissionTime(replace(LIMITS, submission=1.0, grader=100))
    while time.thread_time() - whole._processor < 0.2:
        pass
    whole._begun -= 1.0

    with pytest.raises(StudentError, match="the 1 s for one submission are used up"):
        whole.look()


def test_a_question_cut_short_by_the_whole_of_a_loaded_machines_time_is_no_fault() -> None:
    limits = replace(LIMITS, submission=100, call=50, check=50)
    with session("import time\ndef double(n):\n    time.sleep(100)\n", limits) as one:
        one.load()
        one._whole._begun -= 99.5
        with pytest.raises(GraderError, match="the machine was too loaded"):
            one.call("double", 1)


def test_what_a_student_causes_in_the_grader_has_a_limit() -> None:
    whole = SubmissionTime(replace(LIMITS, grader=0.05))
    while time.thread_time() - whole._processor <= 0.05:
        pass

    with pytest.raises(StudentError, match="of the grader's processor time"):
        whole.look()


def test_the_grader_looks_at_its_own_time_before_each_run_also_before_a_known_one() -> None:
    schedule = Schedule(nodes=3, steps=(), length=0.5, calm=0.5)
    with Session(BY_ID["ex3"], {"ex3_election.py": GOOD_EX3}, limits=LIMITS) as one:
        one.simulate(schedule)
        one._whole._processor -= LIMITS.grader  # as if judging the run had taken as long

        with pytest.raises(StudentError, match="of the grader's processor time"):
            one.simulate(schedule)
