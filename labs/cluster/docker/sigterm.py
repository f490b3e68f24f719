"""SIGTERM to the process that owns clusters of containers: they are removed before it ends.

Law of this module: Python ends at SIGTERM without running finalizers, so the containers would stay. Where nobody has
decided what SIGTERM does, the owner removes what it made and then ends by the signal, as it would have without us.
"""

from __future__ import annotations

import os
import signal
import threading
import weakref
from types import FrameType
from typing import Any

REMOVAL_TIMEOUT = 30.0
"""Seconds that the removal may take: a service manager sends SIGKILL at some time, too."""

_finalizers: set[weakref.finalize[..., Any]] = set()


def listen() -> None:
    """From now on remove at SIGTERM. Outside the main thread (Python's rule), or where a handler is set: do nothing."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _end)


def remember(finalizer: weakref.finalize[..., Any]) -> None:
    """What `finalizer` removes is removed at SIGTERM, unless it has been called or detached by then."""
    for ended in [one for one in _finalizers if not one.alive]:
        _finalizers.discard(ended)
    _finalizers.add(finalizer)


def _end(number: int, frame: FrameType | None) -> None:
    # In a thread: what was interrupted may hold a lock that the removal needs, and then only waiting comes to an end.
    remover = threading.Thread(target=_remove_all, daemon=True)
    remover.start()
    remover.join(REMOVAL_TIMEOUT)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _remove_all() -> None:
    for finalizer in list(_finalizers):
        finalizer()
