"""One node of a cluster whose other nodes run elsewhere: each student has one, on a machine of their own.

Law of this module: it starts and ends one program, its own node. Of the others it knows what they answer to
`GET /status`.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import psutil

import replstore
from labs.cluster import ports
from labs.cluster.base import ClusterError, Settings, StartFailed
from labs.cluster.environment import MOST_NODES, node_environment
from labs.cluster.foreign import NOT_INHERITED, START_TIMEOUT
from labs.cluster.foreign_process import ForeignProcess
from labs.cluster.process import STOP_TIMEOUT
from labs.cluster.processes import ProcessTree
from labs.cluster.reply import HttpReply
from labs.cluster.transport import Transport

USUAL_PORT = 4001
ASK_TIMEOUT = 1.0
"""Seconds that another machine may take over a question."""
EVERYWHERE = "0.0.0.0"
"""Where a node listens that other machines are to reach."""
PYTHON_NODE = (sys.executable, "-m", "replstore")
_ADDRESS = re.compile(r"(?P<host>[A-Za-z0-9._-]+)(:(?P<port>[0-9]{1,5}))?")


def members_of(text: str) -> dict[str, str]:
    """Each node's URL, of addresses in the order of the nodes: `192.168.0.11,192.168.0.12:4002`. Raises
    `ClusterError`."""
    urls = [_url(entry.strip()) for entry in text.split(",")]
    if not 2 <= len(urls) <= MOST_NODES:
        raise ClusterError(f"a cluster of several machines has 2 to {MOST_NODES} addresses, not {len(urls)}")
    twice = sorted(url for url in set(urls) if urls.count(url) > 1)
    if twice:
        raise ClusterError(f"{twice[0].removeprefix('http://')} is there twice: each node needs an address of its own")
    return {f"node-{number}": url for number, url in enumerate(urls, start=1)}


def _url(entry: str) -> str:
    found = _ADDRESS.fullmatch(entry.removeprefix("http://").removesuffix("/"))
    port = int(found["port"] or USUAL_PORT) if found else 0
    if found is None or not 1 <= port <= 65_535:
        raise ClusterError(f"{entry!r} is no address of a machine; expected something like 192.168.0.11:{USUAL_PORT}")
    return f"http://{found['host']}:{port}"


def own_node(members: Mapping[str, str]) -> str:
    """The node whose address belongs to this machine. Raises `ClusterError` unless that is exactly one."""
    mine = {address.address for found in psutil.net_if_addrs().values() for address in found}
    mine |= {"localhost", socket.gethostname()}
    found = [node for node, url in members.items() if urlsplit(url).hostname in mine]
    if len(found) == 1:
        return found[0]
    why = f"{' and '.join(found)} are all on this machine" if found else "no address is this machine's"
    raise ClusterError(f"which node is yours? {why}; say it with --as node-1, --as node-2 and so on")


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


class JoinedNode:
    """A context manager; with its end the node ends.

    * `members`: every node's URL, this one's too, as all machines reach it
    * `token`: what the nodes show each other; a node in another language may ignore it
    * `command`: the program, for a node in another language; default: the lab's own
    * `named_peers`: for a command: PEERS as `node-2=http://…` instead of bare `http://…`
    """

    def __init__(
        self,
        settings: Settings,
        members: Mapping[str, str],
        node: str,
        token: str,
        command: Sequence[str] = (),
        named_peers: bool = False,
    ) -> None:
        if node not in members:
            raise ClusterError(f"there is no {node!r} here; the nodes are {', '.join(members)}")
        self.node = node
        self.members = dict(members)
        self._settings = settings
        self._token = token
        self._command = list(command or PYTHON_NODE)
        self._named_peers = named_peers or not command
        self._family = ProcessTree()
        self._transport = Transport()
        self._told = 0

    def start(self) -> None:
        """Start the node; return when it answers. Raises `StartFailed`, and then it does not run."""
        port = self._port
        if not ports.is_free(port):
            raise StartFailed(f"port {port} is in use{ports.holder(port)}: end that program, or agree on another port")
        self._family.start(self.node, self._command, self._variables(), Path.cwd(), ForeignProcess)
        deadline = time.monotonic() + START_TIMEOUT
        while not self._answers():
            if self.ended or time.monotonic() > deadline:
                why = "ended at once" if self.ended else f"did not answer on port {port} within {START_TIMEOUT:g} s"
                log = "".join(f"\n  {line}" for line in self._family.last_lines(self.node, 12))
                self._family.nodes[self.node].kill()
                raise StartFailed(f"{self.node} {why}. Its last log lines:{log or ' none'}")
            time.sleep(0.02)

    @property
    def _port(self) -> int:
        return urlsplit(self.members[self.node]).port or USUAL_PORT

    def _answers(self) -> bool:
        reply = self._transport.exchange("GET", f"http://{ports.HOST}:{self._port}/status", timeout=ASK_TIMEOUT)
        return reply.body.get("node_id") == self.node

    def _variables(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        wanted = node_environment(self._settings, self.node, self.members, self._token, {})
        del wanted["ALLOW_FAULTS"], wanted["REPLICATION_DELAY_MS"]
        if not self._named_peers:
            wanted["PEERS"] = ",".join(url for node, url in self.members.items() if node != self.node)
        python_path = [*map(str, self._settings.python_path), str(Path(replstore.__file__).parent.parent)]
        return {
            **own,
            **wanted,
            "HOST": ports.HOST if is_loopback(self.members[self.node]) else EVERYWHERE,
            "PORT": str(self._port),
            "PYTHONPATH": os.pathsep.join([*python_path, *filter(None, [own.get("PYTHONPATH")])]),
            "PYTHONUNBUFFERED": "1",
            "PYTHONUTF8": "1",
        }

    @property
    def ended(self) -> bool:
        """Whether the node has ended, though nobody asked it to."""
        return not self._family.nodes[self.node].alive

    def output(self) -> list[str]:
        """What the node has printed since this was asked last."""
        lines = self._family.log(self.node).read_text(encoding="utf-8", errors="replace").split("\n")[:-1]
        news, self._told = lines[self._told :], len(lines)
        return news

    def look(self) -> dict[str, HttpReply]:
        """What each node answers to `GET /status`, asked from here."""
        return {node: self._transport.exchange("GET", f"{url}/status", timeout=ASK_TIMEOUT)
                for node, url in self.members.items()}  # fmt: skip

    def close(self) -> None:
        process = self._family.nodes.get(self.node)
        if process is not None:
            process.stop(STOP_TIMEOUT)
        self._family.end()
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
