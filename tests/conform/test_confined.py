"""`replab conform --sandbox`: strangers' nodes see their folder and the tool chain, and no network but their own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from labs.conform import confined
from tests.missing import skip_without

pytestmark = pytest.mark.processes

LESSON_NODE = Path(__file__).with_name("lesson_node.py")
SPY = """
import os, socket

def told(what, action):
    try:
        action()
    except OSError:
        print(what, "refused", flush=True)
    else:
        print(what, "WORKED", flush=True)

told("read another's file:", lambda: open({secret!r}).read())
told("write into its folder:", lambda: open("mark.txt", "w"))
told("write into its DATA_DIR:", lambda: open(os.environ["DATA_DIR"] + "/journal", "w"))
told("reach this machine:", lambda: socket.create_connection(("127.0.0.1", {port}), 2))
told("reach another machine:", lambda: socket.create_connection(("192.0.2.77", 80), 2))
print("processes in sight:", sum(name.isdigit() for name in os.listdir("/proc")), flush=True)
print("variable:", os.environ.get("PASSWORD_OF_THE_COURSE"), flush=True)
raise SystemExit(3)
"""


@pytest.fixture(autouse=True)
def bubblewrap() -> None:
    if shutil.which("bwrap") is None:
        skip_without("bubblewrap", "bubblewrap is not installed (apt install bubblewrap)")


def conform(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "labs", "conform", "--sandbox", *words]
    variables = {**os.environ, "PASSWORD_OF_THE_COURSE": "x"}
    return subprocess.run(command, capture_output=True, text=True, timeout=200, cwd=folder, env=variables)


@pytest.fixture
def submission(tmp_path: Path) -> Path:
    folder = tmp_path / "ann"
    folder.mkdir()
    return folder


@pytest.mark.slow
def test_a_right_node_gets_full_marks_behind_both_walls(submission: Path, tmp_path: Path) -> None:
    shutil.copy(LESSON_NODE, submission / "node.py")
    for ours in ("labs.py", "replstore.py"):  # a name of ours must not be taken for ours
        (submission / ours).write_text("raise SystemExit('this is not the kit')")

    done = conform(submission, "--level", "wire", "--format", "json", "--out", str(tmp_path / "report"),
                   "--", "python3", "node.py")  # fmt: skip

    assert done.stderr == ""
    report = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert [(check["id"], check["message"]) for check in report["checks"] if check["status"] != "passed"] == []
    assert done.returncode == 0
    assert report["isolation"] == confined.DESCRIPTION
    assert sorted(path.name for path in submission.iterdir()) == ["labs.py", "node.py", "replstore.py"]


@pytest.mark.slow
def test_sigterm_reaches_the_node_and_not_the_walls_around_it(submission: Path, tmp_path: Path) -> None:
    """bubblewrap ends what is behind it as soon as it is sent SIGTERM itself."""
    shutil.copy(LESSON_NODE, submission / "node.py")

    done = conform(submission, "--only", "wire.leaves", "--format", "json", "--out", str(tmp_path / "report"),
                   "--", "python3", "node.py", "ignores-sigterm")  # fmt: skip

    assert done.returncode == 1, done.stderr
    (lost,) = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))["checks"]
    assert (lost["id"], lost["status"]) == ("wire.leaves", "failed")
    assert "did not leave within" in lost["message"]


@pytest.mark.slow
def test_a_node_that_looks_around_finds_nothing(submission: Path, tmp_path: Path) -> None:
    secret = tmp_path / "bob.py"
    secret.write_text("another's work")
    with socket.create_server(("127.0.0.1", 0)) as server:
        spy = SPY.format(secret=str(secret), port=server.getsockname()[1])
        (submission / "spy.py").write_text(spy)
        done = conform(submission, "--", "python3", "spy.py")

    assert done.returncode == 1
    assert "ended at once, with exit code 3" in done.stderr
    found = [line.strip() for line in done.stderr.splitlines()[1:]]
    assert found == [
        "read another's file: refused",
        "write into its folder: refused",
        "write into its DATA_DIR: WORKED",
        "reach this machine: refused",
        "reach another machine: refused",
        "processes in sight: 2",  # itself, and what bubblewrap leaves as the first process
        "variable: None",
    ]
    assert not (submission / "mark.txt").exists()


@pytest.mark.slow
def test_a_tool_chain_elsewhere_is_seen_when_it_is_named(submission: Path, tmp_path: Path) -> None:
    tool = tmp_path / "tools" / "note.txt"
    tool.parent.mkdir()
    tool.write_text("a library")
    program = f"print(open({str(tool)!r}).read()); raise SystemExit(3)"

    hidden = conform(submission, "--", "python3", "-c", program)
    shown = conform(submission, "--tools", str(tool.parent), "--", "python3", "-c", program)

    assert "No such file or directory" in hidden.stderr
    assert "  a library" in shown.stderr


def test_without_bubblewrap_nothing_is_started(submission: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(submission))
    done = conform(submission, "--", "python3", "-c", "print('started')")

    assert done.returncode == 2
    assert done.stderr.startswith("replab: --sandbox: bubblewrap is not installed here")
    assert done.stderr.count("\n") == 1
