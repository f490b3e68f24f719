"""The files of a student's election strategy, as a container needs them.

An engine may be on another machine, so its containers cannot mount a folder of this one: the source is sent instead.
Only Python files go, and only those of the strategy's own package (or, for a single file, those beside it).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib.machinery import PathFinder
from pathlib import Path

from labs.cluster.base import ClusterError

LIMIT = 1 << 20
"""Bytes. More than this is not a strategy but somebody's home folder."""


def strategy_files(election: str, python_path: Sequence[Path]) -> dict[str, bytes]:
    """Path → content of what `election` needs; nothing for the strategies that the image already has."""
    module = election.partition(":")[0]
    top = module.partition(".")[0]
    if ":" not in election or top == "replstore":
        return {}
    spec = PathFinder.find_spec(top, [*map(str, python_path), *sys.path, str(Path.cwd())])
    if spec is None:
        looked = ", ".join(map(str, python_path)) or "Python's own path"
        raise ClusterError(f"election {election!r}: there is no module {top!r} in {looked}.")
    if spec.submodule_search_locations:
        roots = [Path(folder) for folder in spec.submodule_search_locations]
        return _read((source, source.relative_to(root.parent)) for root in roots for source in root.rglob("*.py"))
    folder = Path(spec.origin or "").parent
    return _read((source, source.relative_to(folder)) for source in folder.glob("*.py"))


def _read(sources: Iterable[tuple[Path, Path]]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    size = 0
    for source, name in sorted(sources):
        files[name.as_posix()] = source.read_bytes()
        size += len(files[name.as_posix()])
        if size > LIMIT:
            raise ClusterError(
                f"The folder of the election strategy ({source.parent}) holds more than {LIMIT >> 20} MiB of Python "
                "files: move the strategy to a folder of its own."
            )
    return files
