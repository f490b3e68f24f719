"""Clusters of commands: any program that keeps the lesson's contract, and what is said of one that does not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from labs.cli import main
from labs.cluster import FAST, ClusterError, ForeignCluster, StartFailed, describe, ports
from labs.cluster.foreign_process import ForeignProcess
from labs.cluster.watchdog import MARK

pytestmark = pytest.mark.processes

NODE = [sys.executable, str(Path(__file__).with_name("lesson_node.py"))]
SHELL = ["sh", "-c", 'trap "" TERM; "$0" "$1" & wait', *NODE]
"""As `npm start` is: the node is a child. This parent does not even hand the signal on."""


@pytest.fixture(autouse=True)
def nothing_is_left_running() -> Iterator[None]:
    before = set(all_marked())
    yield
    assert set(all_marked()) - before == set()


def all_marked() -> Iterator[int]:
    """Those that a test of this process started; other tests run beside it."""
    for process in psutil.process_iter():
        try:
            variables = process.environ()
            if MARK in variables and variables.get("PYTEST_OWNER") == str(os.getpid()):
                yield process.pid
        except (psutil.Error, OSError):
            continue


@pytest.fixture(autouse=True)
def owner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_OWNER", str(os.getpid()))


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ForeignCluster]:
    with ForeignCluster(FAST, NODE, folder=tmp_path) as made:
        made.start()
        yield made


def pids(cluster: ForeignCluster, node: str) -> list[int]:
    process = cluster._family.nodes[node]
    assert isinstance(process, ForeignProcess)
    return [member.pid for member in process.members()]


# -- a cluster like any other -------------------------------------------------------------------------------


def test_a_command_is_started_in_the_users_folder_and_answers_in_its_own_spelling(
    cluster: ForeignCluster, tmp_path: Path
) -> None:
    assert cluster.logs("node-2") == [f"[node-2] Store Node listening in {tmp_path}"]
    assert cluster.leader() == "node-1"
    assert cluster.put("firstName", {"lastName": 1}).body["leader_id"] == "node-1"
    assert cluster.get("firstName", via="node-3").body == {
        "key": "firstName", "value": {"lastName": 1}, "node_role": "follower",
    }  # fmt: skip
    assert cluster.put("x", 1, via="node-2").body["leader_id"] == "node-1"


@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
def test_a_node_that_starts_late_is_not_taken_for_dead() -> None:
    late = ["sh", "-c", 'sleep 1 && exec "$0" "$@"', *NODE]  # longer than the election timeout
    with ForeignCluster(FAST, {"node-1": late, "node-2": NODE, "node-3": NODE}) as cluster:
        cluster.start()
        cluster.wait_for(lambda cluster: cluster.leader())

        assert {(seen.leader_id, seen.term) for seen in cluster.status().values()} == {("node-1", 1)}


def test_what_a_node_does_not_tell_is_unknown_and_not_zero(cluster: ForeignCluster) -> None:
    seen = cluster.status()["node-1"]

    assert seen.total_keys is None
    assert describe(seen) == "node-1: leader in term 1, follows node-1, its number of keys is not told"


def test_a_cut_is_made_without_the_nodes_help(cluster: ForeignCluster) -> None:
    cluster.cut("node-1", "node-3")
    assert cluster.put("name", "Alice").ok

    assert cluster.get("name", via="node-2").value == "Alice"
    assert cluster.get("name", via="node-3").code == 404


def test_each_node_may_have_a_command_of_its_own(tmp_path: Path) -> None:
    other = ["sh", "-c", 'echo "the second"; exec "$0" "$1"', *NODE]
    with ForeignCluster(FAST, {"node-1": NODE, "node-2": other, "node-3": NODE}, tmp_path) as cluster:
        cluster.start()

        assert cluster.logs("node-2")[0] == "the second"


@pytest.mark.parametrize(
    ("command", "complaint"),
    [({"node-1": NODE}, "no command for node-2"), ({"node-9": NODE}, "a command for 'node-9'"), ([], "no command"),
     ({"node-1": "node a.js", "node-2": NODE, "node-3": NODE}, "a list of words")],
)  # fmt: skip
def test_a_node_without_a_command_is_refused(command: object, complaint: str) -> None:
    with pytest.raises(ClusterError, match=complaint):
        ForeignCluster(FAST, command)  # type: ignore[arg-type]


# -- whole families -----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
def test_a_node_that_is_a_child_is_paused_resumed_stopped_and_killed_with_its_parent(tmp_path: Path) -> None:
    with ForeignCluster(FAST, SHELL, tmp_path) as cluster:
        cluster.start()
        assert len(pids(cluster, "node-2")) == 2

        cluster.pause("node-2")
        assert {psutil.Process(pid).status() for pid in pids(cluster, "node-2")} == {psutil.STATUS_STOPPED}
        assert not cluster.status()["node-2"].answers
        cluster.resume("node-2")
        assert cluster.status()["node-2"].answers

        cluster.kill("node-2")
        assert pids(cluster, "node-2") == []
        cluster.start("node-2")
        assert cluster.status()["node-2"].answers
        cluster.pause("node-2")
        cluster.stop("node-2")
        assert pids(cluster, "node-2") == []


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
@pytest.mark.parametrize("leave", ["stop", "kill"])
def test_a_node_that_has_left_has_let_go_of_its_port(leave: str, tmp_path: Path) -> None:
    """A process that is ending is nobody's any more before it has closed its ports: much memory makes that longer."""
    program = f"waste = b'x' * 300_000_000\n{Path(NODE[1]).read_text(encoding='utf-8')}"
    heavy = ["sh", "-c", '"$0" -c "$1" & wait', sys.executable, program]
    with ForeignCluster(FAST, heavy, tmp_path) as cluster:
        cluster.start()
        port = int(str(cluster.url("node-3")).rsplit(":", 1)[1])
        for _ in range(5):
            getattr(cluster, leave)("node-3")
            assert ports.is_free(port)
            cluster.start("node-3")


@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
def test_a_family_ends_when_the_program_that_started_it_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time\n"
        "from labs.cluster import FAST, ForeignCluster\n"
        "cluster = ForeignCluster(FAST, sys.argv[1:])\n"
        "cluster.start(); print('started', flush=True); time.sleep(60)\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", program, *SHELL], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    assert owner.stdout.readline() == "started\n"
    assert len(set(all_marked())) == 6

    owner.kill()
    owner.wait()
    owner.stdout.close()

    deadline = time.monotonic() + 10
    while set(all_marked()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert set(all_marked()) == set()


# -- commands that are no nodes -----------------------------------------------------------------------------

LISTEN = "import os, socket, time\ns = socket.create_server(('127.0.0.1', {port}))\n"
GARBAGE = LISTEN.format(port="int(os.environ['PORT'])") + "while 1:\n  c, _ = s.accept(); c.sendall({!r}); c.close()"
STRANGER = b'HTTP/1.1 200 OK\r\nContent-Length: 21\r\nConnection: close\r\n\r\n{"node_id": "node-7"}'


def python(source: str) -> list[str]:
    return [sys.executable, "-c", source]


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (python("import time; time.sleep(60)"), r"runs, but listens on no port; it must listen on the port in PORT, "),
        (python("print('no such module'); raise SystemExit(3)"), r"ended at once, with exit code 3(?s:.*)no such mod"),
        (python(LISTEN.format(port=0) + "time.sleep(60)"), r"listens on port \d+; it must listen on the port in PORT"),
        (python(GARBAGE.format(b"hello\r\n\r\n")), r"but GET /status is wrong: "),
        (python(GARBAGE.format(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")), "the answer's body is not JSON"),
        (python(GARBAGE.format(STRANGER)), "its node_id is 'node-7', not 'node-1'"),
        (["sh", "-c", "setsid sleep 60 & exit 0"], r"left process \d+ in the background; a node must stay in the fore"),
        (["/no/such/program"], "could not be started with '/no/such/program': No such file"),
    ],
    ids=["prints nothing", "exits", "wrong port", "garbage", "no JSON", "a stranger", "forks", "no program"],
)
def test_a_command_that_is_no_node_gets_one_clear_sentence(command: list[str], sentence: str) -> None:
    with ForeignCluster(FAST, command, start_timeout=1.5) as cluster:
        with pytest.raises(StartFailed, match=sentence) as refused:
            cluster.start()

        assert re.match(r"node-\d\b", str(refused.value))
        assert set(all_marked()) == set()


def test_a_node_that_ended_is_named_before_one_that_had_no_time_to_answer() -> None:
    sleeps, ends = python("import time; time.sleep(60)"), python("raise SystemExit(3)")
    commands = {"node-1": NODE, "node-2": sleeps, "node-3": ends}
    sentence = r"node-3: .* ended at once, with exit code 3"
    with ForeignCluster(FAST, commands, start_timeout=30) as cluster, pytest.raises(StartFailed, match=sentence):
        cluster.start()


# -- the command line ---------------------------------------------------------------------------------------


def replab(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "labs", *words], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [(["--node", "node-2"], "--node takes ID=CMD"), (["--node", "node-1=node a.js"], "no command for node-2"),
     (["--node", "node-1='node"], "cannot be read"), (["--named-peers"], "add -- CMD")],
)  # fmt: skip
def test_a_wrong_command_is_refused_in_one_line(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["steps", *words])

    said = capsys.readouterr().err
    assert end.value.code in (1, 2)
    assert complaint in said
    assert said.count("\n") == 1


def test_the_steps_of_a_node_that_ends_at_once_end_with_a_sentence() -> None:
    done = replab("steps", "--", sys.executable, "-c", "raise SystemExit('cannot find dist/main.js')")

    assert done.returncode == 1
    assert re.search(r"node-\d: the command", done.stderr)
    assert "cannot find dist/main.js" in done.stderr
