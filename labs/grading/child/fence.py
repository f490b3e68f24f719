"""Limits that a process puts on itself, for good, before it loads any student code.

Law of this module: every step can only take away. Which of them worked is the answer to the grader's first question,
and stands in the report.
"""

from __future__ import annotations

import os
import signal
import struct
import sys
from typing import Any

from labs.grading.child.seccomp import close_ipc

_CLONE_NEWNET, _CLONE_NEWIPC = 0x40000000, 0x08000000
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_LANDLOCK_CREATE, _LANDLOCK_ADD_RULE, _LANDLOCK_RESTRICT = 444, 445, 446  # the same on every architecture

_LIST = 1 << 3
_READ = 1 << 0 | 1 << 2 | _LIST  # execute, read a file
_ONLY_FILES = 1 << 0 | 1 << 1 | 1 << 2  # what can be allowed for a file: execute, write, read
_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
"""All rights that a version of Landlock's interface knows; the later versions add none for files."""


def close_off(question: dict[str, Any]) -> dict[str, Any]:
    """Give up rights and set limits as `question` says. Answers `{"network": bool, "landlock": version or 0}`."""
    network = question["cut_network"] and _cut_network()
    own_ipc = _own_ipc()
    _set_limits(question["limits"])
    if question["uid"] is not None:
        os.setgroups([])
        os.setresgid(question["uid"], question["uid"], question["uid"])
        os.setresuid(question["uid"], question["uid"], question["uid"])
    landlock = 0
    if sys.platform == "linux" and question["landlock"] is not None:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # after the change of uid, which would clear it
        landlock = _landlock(question["landlock"])
    return {"network": network, "landlock": landlock, "ipc": close_ipc() or own_ipc}


def _set_limits(limits: dict[str, int]) -> None:
    try:
        import resource
    except ImportError:  # Windows has none; the grader still measures time
        return
    for name, value in limits.items():
        which = getattr(resource, f"RLIMIT_{name}", None)
        if which is None:
            continue
        _, hard = resource.getrlimit(which)
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        try:
            resource.setrlimit(which, (value, value))
        except (ValueError, OSError) as error:  # macOS refuses some; better fewer limits than no grading
            print(f"limit {name} not set: {error}", file=sys.stderr)


def _cut_network() -> bool:
    """A network of one's own with nothing in it; needs rights that even root in a container often lacks."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return False
    return bool(_libc().unshare(_CLONE_NEWNET) == 0)


def _own_ipc() -> bool:
    """A namespace of one's own for what `close_ipc` refuses, where the kernel has no filters; that needs root."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return False
    return bool(_libc().unshare(_CLONE_NEWIPC) == 0)


def _libc() -> Any:
    import ctypes

    return ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int) -> None:
    import ctypes

    _libc().prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0))


# --------------------------------------------------------------------------------------------------------
# Landlock (Linux 5.13 and later): any process may take the file system away from itself, without privileges


def _landlock(shown: dict[str, list[str]]) -> int:
    """Leave only what is `shown` to be listed, read or written; from version 4 no TCP, from 6 no signals to others."""
    import ctypes

    libc = _libc()
    version = int(libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1)))
    if version < 1:
        return 0
    rights = _RIGHTS.get(version, _RIGHTS[5])
    # Handled: all file rights, TCP bind and connect, signals and abstract sockets. Older versions know a prefix of it.
    attributes = struct.pack("=QQQ", rights, 3, 3)[: 8 if version < 4 else 16 if version < 6 else 24]
    ruleset = int(libc.syscall(_LANDLOCK_CREATE, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0)))
    if ruleset < 0:
        return 0
    for use, allowed in (("list", _LIST), ("read", _READ), ("write", rights)):
        for path in shown[use]:
            _allow(libc, ruleset, path, allowed)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    done = int(libc.syscall(_LANDLOCK_RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint32(0)))
    os.close(ruleset)
    return version if done == 0 else 0


def _allow(libc: Any, ruleset: int, path: str, rights: int) -> None:
    import ctypes

    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)  # type: ignore[attr-defined,unused-ignore]
    except OSError:
        return  # not there: nothing to allow
    if not os.path.isdir(path):
        rights &= _ONLY_FILES
    rule = struct.pack("=Qi", rights, handle)
    libc.syscall(_LANDLOCK_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(1), ctypes.c_char_p(rule), ctypes.c_uint32(0))
    os.close(handle)
