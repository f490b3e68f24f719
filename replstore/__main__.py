"""`python -m replstore`: one node, set up by the environment (see `settings`).

The only place that reads the environment, and where the parts are put together: settings, journal, runtime, server.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
import threading
import time
from random import Random

from replstore.api import Api
from replstore.http.access import AccessPolicy
from replstore.http.limits import Limits
from replstore.http.server import Server
from replstore.journal.folder import FolderRefused
from replstore.journal.journal import Journal, JournalDamaged
from replstore.runtime import Runtime
from replstore.settings import BadSettings, Settings, from_environment, mistyped

PROGRESS_INTERVAL = 1.0
"""Seconds between two lines that tell how much of the journal has been read."""

LEAVE_TIME = 1.0
"""Seconds that requests under way get when the node is asked to leave."""


def main() -> int:
    for stream in (sys.stdout, sys.stderr):  # not every terminal can print 👑
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    try:
        settings = from_environment(os.environ)
    except BadSettings as error:
        return _refuse(str(error))
    who = settings.node_id
    for sentence in mistyped(os.environ):
        print(f"[{who}] {sentence}", flush=True)
    # Nothing that is read here becomes garbage in cycles: to look for it again and again takes longer than to read.
    gc.disable()
    try:
        journal = _journal(settings) if settings.data_dir else None
        runtime = Runtime(settings, journal, Random())
        if journal and journal.torn:
            print(f"[{who}] {journal.torn}", flush=True)
    except (JournalDamaged, FolderRefused) as error:
        return _refuse(f"[{who}] {error}")
    except OSError as error:
        return _refuse(f"[{who}] DATA_DIR={settings.data_dir}: cannot be used as a folder for data: {error}")
    gc.freeze()
    gc.enable()
    try:
        asyncio.run(_serve(runtime, settings))
    except OSError as error:
        return _refuse(f"[{who}] Stopped: {error}")
    return 0


def _journal(settings: Settings) -> Journal:
    """The node's journal, telling now and then how far it has been read: whoever waits for the node sees it go on."""
    assert settings.data_dir is not None
    told = time.monotonic()

    def tell(percent: int) -> None:
        nonlocal told
        if time.monotonic() - told >= PROGRESS_INTERVAL:
            told = time.monotonic()
            print(f"[{settings.node_id}] Reading the journal: {percent} %", flush=True)

    return Journal(settings.data_dir, settings.node_id, settings.peers, tell)


async def _serve(runtime: Runtime, settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows: only Python's own handlers
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    if settings.exit_with_parent:
        threading.Thread(target=_wait_for_parent, args=(loop, stop), daemon=True).start()
    names = {settings.node_id, settings.host, socket.gethostname(), *settings.peers}
    names |= {host for host, _ in settings.peers.values()}
    api = Api(runtime, AccessPolicy(names, settings.allow_hosts, settings.allow_origins))
    await runtime.run(Server(api.handle, Limits(close_time=LEAVE_TIME), api.admit), stop)


def _wait_for_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Standard input is a pipe that the parent holds; it ends when the parent does, however that dies."""
    while os.read(sys.stdin.fileno(), 1024):
        continue
    loop.call_soon_threadsafe(stop.set)


def _refuse(text: str) -> int:
    print(text, file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
