"""`replab open` up to the moment when JupyterLab would start. (The rest is tested in a browser.)"""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from labs.cli.app import main
from labs.lesson import nodes, workspace


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["open", "--no-browser", *arguments])
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_prepare_makes_the_working_copy_and_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["open", "--prepare", "--folder", str(tmp_path)])

    assert ended.value.code == 0
    assert capsys.readouterr().out == f"Working copy: {tmp_path / 'replication-lab'}\n"
    assert (tmp_path / "replication-lab" / "exercises" / "ex1_fault_tolerance.py").is_file()


def test_a_port_in_use_is_refused_with_its_holder_before_anything_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        said = refused(["--port", str(port), "--folder", str(tmp_path)], capsys)

    assert f"port {port} is in use" in said
    assert f"process {os.getpid()}" in said
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "nowhere is no folder" in refused(["--folder", str(tmp_path / "nowhere")], capsys)


def test_a_backend_named_now_takes_the_place_of_what_a_notebook_had_chosen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = workspace.find_or_make(tmp_path).root
    nodes.choose("simulated", root)
    with pytest.raises(SystemExit):
        main(["open", "--prepare", "--folder", str(tmp_path)])
    assert nodes.chosen(root).backend == "simulated", "nothing was named"

    with pytest.raises(SystemExit):
        main(["open", "--prepare", "--folder", str(tmp_path), "--backend", "process"])

    assert nodes.chosen(root).backend == "process"


def test_containers_without_an_engine_are_refused_before_anything_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labs.cli.open.why_no_docker", lambda: "nobody answers.")

    said = refused(["--folder", str(tmp_path), "--backend", "docker"], capsys)

    assert "containers are no choice here: nobody answers." in said
    assert list(tmp_path.iterdir()) == []
