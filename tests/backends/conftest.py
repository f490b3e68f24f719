"""The suite in this folder is written against `Cluster` and runs against every backend in `BACKENDS`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from labs.cluster import FAST, Cluster, ForeignCluster, Settings, open_cluster
from labs.trace.events import Event
from tests import typescript_node
from tests.docker.availability import engine_or_skip

BACKENDS = [
    pytest.param("process", marks=pytest.mark.processes),
    pytest.param("docker", marks=pytest.mark.docker),
    "simulated",
    pytest.param("typescript", marks=[pytest.mark.processes, pytest.mark.slow]),
]

QUICK = FAST
"""What students get in notebooks and with `replab steps`, on every backend."""

same_in_containers = pytest.mark.same_in_containers
"""For tests of what the nodes and the client do: containers run the same nodes behind the same client
(`labs.cluster.http_cluster`), so processes and the simulator prove it. What starts, ends, freezes or cuts nodes goes
through the backend's own hooks and runs in containers as well."""

not_the_lessons = pytest.mark.not_the_lessons
"""For tests of what our own nodes do beyond the lesson's contract (a journal, confirmed copies, a diary): a node in
another language need not, and the lesson's node in TypeScript does not."""

ClusterOf = Callable[..., Cluster]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def backend_of(item: pytest.Item) -> str:
        callspec = getattr(item, "callspec", None)  # an item without parameters has none
        return "" if callspec is None else str(callspec.params.get("backend"))

    def superfluous(item: pytest.Item) -> bool:
        left_out = {"docker": "same_in_containers", "typescript": "not_the_lessons"}.get(backend_of(item))
        return left_out is not None and item.get_closest_marker(left_out) is not None

    items[:] = [item for item in items if not superfluous(item)]
    for item in items:
        if backend_of(item) == "process" and item.path.stem != "test_steps":
            item.add_marker(pytest.mark.slow)  # a plain run asks this of the simulator alone


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    if request.param == "docker":
        engine_or_skip().client.close()
    if request.param == "typescript":
        typescript_node.command_or_skip()
    return str(request.param)


def opened(backend: str, settings: Settings) -> Cluster:
    """A cluster that has not been started yet. Node.js takes a part of a second to start, in which the other nodes must
    not take it for dead."""
    if backend == "typescript":
        patient = replace(settings, election_timeout_ms=max(settings.election_timeout_ms, 800))
        return ForeignCluster(patient, typescript_node.command_or_skip())
    return open_cluster(backend, settings)


@pytest.fixture
def cluster_of(backend: str) -> Iterator[ClusterOf]:
    """A started cluster of the given settings; ended with the test, however that ends."""
    with ExitStack() as stack:

        def make(settings: Settings = QUICK) -> Cluster:
            cluster = stack.enter_context(opened(backend, settings))
            cluster.start()
            return cluster

        yield make


@pytest.fixture
def cluster(cluster_of: ClusterOf) -> Cluster:
    """Three nodes that follow node-1 in term 1."""
    made = cluster_of()
    made.wait_for(one_leader("node-1"))
    return made


def one_leader(leader: str, among: tuple[str, ...] | None = None) -> Callable[[Cluster], bool]:
    """A condition: these nodes (default: all that run) agree that `leader` leads, and it agrees too."""

    def agreed(cluster: Cluster) -> bool:
        seen = cluster.status()
        asked = among or tuple(node for node, status in seen.items() if status.state == "running")
        leads = seen[leader].role == "leader"
        return leads and all(seen[node].leader_id == leader for node in asked)

    return agreed


def has(node: str, key: str, value: object) -> Callable[[Cluster], bool]:
    """A condition: the node's own copy has this value."""

    def arrived(cluster: Cluster) -> bool:
        answer = cluster.get(key, via=node)
        return answer.code == 200 and answer.value == value

    return arrived


def lacks(node: str, key: str) -> Callable[[Cluster], bool]:
    """A condition: the node answers that it does not have the key."""

    def absent(cluster: Cluster) -> bool:
        return cluster.get(key, via=node).code == 404

    return absent


def faults(cluster: Cluster) -> list[Event]:
    """What was done to the cluster; a node's own notice that its settings changed does not count."""
    return [event for event in cluster.events() if event.event == "fault" and event.kind != "settings"]
