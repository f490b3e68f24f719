"""What only local processes can get wrong: ports, interpreters and environments."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from labs.cluster import Outcome, ProcessCluster, StartFailed, ports
from tests import free_ports
from tests.backends.remains import pids

from .conftest import QUICK, has, one_leader

pytestmark = [pytest.mark.processes, pytest.mark.slow]


@pytest.fixture
def consecutive_ports() -> int:
    return free_ports.in_a_row(3)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Somebody else's server, on a port that the cluster might want."""
    with socket.socket() as taken:
        while True:
            try:
                taken.bind((ports.HOST, ports.choose(1)[0]))
            except OSError:  # another test was faster
                continue
            break
        taken.listen()
        yield taken


# -- ports ------------------------------------------------------------------------------------------------


def test_the_nodes_listen_on_the_ports_that_were_asked_for(consecutive_ports: int) -> None:
    with ProcessCluster(replace(QUICK, first_port=consecutive_ports)) as cluster:
        cluster.start()

        urls = [cluster.url(node) for node in cluster.node_ids]
        assert urls == [f"http://127.0.0.1:{consecutive_ports + number}" for number in range(3)]
        assert all(status.answers for status in cluster.status().values())


def test_a_port_in_use_is_named_together_with_the_process_that_holds_it(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    with ProcessCluster(replace(QUICK, nodes=1, first_port=port)) as cluster:
        with pytest.raises(StartFailed, match=rf"port {port} for node-1 is in use \(by .*, process {os.getpid()}\)"):
            cluster.start()

        assert cluster.status()["node-1"].state == "stopped"
        listener.close()
        cluster.start()
        assert cluster.status()["node-1"].answers


def test_other_ports_are_drawn_when_one_turns_out_to_be_taken(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = listener.getsockname()[1]
    draws = iter([[taken, *ports.choose(2)]])
    choose = ports.choose
    monkeypatch.setattr(ports, "choose", lambda count: next(draws, None) or choose(count))

    with ProcessCluster(QUICK) as cluster:
        cluster.start()

        assert str(taken) not in str(cluster.url("node-1"))
        cluster.wait_for(one_leader("node-1"))


def test_other_ports_are_drawn_when_one_is_taken_after_we_looked(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = listener.getsockname()[1]
    draws = iter([[*ports.choose(2), taken]])
    choose, is_free = ports.choose, ports.is_free
    looks = iter([True] * 3)
    monkeypatch.setattr(ports, "choose", lambda count: next(draws, None) or choose(count))
    monkeypatch.setattr(ports, "is_free", lambda port: next(looks, None) or is_free(port))

    with ProcessCluster(QUICK) as cluster:
        cluster.start()

        assert str(taken) not in str(cluster.url("node-3"))
        cluster.wait_for(one_leader("node-1"))
        assert cluster.status()["node-1"].term == 1


def test_a_node_that_lost_its_port_while_it_was_stopped_says_so() -> None:
    with ProcessCluster(QUICK) as cluster, socket.socket() as thief:
        cluster.start()
        cluster.stop("node-3")
        port = int(str(cluster.url("node-3")).rpartition(":")[2])
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind((ports.HOST, port))
        thief.listen()

        with pytest.raises(StartFailed, match=f"port {port} for node-3 is in use"):
            cluster.start("node-3")
        assert cluster.status()["node-1"].answers


def test_somebody_elses_node_on_the_port_is_not_taken_for_ours() -> None:
    with ProcessCluster(replace(QUICK, nodes=1)) as theirs, ProcessCluster(replace(QUICK, nodes=1)) as ours:
        theirs.start()
        ours._ports = dict(theirs._ports)

        assert theirs._answers("node-1")
        assert not ours._answers("node-1")


# -- nodes that do not come up ----------------------------------------------------------------------------


def test_a_node_that_dies_at_its_start_leaves_its_last_words_in_the_error() -> None:
    with ProcessCluster(replace(QUICK, election="no_such_module:Election")) as cluster:
        with pytest.raises(StartFailed, match=r"ended while it was starting(?s:.*)ELECTION(?s:.*)no_such_module"):
            cluster.start()

        assert pids(cluster) == []


def test_a_missing_interpreter_is_one_clear_error() -> None:
    with (
        ProcessCluster(QUICK, python="/no/such/python") as cluster,
        pytest.raises(StartFailed, match="node-1 could not be started with '/no/such/python': No such file"),
    ):
        cluster.start()


def test_an_interpreter_that_is_none_is_one_clear_error() -> None:
    with (
        ProcessCluster(QUICK, python=os.devnull) as cluster,
        pytest.raises(StartFailed, match="could not be started"),
    ):
        cluster.start()


def test_a_node_killed_behind_our_back_is_seen_as_stopped_and_can_be_started_again() -> None:
    with ProcessCluster(QUICK) as cluster:
        cluster.start()
        pid = cluster.pid("node-3")
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        cluster.wait_for(lambda c: c.status()["node-3"].state == "stopped")

        cluster.start("node-3")

        cluster.wait_for(one_leader("node-1", cluster.node_ids))


def test_a_closed_cluster_does_not_start_again() -> None:
    cluster = ProcessCluster(QUICK)
    cluster.close()

    with pytest.raises(StartFailed, match="closed"):
        cluster.start()


# -- what a node sees -------------------------------------------------------------------------------------


def test_the_shells_own_variables_do_not_reach_the_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NODE_ID", "PEERS", "HEARTBEAT_MS", "ELECTION", "DATA_DIR", "REPLICATION_MODE"):
        monkeypatch.setenv(name, "nonsense")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    with ProcessCluster(QUICK) as cluster:
        cluster.start()

        cluster.wait_for(one_leader("node-1"))
        assert cluster.put("name", "Alice").ok


def test_a_strategy_of_ones_own_is_found_in_the_folder_that_was_named(tmp_path: Path) -> None:
    (tmp_path / "my_election.py").write_text(
        "from replstore.lowest_id import LowestId\nclass Mine(LowestId):\n    '''As the lesson's.'''\n"
    )
    settings = replace(QUICK, election="my_election:Mine", python_path=(tmp_path,))

    with ProcessCluster(settings) as cluster:
        cluster.start()

        cluster.wait_for(one_leader("node-1"))
        assert "Mine" in cluster.status()["node-1"].raw["election"]


def test_several_threads_may_use_one_cluster() -> None:
    with ProcessCluster(QUICK) as cluster, ThreadPoolExecutor(8) as threads:
        cluster.start()
        cluster.wait_for(one_leader("node-1"))

        answers = list(threads.map(lambda number: cluster.put(f"key-{number}", number), range(200)))

        assert {answer.outcome for answer in answers} == {Outcome.OK}
        cluster.wait_for(has("node-3", "key-199", 199))
        cluster.wait_for(lambda c: c.status()["node-3"].total_keys == 200)
