"""A node for tests of clusters of commands: the smallest program that keeps the lesson's contract for one leader.

node-1 leads from the beginning and copies each write to the others; answers are in camelCase, without a number of keys.
"""

import json
import os
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ME, PEERS = os.environ["NODE_ID"], os.environ["PEERS"].split(",")
ROLE = "leader" if ME == "node-1" else "follower"
DATA: dict[str, object] = {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        key = self.path.rpartition("/")[2]
        if self.path == "/status":
            self.answer(200, {"nodeId": ME, "role": ROLE, "term": 1, "leaderId": "node-1"})
        elif key in DATA:
            self.answer(200, {"key": key, "value": DATA[key], "nodeRole": ROLE})
        else:
            self.answer(404, {"error": "Key not found", "key": key})

    def do_PUT(self) -> None:
        body = self.body()
        if ROLE != "leader":
            self.answer(503, {"error": "Not the leader", "currentRole": ROLE, "leaderId": "node-1"})
            return
        key = self.path.rpartition("/")[2]
        DATA[key] = json.loads(body)
        for peer in PEERS:
            message = json.dumps({"term": 1, "leaderId": ME, "key": key, "value": DATA[key]}).encode()
            try:
                with urllib.request.urlopen(peer + "/internal/replicate", message, timeout=0.5) as answer:
                    answer.read()
            except OSError:
                continue
        self.answer(200, {"success": True, "key": key, "value": DATA[key], "leaderId": ME})

    def do_POST(self) -> None:
        message = json.loads(self.body())
        DATA[message["key"]] = message["value"]
        self.answer(200, {"success": True})

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def answer(self, code: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


if __name__ == "__main__":
    print(f"[{ME}] Store Node listening in {os.getcwd()}", flush=True)
    ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
