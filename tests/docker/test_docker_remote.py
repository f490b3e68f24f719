"""An engine that is reached over a network, and one that goes away. The way there is a tunnel to the local engine."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import pytest

from labs.cluster import FAST, ClusterError
from labs.cluster.docker.cluster import DockerCluster
from labs.cluster.docker.engine import Engine, EngineGone, connect
from labs.cluster.docker.leftovers import find, remove
from tests.docker.tunnel import Tunnel

LONELY = replace(FAST, nodes=1)


def test_docker_host_is_honoured(tunnel: Tunnel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", tunnel.url)

    with DockerCluster(LONELY) as cluster:
        cluster.start()
        assert cluster.engine.endpoint == tunnel.url
        cluster.wait_for(lambda c: c.leader())
        assert cluster.put("name", "Alice").ok


def test_another_machines_engine_publishes_where_it_can_be_reached(engine: Engine) -> None:
    far = replace(engine, endpoint="tcp://lab-server:2376")

    with closing(DockerCluster(LONELY, engine=far)) as cluster:
        assert cluster.bind == "0.0.0.0"
        cluster._port("node-1")
        assert str(cluster.url("node-1")).startswith("http://lab-server:")


def test_an_engine_that_goes_away_is_named_and_nothing_is_forgotten(
    tunnel: Tunnel, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", tunnel.url)
    cluster = DockerCluster(LONELY)
    try:
        cluster.start()
        tunnel.cut()

        with pytest.raises(EngineGone, match=f"engine at {tunnel.url} went away .* `replab down` then removes"):
            cluster.stop("node-1")
        with pytest.raises(EngineGone):
            cluster.status()
        with pytest.raises(EngineGone, match="went away"):
            cluster.close()
        assert cluster.cluster_id in {found.cluster_id for found in find(engine)}
    finally:
        remove(engine, cluster.cluster_id)
        monkeypatch.delenv("DOCKER_HOST")
        with closing(connect().client) as way_back:
            cluster._api = way_back.api
            cluster.engine = replace(cluster.engine, client=way_back)
            cluster.close()


def test_an_engine_that_stops_while_nodes_start_is_a_clear_error(
    tunnel: Tunnel, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", tunnel.url)
    cluster = DockerCluster(LONELY)
    made = cluster._make_container

    def cut_and_make(node: str, environment: dict[str, str]) -> str:
        tunnel.cut()
        return made(node, environment)

    monkeypatch.setattr(cluster, "_make_container", cut_and_make)
    try:
        with pytest.raises(ClusterError, match="Start it again; `replab down` then removes what it still holds"):
            cluster.start()
    finally:
        remove(engine, cluster.cluster_id)
