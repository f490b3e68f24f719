"""Which base an image stands on, and which of a student's files go into a container. None of these needs an engine."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import APIError, ImageNotFound

from labs.cluster import BackendUnavailable, ClusterError
from labs.cluster.docker.code import strategy_files
from labs.cluster.docker.engine import Engine
from labs.cluster.docker.image import DEFAULT_BASE, LOCAL_BASE, choose_base


class Images:
    """An engine's images: those that are there, and those that its registry has."""

    def __init__(self, here: set[str], registry: set[str]) -> None:
        self.here = here
        self.registry = registry

    def get(self, name: str) -> Any:
        if name not in self.here:
            raise ImageNotFound(name)
        return SimpleNamespace(id=name)

    def pull(self, name: str) -> None:
        if name not in self.registry:
            raise APIError("pull failed", explanation="no such host")
        self.here.add(name)


def chosen(here: set[str], registry: set[str] = frozenset()) -> str:  # type: ignore[assignment]
    client: Any = SimpleNamespace(images=Images(set(here), set(registry)))
    return choose_base(Engine(client, "unix:///var/run/docker.sock", "27.0"))


@pytest.fixture(autouse=True)
def _no_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REPLAB_PYTHON_IMAGE", raising=False)


# -- the base -----------------------------------------------------------------------------------------


def test_the_official_image_is_the_first_choice() -> None:
    assert chosen({DEFAULT_BASE, LOCAL_BASE}) == DEFAULT_BASE
    assert chosen({LOCAL_BASE}, registry={DEFAULT_BASE}) == DEFAULT_BASE


def test_the_local_base_stands_in_where_nothing_can_be_pulled() -> None:
    assert chosen({LOCAL_BASE}) == LOCAL_BASE


def test_without_any_base_it_is_said_how_to_get_one() -> None:
    with pytest.raises(BackendUnavailable, match=r"no such host.*run container/base-image once"):
        chosen(set())


def test_a_wish_is_not_replaced_by_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLAB_PYTHON_IMAGE", "our/python:3.12")

    assert chosen({LOCAL_BASE}, registry={"our/python:3.12"}) == "our/python:3.12"
    with pytest.raises(BackendUnavailable, match=r"our/python:3\.12 is not on this engine"):
        chosen({LOCAL_BASE})


# -- a student's files --------------------------------------------------------------------------------


@pytest.mark.parametrize("election", ["lowest-id", "bully", "replstore.bully:Bully"])
def test_what_the_image_has_is_not_sent(election: str) -> None:
    assert strategy_files(election, ()) == {}


def test_a_single_file_goes_with_those_beside_it(tmp_path: Path) -> None:
    for name in ("mine_alone.py", "helper.py", "notes.txt"):
        (tmp_path / name).write_text(name)
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "other.py").touch()

    assert strategy_files("mine_alone:Mine", (tmp_path,)) == {
        "mine_alone.py": b"mine_alone.py",
        "helper.py": b"helper.py",
    }


def test_a_package_goes_with_all_its_modules_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "mypack" / "inner").mkdir(parents=True)
    for name in ("mypack/__init__.py", "mypack/election.py", "mypack/inner/parts.py", "mypack/data.bin", "outside.py"):
        (tmp_path / name).touch()

    sent = strategy_files("mypack.election:Mine", (tmp_path,))
    assert sorted(sent) == ["mypack/__init__.py", "mypack/election.py", "mypack/inner/parts.py"]


def test_a_folder_without_init_is_a_package_too(tmp_path: Path) -> None:
    (tmp_path / "loosepack").mkdir()
    (tmp_path / "loosepack" / "election.py").touch()

    assert list(strategy_files("loosepack.election:Mine", (tmp_path,))) == ["loosepack/election.py"]


def test_the_first_folder_that_has_the_module_counts(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "twice_there.py").write_text(folder)

    assert strategy_files("twice_there:Mine", (tmp_path / "b", tmp_path / "a"))["twice_there.py"] == b"b"


def test_a_module_that_is_nowhere_is_named_with_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=f"no module 'nowhere_at_all' in {tmp_path}"):
        strategy_files("nowhere_at_all:Mine", (tmp_path,))


def test_a_whole_home_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine_big.py").touch()
    (tmp_path / "generated.py").write_bytes(b"#" * (2 << 20))

    with pytest.raises(ClusterError, match=r"more than 1 MiB.*a folder of its own"):
        strategy_files("mine_big:Mine", (tmp_path,))
