"""Nodes of strangers: what they may see and reach while they are examined for marks.

Two walls, both bubblewrap. The outer one holds kit and nodes: a network of its own, in which there is nothing but
127.0.0.1. The inner one holds one node: the tool chain and the folder that was handed in, read-only; its DATA_DIR, the
one place that is left when it is started again; processes of its own, so that it can neither look into the kit nor end
it or another node.

Law of this module: a node sees what is named here, and nothing else. What is not named is not there.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from labs.cluster.watchdog import MARK

INSIDE = "REPLAB_CONFINED"
"""Set for the kit behind the outer wall."""
SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/opt"),
    *("/etc/alternatives", "/etc/ld.so.cache", "/etc/ssl", "/etc/localtime", "/etc/hosts", "/etc/nsswitch.conf"),
    *("/etc/passwd", "/etc/group"),
)
"""Where programs and their libraries are; `/etc/java-…` comes along."""
KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TERM", "COLUMNS", "JAVA_HOME", "PYTHONPATH")
"""All that kit and nodes see of the caller's environment."""
SCRATCH = 64 * 2**20
"""Bytes that a node may keep in its /tmp, which is memory."""
DESCRIPTION = (
    "bubblewrap: nodes see their own folder and the tool chain, both read-only, and a network that has only them"
)


def why_not() -> str:
    """Why this machine cannot do it, in one sentence; empty where it can."""
    if sys.platform != "linux" or shutil.which("bwrap") is None:
        return "bubblewrap is not installed here (apt install bubblewrap); it exists for Linux only"
    probe = [*_outer(), *_inner(Path("/"), ()), "true"]
    done = subprocess.run(probe, capture_output=True, text=True, timeout=30)
    return "" if done.returncode == 0 else f"bubblewrap does not work here: {done.stderr.strip()}"


def is_inside() -> bool:
    return os.environ.get(INSIDE) == "1"


def kit(arguments: Sequence[str]) -> list[str]:
    """What starts `replab` with these arguments behind the outer wall."""
    # -P: a labs.py in the folder that was handed in is not ours.
    return [*_outer(), sys.executable, "-P", "-m", "labs", *arguments]


def _outer() -> list[str]:
    words = ["bwrap", "--die-with-parent", "--unshare-net", "--dev-bind", "/", "/", "--clearenv"]
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    for name, value in {**kept, "HOME": "/tmp", INSIDE: "1"}.items():
        words += ["--setenv", name, value]
    return words


@dataclass(frozen=True)
class Confinement:
    """`folder`: what was handed in, and where its command is started. `tools`: more that it may read, as a compiler's
    folder in somebody's home."""

    folder: Path
    tools: tuple[Path, ...] = ()

    def around(self, command: Sequence[str]) -> list[str]:
        """What starts this command behind the inner wall.

        The family's mark is for the node alone. bubblewrap ends everything behind it when it is sent SIGTERM itself, so
        a node that ignores SIGTERM would seem to have left."""
        program = self._real_program(command[0])
        wall = shlex.join(_inner(self.folder, [*_home_of(program), *self.tools]))
        data = '${DATA_DIR:+--bind "$DATA_DIR" "$DATA_DIR"}'
        mark = f'${{{MARK}:+--setenv {MARK} "${MARK}"}}'
        return ["sh", "-c", f'exec env -u {MARK} {wall} {data} {mark} -- "$@"', "confined", *command]

    def _real_program(self, name: str) -> Path | None:
        found = shutil.which(name) or shutil.which(str(self.folder / name))
        return Path(found) if found else None


def _home_of(program: Path | None) -> list[Path]:
    """Where a program is installed, by its name and by what that leads to: `…/bin/node` needs what is beside `bin`."""
    if program is None:
        return []
    places = [program.absolute(), program.resolve()]
    return [place.parent.parent if place.parent.name == "bin" else place for place in places]


def _inner(folder: Path, more: Iterable[Path]) -> list[str]:
    words = ["bwrap", "--die-with-parent", "--new-session"]
    words += ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    words += ["--cap-drop", "ALL"] if os.geteuid() == 0 else ["--unshare-user"]
    for place in [*map(Path, SYSTEM), *sorted(Path("/etc").glob("java-*"))]:
        if place.is_symlink():
            words += ["--symlink", os.readlink(place), str(place)]
        elif place.exists():
            words += ["--ro-bind", str(place), str(place)]
    words += ["--proc", "/proc", "--dev", "/dev", "--size", str(SCRATCH), "--tmpfs", "/tmp"]
    home = os.environ.get("JAVA_HOME")
    named = [*more, *([Path(home)] if home else []), *([folder] if folder != Path("/") else [])]
    for place in dict.fromkeys(named):
        if place.exists() and not any(place.is_relative_to(known) for known in map(Path, SYSTEM)):
            words += ["--ro-bind", str(place), str(place)]
    return [*words, "--chdir", str(folder)]
