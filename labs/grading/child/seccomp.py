"""A filter on the process's own system calls: what the kernel would keep after its end cannot be made.

System V's shared memory, semaphores and message queues, POSIX message queues, and keys outlive their makers, and the
process of the next check would find them. Any process may refuse itself system calls (Linux's seccomp), without
privileges, and for all that it starts. Law of this module: it can only take away, and what it refuses is `EPERM`.
"""

from __future__ import annotations

import os
import struct
import sys
from typing import Any

_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _MODE_FILTER = 22, 38, 2
_NUMBER, _ARCHITECTURE = 0, 4
"""Where in `struct seccomp_data` they are."""
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 1  # EPERM
_X32 = 0x40000000
"""From here on the numbers are those of another interface of the same machine."""

_CALLS: dict[str, tuple[int, tuple[range, ...]]] = {
    "x86_64": (
        0xC000003E,
        (
            range(29, 32),  # shmget, shmat, shmctl
            range(64, 67),  # semget, semop, semctl
            range(68, 72),  # msgget, msgsnd, msgrcv, msgctl
            range(220, 221),  # semtimedop
            range(240, 246),  # mq_*
            range(248, 251),  # add_key, request_key, keyctl
        ),
    ),
    "aarch64": (
        0xC00000B7,
        (
            range(180, 186),  # mq_*
            range(186, 190),  # msg*
            range(190, 194),  # sem*
            range(194, 197),  # shmget, shmctl, shmat
            range(217, 220),  # add_key, request_key, keyctl
        ),
    ),
}


def close_ipc() -> bool:
    """Refuse this process, and all that it starts, what would be left behind. False where the system cannot do that."""
    machine = os.uname().machine if sys.platform == "linux" else ""
    if machine not in _CALLS:
        return False
    import ctypes

    program = _program(*_CALLS[machine])
    text = ctypes.create_string_buffer(program)
    # struct sock_fprog: the number of instructions, and where they are.
    filters = struct.pack("@HP", len(program) // 8, ctypes.addressof(text))
    libc = ctypes.CDLL(None, use_errno=True)
    _prctl(libc, _PR_SET_NO_NEW_PRIVS, 1)
    handed_over = ctypes.create_string_buffer(filters)
    return _prctl(libc, _PR_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(handed_over)) == 0


def _program(architecture: int, refused: tuple[range, ...]) -> bytes:
    """The filter: instructions of the kernel's packet filter, each with the places to go to if it is true or not."""
    numbers = [number for numbers in refused for number in numbers]
    left = len(numbers) + 1
    words = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_IF_EQUAL, 0, left + 2, architecture),  # another one would number its calls otherwise
        (_LOAD, 0, 0, _NUMBER),
        (_IF_AT_LEAST, left, 0, _X32),
        *((_IF_EQUAL, left - place, 0, number) for place, number in enumerate(numbers, 1)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    return b"".join(struct.pack("=HBBI", *word) for word in words)


def _prctl(libc: Any, option: int, value: int, address: int = 0) -> int:
    import ctypes

    return int(libc.prctl(option, *map(ctypes.c_ulong, (value, address, 0, 0))))
