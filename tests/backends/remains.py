"""What is left of a cluster of processes: its nodes, its watchdog and its folder."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import psutil

from labs.cluster import ProcessCluster

SOON = 10.0
"""Seconds in which a process that should end must have ended, on a busy machine."""


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until(condition: Any) -> bool:
    deadline = time.monotonic() + SOON
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def pids(cluster: ProcessCluster) -> list[int]:
    return [pid for node in cluster.node_ids if (pid := cluster.pid(node)) is not None]


def everything(cluster: ProcessCluster) -> tuple[list[int], Path]:
    """All processes of the cluster, the watchdog too, and its folder."""
    family = cluster._family
    assert family._watchdog is not None
    return [*pids(cluster), family._watchdog.pid], family.folder


def assert_nothing_is_left(processes: list[int], folder: Path) -> None:
    assert wait_until(lambda: all(is_gone(pid) for pid in processes)), [pid for pid in processes if not is_gone(pid)]
    assert wait_until(lambda: not folder.exists())
