"""What a real browser can do to a node on this machine from a web page: a foreign one nothing, one of ours all."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tools.browser.lab import CHROMIUM_FLAGS, chromium

FOREIGN = "elsewhere.example"

ASK = """async ([url, options]) => {
  try {
    const answer = await fetch(url, options);
    return answer.type === 'opaque' ? 'opaque' : [answer.status, await answer.text()];
  } catch (error) {
    return 'refused';
  }
}"""


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>a page</title>")

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture(scope="module")
def page_port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@contextmanager
def node(**variables: str) -> Iterator[str]:
    """A node of its own; gives its URL once it leads and holds the treasure."""
    environment = {**os.environ, "NODE_ID": "node-1", "PORT": "0", "HEARTBEAT_MS": "50", "ELECTION_TIMEOUT_MS": "200"}
    with subprocess.Popen(
        [sys.executable, "-m", "replstore"], env={**environment, **variables}, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        try:
            port = next(match[1] for line in process.stdout if (match := re.search(r"on port (\d+)", line)))
            assert any("LEADER" in line for line in process.stdout)
            url = f"http://127.0.0.1:{port}"
            ask(f"{url}/key/treasure", "PUT", b'"mine"')
            yield url
        finally:
            process.kill()


def ask(url: str, method: str = "GET", body: bytes | None = None) -> Any:
    with urllib.request.urlopen(urllib.request.Request(url, data=body, method=method), timeout=5) as answer:
        return json.load(answer)


@pytest.fixture
def page_of(browser: Any, page_port: int) -> Iterator[Callable[[str], Any]]:
    """Opens a page that comes from this host; the foreign name stands for this machine, as after DNS rebinding."""
    with ExitStack() as stack:
        flags = [*CHROMIUM_FLAGS, f"--host-resolver-rules=MAP {FOREIGN} 127.0.0.1"]
        chrome = browser.browser_type.launch(executable_path=chromium(), args=flags)
        stack.callback(chrome.close)

        def open_page(host: str, port: int = page_port) -> Any:
            page = chrome.new_page()
            page.goto(f"http://{host}:{port}/")
            return page

        yield open_page


def test_a_foreign_page_can_neither_read_nor_write_nor_delete(page_of: Callable[..., Any]) -> None:
    with node() as url:
        page = page_of(FOREIGN)
        for method in ("GET", "PUT", "DELETE"):
            options = {"method": method, **({"body": "1"} if method == "PUT" else {})}
            assert page.evaluate(ASK, [f"{url}/key/treasure", options]) == "refused", method
        assert page.evaluate(ASK, [f"{url}/key/treasure", {"mode": "no-cors"}]) == "opaque"

        assert ask(f"{url}/key/treasure")["value"] == "mine"


def test_a_page_whose_name_was_rebound_to_the_node_is_refused(page_of: Callable[..., Any]) -> None:
    with node() as url:
        port = int(url.rpartition(":")[2])
        page = page_of(FOREIGN, port)
        for method in ("GET", "PUT", "DELETE"):
            options = {"method": method, **({"body": "1"} if method == "PUT" else {})}
            status, text = page.evaluate(ASK, [f"http://{FOREIGN}:{port}/key/treasure", options])
            assert (status, "ALLOW_HOST" in text) == (403, True)

        assert ask(f"{url}/key/treasure")["value"] == "mine"


@pytest.mark.parametrize("host", [FOREIGN, "127.0.0.1"])
def test_no_page_can_speak_for_a_peer_although_no_token_is_set(page_of: Callable[..., Any], host: str) -> None:
    heartbeat = {"type": "heartbeat", "term": 99, "commit": [0, 0, ""], "round": 1}
    envelope = json.dumps({"from": "node-2", "id": "x", "message": heartbeat})
    with node(PEERS="node-2=http://127.0.0.1:9", CLUSTER_TOKEN="") as url:
        page = page_of(host)
        plain = {"method": "POST", "mode": "no-cors", "body": envelope}
        assert page.evaluate(ASK, [f"{url}/internal/heartbeat", plain]) == "opaque"
        proper = {"method": "POST", "body": envelope, "headers": {"Content-Type": "application/json"}}
        assert page.evaluate(ASK, [f"{url}/internal/heartbeat", proper]) == "refused"

        assert (ask(f"{url}/status")["term"], ask(f"{url}/status")["leader_id"]) == (1, "node-1")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "lab.localhost"])
def test_a_page_of_this_machine_may_use_the_node(page_of: Callable[..., Any], host: str) -> None:
    with node() as url:
        page = page_of(host)
        put = {"method": "PUT", "body": '"new"', "headers": {"Content-Type": "application/json"}}
        assert page.evaluate(ASK, [f"{url}/key/treasure", put])[0] == 200
        status, text = page.evaluate(ASK, [f"{url}/key/treasure", {}])
        assert (status, json.loads(text)["value"]) == (200, "new")
        assert page.evaluate(ASK, [f"{url}/key/none", {}])[0] == 404
        assert page.evaluate(ASK, [f"{url}/key/treasure?raed=1", {}])[0] == 400
        assert page.evaluate(ASK, [f"{url}/key/treasure", {"method": "DELETE"}])[0] == 200


@pytest.mark.parametrize("allowed", ["*", "the page's"])
def test_a_foreign_page_may_where_the_node_was_told_so(
    page_of: Callable[..., Any], page_port: int, allowed: str
) -> None:
    with node(ALLOW_ORIGIN="*" if allowed == "*" else f"http://{FOREIGN}:{page_port}") as url:
        page = page_of(FOREIGN)
        put = {"method": "PUT", "body": '"new"', "headers": {"Content-Type": "application/json"}}
        assert page.evaluate(ASK, [f"{url}/key/treasure", put])[0] == 200
        assert page.evaluate(ASK, [f"{url}/key/treasure", {}])[0] == 200
