"""The files of a submission, wherever they are: a folder, a zip, or a single file.

Law of this module: nothing is unpacked, executed or followed. A file is looked at only if its name says that it may be
an exercise, and then no more of it is read than an exercise may have. What is passed over is written into `notes`.
"""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from labs.grading.errors import SubmissionRefused

MAX_FILES = 2000
MAX_DEPTH = 8
MAX_FILE = 1024 * 1024
MAX_NOTEBOOK = 20 * 1024 * 1024
"""Outputs with pictures make notebooks large."""
MAX_ARCHIVE = 100 * 1024 * 1024
_UNINTERESTING = frozenset(("__MACOSX", "__pycache__", "node_modules"))
_SHOWN = 10


class Unreadable(Exception):
    """A file that cannot be read; the message says why."""


@dataclass(frozen=True)
class Found:
    """A file that may be an exercise. `read()` raises `Unreadable`."""

    path: PurePosixPath
    read: Callable[[], bytes]


@dataclass
class Listing:
    files: list[Found] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _passed: list[str] = field(default_factory=list)

    def offer(self, path: PurePosixPath, wanted: Callable[[str], bool], read: Callable[[], bytes]) -> None:
        if _hidden(path):
            return
        if wanted(path.name):
            self.files.append(Found(path, read))
        elif path.name != "__init__.py":
            self._passed.append(str(path))

    def finish(self) -> Listing:
        if self._passed:
            shown = ", ".join(sorted(self._passed)[:_SHOWN])
            more = f" and {len(self._passed) - _SHOWN} more" if len(self._passed) > _SHOWN else ""
            self.notes.append(f"not used: {shown}{more}")
        return self


def list_files(path: Path, wanted: Callable[[str], bool]) -> Listing:
    """The files in `path` whose name is `wanted`. Raises `SubmissionRefused` if there is no looking into it."""
    if path.is_dir():
        return _list_folder(path, wanted)
    if not path.is_file():
        raise SubmissionRefused(f"{path.name} is neither a file nor a folder")
    if path.suffix.lower() == ".zip":
        return _list_zip(path, wanted)
    if path.suffix.lower() not in (".py", ".ipynb"):
        raise SubmissionRefused(f"{path.name}: hand in a .py, an .ipynb, a .zip or a folder")
    return Listing([Found(PurePosixPath(path.name), lambda: read_regular(path))])


def _hidden(path: PurePosixPath) -> bool:
    return any(part.startswith(".") or part in _UNINTERESTING for part in path.parts)


def _limit(name: str) -> int:
    return MAX_NOTEBOOK if name.endswith(".ipynb") else MAX_FILE


def _sized(data: bytes, limit: int) -> bytes:
    if len(data) > limit:
        raise Unreadable(f"is larger than {limit // 1024:,} KiB")
    return data


# --------------------------------------------------------------------------------------------------------
# Folders


def _list_folder(folder: Path, wanted: Callable[[str], bool]) -> Listing:
    listing = Listing()
    for number, entry in enumerate(_walk(folder, 0, listing)):
        if number >= MAX_FILES:
            raise SubmissionRefused(f"more than {MAX_FILES:,} files: hand in the exercises only")
        path = Path(entry.path)
        listing.offer(PurePosixPath(path.relative_to(folder).as_posix()), wanted, _reader(path))
    return listing.finish()


def _walk(folder: Path, depth: int, listing: Listing) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    for entry in ordered:
        if entry.is_symlink():
            listing.notes.append(f"link refused: {entry.name}")
        elif entry.is_dir(follow_symlinks=False):
            if depth < MAX_DEPTH and entry.name not in _UNINTERESTING and not entry.name.startswith("."):
                yield from _walk(Path(entry.path), depth + 1, listing)
        elif entry.is_file(follow_symlinks=False):
            yield entry
        else:
            listing.notes.append(f"refused, for it is no ordinary file: {entry.name}")


def _reader(path: Path) -> Callable[[], bytes]:
    return lambda: read_regular(path)


def read_regular(path: Path) -> bytes:
    """The content of an ordinary file. Raises `Unreadable`, also for a pipe or a device that would block."""
    limit = _limit(path.name)
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Unreadable("is no ordinary file")
            return _sized(file.read(limit + 1), limit)
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror}") from None


# --------------------------------------------------------------------------------------------------------
# Zips


def _list_zip(path: Path, wanted: Callable[[str], bool]) -> Listing:
    if path.stat().st_size > MAX_ARCHIVE:
        raise SubmissionRefused(f"the zip is larger than {MAX_ARCHIVE // 2**20} MiB: hand in the exercises only")
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise SubmissionRefused(f"the zip cannot be opened: {error}") from None
    if len(entries) > MAX_FILES:
        raise SubmissionRefused(
            f"{len(entries):,} files in the zip, more than {MAX_FILES:,}: hand in the exercises only"
        )
    listing = Listing()
    for entry in entries:
        if problem := _refusal(entry):
            listing.notes.append(f"refused, for {problem}: {entry.filename[:100]}")
        elif not entry.is_dir():
            listing.offer(PurePosixPath(_name(entry)), wanted, _zip_reader(path, entry))
    return listing.finish()


def _name(entry: zipfile.ZipInfo) -> str:
    return entry.filename.replace("\\", "/")


def _refusal(entry: zipfile.ZipInfo) -> str | None:
    path = PurePosixPath(_name(entry))
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if ".." in path.parts:
        return "it leads out of the zip"
    if path.is_absolute() or ":" in path.parts[0][:2] if path.parts else True:
        return "its path does not begin in the zip"
    if kind == stat.S_IFLNK:
        return "it is a link"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "it is no ordinary file"
    return "it is encrypted" if entry.flag_bits & 1 else None


def _zip_reader(path: Path, entry: zipfile.ZipInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        limit = _limit(entry.filename)
        try:
            # The size that the zip claims is not to be trusted; reading stops at ours.
            with zipfile.ZipFile(path) as archive, archive.open(entry) as file:
                return _sized(file.read(limit + 1), limit)
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError) as error:
            raise Unreadable(f"cannot be read from the zip: {error}") from None

    return read
