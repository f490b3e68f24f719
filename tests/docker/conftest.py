"""A Docker engine for the tests. Without one they are skipped, saying why; where CI=true they fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from labs.cluster import FAST, Settings
from labs.cluster.docker.cluster import DockerCluster
from labs.cluster.docker.engine import Engine
from tests.docker.availability import engine_or_skip
from tests.docker.tunnel import Tunnel


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "engine" in getattr(item, "fixturenames", ()):
            item.add_marker("docker")


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """An engine that has the node's image."""
    found = engine_or_skip()
    with closing(found.client):
        yield found


@pytest.fixture
def cluster(engine: Engine) -> Iterator[DockerCluster]:
    """Three running nodes with short timings."""
    with DockerCluster(FAST, engine=engine) as made:
        made.start()
        yield made


@pytest.fixture
def make(engine: Engine) -> Iterator[Callable[..., DockerCluster]]:
    """Makes clusters that are closed after the test."""
    with ExitStack() as stack:  # one that cannot be closed does not keep the others

        def make_one(settings: Settings = FAST, **options: object) -> DockerCluster:
            made = DockerCluster(settings, **{"engine": engine, **options})  # type: ignore[arg-type]
            return stack.enter_context(made)

        yield make_one


@pytest.fixture
def tunnel(engine: Engine) -> Iterator[Tunnel]:
    if not engine.endpoint.startswith("unix:///var/run/docker.sock"):
        pytest.skip(f"needs the engine's local socket, not {engine.endpoint}")
    made = Tunnel()
    yield made
    made.cut()
