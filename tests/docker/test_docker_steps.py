"""Steps 1-8 of the lesson, on containers, by the command that a student uses and at its own timings."""

from __future__ import annotations

import subprocess
import sys
import time

from labs.cluster.docker.engine import Engine
from tests.docker.availability import patience


def test_the_eight_steps_on_containers_take_at_most_25_seconds(engine: Engine) -> None:
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "labs", "steps", "--backend", "docker"],
        capture_output=True,
        text=True,
        timeout=100,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 of 8 steps as the lesson says" in done.stdout
    assert time.monotonic() - started <= 25 * patience()


def test_auto_takes_docker_where_an_engine_answers_and_says_why(engine: Engine) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from labs.cluster import open_cluster; open_cluster('auto', say=print).close()"],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.stdout == "Backend: docker, because a Docker engine answers here.\n", done.stderr
