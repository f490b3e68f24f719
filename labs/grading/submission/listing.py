"""The files of a submission, wherever they are: a folder, an archive, or a single file.

Law of this module: nothing is unpacked to disk, executed or followed. A file is looked at only if its name says that it
may be an exercise, and then no more of it is read than an exercise may have. What is passed over is written into
`notes`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from labs.grading.errors import SubmissionRefused
from labs.grading.submission.archive import (
    MAX_ARCHIVE,
    MAX_FILES,
    Member,
    Unreadable,
    is_archive,
    is_foreign_archive,
    limit_of,
    members,
    sized,
)

MAX_DEPTH = 8
MAX_NOTES = 50
TAKEN = "a .py, an .ipynb, a .zip, a .tar.gz or a folder"
_NESTED = 3
"""Archives inside of archives."""
_UNINTERESTING = frozenset(("__macosx", "__pycache__", "node_modules", "thumbs.db", "desktop.ini"))
_SHOWN = 10

Wanted = Callable[[str], bool]


@dataclass(frozen=True)
class FoundFile:
    """A file that may be an exercise. `read()` raises `Unreadable`."""

    path: PurePosixPath
    read: Callable[[], bytes]


@dataclass
class Listing:
    files: list[FoundFile] = field(default_factory=list)
    archives: list[FoundFile] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _passed: list[str] = field(default_factory=list)

    def offer(self, path: PurePosixPath, wanted: Wanted, read: Callable[[], bytes]) -> None:
        if is_hidden(path):
            return
        if wanted(path.name):
            self.files.append(FoundFile(path, read))
        elif is_archive(path.name):
            self.archives.append(FoundFile(path, read))
        elif path.name != "__init__.py":
            self._passed.append(str(path))

    def pass_over(self, paths: list[PurePosixPath]) -> None:
        self._passed += map(str, paths)

    def finish(self) -> Listing:
        if self._passed:
            shown = ", ".join(sorted(self._passed)[:_SHOWN])
            more = f" and {len(self._passed) - _SHOWN} more" if len(self._passed) > _SHOWN else ""
            self.notes.append(f"not used: {shown}{more}")
        self.notes = at_most(self.notes)
        return self


def at_most(notes: list[str]) -> list[str]:
    """So many notes that a reader can use them."""
    return notes if len(notes) <= MAX_NOTES else [*notes[:MAX_NOTES], f"and {len(notes) - MAX_NOTES:,} notes more"]


def list_files(path: Path, wanted: Wanted) -> Listing:
    """The files in `path` whose name is `wanted`. Raises `SubmissionRefused` if there is no looking into it."""
    if path.is_dir():
        return _look_into_archives(_list_folder(path, wanted), wanted, _NESTED).finish()
    if not path.is_file():
        raise SubmissionRefused(f"{path.name} is neither a file nor a folder")
    if is_archive(path.name):
        data = _read_whole(path)
        return _look_into_archives(_list_archive(data, path.name, wanted), wanted, _NESTED).finish()
    if is_foreign_archive(path.name) or path.suffix.lower() not in (".py", ".ipynb"):
        raise SubmissionRefused(f"{path.name}: hand in {TAKEN}")
    listing = Listing()
    listing.offer(PurePosixPath(path.name), wanted, lambda: read_regular(path, limit_of(path.name)))
    return listing.finish()


def names_in(folder: Path) -> Iterator[str]:
    """The names of the files in a folder that could be looked at."""
    for number, entry in enumerate(_walk(folder, 0, Listing())):
        if number >= MAX_FILES:
            return
        yield entry.name


def is_hidden(path: PurePosixPath) -> bool:
    """Whether a system made it, or it is hidden: nobody hands in an exercise there."""
    return any(part.startswith(".") or part.lower() in _UNINTERESTING for part in path.parts)


# --------------------------------------------------------------------------------------------------------
# Folders


def _list_folder(folder: Path, wanted: Wanted) -> Listing:
    listing = Listing()
    try:
        for number, entry in enumerate(_walk(folder, 0, listing)):
            if number >= MAX_FILES:
                raise SubmissionRefused(f"more than {MAX_FILES:,} files: hand in the exercises only")
            path = Path(entry.path)
            listing.offer(PurePosixPath(path.relative_to(folder).as_posix()), wanted, _reader(path))
    except OSError as error:
        raise SubmissionRefused(f"the folder cannot be read: {error.strerror}") from None
    return listing


def _walk(folder: Path, depth: int, listing: Listing) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    for entry in ordered:
        if entry.is_symlink():
            listing.notes.append(f"link refused: {entry.name}")
        elif entry.is_dir(follow_symlinks=False):
            if is_hidden(PurePosixPath(entry.name)):
                continue
            if depth < MAX_DEPTH:
                yield from _walk(Path(entry.path), depth + 1, listing)
            else:
                listing.notes.append(f"not looked into, for it lies too deep: {entry.name}")
        elif entry.is_file(follow_symlinks=False):
            yield entry
        else:
            listing.notes.append(f"refused, for it is no ordinary file: {entry.name}")


def _reader(path: Path) -> Callable[[], bytes]:
    return lambda: read_regular(path, MAX_ARCHIVE if is_archive(path.name) else limit_of(path.name))


def read_regular(path: Path, limit: int) -> bytes:
    """The content of an ordinary file. Raises `Unreadable`, also for a pipe or a device that would block."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Unreadable("is no ordinary file")
            return sized(file.read(limit + 1), limit)
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror}") from None


# --------------------------------------------------------------------------------------------------------
# Archives


def _read_whole(path: Path) -> bytes:
    try:
        return read_regular(path, MAX_ARCHIVE)
    except Unreadable as problem:
        raise SubmissionRefused(f"{path.name} {problem}: hand in the exercises only") from None


def _list_archive(data: bytes, name: str, wanted: Wanted) -> Listing:
    listing = Listing()
    for member in members(data, name, lambda path: wanted(path.name) or is_archive(path.name)):
        if member.refusal is not None:
            listing.notes.append(f"refused, for {member.refusal}: {member.name[:100]}")
        else:
            listing.offer(PurePosixPath(member.name), wanted, _content(member))
    return listing


def _content(member: Member) -> Callable[[], bytes]:
    def read() -> bytes:
        if isinstance(member.content, bytes):
            return member.content
        raise Unreadable(member.content)

    return read


def _look_into_archives(listing: Listing, wanted: Wanted, levels: int) -> Listing:
    """`listing`, or, if it has archives and no exercise, what the archive has. Raises `SubmissionRefused` if that is
    not clear."""
    if listing.files or not listing.archives:
        listing.pass_over([one.path for one in listing.archives])
        return listing
    if levels == 0:
        raise SubmissionRefused(f"archives in archives, more than {_NESTED} deep: hand in the exercises only")
    if len(listing.archives) > _SHOWN:
        raise SubmissionRefused(f"{len(listing.archives)} archives: hand in one")
    inner = {one.path: _inside(one, wanted, levels) for one in listing.archives}
    useful = {path: one for path, one in inner.items() if isinstance(one, Listing) and one.files}
    names = ", ".join(sorted(map(str, useful or inner)))
    if len(useful) > 1:
        raise SubmissionRefused(f"several archives contain exercises: {names}: hand in one")
    if not useful and len(inner) == 1 and isinstance(problem := next(iter(inner.values())), str):
        raise SubmissionRefused(f"{names}: {problem}")
    for path, one in inner.items():
        if isinstance(one, str):
            listing.notes.append(f"{path}: {one}")
        elif path in useful:
            listing.notes += [f"taken from {path}", *one.notes]
            listing.files += [FoundFile(path / file.path, file.read) for file in one.files]
        else:
            listing.notes.append(f"{path}: no exercise in it")
    return listing


def _inside(archive: FoundFile, wanted: Wanted, levels: int) -> Listing | str:
    """What is in it, or why that cannot be said."""
    try:
        listing = _list_archive(archive.read(), archive.path.name, wanted)
        return _look_into_archives(listing, wanted, levels - 1).finish()
    except Unreadable as problem:
        return str(problem)
    except SubmissionRefused as refusal:
        return str(refusal)
