"""In a web page there are no processes, threads or sockets: what is used there must not ask for their packages."""

from __future__ import annotations

import subprocess
import sys

import pytest

ABSENT = (
    *("psutil", "docker", "requests", "h11", "typer", "rich", "resource", "fcntl", "matplotlib"),
    "_multiprocessing",
    *("nbformat", "pytest", "edn_format", "jinja2", "sidecar"),
)


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    "module",
    [
        "labs.notebook",
        "labs.panel",
        "labs.history",
        "labs.history.workload",
        "labs.grading.checks",
        "labs.cluster.simulated",
        "labs.simulation.explorer.search",
    ],
)
def test_what_a_page_uses_asks_for_no_package_that_a_page_lacks(module: str) -> None:
    program = f"import sys; sys.modules.update(dict.fromkeys({ABSENT!r})); import {module}"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)

    assert done.stderr == ""
    assert done.returncode == 0


def test_a_page_gets_the_simulated_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    from labs.cluster.opening import default_backend

    monkeypatch.delenv("REPLAB_BACKEND", raising=False)
    here = default_backend()
    monkeypatch.setattr(sys, "platform", "emscripten")

    assert (here, default_backend()) == ("process", "simulated")
