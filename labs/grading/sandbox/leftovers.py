"""Files that a submission left outside its folder, where the kernel has no Landlock to forbid that.

Law of this module: only what belongs to a private user id is removed, and only when nothing runs under it any more.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress

SHARED = ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run/lock", "/run/shm")
"""Where everybody may write."""


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
