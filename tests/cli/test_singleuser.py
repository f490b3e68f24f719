"""`replab singleuser`: its command line, and real servers of a real JupyterHub.

The hub is looked for where `REPLAB_HUB` says (the folder of an environment's programs), else beside this Python.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from labs.cli import serving, singleuser
from labs.cli.app import main
from labs.lesson import workspace
from tests.missing import skip_without
from tools.hub import Hub, alive, descendants, kill, programs

GONE_WITHIN = 60.0
CLUSTER = """
from labs import open_cluster

cluster = open_cluster("process")
cluster.start()
cluster.wait_for(lambda c: c.leader())
import exercises
print(exercises.__path__[0])
"""


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> workspace.Workspace:
    for name in ("JUPYTERHUB_ROOT_DIR", "JUPYTERHUB_DEFAULT_URL"):
        monkeypatch.delenv(name, raising=False)
    return workspace.find_or_make(tmp_path)


def test_without_a_word_of_the_hub_the_server_opens_the_first_notebook_of_the_working_copy(
    space: workspace.Workspace,
) -> None:
    words = singleuser.command(space, ["--port=1234"])

    assert words[:3] == [sys.executable, "-m", "jupyterhub.singleuser"]
    assert words[-1] == "--port=1234"
    assert f"--ServerApp.root_dir={space.root}" in words
    assert "--ServerApp.default_url=/lab/tree/notebooks/00_start_here.ipynb" in words
    assert f"--LabApp.app_settings_dir={serving.SETTINGS}" in words
    assert (serving.SETTINGS / "overrides.json").is_file()


def test_what_the_hub_says_counts(space: workspace.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_ROOT_DIR", str(space.root.parent))
    above = singleuser.command(space, [])
    monkeypatch.setenv("JUPYTERHUB_ROOT_DIR", str(space.root / "exercises"))
    elsewhere = singleuser.command(space, [])
    monkeypatch.setenv("JUPYTERHUB_DEFAULT_URL", "/tree")
    named = singleuser.command(space, ["--LabApp.app_settings_dir=/etc/lab"])

    assert "--ServerApp.default_url=/lab/tree/replication-lab/notebooks/00_start_here.ipynb" in above
    for words in (above, elsewhere, named):
        assert not [word for word in words if word.startswith("--ServerApp.root_dir")]
    for words in (elsewhere, named):
        assert not [word for word in words if word.startswith("--ServerApp.default_url")]
    assert [word for word in named if "app_settings_dir" in word] == ["--LabApp.app_settings_dir=/etc/lab"]


@pytest.mark.parametrize(
    ("token", "said"),
    [(None, "To work here: replab open"), ("x", "has no jupyterhub: pip install 'replication-lab[hub]'")],
)
def test_where_no_hub_is_it_says_what_to_do_and_makes_nothing(
    token: str | None,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv(singleuser.OF_THE_HUB, raising=False)
    if token is not None:
        monkeypatch.setenv(singleuser.OF_THE_HUB, token)
    monkeypatch.setattr(singleuser, "has_jupyterhub", lambda: False)

    with pytest.raises(SystemExit) as ended:
        main(["singleuser", "--folder", str(tmp_path), "--port=8888"])

    assert ended.value.code == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_home_that_cannot_be_written_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(singleuser.OF_THE_HUB, "x")
    monkeypatch.setattr(singleuser, "has_jupyterhub", lambda: True)
    tmp_path.chmod(0o500)

    with pytest.raises(SystemExit):
        main(["singleuser", "--folder", str(tmp_path)])

    assert f"no working copy can be made in {tmp_path}: Permission denied" in capsys.readouterr().err


# --------------------------------------------------------------------------------------------------------
# A real hub


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    if programs() is None:
        skip_without(
            "JupyterHub", "no jupyterhub: pip install 'replication-lab[hub]', npm install configurable-http-proxy"
        )
    with Hub(tmp_path_factory.mktemp("hub") / "of-the-class") as hub:
        hub.start("ann", "bob")
        yield hub


def nothing_left(of: list[psutil.Process]) -> bool:
    deadline = time.monotonic() + GONE_WITHIN
    while time.monotonic() < deadline:
        if not alive(of):
            return True
        time.sleep(0.05)
    return False


class ClassOfTwo:
    """One after the other: each step finds the servers as the ones before it left them."""

    def each_has_a_working_copy_of_their_own_and_their_notebooks_import_it(self, hub: Hub) -> None:
        for user in ("ann", "bob"):
            shown = {one["name"] for one in hub.get(user, "api/contents/").json()["content"]}
            assert {"notebooks", "exercises"} <= shown
            assert hub.run(user, CLUSTER).split() == [str(hub.homes / user / "replication-lab" / "exercises")]

    def after_stop_nothing_is_left_and_the_working_copy_is_there_at_the_next_start(self, hub: Hub) -> None:
        family = descendants(hub.process("ann").pid)
        assert len(family) >= 5, "the server, a kernel and three nodes"
        mine = hub.homes / "ann" / "replication-lab" / "exercises" / "ex1_fault_tolerance.py"
        mine.write_text("# mine\n", encoding="utf-8")

        hub.stop("ann")

        assert nothing_left(family)
        hub.start("ann")
        assert mine.read_text(encoding="utf-8") == "# mine\n"

    def after_sigkill_nothing_is_left(self, hub: Hub) -> None:
        server = hub.process("bob")
        family = descendants(server.pid)
        assert len(family) >= 5

        kill(server)

        assert nothing_left(family)


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.timeout(600)
def test_two_users_have_their_own_servers_and_nothing_is_left_of_them(hub: Hub) -> None:
    of_two = ClassOfTwo()
    of_two.each_has_a_working_copy_of_their_own_and_their_notebooks_import_it(hub)
    of_two.after_stop_nothing_is_left_and_the_working_copy_is_there_at_the_next_start(hub)
    of_two.after_sigkill_nothing_is_left(hub)
