"""No orphan goes unnoticed: what becomes of the containers when Python goes away."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import typer
from typer.testing import CliRunner

from labs.cli import down
from labs.cluster import FAST, ClusterError
from labs.cluster.docker import sigterm
from labs.cluster.docker.cluster import DockerCluster
from labs.cluster.docker.engine import Engine
from labs.cluster.docker.leftovers import ClusterOwner, FoundCluster, find, remove

LONELY = replace(FAST, nodes=1)
CHILD = """
import sys
from dataclasses import replace
from labs.cluster import FAST
from labs.cluster.docker.cluster import DockerCluster

cluster = DockerCluster(replace(FAST, nodes=1))
cluster.start()
cluster.wait_for(lambda c: c.leader())
cluster.put("name", "Alice")
print(cluster.cluster_id, flush=True)
sys.stdin.readline()
"""
"""A program that makes a cluster and does not close it. It ends when told, or is ended."""


@contextmanager
def a_program_with_a_cluster(engine: Engine) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The program and its cluster's id. Nothing of it is left, also where a test fails."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        cluster_id = child.stdout.readline().strip()
        assert cluster_id, child.stderr and child.stderr.read()
        try:
            yield child, cluster_id
        finally:
            child.kill()
            child.wait()
            remove(engine, cluster_id)


@pytest.fixture
def orphan(engine: Engine) -> Iterator[str]:
    """The id of a running cluster whose program was killed."""
    with a_program_with_a_cluster(engine) as (child, cluster_id):
        child.send_signal(signal.SIGKILL)
        child.wait()
        yield cluster_id


def ids(engine: Engine) -> set[str]:
    return {found.cluster_id for found in find(engine)}


def replab_down(*arguments: str) -> str:
    app = typer.Typer()
    down.register(app)
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output


# -- the program ends ---------------------------------------------------------------------------------


def test_a_program_that_forgets_to_close_its_cluster_leaves_nothing(engine: Engine) -> None:
    with a_program_with_a_cluster(engine) as (child, cluster_id):
        assert cluster_id in ids(engine)
        _, complaints = child.communicate("go\n", timeout=30)

    assert cluster_id not in ids(engine)
    assert complaints == ""


def test_ctrl_c_leaves_nothing(engine: Engine) -> None:
    with a_program_with_a_cluster(engine) as (child, cluster_id):
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=30)

    assert cluster_id not in ids(engine)


def test_a_cluster_that_nobody_holds_any_more_is_removed(engine: Engine) -> None:
    cluster = DockerCluster(LONELY, engine=engine)
    cluster.start()
    cluster_id, clean_up = cluster.cluster_id, cluster._finalizer
    assert clean_up is not None
    clean_up()  # what the garbage collector or the interpreter's end would call

    assert cluster_id not in ids(engine)


# -- the program is killed ----------------------------------------------------------------------------


def test_the_next_cluster_that_starts_names_what_a_killed_program_left(
    orphan: str, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), DockerCluster(LONELY, engine=engine) as cluster:
        cluster.start()

    assert any(orphan in line and "replab down" in line for line in caplog.messages)
    assert orphan in {found.cluster_id for found in DockerCluster.leftovers(engine)}


def test_a_leftover_can_be_adopted_with_its_data_and_is_then_not_a_leftover(orphan: str, engine: Engine) -> None:
    with DockerCluster.adopt(orphan, engine=engine) as cluster:
        assert cluster.settings == LONELY
        assert cluster.get("name").value == "Alice"
        cluster.restart("node-1")
        cluster.wait_for(lambda c: c.leader())
        assert cluster.put("name", "Bob").ok

        assert orphan not in {found.cluster_id for found in DockerCluster.leftovers(engine)}
        with pytest.raises(ClusterError, match="in use by process"):
            DockerCluster.adopt(orphan, engine=engine)
    assert orphan not in ids(engine)


def test_replab_down_lists_and_removes_a_leftover_and_says_what_it_removed(orphan: str, engine: Engine) -> None:
    assert f"{orphan}: replab-{orphan}-node-1 (running); owner: process" in replab_down("--list")

    said = replab_down(orphan)
    assert f"removed container replab-{orphan}-node-1" in said
    assert f"removed network replab-{orphan}" in said
    assert f"removed volume replab-{orphan}-node-1" in said
    assert orphan not in ids(engine)


def test_replab_down_goes_by_label_and_not_by_name(engine: Engine) -> None:
    """A stranger's things may look like ours."""
    volume = engine.client.volumes.create("replab-deadbeef-node-1")
    try:
        assert "deadbeef" not in replab_down("--list")
        with pytest.raises(ClusterError, match="no cluster deadbeef"):
            down.chosen(find(engine), ["deadbeef"], everything=False)
        volume.reload()
    finally:
        volume.remove()


def test_adopting_what_is_not_there_says_where_to_look(engine: Engine) -> None:
    with pytest.raises(ClusterError, match=r"no cluster 'nothing' to adopt: `replab down --list`"):
        DockerCluster.adopt("nothing", engine=engine)


# -- who is meant -------------------------------------------------------------------------------------

ALIVE = FoundCluster("alive", owner=ClusterOwner.me())
GONE = FoundCluster("gone", owner=replace(ClusterOwner.me(), born=0.0))
ELSEWHERE = FoundCluster("elsewhere", owner=ClusterOwner("another-host", 1, 0.0))
COMPOSE = FoundCluster("compose")
ALL = [ALIVE, GONE, ELSEWHERE, COMPOSE]


def test_down_spares_what_is_or_may_be_in_use() -> None:
    assert down.chosen(ALL, [], everything=False) == [GONE]


def test_down_removes_a_cluster_in_use_only_when_it_is_named() -> None:
    assert down.chosen(ALL, ["alive"], everything=False) == [ALIVE]
    assert down.chosen(ALL, [], everything=True) == ALL


def test_a_process_number_that_was_given_to_another_process_is_not_its_owner() -> None:
    me = ClusterOwner.me()

    assert not ClusterOwner.from_label(me.label).is_gone
    assert replace(me, born=me.born - 3600).is_gone


def test_a_program_that_is_asked_to_end_leaves_nothing(engine: Engine) -> None:
    with a_program_with_a_cluster(engine) as (child, cluster_id):
        child.send_signal(signal.SIGTERM)
        assert child.wait(60) == -signal.SIGTERM, "it ends by the signal, as any program"

    assert cluster_id not in [found.cluster_id for found in find(engine)]


def test_a_programs_own_answer_to_sigterm_is_respected() -> None:
    def own(number: int, frame: object) -> None:
        raise AssertionError("not called here")

    before = signal.signal(signal.SIGTERM, own)
    try:
        sigterm.listen()
        assert signal.getsignal(signal.SIGTERM) is own
    finally:
        signal.signal(signal.SIGTERM, before)
