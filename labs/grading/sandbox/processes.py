"""Ending everything that a sandboxed process started, however it tried to get away.

Law of this module: only processes that carry the sandbox's own mark are ended: descendants of the process that we
started, processes of the user id that was made for it, and those that inherited its secret name in their environment.
"""

from __future__ import annotations

import atexit
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache

import psutil

from labs.grading.errors import GraderError

MARK = "REPLAB_SANDBOX"
FIRST_UID, LAST_UID, BLOCK = 61000, 61999, 10
"""Unused by Debian's and Red Hat's `adduser`, and below 65536, where containers often end. Reserved in blocks."""

_END_TIMEOUT = 10.0

mark_prefix = ""
"""How the marks of this process's sandboxes begin, so that another process can end them if this one is killed."""


def end_tree(process: subprocess.Popen[bytes], *, uid: int | None, mark: str | None) -> None:
    """Kill `process` and all that came of it; returns when none is left. Raises `GraderError` if one remains."""
    for _ in range(50):
        found = family(process, uid, mark)
        # First freeze, then look again: what is frozen starts nothing new.
        fresh = [one for one in found if _status(one) not in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)]
        _each(fresh, psutil.Process.suspend)
        if not fresh:
            break
    _each(found, psutil.Process.kill)
    process.kill()
    process.wait(_END_TIMEOUT)
    left = [*_still_there(found), *(one for one in _strays(uid, mark) if _runs(one))]
    if left:
        raise GraderError(f"processes of a submission could not be ended: {[one.pid for one in left]}")


def end_marked(prefix: str) -> None:
    """Kill every process whose mark begins so. What runs in a bubblewrap has no mark, and dies with its parent."""
    _each([one for one in psutil.process_iter() if (_mark(one) or "").startswith(prefix)], psutil.Process.kill)


def end_namespace(process: subprocess.Popen[bytes]) -> None:
    """Kill a bubblewrap; its process namespace and everything in it dies with it."""
    children = [_process(pid) for pid in _children(process.pid)]
    process.kill()
    process.wait(_END_TIMEOUT)
    # The namespace's first process is gone only when all others in it are.
    if left := _still_there([one for one in children if one is not None]):
        raise GraderError(f"a sandbox could not be ended: process {left[0].pid} remains")


def worker_pid(process: subprocess.Popen[bytes]) -> int:
    """The Python in it: `process` itself, or the innermost of a bubblewrap's family."""
    below = _below(process.pid)
    return below[-1] if below else process.pid


def descendants(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """All that came of `process`, without itself."""
    return [one for pid in _below(process.pid) if (one := _process(pid)) is not None]


def _below(pid: int) -> list[int]:
    """All that came of a process, each behind its parent."""
    found = [pid]
    for one in found:
        found += [child for child in _children(one) if child not in found]
    return found[1:]


def _children(pid: int) -> list[int]:
    """Linux tells them (`proc(5)`), which takes a hundredth of looking through all processes for them; where it does
    not, those are looked through. A child may be missing whose brother ends just now: who must miss nobody looks until
    nobody is left."""
    if not _tells_children():
        return _looked_through(pid)
    found: list[int] = []
    with suppress(OSError):  # it is over
        for task in os.listdir(f"/proc/{pid}/task"):
            with suppress(OSError), open(f"/proc/{pid}/task/{task}/children", "rb") as file:  # or one of its threads
                found += map(int, file.read().split())
    return found


@cache
def _tells_children() -> bool:
    return os.path.exists("/proc/thread-self/children")


def _looked_through(pid: int) -> list[int]:
    try:
        return [child.pid for child in psutil.Process(pid).children()]
    except psutil.Error:
        return []


def _process(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.Error:
        return None


def family(process: subprocess.Popen[bytes], uid: int | None, mark: str | None) -> list[psutil.Process]:
    found = {one.pid: one for one in _strays(uid, mark)}
    try:
        root = psutil.Process(process.pid)
        found |= {one.pid: one for one in [root, *root.children(recursive=True)]}
    except psutil.NoSuchProcess:
        return list(found.values())
    return list(found.values())


def _strays(uid: int | None, mark: str | None) -> list[psutil.Process]:
    if uid is not None:
        return [one for one in psutil.process_iter() if _uid(one) == uid]
    return [one for one in psutil.process_iter() if _mark(one) == mark] if mark else []


def _uid(process: psutil.Process) -> int | None:
    try:
        return process.uids().real
    except psutil.Error:
        return None


def _mark(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK) if process.pid != os.getpid() else None
    except (psutil.Error, OSError):
        return None


def _status(process: psutil.Process) -> str:
    try:
        return process.status()
    except psutil.NoSuchProcess:
        return psutil.STATUS_ZOMBIE


def _runs(process: psutil.Process) -> bool:
    """A zombie runs no more, and only its parent decides how soon it is gone from the list."""
    return _status(process) != psutil.STATUS_ZOMBIE


def _still_there(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Wait until none of them runs; those that still run at the end of the time limit."""
    deadline = time.monotonic() + _END_TIMEOUT
    while (left := [one for one in processes if _runs(one)]) and time.monotonic() < deadline:
        time.sleep(0.001)
    return left


def _each(processes: Iterable[psutil.Process], act: Callable[[psutil.Process], None]) -> None:
    for process in processes:
        try:
            act(process)
        except psutil.NoSuchProcess:
            continue


# --------------------------------------------------------------------------------------------------------
# User ids that belong to nobody


@cache
def private_uids() -> tuple[int, ...]:
    """User ids for this grader's sandboxes alone; none where we may not change ids.

    `RLIMIT_NPROC` counts per user id, so graders that run side by side must not share one.
    """
    if sys.platform != "linux" or os.geteuid() != 0:
        return ()
    used = _used_uids()
    for first in range(FIRST_UID, LAST_UID, BLOCK):
        block = range(first, first + BLOCK)
        if used.isdisjoint(block) and _reserve(first):
            return tuple(block)
    raise GraderError(f"all user ids from {FIRST_UID} to {LAST_UID} are in use: are other graders running?")



def next_uid() -> int | None:
    """One of `private_uids` that nothing runs under, not even a zombie: those count against `RLIMIT_NPROC`, too."""
    mine = private_uids()
    if not mine:
        return None
    deadline = time.monotonic() + _END_TIMEOUT
    while time.monotonic() < deadline:
        used = _used_uids()
        if free := [uid for uid in mine if uid not in used]:
            return secrets.choice(free)  # in turn, it would tell how many sandboxes there were before
        time.sleep(0.01)
    raise GraderError("no user id became free: this system does not clear away ended processes")


def _used_uids() -> set[int | None]:
    return {_uid(process) for process in psutil.process_iter()}


def _reserve(uid: int) -> bool:
    """An abstract socket is a lock that the whole machine sees and that no crash leaves behind."""
    lock = socket.socket(socket.AF_UNIX)
    try:
        lock.bind(f"\0replication-lab-uid-{uid}")
    except OSError:
        lock.close()
        return False
    atexit.register(lock.close)  # kept open by this until the end
    return True


def tasks_of_my_uid() -> int:
    """Processes and threads that run under our own user id: what `RLIMIT_NPROC` will count beside the sandbox's."""
    mine = os.geteuid() if hasattr(os, "geteuid") else None
    total = 0
    for process in psutil.process_iter():
        try:
            if mine is not None and process.uids().real == mine:
                total += process.num_threads()
        except psutil.Error:
            continue
    return total
