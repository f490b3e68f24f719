"""In a web page the student's code runs in the grader's own interpreter: the same words, marks and limits."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from labs.grading.results import Report
from labs.grading.runner import grade
from labs.grading.sandbox.isolation import Isolation
from labs.grading.sandbox.opening import best_isolation
from labs.grading.settings import GradingSettings
from tests.grading.conftest import submission
from tests.grading.toys import GOOD_EX1, GOOD_EX2, GOOD_EX3, ONCE, QUICK

PAGE = Isolation("worker", "")
LIMITS = replace(QUICK, call=1.0, check=6.0, output_bytes=20_000)


def in_the_page(**sources: str) -> Report:
    return grade(submission(**sources), ONCE, GradingSettings(limits=LIMITS, isolation=PAGE, seeds=(0,)))


def told(report: Report) -> list[tuple[str, str, float, str, tuple[str, ...]]]:
    return [(one.id, one.status.value, one.earned, one.message, one.evidence) for one in report.checks]


@pytest.mark.parametrize(
    "ex1",
    [
        GOOD_EX1,
        "def double(n):\n    return 3 * n\n",
        "def double(n):\n    raise NotImplementedError\n",
        "def double(n):\n    return [n].index(5)\n",
        "def double(n):\n    raise SystemExit(3)\n",
        "def double(n):\n    return float('nan')\n",
        "def double(n):\n    return input()\n",
        "def triple(n):\n    return 3 * n\n",
        "def double(n:\n",
        "raise ValueError('while it is imported')\n",
        "def double(n):\n    while True:\n        pass\n",
        "while True: pass\n",
    ],
)
@pytest.mark.processes
@pytest.mark.slow
def test_it_says_what_the_sandbox_says(ex1: str) -> None:
    sources = {"ex1": ex1}
    limits = replace(LIMITS, load=1.5)

    page = grade(submission(**sources), ONCE, GradingSettings(limits=limits, isolation=PAGE, seeds=(0,)))
    sandbox = grade(submission(**sources), ONCE, GradingSettings(limits=limits, isolation=best_isolation(), seeds=(0,)))

    assert told(page) == told(sandbox)


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    "loop",
    [
        "    while True: pass\n",
        "    while True:\n        pass\n",
        "    while n is not None: ...\n",
        "    while True: continue\n",
        "    return [n for n in iter(int, 1)]\n",
        "    return sum(1 for _ in iter(int, 1))\n",
        "    for _ in iter(int, 1): pass\n",
        "    return (lambda: [0 for _ in iter(int, 1)])()\n",
    ],
)
def test_a_loop_without_an_end_is_left_and_the_other_checks_go_on(loop: str) -> None:
    report = in_the_page(ex1="def double(n):\n" + loop, ex2=GOOD_EX2, ex3=GOOD_EX3)

    results = {one.id: one for one in report.checks}
    assert results["double"].message == "time limit: no answer within 1 s"
    assert results["echo"].earned == results["echo"].points


def test_a_call_without_an_end_is_left_too() -> None:
    report = in_the_page(ex1="def double(n):\n    return double(n)\n")

    assert "RecursionError" in report.checks[0].message


def test_who_prints_without_end_is_stopped() -> None:
    report = in_the_page(ex1="def double(n):\n    while True: print('again and again')\n")

    assert report.checks[0].message == "resource limit: more than 20,000 bytes printed"
    assert len(report.run.output["double"]) <= LIMITS.output_kept


def test_nothing_of_one_run_is_found_by_the_next() -> None:
    remembers = "count = 0\ndef double(n):\n    global count\n    count += 1\n    return 2 * n + count - 1\n"
    path, modules = list(sys.path), set(sys.modules)

    first, second = in_the_page(ex1=remembers), in_the_page(ex1=remembers)

    assert told(first) == told(second)
    assert sys.path == path
    assert {name for name in set(sys.modules) - modules if name.startswith("exercises")} == set()
    assert sys.gettrace() is None or "pytest" in repr(sys.gettrace())


def test_its_marks_say_that_they_are_unofficial() -> None:
    assert in_the_page(ex1=GOOD_EX1).isolation.startswith("unofficial")
