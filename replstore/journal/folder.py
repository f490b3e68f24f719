"""The folder with a node's data: whose it is, and that only one process uses it.

Law of this module: one folder, one node, one process at a time. A lock that ends with its process keeps a second one
out. The file `owner` names the node and its cluster, and holds the node's term and vote a second time: if the journal
is lost, the node still knows what it promised in elections, and that it had data (see `messages.State.recovering`).
"""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from replstore.core.contract import State
from replstore.core.messages import NodeId, natural_order
from replstore.journal import disk
from replstore.journal.lines import Broken, Chain
from replstore.wire.codec import CodecError, decode_record, encode_record

LOCKED_BYTE = 1 << 30
"""On Windows nobody else can read a byte that is locked: so one far behind the text that says who holds the lock."""


class FolderRefused(OSError):
    """This node must not use this folder; the message says whose it is."""


class Folder:
    """`path`, made where it is missing and locked for this process until `close`. Raises `FolderRefused`, `OSError`."""

    def __init__(self, path: Path, node_id: NodeId, peers: Iterable[NodeId]) -> None:
        self.path = path
        self.identity: dict[str, Any] = {
            "node_id": node_id,
            "members": sorted((node_id, *peers), key=natural_order),
        }
        self._owner = path / "owner"
        self._known: State | None = None
        disk.make_folder(path)
        self._lock = _lock(path, node_id)
        try:
            self._known = self._read()
        except BaseException:
            self._lock.close()
            raise

    @property
    def state(self) -> State | None:
        """What `remember` was told last, maybe in an earlier life; None: nothing was ever saved in this folder."""
        return self._known

    def remember(self, state: State) -> None:
        """Keep term and vote beside the journal, durably."""
        before, self._known = self._known, state
        if state != before:
            owner = {**self.identity, "state": json.loads(encode_record(replace(state, recovering=False)))}
            disk.write_file(self._owner, Chain().line(json.dumps(owner).encode()))

    def check(self, identity: dict[str, Any], what: Path) -> None:
        """Raises `FolderRefused` where `what` was written by another node, or in another cluster."""
        theirs, ours = identity.get("node_id"), self.identity["node_id"]
        if theirs != ours:
            raise FolderRefused(
                f"{what} belongs to {theirs}, and this is {ours}: give each node a DATA_DIR of its own"
            )
        members, told = identity.get("members"), self.identity["members"]
        if members != told:
            raise FolderRefused(
                f"{what} belongs to {ours} in a cluster of {_listed(members)}, and PEERS makes it one of"
                f" {_listed(told)}: set PEERS as before, or use a new DATA_DIR on every node"
            )

    def close(self) -> None:
        self._lock.close()

    def _read(self) -> State | None:
        if not self._owner.exists():
            return None
        try:
            owner = json.loads(Chain().text(self._owner.read_bytes()))
            state = decode_record(json.dumps(owner["state"]))
        except (Broken, CodecError, ValueError, KeyError, TypeError) as error:
            raise FolderRefused(
                f"{self._owner} is damaged ({error}). If the file `journal` beside it is there, delete `owner`: it is"
                " written anew from the journal. If not, use a new DATA_DIR: what this node had is lost"
            ) from None
        self.check(owner, self._owner)
        return state if isinstance(state, State) else None


def _listed(members: Any) -> str:
    return ", ".join(map(str, members)) if isinstance(members, list) else "unknown members"


# --------------------------------------------------------------------------------------------------------
# The lock: the operating system's, so that it ends with the process however that ends


def _lock(folder: Path, node_id: NodeId) -> IO[bytes]:
    path = folder / "lock"
    file = open(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+b", buffering=0)  # noqa: SIM115 - until the node ends
    try:
        _take(file)
        file.truncate(0)
        file.write(f"{node_id}, process {os.getpid()} on {socket.gethostname()}".encode())
        return file
    except _Taken:
        holder = path.read_text(encoding="utf-8", errors="replace") or "another process"
        file.close()
        raise FolderRefused(
            f"{folder} is in use by {holder}: stop that node first, or give this one a DATA_DIR of its own"
        ) from None
    except BaseException:
        file.close()
        raise


class _Taken(Exception):
    """Somebody else holds the lock."""


if sys.platform == "win32":
    import msvcrt

    def _take(file: IO[bytes]) -> None:
        file.seek(LOCKED_BYTE)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise _Taken from error
        file.seek(0)

else:
    import fcntl

    def _take(file: IO[bytes]) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise _Taken from error
            text = f"the folder cannot be locked ({error.strerror}): use one on a local disk"
            raise OSError(error.errno, text) from error
