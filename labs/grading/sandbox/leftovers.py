"""Files that a submission writes: how much it is, and what it left outside its folder.

The latter can only be where the kernel has no Landlock to forbid it. Law of this module: only what belongs to a private
user id is removed, and only when nothing runs under it any more.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

SHARED = ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run/lock", "/run/shm")
"""Where everybody may write."""


def bytes_in(folder: Path) -> int:
    """On the disk, of all files in it together."""
    total = 0
    for inside, _, files in os.walk(folder):
        for name in files:
            with suppress(FileNotFoundError):
                total += os.lstat(os.path.join(inside, name)).st_blocks * 512
    return total


def remove_files_of(uid: int, folders: tuple[str, ...] = SHARED) -> None:
    for folder in folders:
        with suppress(FileNotFoundError, PermissionError, NotADirectoryError), os.scandir(folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    if entry.stat(follow_symlinks=False).st_uid != uid:
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        shutil.rmtree(entry.path, ignore_errors=True)
                    else:
                        os.unlink(entry.path)
