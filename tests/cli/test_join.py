"""`replab up --join`: three nodes, each started by a program of its own, as on three machines."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from labs.cli import main
from labs.cluster import ClusterError, ports
from labs.cluster.joined import is_loopback, members_of, own_node
from labs.cluster.transport import Transport
from tests import typescript_node

MEMBERS = "127.0.0.1:24001,127.0.0.1:24002"
PATIENCE = 60.0
"""Seconds for whatever is waited for; on an idle machine everything here takes about one."""


# -- addresses --------------------------------------------------------------------------------------------


def test_addresses_name_the_nodes_in_their_order() -> None:
    assert members_of("192.168.0.11, http://lab-pc.example.org:4100/ ,192.168.0.13:4001") == {
        "node-1": "http://192.168.0.11:4001",
        "node-2": "http://lab-pc.example.org:4100",
        "node-3": "http://192.168.0.13:4001",
    }


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("192.168.0.11", "2 to 25 addresses, not 1"),
        ("192.168.0.11,", "'' is no address of a machine"),
        ("192.168.0.11,192.168.0.11:4001", "192.168.0.11:4001 is there twice"),
        ("192.168.0.11,192.168.0.12:70000", "'192.168.0.12:70000' is no address"),
        ("192.168.0.11,https://192.168.0.12", "'https://192.168.0.12' is no address"),
        ("192.168.0.11,me@192.168.0.12/key", "'me@192.168.0.12/key' is no address"),
    ],
)
def test_a_wrong_address_is_named(text: str, complaint: str) -> None:
    with pytest.raises(ClusterError, match=re.escape(complaint)):
        members_of(text)


def test_the_node_of_this_machine_is_found_by_its_address() -> None:
    assert own_node({"node-1": "http://203.0.113.1:4001", "node-2": "http://127.0.0.1:4001"}) == "node-2"
    with pytest.raises(ClusterError, match="no address is this machine's"):
        own_node({"node-1": "http://203.0.113.1:4001", "node-2": "http://203.0.113.2:4001"})
    with pytest.raises(ClusterError, match="node-1 and node-2 are all on this machine"):
        own_node(members_of(MEMBERS))


def test_only_addresses_of_this_machine_need_no_token() -> None:
    assert is_loopback("http://127.1.2.3:4001")
    assert is_loopback("http://localhost:4001")
    assert not is_loopback("http://192.168.0.11:4001")
    assert not is_loopback("http://localhost.example.org:4001")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--join", "192.168.0.11"], "2 to 25 addresses"),
        (["--join", MEMBERS], "which node is yours?"),
        (["--join", MEMBERS, "--as", "node-3"], "there is no 'node-3' here; the nodes are node-1, node-2"),
        (["--join", "203.0.113.1,203.0.113.2", "--as", "node-1"], "a cluster on a network needs --token"),
        (["--join", MEMBERS, "--as", "node-1", "--token", "a b c d"], "--token takes 6 to 200"),
        (["--join", MEMBERS, "--as", "node-1", "--record", "x.json"], "--record cannot be used with --join"),
        (["--join", MEMBERS, "--as", "node-1", "--node", "node-2=true"], "--node cannot be used with --join"),
        (["--as", "node-1"], "--as is only for a cluster with --join"),
    ],
)
def test_a_wrong_command_line_is_refused_in_one_line(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLUSTER_TOKEN", raising=False)
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    try:
        with pytest.raises(SystemExit) as ended:
            main(["up", *words])
    finally:
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGINT, before[1])

    shown = capsys.readouterr().err
    assert ended.value.code == 2
    assert complaint in shown
    assert shown.count("\n") == 1


# -- real nodes -------------------------------------------------------------------------------------------


class Machine:
    """One student's terminal."""

    def __init__(self, folder: Path, node: str, addresses: str, *words: str) -> None:
        self.node = node
        self.url = "http://" + addresses.split(",")[int(node.removeprefix("node-")) - 1]
        self._file = folder / f"{node}-{time.monotonic_ns()}.txt"
        timings = ("--heartbeat", "100", "--election-timeout", "600")
        command = [sys.executable, "-m", "labs", "up", "--join", addresses, "--as", node, *timings, *words]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", "XDG_RUNTIME_DIR": str(folder)}
        with self._file.open("wb") as output:
            self.program = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)

    @property
    def shown(self) -> str:
        return self._file.read_text(encoding="utf-8")

    def await_line(self, text: str) -> None:
        wait_for(lambda: text in self.shown, lambda: f"{self.node} never said {text!r}:\n{self.shown}")

    def end(self, number: int) -> int:
        self.program.send_signal(number)
        return self.program.wait(PATIENCE)


def wait_for(condition: Callable[[], object], why: Callable[[], str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, why()
        time.sleep(0.02)


Start = Callable[..., Machine]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the machine of one node, with further options."""
    addresses = ",".join(f"127.0.0.1:{port}" for port in ports.choose(3))
    made: list[Machine] = []

    def begin(node: str, *words: str) -> Machine:
        made.append(Machine(tmp_path, node, addresses, "--token", "between-us", *words))
        return made[-1]

    yield begin
    for machine in made:
        if machine.program.poll() is None:
            machine.end(signal.SIGTERM)


def ask(machine: Machine, method: str, path: str, body: bytes | None = None) -> tuple[int | None, dict[str, Any]]:
    transport = Transport()
    reply = transport.exchange(method, machine.url + path, body)
    transport.close()
    return reply.code, reply.body


def has(machine: Machine, key: str, value: object) -> Callable[[], bool]:
    return lambda: ask(machine, "GET", f"/key/{key}")[1].get("value") == value


@pytest.mark.processes
@pytest.mark.slow
def test_three_machines_make_one_cluster_and_the_steps_come_true(start: Start) -> None:
    one = start("node-1")
    one.await_line("[node-1] 👑 Became LEADER for term 1")
    two, three = start("node-2"), start("node-3")
    for machine in (two, three):
        machine.await_line("Following node-1 in term 1")
    one.await_line("node-3 is follower in term 1, follows node-1")

    assert ask(one, "PUT", "/key/name", b'"Alice"')[0] == 200
    wait_for(has(three, "name", "Alice"), lambda: "node-3 never had the write")
    refused = ask(two, "PUT", "/key/name", b'"Bob"')
    assert (refused[0], refused[1]["error"], refused[1]["leader_id"]) == (503, "Not the leader", "node-1")

    node = psutil.Process(one.program.pid).children(recursive=True)
    assert one.end(signal.SIGINT) == 0
    assert one.shown.endswith("Nothing is left running.\n")
    assert not any(child.is_running() for child in node)
    two.await_line("[node-2] 👑 Became LEADER for term 2")
    three.await_line("node-1 cannot be reached from here (connection refused)")
    assert ask(two, "PUT", "/key/name", b'"Carol"')[0] == 200

    back = start("node-1")
    back.await_line("Following node-2 in term 2")
    wait_for(has(back, "name", "Carol"), lambda: f"node-1 never had the write:\n{back.shown}")
    assert ask(two, "GET", "/status")[1]["term"] == 2


@pytest.mark.processes
@pytest.mark.slow
def test_other_options_and_another_token_are_told(start: Start) -> None:
    one = start("node-1")
    start("node-2", "--mode", "quorum")
    stranger = start("node-3", "--token", "guessed")

    one.await_line("node-2 was started with mode quorum, node-1 with async: all of you need the same options")
    for machine in (one, stranger):
        machine.await_line("The X-Cluster-Token header is missing or wrong")


@pytest.mark.processes
@pytest.mark.slow
def test_a_machine_may_bring_a_node_in_another_language(start: Start) -> None:
    one = start("node-1")
    one.await_line("[node-1] 👑 Became LEADER for term 1")
    two = start("node-2", "--named-peers", "--", *typescript_node.command_or_skip("node-typescript-full"))
    one.await_line("node-2 is follower in term 1, follows node-1")

    assert ask(one, "PUT", "/key/name", b'"Alice"')[0] == 200
    wait_for(has(two, "name", "Alice"), lambda: f"node-2 never had the write:\n{two.shown}")
