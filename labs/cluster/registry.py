"""Which clusters `replab up` keeps running now: one small file for each, in a folder that only this user can write.

Law of this module: an entry is valid only while the process that wrote it is running (its id *and* its start time).
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil


@dataclass(frozen=True)
class Running:
    """A cluster that some `replab up` keeps. `urls`: each node's address."""

    backend: str
    pid: int
    born: float
    urls: Mapping[str, str]


def folder() -> Path:
    """Made when it is missing. Raises `PermissionError` where somebody else has made it."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    user = str(os.getuid()) if hasattr(os, "getuid") else ""
    own = bool(base) and os.access(str(base), os.W_OK)
    place = Path(str(base)) / "replab" if own else Path(tempfile.gettempdir()) / f"replab{user}"
    place.mkdir(mode=0o700, exist_ok=True)
    if user and place.stat().st_uid != os.getuid():
        raise PermissionError(f"{place} belongs to another user: set XDG_RUNTIME_DIR to a folder of yours")
    return place


@contextmanager
def announced(backend: str, urls: Mapping[str, str]) -> Iterator[Path]:
    """Let other commands find this cluster for as long as the block runs."""
    me = psutil.Process()
    file = folder() / f"up-{me.pid}.json"
    file.write_text(json.dumps({"backend": backend, "pid": me.pid, "born": me.create_time(), "urls": dict(urls)}))
    try:
        yield file
    finally:
        file.unlink(missing_ok=True)


def find() -> list[Running]:
    """The clusters that run now, the youngest first. Files that a killed `up` left are removed."""
    found = []
    for file in folder().glob("up-*.json"):
        running = _read(file)
        if running is None:
            file.unlink(missing_ok=True)
        else:
            found.append(running)
    return sorted(found, key=lambda running: running.born, reverse=True)


def _read(file: Path) -> Running | None:
    try:
        data: dict[str, Any] = json.loads(file.read_text())
        alive = psutil.Process(data["pid"]).create_time() == data["born"]
        return Running(data["backend"], data["pid"], data["born"], data["urls"]) if alive else None
    except (OSError, ValueError, KeyError, psutil.NoSuchProcess):
        return None
