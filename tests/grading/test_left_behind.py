"""What one check leaves behind the next does not find: in the kernel's memory, and in files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from labs.grading.errors import GraderError
from labs.grading.sandbox import sandbox as sandbox_module
from labs.grading.sandbox.isolation import Isolation
from labs.grading.sandbox.leftovers import remove_files_of
from labs.grading.sandbox.sandbox import Sandbox, best_isolation

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux's own interfaces")

LEAVES = """
import ctypes, os, platform

libc = ctypes.CDLL(None, use_errno=True)
KEY = 0x1AB5EC

def shared_memory():
    return libc.shmget(KEY, 4096, 0o666), libc.shmget(KEY, 4096, 0o1666)

def semaphores():
    return libc.semget(KEY, 1, 0o666), libc.semget(KEY, 1, 0o1666)

def messages():
    return libc.msgget(KEY, 0o666), libc.msgget(KEY, 0o1666)

def posix_messages():
    return libc.mq_open(b"/replab-left", 0), libc.mq_open(b"/replab-left", 0o102, 0o666, None)

def keys():
    session, add, keyctl = -3, *((248, 250) if platform.machine() == "x86_64" else (217, 219))
    find = libc.syscall(keyctl, 10, session, b"user", b"replab-left", 0)
    return find, libc.syscall(add, b"user", b"replab-left", b"1", 1, session)

def posix_shared_memory():
    return file("/dev/shm/replab-left")

def temporary_files():
    folders = {"/tmp", "/var/tmp", os.environ["TMPDIR"]}
    there = [file(folder + "/replab-left") for folder in folders]
    return max(found for found, _ in there), max(made for _, made in there)

def file(name):
    found = 1 if os.path.exists(name) else -1
    try:
        with open(name, "w"):
            return found, 1
    except OSError:
        return found, -1
"""
KINDS = {
    "shared_memory": "-m",
    "semaphores": "-s",
    "messages": "-q",
    "posix_messages": "",
    "keys": "",
    "posix_shared_memory": "",
    "temporary_files": "",
}
"""What `ipcs` calls them, where it knows them."""


def found_and_made(isolation: Isolation, kind: str) -> tuple[bool, bool]:
    with Sandbox({"ex1_fault_tolerance.py": LEAVES}, isolation=isolation) as sandbox:
        sandbox.ask("load", {"module": "ex1_fault_tolerance"}, 10)
        question: dict[str, Any] = {"object": None, "name": kind, "arguments": [], "keep": None}
        found, made = sandbox.ask("call", question, 10)["v"]
    return found >= 0, made >= 0


@pytest.mark.sample(4)
@pytest.mark.parametrize("kind", KINDS)
def test_the_next_check_finds_nothing(isolation: Isolation, kind: str) -> None:
    first, second = found_and_made(isolation, kind), found_and_made(isolation, kind)

    assert not first[0]
    assert not second[0], f"{kind} is left over"
    assert not os.path.exists("/dev/shm/replab-left")
    if option := KINDS[kind]:
        listed = subprocess.run(["ipcs", option], capture_output=True, text=True, check=True).stdout
        assert "0x001ab5ec" not in listed


def test_this_test_would_see_what_is_left() -> None:
    """Without a fence they can be made, and are found again."""
    kinds = ["shared_memory", "semaphores", "messages"]
    code = f"{LEAVES}\nprint([(kind, globals()[kind]()[0] >= 0) for kind in {kinds!r}])"
    try:
        runs = [
            subprocess.run(
                [sys.executable, "-c", code], env={"TMPDIR": "/nowhere"}, capture_output=True, text=True, check=True
            ).stdout.strip()
            for _ in range(2)
        ]
    finally:
        for option in ("-M", "-S", "-Q"):
            subprocess.run(["ipcrm", option, "0x1AB5EC"], capture_output=True, check=False)

    if "True" not in runs[1]:
        pytest.skip("this system has no System V IPC to leave anything in")
    assert runs == [str([(kind, again) for kind in kinds]) for again in (False, True)]


def test_without_landlock_a_private_users_files_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        isolation = best_isolation("uid")
    except GraderError as fault:
        pytest.skip(str(fault))
    monkeypatch.setattr(sandbox_module, "readable", lambda *_: None)
    for kind in ("temporary_files", "posix_shared_memory"):
        assert found_and_made(isolation, kind) == (False, True), "otherwise this test would show nothing"
        assert found_and_made(isolation, kind) == (False, True)
    assert not os.path.exists("/dev/shm/replab-left")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="gives files to another user id")
def test_other_users_files_stay(tmp_path: Path) -> None:
    theirs, folder, mine, link = (tmp_path / name for name in ("theirs", "folder", "mine", "link"))
    folder.mkdir()
    for path in (theirs, folder / "in it", mine):
        path.touch()
    link.symlink_to(mine)
    for path in (theirs, folder, link):
        os.chown(path, 61_999, 61_999, follow_symlinks=False)

    remove_files_of(61_999, (str(tmp_path), str(tmp_path / "no such folder")))

    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
