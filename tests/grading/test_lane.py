"""A second process beside the grader's: the same marks, and nothing left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.grading.conftest import write_files

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a lane is forked, on Linux alone")

QUICK_ONES = {
    "right": ("print(n); return 2 * n", 1),
    "wrong for the seed that a lane has": ("return 2 * n if n != 2 else 7", 0),
    "wrong for the first": ("return 2 * n if n else 7", 0),
    "wrong in the second run": ("import os; return 2 * n + int(os.environ['PYTHONHASHSEED'])", 0),
    "raises in the second run": ("import os; return 2 * n / (1 - int(os.environ['PYTHONHASHSEED']))", 0),
}
SLOW_ONES = {
    "too slow for one check, both halves together": ("import time; time.sleep(0.8); return 2 * n", 0),
    "too slow for the exercise, both runs together": (
        "import os, time; time.sleep(1.8 if os.environ['PYTHONHASHSEED'] == '1' else 0.62); return 2 * n",
        0,
    ),
    "hangs in the second run": ("import os, time; time.sleep(60 * int(os.environ['PYTHONHASHSEED'])); return 2 * n", 0),
}


def run(*words: str) -> Any:
    done = subprocess.run([sys.executable, "-m", "tests.grading.with_a_lane", *words], capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("bodies", [QUICK_ONES, SLOW_ONES], ids=["quick", "slow"])
def test_marks_with_a_lane_are_those_without(bodies: dict[str, tuple[str, int]], tmp_path: Path) -> None:
    files = {f"{number}.py": f"def double(n):\n    {body}\n" for number, (body, _) in enumerate(bodies.values())}
    write_files(tmp_path, files)

    graded = run("grade", *(str(tmp_path / name) for name in files))

    for (name, (_, earned)), (with_lane, without) in zip(bodies.items(), graded, strict=True):
        assert with_lane == without, name
        assert with_lane["earned"] == earned, name
        assert not with_lane["errors"], name


def test_a_lane_gives_what_is_still_wanted_and_says_when_it_has_ended() -> None:
    told = run("jobs")

    assert told["begun"]
    assert told["one"] == [[1, 0], [1, 1], None]
    assert told["seven"] == [7, 0]
    assert told["two"] == [[2, 0], [2, 1]]
    assert told["stopped"]
    assert "eight" in told["failed"]
    assert told["nine"] == [[9, 0], [9, 1], None]
    assert not told["begun after its end"]
    assert not psutil.pid_exists(told["pid"])


def test_a_lane_ends_with_the_process_that_made_it(tmp_path: Path) -> None:
    """Also if that is killed while student code runs in both."""
    write_files(tmp_path, {"slow.py": "import time\ndef double(n):\n    time.sleep(2)\n    return 2 * n\n"})
    command = [sys.executable, "-m", "tests.grading.with_a_lane", "grade", str(tmp_path / "slow.py")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=os.getcwd())
    try:
        grader = psutil.Process(process.pid)
        wait_until(lambda: both_have_started_something(grader))
        family = grader.children(recursive=True)
    finally:
        process.kill()
        process.wait()
    gone, alive = psutil.wait_procs(family, timeout=20)
    assert not alive
    assert gone


def both_have_started_something(grader: psutil.Process) -> bool:
    try:
        return len(grader.children()) > 1 and any(child.children() for child in grader.children())
    except psutil.NoSuchProcess:  # one ended while we looked
        return False


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
