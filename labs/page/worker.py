"""Starts a web worker that checks an exercise, listens to it, and ends it.

Law of this module: the only one that talks to the browser's JavaScript. A worker that gives no sign of life for
`SILENCE` seconds is in code that never comes back: it is ended, and the rest of the page has not noticed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

SILENCE = 45.0
"""Seconds. More than one check may take of the student's time, so that code in Python ends by the check's own limit."""
LOOK_EVERY = 1.0


class CheckingWorker:
    """`heard(message)` gets each message of `labs.page.checker.check`; the last is a report or `{"trouble": sentence}`.
    In a page only."""

    def __init__(self, request: dict[str, Any], heard: Callable[[dict[str, Any]], None]) -> None:
        self._heard = heard
        self._silent = 0.0
        self._over = False
        self._worker, self._handles = _start(json.dumps(request), self._take, self._broke)
        self._watch = asyncio.get_running_loop().create_task(self._look())

    def end(self) -> None:
        """Whatever it is doing. Safe to call twice."""
        if not self._over:
            self._over = True
            self._worker.terminate()
            self._watch.cancel()
            for handle in self._handles:
                handle.destroy()

    def _take(self, text: str) -> None:
        message = json.loads(text)
        self._silent = 0.0
        if "report" in message or "trouble" in message:
            self._last(message)
        elif not self._over and "life" not in message:
            self._heard(message)

    def _broke(self, reason: str) -> None:
        self._last({"trouble": f"The checks ended without a result: {reason or 'the web worker stopped'}"})

    def _last(self, message: dict[str, Any]) -> None:
        if not self._over:
            self.end()
            self._heard(message)

    async def _look(self) -> None:
        while self._silent < SILENCE:
            await asyncio.sleep(LOOK_EVERY)
            self._silent += LOOK_EVERY
        text = f"Stopped: your code did not come back within {SILENCE:g} s. Is there a loop that never ends?"
        asyncio.get_running_loop().call_soon(self._last, {"trouble": text})


def _start(request: str, take: Callable[[str], None], broke: Callable[[str], None]) -> tuple[Any, list[Any]]:
    """The worker and what must be freed with it."""
    import js
    from pyodide.ffi import create_proxy, to_js

    options = to_js({"type": "module"}, dict_converter=js.Object.fromEntries)
    worker = js.Worker.new(f"{_site()}/static/checker.mjs", options)
    handles = [create_proxy(lambda event: take(event.data)), create_proxy(lambda event: broke(event.message))]
    worker.onmessage, worker.onerror = handles
    worker.postMessage(request)
    return worker, handles


def _site() -> str:
    """The address of the site whose page this is: its kernel's program lies in `extensions`."""
    import js

    return str(js.location.href).partition("/extensions/")[0]


def wait_for(event: asyncio.Event, timeout: float) -> bool:
    """Wait within a cell that is no coroutine, if this browser can do that; whether `event` is set then."""
    if sys.platform == "emscripten":
        from pyodide.ffi import can_run_sync, run_sync

        if can_run_sync() and not event.is_set():
            run_sync(_waited(event, timeout))
    return event.is_set()


async def _waited(event: asyncio.Event, timeout: float) -> None:
    """For a while, and not until a point of time, as `asyncio.wait_for` does: that one may have passed before it is
    set, and a page's loop raises then."""
    waiting = asyncio.ensure_future(event.wait())
    await asyncio.wait([waiting], timeout=max(timeout, 0.0))
    waiting.cancel()
