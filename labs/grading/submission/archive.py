"""What is in a zip or a tar, as data: names, kinds, and the content of the members that are wanted.

Law of this module: nothing is unpacked to disk, and no size that an archive claims is believed. Whatever a decoder
raises about damaged or hostile data is an answer about that archive, never an error of the grader.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

from labs.grading.errors import SubmissionRefused

MAX_FILES = 2000
MAX_FILE = 1024 * 1024
MAX_NOTEBOOK = 20 * 1024 * 1024
"""Outputs with pictures make notebooks large."""
MAX_ARCHIVE = 100 * 1024 * 1024
MAX_UNPACKED = 200 * 1024 * 1024
"""Bytes that one archive may unfold to, as far as it has to be read: a tar has to be read from its beginning."""
_INNER_ARCHIVE = 30 * 1024 * 1024

_ZIP = (".zip",)
_TAR = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tbz2", ".tar.xz", ".txz")
_FOREIGN = (".7z", ".rar", ".gz", ".bz2", ".xz", ".zst", ".lz", ".lzma", ".z", ".cab", ".arj", ".lha", ".jar", ".iso")


class Unreadable(Exception):
    """A file that cannot be read; the message says why."""


@dataclass(frozen=True)
class Member:
    """One file of an archive. `refusal`: why it is not looked at. `content`: its bytes, or why they cannot be read;
    empty for what is not wanted."""

    name: str
    refusal: str | None = None
    content: bytes | str = b""


Chosen = Callable[[PurePosixPath], bool]


def archive_ending(name: str) -> str | None:
    """The ending by which a file's name says that it is an archive of any kind: `.tar.gz`."""
    lower = name.lower()
    fitting = [ending for ending in (*_ZIP, *_TAR, *_FOREIGN) if lower.endswith(ending)]
    return max(fitting, key=len, default=None)


def is_archive(name: str) -> bool:
    """Whether it is one of the kinds that can be read."""
    return archive_ending(name) in (*_ZIP, *_TAR)


def is_foreign_archive(name: str) -> bool:
    return archive_ending(name) in _FOREIGN


def limit_of(name: str) -> int:
    """The bytes that a file of this name may have."""
    if is_archive(name):
        return _INNER_ARCHIVE
    return MAX_NOTEBOOK if name.lower().endswith(".ipynb") else MAX_FILE


def sized(data: bytes, limit: int) -> bytes:
    if len(data) > limit:
        raise Unreadable(f"is larger than {limit // 1024:,} KiB")
    return data


def members(data: bytes, name: str, wanted: Chosen) -> Iterator[Member]:
    """The files in an archive. Raises `SubmissionRefused` if it cannot be read as one."""
    if data.startswith(b"PK") or (archive_ending(name) in _ZIP and data[257:262] != b"ustar"):
        return _zip_members(data, wanted)
    return _tar_members(data, wanted)


class _Unfolded:
    """Counts what an archive unfolds to."""

    def __init__(self) -> None:
        self._bytes = 0

    def add(self, data: bytes) -> bytes:
        self._bytes += len(data)
        if self._bytes > MAX_UNPACKED:
            raise SubmissionRefused(f"the archive unfolds to more than {MAX_UNPACKED // 2**20} MiB")
        return data


def _count(number: int, kind: str) -> None:
    if number > MAX_FILES:
        raise SubmissionRefused(f"{number:,} files in the {kind}, more than {MAX_FILES:,}: hand in the exercises only")


def _outside(name: str, kind: str) -> str | None:
    path = PurePosixPath(name)
    if ".." in path.parts:
        return f"it leads out of the {kind}"
    if not path.parts or path.is_absolute() or ":" in path.parts[0][:2]:
        return f"its path does not begin in the {kind}"
    return None


def _why(error: Exception) -> str:
    return str(error)[:200] or type(error).__name__


# --------------------------------------------------------------------------------------------------------
# Zips


def _zip_members(data: bytes, wanted: Chosen) -> Iterator[Member]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except Exception as error:  # noqa: BLE001  # damaged or hostile data: see the law
        raise SubmissionRefused(f"the zip cannot be opened: {_why(error)}") from None
    unfolded = _Unfolded()
    with archive:
        entries = archive.infolist()
        _count(len(entries), "zip")
        for entry in entries:
            name = entry.filename.replace("\\", "/")
            if refusal := _zip_refusal(entry, name):
                yield Member(entry.filename, refusal)
            elif not entry.is_dir():
                chosen = wanted(PurePosixPath(name))
                yield Member(name, content=_zip_content(archive, entry, unfolded) if chosen else b"")


def _zip_refusal(entry: zipfile.ZipInfo, name: str) -> str | None:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if outside := _outside(name, "zip"):
        return outside
    if kind == stat.S_IFLNK:
        return "it is a link"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "it is no ordinary file"
    return "it is encrypted" if entry.flag_bits & 1 else None


def _zip_content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, unfolded: _Unfolded) -> bytes | str:
    limit = limit_of(entry.filename)
    try:
        # The size that the zip claims is not to be trusted; reading stops at ours.
        with archive.open(entry) as file:
            return sized(unfolded.add(file.read(limit + 1)), limit)
    except (Unreadable, MemoryError) as problem:
        return str(problem) or "is too large"
    except SubmissionRefused:
        raise
    except Exception as error:  # noqa: BLE001  # damaged or hostile data: see the law
        return f"cannot be read from the zip: {_why(error)}"


# --------------------------------------------------------------------------------------------------------
# Tars


class _Stream(io.RawIOBase):
    """What a tar unfolds to, read once from its beginning to its end and counted."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._unfolded = _Unfolded()

    def read(self, size: int = -1) -> bytes:
        return self._unfolded.add(self._source.read(size if size >= 0 else 65536))


def _open(data: bytes) -> IO[bytes]:
    raw = io.BytesIO(data)
    if data.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=raw)  # type: ignore[return-value]
    if data.startswith(b"BZh"):
        return bz2.BZ2File(raw)
    if data.startswith(b"\xfd7zXZ"):
        return lzma.LZMAFile(raw)
    return raw


def _tar_members(data: bytes, wanted: Chosen) -> Iterator[Member]:
    try:
        with tarfile.open(fileobj=_Stream(_open(data)), mode="r|") as archive:
            for number, entry in enumerate(archive, 1):
                _count(number, "tar")
                if not entry.isdir():
                    yield _tar_member(archive, entry, wanted)
    except SubmissionRefused:
        raise
    except Exception as error:  # noqa: BLE001  # damaged or hostile data: see the law
        raise SubmissionRefused(f"the tar cannot be read: {_why(error)}") from None


def _tar_member(archive: tarfile.TarFile, entry: tarfile.TarInfo, wanted: Chosen) -> Member:
    name = entry.name.removeprefix("./")
    if outside := _outside(name, "tar"):
        return Member(entry.name, outside)
    if entry.issym() or entry.islnk():
        return Member(entry.name, "it is a link")
    if not entry.isreg():
        return Member(entry.name, "it is no ordinary file")
    if not wanted(PurePosixPath(name)):
        return Member(name)
    limit = limit_of(name)
    if entry.size > limit:
        return Member(name, content=f"is larger than {limit // 1024:,} KiB")
    file = archive.extractfile(entry)
    return Member(name, content=file.read(limit + 1) if file is not None else b"")
