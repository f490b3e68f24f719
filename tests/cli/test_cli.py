"""The command line: what it refuses, what it shows, how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from labs.cli import diagnosis as doctor_checks
from labs.cli import doctor as doctor_command
from labs.cli.app import app, main
from labs.cli.diagnosis import Diagnosis, Weight
from labs.cli.status import _address
from labs.cluster import BackendUnavailable, ClusterError, Settings, open_cluster, opening, ports
from labs.cluster import registry as running

runner = CliRunner()


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Clusters that somebody really runs on this machine must not be seen here."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


# -- what is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["up", "--nodes", "0"], "--nodes: "),
        (["up", "--nodes", "three"], "--nodes: "),
        (["up", "--heartbeat", "-5"], "--heartbeat: "),
        (["up", "--heartbeat", "500", "--election-timeout", "400"], "must be longer than the heartbeat"),
        (["up", "--mode", "fast"], "'fast' is not one of"),
        (["up", "--backend", "cloud"], "'cloud' is not one of"),
        (["up", "--backend", "simulated"], "no addresses"),
        (["up", "--first-port", "65535"], "first port must be"),
        (["steps", "--election-timeout", "10", "--heartbeat", "20"], "must be longer"),
        (["status", "ftp://somewhere"], "no address of a node"),
        (["status", "http://127.0.0.1:notaport"], "no address of a node"),
        (["nonsense"], "No such command 'nonsense'"),
    ],
)
def test_a_bad_value_is_one_clear_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    shown = capsys.readouterr()
    assert ended.value.code == 2
    assert shown.out == ""
    assert shown.err.startswith("replab: ")
    assert shown.err.count("\n") == 1
    assert message in shown.err


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([])

    shown = capsys.readouterr()
    assert "Usage: replab" in shown.out + shown.err
    assert all(command in shown.out + shown.err for command in ("steps", "up", "status", "doctor"))


def test_a_cluster_error_is_one_line_and_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object) -> None:
        raise ClusterError("port 4001 for node-1 is in use")

    monkeypatch.setattr("labs.cli.steps.open_cluster", fails)
    with pytest.raises(SystemExit) as ended:
        main(["steps"])

    assert ended.value.code == 1
    assert capsys.readouterr().err == "replab: port 4001 for node-1 is in use\n"


# -- the choice of backend --------------------------------------------------------------------------------


def test_auto_takes_processes_where_docker_does_not_answer_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "why_no_docker", lambda: "no engine")
    said: list[str] = []

    with open_cluster("auto", say=said.append) as cluster:
        assert cluster.backend == "process"
    assert said == ["Backend: process, because Docker is no choice here: no engine"]


def test_auto_takes_docker_where_an_engine_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Settings] = []
    monkeypatch.setattr(opening, "why_no_docker", lambda: None)
    monkeypatch.setattr(opening, "_docker", made.append)
    said: list[str] = []

    open_cluster("auto", Settings(nodes=5), said.append)

    assert [settings.nodes for settings in made] == [5]
    assert said == ["Backend: docker, because a Docker engine answers here."]


def test_docker_without_an_engine_is_an_error_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")

    with pytest.raises(BackendUnavailable, match="install Docker, or start it"):
        open_cluster("docker")
    assert "install Docker" in str(opening.why_no_docker())


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(ClusterError, match="auto, process, docker, simulated, not 'cloud'"):
        open_cluster("cloud")


def test_importing_the_clusters_does_not_load_docker() -> None:
    code = "import labs.cluster, labs.cluster.process, sys; print('docker' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


# -- up and status ----------------------------------------------------------------------------------------


@pytest.fixture
def up() -> Iterator[subprocess.Popen[str]]:
    """`replab up` on free ports, with all its introduction read."""
    command = [sys.executable, "-m", "labs", "up", "--backend", "process", "--first-port", "0", "--heartbeat", "100"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    ) as program:
        yield program
        program.kill()


def read_until(program: subprocess.Popen[str], words: str) -> list[str]:
    assert program.stdout is not None
    lines = []
    for line in program.stdout:
        lines.append(line.rstrip("\n"))
        if words in line:
            return lines
    raise AssertionError(f"never said {words!r}, but {lines} and {program.communicate()[1]}")


@pytest.mark.slow
@pytest.mark.processes
def test_up_shows_addresses_tells_what_happens_and_ends_with_ctrl_c(up: subprocess.Popen[str]) -> None:
    introduction = read_until(up, "Ctrl-C ends")
    read_until(up, "[node-1] 👑 Became LEADER for term 1")
    children = psutil.Process(up.pid).children()

    status = runner.invoke(app, ["status"])

    assert status.exit_code == 0, status.output
    urls = [line.split()[1] for line in introduction if line.startswith("  node-")]
    assert all(url in status.output for url in urls)
    assert "leader" in status.output
    assert any(line.strip().startswith(f"curl -X PUT {urls[0]}/key/name") for line in introduction)

    os.kill(up.pid, signal.SIGINT)
    rest, errors = up.communicate(timeout=20)
    assert (up.returncode, errors) == (0, "")
    assert rest.endswith("Nothing is left running.\n")
    assert not any(child.is_running() for child in children)
    assert running.find() == []


@pytest.mark.processes
@pytest.mark.slow
def test_up_tells_that_a_node_died_and_another_took_over(up: subprocess.Popen[str]) -> None:
    read_until(up, "[node-1] 👑 Became LEADER for term 1")
    nodes = [child for child in psutil.Process(up.pid).children() if "replstore" in child.cmdline()]
    next(node for node in nodes if node.environ()["NODE_ID"] == "node-1").kill()

    read_until(up, "[node-2] 👑 Became LEADER for term 2")

    up.terminate()
    assert up.communicate(timeout=20)[0].endswith("Nothing is left running.\n")
    assert up.returncode == 0


def test_status_without_any_node_says_what_to_do() -> None:
    [port] = ports.choose(1)
    result = runner.invoke(app, ["status", f"http://127.0.0.1:{port}"])

    assert result.exit_code == 1
    assert "connection refused" in result.output
    assert "`replab up` starts a cluster" in result.output


@pytest.mark.parametrize("text", ["4001", "127.0.0.1:4001", "http://127.0.0.1:4001", "http://127.0.0.1:4001/"])
def test_an_address_may_be_written_short(text: str) -> None:
    assert _address(text) == "http://127.0.0.1:4001"


def test_the_file_of_an_up_that_was_killed_is_not_believed(own_folder: Path) -> None:
    with running.announced("process", {"node-1": "http://127.0.0.1:4001"}) as file:
        assert [cluster.urls for cluster in running.find()] == [{"node-1": "http://127.0.0.1:4001"}]
        file.write_text(file.read_text().replace('"born": ', '"born": 1'))
        assert running.find() == []
        assert not file.exists()


def test_a_damaged_file_is_not_believed(own_folder: Path) -> None:
    (running.folder() / "up-1.json").write_text("{")

    assert running.find() == []


# -- doctor -----------------------------------------------------------------------------------------------


@pytest.mark.processes
def test_the_doctor_looks_at_everything_and_says_what_to_do() -> None:
    result = runner.invoke(app, ["doctor"])

    assert result.exit_code == 0, result.output
    for what in ("Python", "packages", "a node as a process", "Docker engine", "bubblewrap", "browser", "open files"):
        assert what in result.output
    assert "The lab works here" in result.output


def test_the_doctor_fails_when_something_needed_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = Diagnosis("Python", Weight.NEEDED, "3.9", "install Python 3.11 or later")
    monkeypatch.setattr(doctor_command, "CHECKS", [lambda: bad])

    result = runner.invoke(app, ["doctor"])

    assert result.exit_code == 1
    assert "install Python 3.11 or later" in result.output
    assert "does not work here yet: Python" in result.output


def test_the_doctor_names_a_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_checks, "_installed", lambda name: name != "psutil")

    finding = doctor_checks.packages()

    assert (finding.weight, finding.found) == (Weight.NEEDED, "missing: psutil")


def test_the_doctor_explains_what_keeps_docker_from_working(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")

    finding = doctor_checks.docker()

    assert finding.weight is Weight.OPTIONAL
    assert "install Docker, or start it" in finding.found
    assert "--backend process" in finding.advice


def test_the_doctor_names_a_usual_port_that_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda port: port != 4002)

    finding = doctor_checks.usual_ports()

    assert finding.weight is Weight.OPTIONAL
    assert finding.found.startswith("4002 in use")


def test_the_doctor_says_when_bubblewrap_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)

    assert doctor_checks.sandbox().weight is Weight.OPTIONAL
    assert "bubblewrap" in doctor_checks.sandbox().advice
