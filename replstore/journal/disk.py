"""Files that hold what they were given: complete writes, fsync, and files that are replaced as a whole.

Law of this module: every write looks at how much was taken; nothing is called durable before its fsync has returned.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import IO


def open_to_append(path: Path) -> IO[bytes]:
    """Without a buffer of Python's own: what was written is with the operating system."""
    return open(path, "ab", buffering=0)


def write_all(file: IO[bytes], data: bytes) -> None:
    """Raises `OSError` where the disk does not take all of it (it may have taken a part)."""
    view = memoryview(data)
    while view:
        taken = file.write(view)
        if not taken:
            raise OSError(errno.EIO, "the disk took nothing of a write")
        view = view[taken:]


def sync_file(file: IO[bytes]) -> None:
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make a new name in `folder` durable. Windows has no such thing as syncing a folder."""
    if os.name != "nt":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def make_folder(folder: Path) -> None:
    """Make `folder`, and the folders above it that are missing, durably."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
        sync_folder(path.parent)


def replace(new: Path, old: Path) -> None:
    """Put the finished file `new` in the place of `old`: whenever a crash comes, one of the two is there, complete."""
    os.replace(new, old)
    sync_folder(old.parent)


def write_file(path: Path, data: bytes) -> None:
    """The whole file durably, or, where that fails, the file as it was."""
    spare = path.with_name(f"{path.name}.new")
    spare.unlink(missing_ok=True)
    try:
        with open_to_append(spare) as file:
            write_all(file, data)
            sync_file(file)
        replace(spare, path)
    except OSError:
        spare.unlink(missing_ok=True)
        raise
