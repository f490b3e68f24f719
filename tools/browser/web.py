"""The web edition under Playwright: a plain web server on its folder, and a notebook opened in it.

Law of this module: whatever the page asks of another host is written down, for the test to fail on.
"""

from __future__ import annotations

import json
import re
import threading
import time
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tools.browser.lab import KERNEL_READY, Notebook

SAVE = """async ([path, text]) => {
  await jupyterapp.serviceManager.contents.save(path, { type: 'file', format: 'text', content: text });
}"""
INSERT = """([number, source]) => {
  jupyterapp.shell.currentWidget.content.model.sharedModel.insertCell(number, { cell_type: 'code', source });
}"""
KEPT = """async (kept) => {
  const [name] = (await caches.keys()).filter(name => name.startsWith('replication-lab '));
  if (!name) return false;
  const cache = await caches.open(name);
  return (await Promise.all(kept.map(place => cache.match(new URL(`../${place}`, location))))).every(Boolean);
}"""
GO_TO = """number => {
  const notebook = jupyterapp.shell.currentWidget.content;
  const place = number < 0 ? notebook.widgets.length + number : number;
  notebook.activeCellIndex = place;
  notebook.scrollToItem(place);
}"""


class _Handler(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.server.broken_once(self.path):  # type: ignore[attr-defined]
            self.close_connection = True
        else:
            super().do_GET()

    def log_message(self, *_: Any) -> None:
        """Nothing on the terminal."""

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        if code == HTTPStatus.OK:
            self.server.sent.append(self.path)  # type: ignore[attr-defined]


class WebServer:
    """Serves a folder on loopback, as any web server would. `sent`: the paths whose content was sent (a browser that
    has it already is told so). `breaks`: the first request for each path that begins with one of these gets no answer,
    its connection is closed; `broken` are these paths."""

    def __init__(self, folder: Path, breaks: tuple[str, ...] = ()) -> None:
        self._breaks = breaks
        self.broken: set[str] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
        self.sent: list[str] = []
        self._server.sent = self.sent  # type: ignore[attr-defined]
        self._server.broken_once = self._broken_once  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def _broken_once(self, path: str) -> bool:
        breaks = path.startswith(self._breaks) and path not in self.broken
        if breaks:
            self.broken.add(path)
        return breaks

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


class WebNotebook(Notebook):
    """A notebook of the web edition. `foreign`: what was asked of another host."""

    def __init__(self, page: Any, name: str, server: WebServer) -> None:
        super().__init__(page, name)
        self.foreign: list[str] = []
        self._server = server
        page.context.on("request", self._asked)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self._server.address, "blob:", "data:")):
            self.foreign.append(request.url)

    def visit(self, timeout: float = 90.0) -> None:
        """Open it and wait until its kernel is ready."""
        self.page.goto(f"{self._server.address}/lab/index.html?path=notebooks/{self.name}.ipynb")
        self.page.wait_for_selector(".jp-NotebookPanel:not(.lm-mod-hidden)", timeout=60_000)
        # A look a frame, as Playwright does it by itself, has the page drawn all the time that it starts.
        self.page.wait_for_function(KERNEL_READY, timeout=timeout * 1000, polling=200)

    def wait_until_kept(self, site: Path, timeout: float = 120.0) -> None:
        """Until the browser keeps all that it needs to start the site, whose folder is `site`, without its server."""
        worker = (site / "service-worker.js").read_text(encoding="utf-8")
        kept = re.search(r"const KEPT = (\[.*?\]);", worker)
        assert kept is not None, "the site's service worker says what it keeps"
        deadline = time.monotonic() + timeout
        while not self.page.evaluate(KEPT, json.loads(kept[1])):  # Playwright's own wait takes a promise for a yes
            assert time.monotonic() < deadline, "the browser does not keep the site"
            self.page.wait_for_timeout(200)

    def save(self, path: str, text: str) -> None:
        """As the page's own editor saves a file."""
        self.page.evaluate(SAVE, [path, text])

    def insert(self, number: int, source: str) -> None:
        """A new code cell in this place."""
        self.page.evaluate(INSERT, [number, source])
        self.go_to(number)

    def go_to(self, number: int) -> None:
        """Bring a cell into view; -1 is the last."""
        self.page.evaluate(GO_TO, number)
