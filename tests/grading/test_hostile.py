"""Hostile and unlucky submissions, each with its right outcome."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from labs.grading.results import Status
from labs.grading.runner import grade
from labs.grading.sandbox.isolation import Isolation
from labs.grading.sandbox.limits import SandboxLimits
from labs.grading.session import Session
from labs.grading.settings import GradingSettings
from labs.lesson.exercises import BY_ID
from tests.grading.conftest import grade_ex1, submission, the_result
from tests.grading.toys import GOOD_EX1, ONCE, QUICK, SUITE

DOUBLE = "def double(n):\n    "

FAILURES = {
    "syntax error": ("def double(n)\n    return 1", "SyntaxError: expected ':' (ex1_fault_tolerance.py, line 1)"),
    "raises on import": ("x = 1 / 0", "unreadable: the file cannot be imported: ZeroDivisionError"),
    "imports what is not there": ("import pytest", "unreadable: the file cannot be imported: ModuleNotFoundError"),
    "function missing": ("x = 1", "missing: the file does not define double"),
    "wrong signature": ("def double():\n    return 1", "raised: TypeError"),
    "raises": (DOUBLE + "raise ValueError('boom')", "raised: ValueError: boom"),
    "an exception whose text raises": (
        "class E(Exception):\n    def __str__(self): raise self\n" + DOUBLE + "raise E()",
        "its text cannot be shown",
    ),
    "recursion": (DOUBLE + "return double(n)", "raised: RecursionError"),
    "endless loop": (DOUBLE + "while True: pass", "time limit: no answer within 1 s"),
    "endless loop on import": ("while True: pass", "time limit: while the file was imported"),
    "swallows every exception": (
        DOUBLE + "while True:\n        try:\n            while True: pass\n        except BaseException: pass",
        "time limit",
    ),
    "ignores signals": (
        "import signal\nfor s in (signal.SIGTERM, signal.SIGALRM, signal.SIGINT): signal.signal(s, signal.SIG_IGN)\n"
        + DOUBLE
        + "while True: pass",
        "time limit",
    ),
    "sleeps": ("import time\n" + DOUBLE + "time.sleep(9999)", "time limit"),
    "asks for input": (DOUBLE + "return int(input('n? '))", "EOFError"),
    "memory hog": (DOUBLE + "return len(bytearray(10**12))", "resource limit: MemoryError"),
    "grows until memory is full": (DOUBLE + "x = []\n    while True: x.append(bytearray(10**7))", "resource limit"),
    "fork bomb": (
        "import os, time\n"
        + DOUBLE
        + "for _ in range(300):\n        if os.fork() == 0:\n            os.setsid(); time.sleep(60)\n    return 2 * n",
        "resource limit: BlockingIOError",
    ),
    "too many threads": (
        "import threading, time\n"
        + DOUBLE
        + "for _ in range(300): threading.Thread(target=time.sleep, args=(60,)).start()\n    return 2 * n",
        "resource limit: RuntimeError",
    ),
    "too many open files": (
        "kept = []\n" + DOUBLE + "while True: kept.append(open('f', 'w'))",
        "resource limit: OSError",
    ),
    "fills the disk": (
        DOUBLE + "for i in range(100):\n        with open(str(i), 'wb') as f: f.write(bytes(10**6))\n    return 2 * n",
        "resource limit",
    ),
    "a huge file": (DOUBLE + "with open('f', 'wb') as f: f.write(bytes(10**8))\n    return 2 * n", "resource limit"),
    "floods its output": (
        DOUBLE + "while True: print('x' * 1000)",
        "resource limit: more than 1,048,576 bytes printed",
    ),
    "floods the reply": (DOUBLE + "return 'x' * 10**7", "resource limit: a reply of more than"),
    "sys.exit": ("import sys\n" + DOUBLE + "sys.exit(0)", "raised: SystemExit: 0 (the code called exit)"),
    "sys.exit on import": ("import sys\nsys.exit(0)", "unreadable: the file cannot be imported: SystemExit"),
    "os._exit": ("import os\n" + DOUBLE + "os._exit(0)", "process ended before it answered (exit status 0)"),
    "os._exit on import": ("import os\nos._exit(0)", "process ended before it answered (exit status 0)"),
    "kills itself": (
        "import os\n" + DOUBLE + "os.kill(os.getpid(), 9)",
        "process ended before it answered (signal SIG",
    ),
    "crashes Python": ("import ctypes\n" + DOUBLE + "return ctypes.string_at(1)", "(signal SIGSEGV)"),
    "skips": ("import unittest\n" + DOUBLE + "raise unittest.SkipTest()", "raised: SkipTest"),
    "an object that equals everything": (
        "class E:\n    def __eq__(self, other): return True\n" + DOUBLE + "return E()",
        "invalid reply: an E object is no plain value",
    ),
    "a subclass of int": (
        "class I(int):\n    def __eq__(self, other): return True\n" + DOUBLE + "return I(0)",
        "invalid reply",
    ),
    "a subclass of str": ("class S(str): pass\n" + DOUBLE + "return S('4')", "invalid reply"),
    "not a number": (DOUBLE + "return float('nan')", "invalid reply: NaN"),
    "infinite": (DOUBLE + "return float('inf')", "invalid reply: NaN or an infinite number"),
    "a huge integer": (DOUBLE + "return 10 ** 100", "invalid reply: an integer of more than 64 bits"),
    "deep nesting": (DOUBLE + "x = []\n    for _ in range(500): x = [x]\n    return x", "invalid reply: nested"),
    "a list that holds itself": (DOUBLE + "x = []\n    x.append(x)\n    return x", "invalid reply: nested"),
    "closes its connection": ("import os\n" + DOUBLE + "os.closerange(3, 100)\n    return 2 * n", "process ended"),
}


@pytest.mark.sample(6)
@pytest.mark.parametrize("case", FAILURES)
def test_the_check_fails_and_says_why(case: str) -> None:
    source, reason = FAILURES[case]

    result = the_result(grade_ex1(source, suite=ONCE))

    assert (result.status, result.earned) == (Status.FAILED, 0)
    assert reason in result.message


def test_the_starter_counts_as_not_attempted() -> None:
    report = grade_ex1(DOUBLE + "raise NotImplementedError", "ex1")

    assert {result.status for result in report.checks} == {Status.NOT_ATTEMPTED}
    assert report.earned == 0


def test_a_traceback_shows_the_students_own_lines_only() -> None:
    result = the_result(grade_ex1("def helper(n):\n    return n.nothing\n\ndef double(n):\n    return helper(n)\n"))

    assert result.evidence == (
        "ex1_fault_tolerance.py, line 5, in double: return helper(n)",
        "ex1_fault_tolerance.py, line 2, in helper: return n.nothing",
    )


FORGERIES = {
    "printed results": "print('PASSED 1 passed'); print('{\"id\": 3, \"ok\": 0}', flush=True); return -1",
    "lines on every file descriptor": (
        "import os\n"
        "    for fd in range(3, 64):\n"
        '        try: os.write(fd, b\'{"id": 2, "ok": 0}\\n{"id": 3, "ok": 2}\\n{"id": 4, "ok": 4}\\n\')\n'
        "        except OSError: pass\n"
        "    return -1"
    ),
    "patched modules": (
        "import builtins, json, random, sys\n"
        "    json.dumps = json.loads = lambda *a, **k: 'passed'\n"
        "    builtins.len = builtins.isinstance = lambda *a: True\n"
        "    random.Random = None\n"
        "    sys.modules['pytest'] = sys.modules['json']\n"
        "    return -1"
    ),
}


@pytest.mark.sample(1)
@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_answer_earns_nothing(forgery: str) -> None:
    # The answer 0 is right for 0; a check that asks for more than one number sees through it.
    report = grade_ex1(DOUBLE + FORGERIES[forgery], "text")

    assert the_result(report).status is Status.FAILED


def test_patching_modules_does_not_spoil_a_right_answer() -> None:
    source = "import json, random\njson.dumps = json.loads = random.Random = None\n" + GOOD_EX1

    assert the_result(grade_ex1(source)).status is Status.PASSED


@pytest.mark.sample(1)
def test_a_process_left_behind_is_ended(isolation: Isolation) -> None:
    source = (
        "import os, time\n"
        "def double(n):\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        "        if os.fork() == 0:\n"
        "            time.sleep(600)\n"
        "        os._exit(0)\n"
        "    return 2 * n\n"
    )

    assert the_result(grade_ex1(source, isolation=isolation)).status is Status.PASSED  # and see `nothing_survives`


def test_a_fork_that_returns_does_not_answer_a_second_time() -> None:
    source = "import os\ndef double(n):\n    os.fork()\n    return 2 * n\n"

    assert the_result(grade_ex1(source)).status is Status.PASSED


def test_threads_that_never_end_do_not_hold_the_grader_up() -> None:
    source = "import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()\n" + GOOD_EX1

    assert the_result(grade_ex1(source)).status is Status.PASSED


def test_a_slow_trickle_ends_with_the_checks_time() -> None:
    limits = replace(QUICK, call=1.0, check=1.0)
    source = "import time\ndef double(n):\n    time.sleep(0.4)\n    return 2 * n\n"

    report = grade(submission(ex1=source), SUITE, GradingSettings(limits=limits, only=("double",)))

    assert the_result(report).message == "time limit: the 1 s for one check are used up"


@pytest.mark.slow
def test_a_trickle_through_all_checks_ends_with_the_exercises_time() -> None:
    limits = replace(QUICK, exercise=1.0)
    source = "import time\ndef double(n):\n    time.sleep(0.3)\n    return 2 * n\n"

    report = grade(submission(ex1=source), SUITE, GradingSettings(limits=limits, only=("ex1",)))

    assert "the 1 s for this exercise are used up" in report.checks[0].message
    assert report.earned == 0


def test_hard_coded_answers_fail_the_unseen_seeds() -> None:
    source = "def double(n):\n    return {0: 0, 1: 2, 2: 4}[n]\n"
    seen, unseen = ((0, 1, 2), (0, 1, 2, 77))

    def result(seeds: tuple[int, ...]) -> Status:
        report = grade(submission(ex1=source), SUITE, GradingSettings(limits=QUICK, only=("double",), seeds=seeds))
        return the_result(report).status

    assert (result(seen), result(unseen)) == (Status.PASSED, Status.FAILED)


UNSTEADY = {
    "the order of a set": "def double(n):\n    return list({'a', 'b', 'c', 'd', 'e', 'f', 'g'})\n",
    "the time of day": "import time\ndef double(n):\n    return time.time_ns() % 10**15\n",
    "dice of its own": "import random\ndef double(n):\n    return random.random()\n",
}


@pytest.mark.sample(1)
@pytest.mark.parametrize("cause", UNSTEADY)
def test_what_depends_on_chance_is_flagged(cause: str) -> None:
    settings = GradingSettings(level="instructor", limits=QUICK, only=("any",), seeds=(1,))
    report = grade(submission(ex1=UNSTEADY[cause]), SUITE, settings)

    assert the_result(report).deterministic is False
    assert "Not deterministic" in the_result(report).message
    assert the_result(report).status is Status.PASSED  # a flag, not a verdict


def test_a_result_that_changes_counts_as_the_worse_one() -> None:
    # Hash seeds are 0 and 1; some two words change places between them.
    source = "def double(n):\n    return 2 * n if list({'a', 'b', 'c', 'd', 'e'}) == FIRST else 0\n"
    with Session(
        BY_ID["ex1"], {"ex1_fault_tolerance.py": "def f():\n    return list({'a', 'b', 'c', 'd', 'e'})\n"}
    ) as s:
        first = s.call("f")

    result = the_result(grade_ex1(source + f"FIRST = {first!r}\n"))

    assert result.status is Status.FAILED
    assert result.deterministic is False


# --------------------------------------------------------------------------------------------------------
# Looking around


HUNT = """
import gc, os, sys

def double(n):
    found = []
    for folder, folders, files in os.walk('/'):
        if folder.startswith(('/proc', '/sys', '/dev')):
            folders.clear()
        found += [os.path.join(folder, name) for name in folders + files
                  if name == 'solutions' or name == 'toys.py' or name.startswith('test_hostile') or name == 'runner.py'
                  and 'grading' in folder]
    return found

def modules(n):
    return sorted(name for name in sys.modules if name.startswith(('solutions', 'tests', 'labs.grading')))

def memory(n):
    return any('HIDDEN' + 'CASE' in text for text in gc.get_objects() if type(text) is str)

def environment(n):
    return sorted(os.environ)
"""
HIDDEN_CASE = "HIDDENCASE: this text is in the grader's memory only"


def session(source: str, isolation: Isolation, limits: SandboxLimits = QUICK) -> Session:
    return Session(BY_ID["ex1"], {"ex1_fault_tolerance.py": source}, limits=limits, isolation=isolation)


@pytest.mark.sample(1)
def test_neither_solutions_nor_tests_can_be_found(isolation: Isolation) -> None:
    if not isolation.hides_files:
        pytest.skip("this kernel has no Landlock; the report says that files are readable")
    with session(HUNT, isolation, replace(QUICK, check=60.0, exercise=60.0)) as child:
        assert child.call("double", 0, seconds=60) == []
        modules = child.call("modules", 0)
        assert all(name == "labs.grading" or name.startswith("labs.grading.child") for name in modules)
        assert child.call("memory", 0) is False


def test_the_environment_is_clean(isolation: Isolation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "x")
    with session(HUNT, isolation) as child:
        names = set(child.call("environment", 0))

    assert names <= {"HOME", "LANG", "LC_CTYPE", "PATH", "PWD", "PYTHONHASHSEED", "REPLAB_SANDBOX", "TMPDIR", "TZ"}


WRITE = """
def double(path):
    with open(path, "w") as file:
        file.write("here")

def scratch(n):
    with open("own.txt", "w") as file:
        file.write("fine")
    with open("own.txt") as file:
        return file.read()
"""


def test_nothing_can_be_written_outside_of_the_own_folder(
    isolation: Isolation, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if isolation.kind == "plain" and not isolation.hides_files:
        pytest.skip("this kernel has no Landlock; the report says that files are readable")
    target = tmp_path_factory.mktemp("outside") / "file"
    target.parent.chmod(0o777)
    with session(WRITE, isolation) as child:
        for path in (target, "/etc/replab-test", "/usr/lib/replab-test", "../replab-test", "../exercises/replab-test"):
            with pytest.raises(Exception, match=r"Error|cannot"):
                child.call("double", str(path))
        assert child.call("scratch", 0) == "fine"

    assert not target.exists()


CONNECT = """
import socket

def double(port):
    socket.create_connection(("127.0.0.1", port), timeout=0.5).close()
"""


def test_the_network_is_closed(isolation: Isolation) -> None:
    if isolation.cuts_network == "no":
        pytest.skip("this kernel has no Landlock; the report says that the network is open")
    with socket.create_server(("127.0.0.1", 0)) as server, session(CONNECT, isolation) as child:
        server.setblocking(False)
        with pytest.raises(Exception, match="Error"):
            child.call("double", server.getsockname()[1])
        with pytest.raises(BlockingIOError):
            server.accept()


def test_the_students_process_is_not_root(isolation: Isolation) -> None:
    if isolation.kind == "plain":
        pytest.skip("plain means: under the grader's own user id")
    with session("import os\ndef double(n):\n    return os.getuid()\n", isolation) as child:
        assert child.call("double", 0) != 0


def test_one_submission_cannot_change_what_the_next_one_runs(isolation: Isolation) -> None:
    source = """
import os, labs.grading.child.main as main

def double(n):
    written = 0
    for name in ("main.py", "values.py", "new.py"):
        try:
            open(os.path.join(os.path.dirname(main.__file__), name), "a").close()
            written += 1
        except OSError:
            pass
    return written
"""
    if isolation.kind == "plain" and not isolation.hides_files:
        pytest.skip("each has a copy of its own")
    with session(source, isolation) as child:
        assert child.call("double", 0) == 0
