"""Nothing that happens in a worker ends the batch, and a batch that is broken off leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from labs.grading import reports
from labs.grading.errors import Stopped
from labs.grading.workers import WorkerPool
from tests.grading.conftest import write_files
from tests.grading.toys import GOOD, SUITE_SPEC


def work(job: str, stop: Callable[[], bool]) -> str:
    """Does what the job says."""
    if job == "die":
        os._exit(9)
    if job == "hang":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
        Path(tempfile.gettempdir(), f"child-{child.pid}").touch()
        while True:
            time.sleep(1)
    if job == "until stopped":
        while not stop():
            time.sleep(0.01)
        raise Stopped
    return job.upper()


def failed(job: str, why: str) -> str:
    return f"{job}: {why}"


def pool(count: int, seconds: float = 60) -> WorkerPool[str, str]:
    return WorkerPool(count, work, failed, seconds=seconds)


def children() -> set[int]:
    return {one.pid for one in psutil.Process().children(recursive=True) if "sleep(1000)" in " ".join(one.cmdline())}


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2])
def test_a_worker_that_dies_costs_its_own_job_alone(count: int) -> None:
    done = dict(pool(count).run(["a", "die", "b", "c"], lambda: False))

    assert done == {0: "A", 1: "die: its worker died twice (exit code 9)", 2: "B", 3: "C"}


@pytest.mark.slow
def test_a_worker_that_takes_too_long_is_ended_with_what_it_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labs.grading.workers._GRACE", 0.2)

    done = dict(pool(2, seconds=15).run(["hang", "a", "b"], lambda: False))

    assert done == {0: "hang: it took more than 15 s", 1: "A", 2: "B"}
    assert not children()


def test_breaking_off_ends_all_workers() -> None:
    finished: list[str] = []
    for _, result in pool(2).run(["a", "until stopped", "until stopped"], lambda: bool(finished)):
        finished.append(result)

    assert finished == ["A"]
    # (`multiprocessing` keeps a process for its own records.)
    assert not [one for one in psutil.Process().children() if "multiprocessing.spawn" in " ".join(one.cmdline())]


SLEEPS = "import time\ndef double(n):\n    time.sleep(100)\n"


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_grading_and_what_was_graded_stays(number: signal.Signals, tmp_path: Path) -> None:
    write_files(tmp_path / "class" / "ann", GOOD)
    for name in ("bob", "cid"):
        write_files(tmp_path / "class" / name, {"ex1_fault_tolerance.py": SLEEPS})
    scratch = tmp_path / "tmp"
    scratch.mkdir(mode=0o755)
    words = [
        "grade",
        str(tmp_path / "class"),
        "--out",
        str(tmp_path / "out"),
        "--suite",
        SUITE_SPEC,
        "--only",
        "double",
    ]
    command = [sys.executable, "-c", "from labs.cli.app import app; app()", *words, "-j", "2"]
    environment = {**os.environ, "TMPDIR": str(scratch)}
    grading = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, start_new_session=True)
    try:
        _wait_for(lambda: reports.read(tmp_path / "out" / "ann") is not None, grading)
        _wait_for(lambda: len(_sandboxes(grading)) >= 2, grading)
        started = psutil.Process(grading.pid).children(recursive=True)
        os.killpg(grading.pid, number)
        _, said = grading.communicate(timeout=40)
    finally:
        grading.kill()

    assert grading.returncode == 128 + number, said
    assert b"Broken off: 1 of 3 graded" in said
    _, alive = psutil.wait_procs(started, timeout=10)  # they were told to end; the kernel may take a moment
    assert not [one for one in alive if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
    rows = (tmp_path / "out" / "grades.csv").read_text().splitlines()[1:]
    assert [row.split(",")[3] for row in rows] == ["ann"]
    assert not list(scratch.glob("replab-workers-*"))


def _sandboxes(grading: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The workers' own children."""
    workers = psutil.Process(grading.pid).children()
    return [child for worker in workers for child in worker.children()]


def _wait_for(condition: Callable[[], bool], grading: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert grading.poll() is None, grading.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
