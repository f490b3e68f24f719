"""What the store is compared with: a plain `http.server` node that copies its whole dictionary on every write.

Law of this module: the simplest code that gives three nodes the same data, and nothing more: no log, no terms, no
election, no disk. A `PUT` changes the dictionary, sends all of it to each peer over a new connection, and is answered
once each has been tried. Run as `python -m benchmarks.baseline PORT [PEER_URL …]`; it ends when its standard input
does.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.error import URLError
from urllib.parse import unquote
from urllib.request import Request, urlopen

PEER_TIMEOUT = 30.0


class Handler(BaseHTTPRequestHandler):
    data: ClassVar[dict[str, Any]] = {}
    lock: ClassVar[threading.Lock] = threading.Lock()
    peers: ClassVar[Sequence[str]] = ()
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet, or Nagle's algorithm holds the body back for 40 ms

    def do_GET(self) -> None:
        key = self._key()
        if key in self.data:
            self._answer(200, {"key": key, "value": self.data[key]})
        else:
            self._answer(404, {"error": "Key not found", "key": key})

    def do_PUT(self) -> None:
        key, value = self._key(), self._body()
        with self.lock:
            self.data[key] = value
            whole = json.dumps(self.data).encode()
        for peer in self.peers:
            copy_to(peer, whole)
        self._answer(200, {"success": True, "key": key, "value": value})

    def do_POST(self) -> None:
        """A peer's copy: it takes the place of everything here."""
        copy = self._body()
        with self.lock:
            self.data.clear()
            self.data.update(copy)
        self._answer(200, {"total_keys": len(copy)})

    def _key(self) -> str:
        return unquote(self.path.removeprefix("/key/"))

    def _body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, code: int, body: dict[str, Any]) -> None:
        payload = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: a line for each request would be measured too."""


class Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error: load generators do it at the end of each run."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def copy_to(peer: str, whole: bytes) -> None:
    """Send the dictionary, as JSON text, to the node at the URL `peer`; one that is away is left behind."""
    try:
        with urlopen(Request(f"{peer}/replicate", whole, method="POST"), timeout=PEER_TIMEOUT) as answer:
            answer.read()
    except (URLError, TimeoutError) as error:
        print(f"{peer} was not reached: {error}", file=sys.stderr)


def main(arguments: Sequence[str]) -> None:
    Handler.peers = arguments[1:]
    server = Server(("127.0.0.1", int(arguments[0])), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()  # until whoever started us closes it, or dies


if __name__ == "__main__":
    main(sys.argv[1:])
