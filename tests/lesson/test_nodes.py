"""One choice says what the nodes of all notebooks are, and the newest word counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from labs.cluster import ClusterError
from labs.cluster.opening import BACKEND_VARIABLE
from labs.lesson import nodes, workspace


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(BACKEND_VARIABLE, raising=False)
    return workspace.find_or_make(tmp_path).root


def test_nobody_chose_and_they_are_processes(copy: Path) -> None:
    assert nodes.chosen(copy).backend == "process"
    assert "nobody chose" in nodes.chosen(copy).why


def test_the_environment_chooses_for_all_notebooks(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BACKEND_VARIABLE, "simulated")

    assert nodes.chosen(copy / "notebooks").backend == "simulated"
    assert BACKEND_VARIABLE in nodes.chosen(copy).why


def test_the_switch_of_one_notebook_holds_in_all_and_above_the_environment(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(BACKEND_VARIABLE, "auto")

    nodes.choose("simulated", copy / "notebooks")

    assert {nodes.chosen(place).backend for place in (copy, copy / "notebooks", copy / "exercises")} == {"simulated"}


def test_containers_are_not_chosen_where_no_engine_answers(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "why_no_docker", lambda: "nobody answers.")

    with pytest.raises(ClusterError, match="nobody answers"):
        nodes.choose("docker", copy)

    assert nodes.chosen(copy).backend == "process"


@pytest.mark.parametrize("name", ["podman", "", "Docker"])
def test_a_kind_that_does_not_exist_is_refused(name: str, copy: Path) -> None:
    with pytest.raises(ClusterError, match="auto, process, docker, simulated"):
        nodes.choose(name, copy)

    workspace.switch_of(copy).write_text(name)
    with pytest.raises(ClusterError, match="remove the file"):
        nodes.chosen(copy)
