"""A node for tests of the kit: it keeps the lesson's contract, but for the flaws that its command line names.

`python lesson_node.py` is right. `python lesson_node.py no-deletes` does not send deletes to followers, and so on: each
flaw is one line below, `flaw("…")`. A replicate carries the leader's whole data and a version; a follower ignores what
is older than what it has.
"""

import json
import os
import signal
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

ME, PEERS = os.environ["NODE_ID"], os.environ["PEERS"].split(",")
HEARTBEAT = int(os.environ["HEARTBEAT_MS"]) / 1000
TIMEOUT = int(os.environ["ELECTION_TIMEOUT_MS"]) / 1000
FLAWS = set(sys.argv[1:])
Json = dict[str, Any]


def flaw(name: str) -> bool:
    return name in FLAWS


class Node:
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.role, self.term, self.leader = "follower", 0, None if not flaw("leader-empty") else ""
        self.data: dict[str, Any] = {}
        self.version = 0
        self.heard = time.monotonic()

    # -- election ---------------------------------------------------------------------------------------

    def run(self) -> None:
        while True:
            time.sleep(HEARTBEAT / 4)
            with self.lock:
                silent = self.role == "follower" and time.monotonic() - self.heard > TIMEOUT
            if silent:
                self.elect()

    def elect(self) -> None:
        with self.lock:
            self.leader = None
        limit = 60.0 if flaw("asks-for-ever") else TIMEOUT / 4
        told = [answer for peer in PEERS if (answer := ask(peer + "/status", None, limit))]
        with self.lock:
            if self.leader is not None:
                return
            self.heard = time.monotonic()
            ids = [ME, *(answer["node_id"] for answer in told)]
            if flaw("sorts-urls"):
                ids = [ME, *PEERS]
            leading = any(answer["role"] == "leader" and answer["term"] >= self.term for answer in told)
            if leading or min(ids) != ME:
                return
            highest = max(self.term, *(answer["term"] for answer in told), 0)
            self.term = 1 if flaw("same-term") else highest + 1
            self.role, self.leader, self.version = "leader", ME, 0
        for peer in PEERS:
            threading.Thread(target=self.lead, args=(peer, self.term), daemon=True).start()
            threading.Thread(target=self.ship, args=(peer, self.term), daemon=True).start()

    def leads_in(self, term: int) -> bool:
        return self.role == "leader" and self.term == term

    def lead(self, peer: str, term: int) -> None:
        while self.leads_in(term):
            if flaw("one-at-a-time") and peer == PEERS[0]:
                for other in PEERS:
                    self.beat(other, term)
            elif not flaw("one-at-a-time"):
                self.beat(peer, term)
            time.sleep(HEARTBEAT)

    def beat(self, peer: str, term: int) -> None:
        limit = 60.0 if flaw("one-at-a-time") else TIMEOUT / 2
        answer = ask(peer + "/internal/heartbeat", {"term": term, "leader_id": ME, "version": self.version}, limit)
        self.learn(answer)
        if answer is None or answer["version"] == self.version or flaw("no-catch-up"):
            return
        self.send(peer, term)

    def ship(self, peer: str, term: int) -> None:
        """Send each new version."""
        sent = -1
        while self.leads_in(term):
            with self.changed:
                while sent == self.version and self.leads_in(term):
                    self.changed.wait(HEARTBEAT)
                sent = self.version
            if flaw("takes-older"):
                threading.Thread(target=self.send, args=(peer, term), daemon=True).start()
            elif not flaw("waits-for-peers") and self.version > 0:
                self.send(peer, term)

    def send(self, peer: str, term: int) -> bool:
        with self.lock:
            if not self.leads_in(term):
                return False
            message = {"term": term, "leader_id": ME, "version": self.version, "data": dict(self.data)}
        answer = ask(peer + "/internal/replicate", message, TIMEOUT)
        self.learn(answer)
        return answer is not None

    def learn(self, answer: Json | None) -> None:
        """A higher term ends a leadership."""
        with self.lock:
            if answer and answer["term"] > self.term and not flaw("never-steps-down"):
                self.follow(answer["leader_id"], answer["term"])

    def follow(self, leader: str | None, term: int) -> None:
        self.role, self.leader, self.term, self.heard = "follower", leader, term, time.monotonic()
        self.version = -1

    def hear(self, message: Json, replicate: bool) -> Json:
        with self.lock:
            term, leader = message["term"], message["leader_id"]
            if flaw("takes-anything") and replicate:
                self.data = dict(message["data"])
                return {"term": self.term, "leader_id": self.leader, "version": self.version}
            if flaw("never-steps-down") and self.role == "leader":
                return {"term": self.term, "leader_id": self.leader, "version": self.version}
            if term > self.term or (term == self.term and self.leader != ME and leader != self.leader):
                self.follow(leader, term)
            if (term, leader) == (self.term, self.leader):
                self.heard = time.monotonic()
                if replicate and (message["version"] > self.version or flaw("takes-older")):
                    gone = {
                        key: self.data[key] for key in self.data if flaw("no-deletes") and key not in message["data"]
                    }
                    self.data, self.version = {**gone, **message["data"]}, max(message["version"], self.version)
            return {"term": self.term, "leader_id": self.leader, "version": self.version}

    # -- clients ----------------------------------------------------------------------------------------

    def write(self, key: str, value: Any, delete: bool) -> tuple[int, Json]:
        with self.changed:
            if self.role != "leader":
                leader = self.leader or "Unknown"
                return 503, {"error": "Not the leader", "current_role": self.role, "leader_id": leader}
            if delete and key not in self.data:
                return 404, {"error": "Key not found", "key": key}
            if delete:
                del self.data[key]
            else:
                self.data[key] = value
            self.version += 1
            self.changed.notify_all()
            term = self.term
        if flaw("waits-for-peers"):
            for peer in PEERS:
                self.send(peer, term)
        return 200, {"success": True, "key": key, **({} if delete else {"value": value}), "leader_id": ME}

    def status(self) -> Json:
        with self.lock:
            keys = sorted(self.data)
            told = {"node_id": ME, "role": self.role, "term": self.term, "leader_id": self.leader}
            return {**told, "total_keys": len(keys), "keys": keys}


def ask(url: str, message: Json | None, limit: float) -> Json | None:
    try:
        with urllib.request.urlopen(
            url, None if message is None else json.dumps(message).encode(), timeout=limit
        ) as got:
            answer: Json = json.loads(got.read())
            return answer
    except (OSError, ValueError):
        return None


NODE = Node()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def key(self) -> str:
        path = self.path.split("?")[0].removeprefix("/key/")
        if flaw("tidies-paths"):
            path = "/".join(part for part in path.split("/") if part not in ("", ".", ".."))
        return unquote_to_bytes(path).decode("latin-1") if flaw("latin-1") else unquote(path)

    def do_GET(self) -> None:
        if self.path == "/status":
            self.answer(200, NODE.status())
            return
        key = self.key()
        missing = NODE.data.get(key) is None if flaw("null-is-missing") else key not in NODE.data
        if missing:
            self.answer(404, {"error": "Key not found", "key": key})
        else:
            role = "nodeRole" if flaw("both-spellings") else "node_role"
            self.answer(200, {"key": key, "value": NODE.data[key], role: NODE.role})

    def do_PUT(self) -> None:
        body = self.body()
        try:
            value = json.loads(body.decode())
        except ValueError:
            if not flaw("takes-garbage"):
                self.answer(400, {"error": "Invalid JSON"})
                return
            value = body.decode(errors="replace")
        self.answer(*NODE.write(self.key(), value, delete=False))

    def do_DELETE(self) -> None:
        self.answer(*NODE.write(self.key(), None, delete=True))

    def do_POST(self) -> None:
        self.answer(200, NODE.hear(json.loads(self.body()), self.path == "/internal/replicate"))

    def do_OPTIONS(self) -> None:
        self.answer(200, {})

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self, code: int, body: Json) -> None:
        data = json.dumps(body).encode()
        self.send_response(code)
        if not flaw("no-cors") and self.headers.get("Origin"):
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Access-Control-Allow-Methods", "GET, PUT, DELETE")
            self.send_header("Access-Control-Allow-Headers", "Content-Type")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            self.close_connection = True  # whoever asked has gone


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


if __name__ == "__main__":
    if flaw("ignores-sigterm"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=NODE.run, daemon=True).start()
    print(f"[{ME}] Store Node listening on port {os.environ['PORT']}", flush=True)
    Server((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
