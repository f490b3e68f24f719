"""However a program ends, it leaves none of its nodes behind, and no files."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from labs.cluster import ProcessCluster
from tests.backends.remains import SOON, assert_nothing_is_left, everything, is_gone, wait_until

from .conftest import QUICK

pytestmark = [pytest.mark.processes, pytest.mark.slow]


def test_nothing_is_left_after_the_block() -> None:
    with ProcessCluster(QUICK) as cluster:
        cluster.start()
        left = everything(cluster)
        assert left[1].exists()

    assert_nothing_is_left(*left)


def test_nothing_is_left_after_an_exception_in_the_block() -> None:
    def use(cluster: ProcessCluster) -> None:
        with cluster:
            cluster.start()
            cluster.pause("node-2")
            left.append(everything(cluster))
            raise ZeroDivisionError

    left: list[tuple[list[int], Path]] = []
    with pytest.raises(ZeroDivisionError):
        use(ProcessCluster(QUICK))

    assert_nothing_is_left(*left[0])


def test_nothing_is_left_of_a_cluster_that_was_forgotten() -> None:
    cluster = ProcessCluster(QUICK)
    cluster.start()
    left = everything(cluster)

    del cluster
    gc.collect()

    assert_nothing_is_left(*left)


PROGRAM = """
import json, os, signal, sys, time
from labs.cluster import FAST, ProcessCluster
cluster = ProcessCluster(FAST)
cluster.start()
pids = [cluster.pid(node) for node in cluster.node_ids] + [cluster._family._watchdog.pid]
print(json.dumps([pids, str(cluster._family.folder)]), flush=True)
"""


Program = tuple["subprocess.Popen[str]", list[int], Path]


@pytest.fixture
def run_program() -> Iterator[Callable[[str], Program]]:
    """Another Python that has started a cluster and then goes on with the given code."""
    with ExitStack() as stack:

        def run(rest: str) -> Program:
            program = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", PROGRAM + rest],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    start_new_session=True,
                )
            )
            stack.callback(program.kill)
            processes, folder = json.loads(next_line(program))
            return program, processes, Path(folder)

        yield run


def next_line(program: subprocess.Popen[str]) -> str:
    assert program.stdout is not None
    line = program.stdout.readline()
    assert line, program.communicate()[1]
    return line


def test_nothing_is_left_when_the_interpreter_exits(run_program: Callable[[str], Program]) -> None:
    program, processes, folder = run_program("sys.exit('enough')")

    assert program.communicate(timeout=SOON) == ("", "enough\n")
    assert_nothing_is_left(processes, folder)


def test_nothing_is_left_after_ctrl_c(run_program: Callable[[str], Program]) -> None:
    program, processes, folder = run_program(
        "with cluster:\n    print('waiting', flush=True)\n    signal.pause()",
    )
    assert next_line(program) == "waiting\n"

    os.killpg(program.pid, signal.SIGINT)

    assert "KeyboardInterrupt" in program.communicate(timeout=SOON)[1]
    assert_nothing_is_left(processes, folder)


def test_ctrl_c_reaches_the_program_and_not_its_nodes(run_program: Callable[[str], Program]) -> None:
    program, processes, folder = run_program(
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "os.killpg(0, signal.SIGINT)\n"
        "time.sleep(0.3)\n"
        "print([status.state for status in cluster.status().values()])"
    )

    assert program.communicate(timeout=SOON) == ("['running', 'running', 'running']\n", "")
    assert_nothing_is_left(processes, folder)


def test_a_killed_program_leaves_nothing_behind_not_even_a_paused_node(run_program: Callable[[str], Program]) -> None:
    program, processes, folder = run_program("cluster.pause('node-2')\nprint('paused', flush=True)\nsignal.pause()")
    assert next_line(program) == "paused\n"
    assert psutil.Process(processes[1]).status() == psutil.STATUS_STOPPED

    program.kill()
    program.communicate()

    assert_nothing_is_left(processes, folder)


def test_nodes_end_with_a_killed_program_even_without_the_watchdog(run_program: Callable[[str], Program]) -> None:
    program, processes, folder = run_program("os.kill(pids[-1], 9)\nprint('alone', flush=True)\nsignal.pause()")
    assert next_line(program) == "alone\n"

    program.kill()
    program.communicate()

    assert wait_until(lambda: all(is_gone(pid) for pid in processes))
    # Only the watchdog could have removed it.
    for file in sorted(folder.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    folder.rmdir()


def test_a_fork_of_the_program_that_exits_does_not_take_the_cluster_along(
    run_program: Callable[[str], Program],
) -> None:
    program, processes, folder = run_program(
        "child = os.fork()\n"
        "if child == 0:\n"
        "    sys.exit(0)\n"
        "os.waitpid(child, 0)\n"
        "assert cluster._family.folder.exists()\n"
        "print([status.answers for status in cluster.status().values()])"
    )

    assert program.communicate(timeout=SOON) == ("[True, True, True]\n", "")
    assert_nothing_is_left(processes, folder)
