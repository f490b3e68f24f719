"""Why an engine cannot be used, told so that a student knows what to do. None of these needs an engine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from docker.context.config import get_context_id

from labs.cluster import BackendUnavailable
from labs.cluster.docker.engine import connect, endpoint, explain, published_host


@pytest.fixture
def old_engine() -> Iterator[str]:
    """Answers like an engine of 2018."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"Version": "18.03.1", "ApiVersion": "1.37", "MinAPIVersion": "1.12"}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"tcp://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def reason(monkeypatch: pytest.MonkeyPatch, host: str) -> str:
    monkeypatch.setenv("DOCKER_HOST", host)
    with pytest.raises(BackendUnavailable) as refused:
        connect(timeout=2)
    return str(refused.value)


def test_a_missing_socket_says_that_docker_is_not_installed_or_not_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert "install Docker, or start it" in reason(monkeypatch, f"unix://{tmp_path}/docker.sock")


def test_a_refused_connection_says_that_the_engine_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "is stopped: start it" in reason(monkeypatch, "tcp://127.0.0.1:1")


def test_a_missing_permission_says_which_group_to_join() -> None:
    wrapped = RuntimeError("Error while fetching server API version", PermissionError(13, "Permission denied"))

    assert "usermod -aG docker" in explain(wrapped, "unix:///var/run/docker.sock")


def test_an_old_engine_says_its_api_and_the_one_that_is_needed(
    monkeypatch: pytest.MonkeyPatch, old_engine: str
) -> None:
    said = reason(monkeypatch, old_engine)

    assert "speaks API 1.37" in said
    assert "1.40 or later" in said


def test_an_address_that_is_none_is_refused_with_the_place_to_look(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Check DOCKER_HOST" in reason(monkeypatch, "nonsense://here")


def test_a_context_that_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONTEXT", "attic")

    with pytest.raises(BackendUnavailable, match="no Docker context 'attic'"):
        connect()


def test_the_current_context_is_honoured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.delenv("DOCKER_CONTEXT", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps({"currentContext": "lab"}))
    meta = tmp_path / "contexts" / "meta" / get_context_id("lab")
    meta.mkdir(parents=True)
    endpoints = {"docker": {"Host": "tcp://lab-server:2375", "SkipTLSVerify": False}}
    (meta / "meta.json").write_text(json.dumps({"Name": "lab", "Metadata": {}, "Endpoints": endpoints}))

    assert endpoint() == "tcp://lab-server:2375"


def test_a_current_context_without_files_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.delenv("DOCKER_CONTEXT", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps({"currentContext": "attic"}))

    with pytest.raises(BackendUnavailable, match="no Docker context 'attic', which `currentContext` in"):
        connect()


@pytest.mark.parametrize(
    ("where", "host"),
    [
        ("unix:///var/run/docker.sock", "127.0.0.1"),
        ("npipe:////./pipe/docker_engine", "127.0.0.1"),
        ("tcp://localhost:2375", "127.0.0.1"),
        ("tcp://lab-server:2376", "lab-server"),
        ("ssh://student@lab-server", "lab-server"),
        ("10.0.0.5:2375", "10.0.0.5"),
        ("tcp://[fd00::5]:2375", "fd00::5"),
    ],
)
def test_published_ports_are_looked_for_on_the_engines_host(where: str, host: str) -> None:
    assert published_host(where) == host
