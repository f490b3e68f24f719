"""Whether the tests can have a Docker engine, and how much of the machine."""

from __future__ import annotations

import os

import pytest

from labs.cluster import BackendUnavailable
from labs.cluster.docker.engine import Engine, connect
from labs.cluster.docker.image import ensure_image


def engine_or_skip() -> Engine:
    """An engine that has the node's image. Without one the test is skipped, saying why; where CI=true it fails."""
    try:
        engine = connect()
        ensure_image(engine)
    except BackendUnavailable as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    return engine


def patience() -> float:
    """By how much a time limit is to be stretched because others are at work on this machine; 1 where nobody is."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
