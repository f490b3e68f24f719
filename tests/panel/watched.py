"""A panel without a browser, for tests: what it sent, and waiting for what it is to say."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from labs.panel import ClusterPanel
from tests.panel.described import hold


class Watched:
    """A panel, and what it sent to the browser."""

    def __init__(self, panel: ClusterPanel) -> None:
        self.panel = panel
        self.sent: list[dict[str, Any]] = []
        self._numbers = iter(range(1, 1000))
        panel.send = self._send

    def _send(self, content: dict[str, Any], buffers: Any = None) -> None:
        hold("ClusterMessage", content)
        self.sent.append(content)

    def ask(self, **message: Any) -> int:
        number = next(self._numbers)
        self.panel._heard(None, {"id": number, **message}, [])
        return number

    def until(self, condition: Callable[[], Any], timeout: float = 10.0) -> Any:
        deadline = time.monotonic() + timeout
        while not (found := condition()):
            assert time.monotonic() < deadline, f"never came true; problems: {self.panel.problems}"
            time.sleep(0.01)
        return found

    def done(self, number: int) -> None:
        self.until(lambda: any(m == {"type": "done", "id": number} for m in self.sent))

    def look(self, node: str) -> str:
        return next(str(entry["look"]) for entry in self.panel.nodes if entry["id"] == node)
