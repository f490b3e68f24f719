"""A class graded by other executors' workers, in parts, and collected."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from labs.grading import batch, elsewhere
from labs.grading.dice import FILE
from labs.grading.results import Report
from labs.grading.sandbox.isolation import Isolation
from labs.grading.settings import GradingSettings
from tests.grading.conftest import write_files
from tests.grading.test_batch import SETTINGS, call, stable
from tests.grading.toys import GOOD, SUITE_SPEC

NAMES = ("ann", "bob", "cid", "dan", "eve")


@pytest.fixture
def classroom(tmp_path: Path) -> Path:
    for name in NAMES:
        text = f"def double(n):\n    return n * {len(name) - (name > 'c')}\n"
        write_files(tmp_path / "class" / name, {"ex1_fault_tolerance.py": text if name != "ann" else GOOD_EX1})
    return tmp_path / "class"


GOOD_EX1 = GOOD["ex1_fault_tolerance.py"]


def run(
    classroom: Path,
    out: Path,
    workers: int | Executor,
    progress: Callable[[Report, bool], None] = lambda report, known: None,
    settings: GradingSettings = SETTINGS,
    **options: Any,
) -> list[Report]:
    jobs = batch.plan([classroom], out, SUITE_SPEC, settings).jobs
    graded = batch.run(jobs, workers, progress, **options)
    batch.write_table(jobs, graded, out)
    return graded


def same(first: Path, second: Path) -> bool:
    tables = [(folder / "grades.csv").read_bytes() for folder in (first, second)]
    return stable(first) == stable(second) and tables[0] == tables[1]


class FailsAtFirst(ThreadPoolExecutor):
    """An executor whose first worker is lost with the job that it has."""

    lost = False

    def submit(self, *words: Any, **named: Any) -> Future[Any]:
        if self.lost:
            return super().submit(*words, **named)
        self.lost = True
        future: Future[Any] = Future()
        future.set_exception(RuntimeError("a worker was killed"))
        return future


@pytest.mark.slow
def test_any_executor_gives_the_same_results(classroom: Path, tmp_path: Path) -> None:
    run(classroom, tmp_path / "own", 1)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        graded = run(classroom, tmp_path / "pool", executor)

    assert [report.submission for report in graded] == list(NAMES)
    assert same(tmp_path / "own", tmp_path / "pool")


@pytest.mark.slow
def test_a_lost_workers_job_is_done_again(classroom: Path, tmp_path: Path) -> None:
    run(classroom, tmp_path / "own", 1)
    with FailsAtFirst(1) as executor:
        run(classroom, tmp_path / "other", executor)

    assert executor.lost
    assert same(tmp_path / "own", tmp_path / "other")


def test_an_executor_that_breaks_gives_no_marks_and_says_why(classroom: Path, tmp_path: Path) -> None:
    executor = ThreadPoolExecutor(1)
    executor.shutdown()

    graded = run(classroom, tmp_path / "out", executor)

    assert [report.graded for report in graded] == [False] * len(NAMES)
    assert "cannot schedule new futures" in graded[0].checks[0].message


def test_a_worker_with_another_lab_gives_no_mark(
    classroom: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "this_lab", lambda: "version 0.0.1 (abc), cpython 3.11")
    with ThreadPoolExecutor(1) as executor:
        graded = run(classroom, tmp_path / "out", executor)

    assert not any(report.graded for report in graded)
    assert "the worker has another lab: version" in graded[0].checks[0].message


def test_a_worker_with_another_isolation_gives_no_mark(classroom: Path, tmp_path: Path) -> None:
    better = Isolation("plain", "python", hides_files=True, cuts_network="the moon's")
    settings = GradingSettings(limits=SETTINGS.limits, only=SETTINGS.only, isolation=better)
    with ThreadPoolExecutor(1) as executor:
        graded = run(classroom, tmp_path / "out", executor, settings=settings)

    assert not any(report.graded for report in graded)
    assert "the worker has another isolation" in graded[0].checks[0].message


@pytest.mark.slow
def test_what_has_not_begun_is_taken_back_when_grading_is_broken_off(classroom: Path, tmp_path: Path) -> None:
    seen: list[str] = []
    with ThreadPoolExecutor(1) as executor:
        graded = run(
            classroom,
            tmp_path / "out",
            executor,
            lambda report, known: seen.append(report.submission),
            stop=lambda: bool(seen),
        )

    assert 1 <= len(graded) < len(NAMES)


def test_the_labs_code_and_python_are_what_is_compared() -> None:
    assert elsewhere.this_lab() == elsewhere.this_lab()
    assert "cpython 3." in elsewhere.this_lab() or "pypy" in elsewhere.this_lab()


# -- parts -------------------------------------------------------------------------------------------------


def test_all_parts_together_are_the_class(classroom: Path, tmp_path: Path) -> None:
    jobs = batch.plan([classroom], tmp_path / "out", SUITE_SPEC, SETTINGS).jobs

    parts = [job for number in (1, 2, 3) for job in batch.shard(jobs, number, 3)]

    assert sorted(job.name for job in parts) == list(NAMES)
    assert batch.shard(jobs, 1, 1) == jobs


@pytest.mark.slow
def test_parts_are_graded_apart_and_collected(classroom: Path, tmp_path: Path) -> None:
    words = [str(classroom), "--suite", SUITE_SPEC, "--only", "ex1"]
    whole, parts = str(tmp_path / "whole"), str(tmp_path / "parts")
    assert call("grade", *words, "--out", whole).exit_code == 0
    (tmp_path / "parts").mkdir()
    shutil.copy(Path(whole, FILE), parts)  # the same secret, or other dice are right

    assert call("grade", *words, "--out", parts, "--shard", "1/2").exit_code == 0
    early = call("grade", *words, "--out", parts, "--collect")
    assert call("grade", *words, "--out", parts, "--shard", "2/2").exit_code == 0
    done = call("grade", *words, "--out", parts, "--collect")

    assert early.exit_code == 3
    assert "not graded: bob: no part has graded it yet" in early.output
    assert done.exit_code == 0, done.output
    assert same(tmp_path / "whole", tmp_path / "parts")


@pytest.mark.parametrize("part", ["0/2", "3/2", "1", "a/b", "1/0", "-1/2"])
def test_a_part_that_is_none_is_refused(part: str, classroom: Path, tmp_path: Path) -> None:
    done = call("grade", str(classroom), "--suite", SUITE_SPEC, "--out", str(tmp_path / "out"), "--shard", part)

    assert done.exit_code == 2
    assert "is no part" in " ".join(done.output.split())


# -- Dask --------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_dask_gives_the_same_table_also_when_a_worker_is_killed(classroom: Path, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install '.[dask]'")
    run(classroom, tmp_path / "own", 1)
    kept = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**kept, local_directory=str(tmp_path)) as cluster:
        with distributed.Client(cluster, set_as_default=False) as client:
            pids = list(client.run(os.getpid).values())
        killed: list[int] = []

        def kill_one(report: Report, known: bool) -> None:
            if not killed:
                killed.append(pids[0])
                os.kill(pids[0], signal.SIGKILL)

        with elsewhere.dask_workers(cluster.scheduler_address) as executor:
            run(classroom, tmp_path / "dask", executor, kill_one)
        done = call("grade", str(classroom), "--suite", SUITE_SPEC, "--only", "ex1", "--dask",
                    cluster.scheduler_address, "--out", str(tmp_path / "command"))  # fmt: skip

    assert killed
    assert same(tmp_path / "own", tmp_path / "dask")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "command" / "grades.csv").is_file()


@pytest.mark.slow
def test_a_scheduler_that_is_not_there_is_said(
    classroom: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install '.[dask]'")

    def nobody(*_: Any, **__: Any) -> None:
        raise OSError("timed out")

    monkeypatch.setattr(distributed, "Client", nobody)
    done = call("grade", str(classroom), "--suite", SUITE_SPEC, "--out", str(tmp_path / "out"), "--dask", "tcp://x:1")

    assert done.exit_code == 3
    assert "no Dask scheduler answers at tcp://x:1" in done.output
