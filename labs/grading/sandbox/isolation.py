"""What stands between student code and this machine: found out by trying, and said in every report.

Three kinds, the best that works is taken:

* `bubblewrap`: a mount, process and network namespace with Python in it and nothing else; as root also a private uid
* `uid` (root without bubblewrap): a private user id, and Landlock where the kernel has it
* `plain`: rlimits and a clean environment, and Landlock where the kernel has it

In a web page there is no choice: `worker` is the student's own browser, which needs no protection from its owner.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

KINDS = ("bubblewrap", "uid", "plain")
INSIDE = "/sandbox"
"""Where the sandbox's folder is seen from inside a bubblewrap."""

_SYSTEM = ("/usr/lib", "/usr/lib32", "/usr/lib64", "/lib", "/lib32", "/lib64")


@dataclass(frozen=True)
class Isolation:
    """One way to lock student code up. `hides_files` and `cuts_network` are what it turned out to do here."""

    kind: str
    python: str
    hides_files: bool = False
    cuts_network: str = "no"
    """`all`, `TCP only` or `no`."""

    def describe(self) -> str:
        """One line for the report."""
        if self.kind == "worker":
            return "unofficial: a web worker in the student's own browser"
        name = {
            "bubblewrap": "bubblewrap (own file system, processes and network)",
            "uid": "a private user id and resource limits, without bubblewrap",
            "plain": "resource limits only, under the grader's own user id",
        }[self.kind]
        files = "other files on this machine hidden" if self.hides_files else "OTHER FILES ON THIS MACHINE READABLE"
        return f"{name}; {files}; network cut: {self.cuts_network}"


def candidates() -> list[Isolation]:
    """What may work here, best first."""
    python = _real(getattr(sys, "_base_executable", sys.executable) or sys.executable)
    found = []
    if sys.platform == "linux":
        if shutil.which("bwrap"):
            found.append(Isolation("bubblewrap", python))
        if os.geteuid() == 0:
            # A private uid may not reach an interpreter in root's home; the system's may do instead.
            pythons = [python, *[p for p in ("/usr/bin/python3", "/usr/local/bin/python3") if Path(p).exists()]]
            found += [Isolation("uid", one) for one in dict.fromkeys(map(_real, pythons))]
    found.append(Isolation("plain", python))
    return found


def _real(path: str) -> str:
    return str(Path(path).resolve())


# --------------------------------------------------------------------------------------------------------
# Commands


def command(isolation: Isolation, root: Path, library: Path, environment: dict[str, str], disk: int) -> list[str]:
    """What starts the sandboxed process. `root` holds `exercises`, `tmp` and the archive `library`, our own code."""
    inside = Path(INSIDE) if isolation.kind == "bubblewrap" else root
    code = inside / library.name
    boot = (
        f"import sys; sys.path += [{str(code)!r}, {str(inside)!r}]; "
        f"from labs.grading.child.main import main; main({str(inside)!r})"
    )
    # -I would switch PYTHONHASHSEED off together with the rest of the environment. -u: what was printed before the
    # process is killed has been written.
    start = [isolation.python, "-sSPBu", "-c", boot]
    return [*_bubblewrap(root, library, environment, disk, isolation.python), *start] if inside != root else start


def _bubblewrap(root: Path, library: Path, environment: dict[str, str], disk: int, python: str) -> list[str]:
    words = ["bwrap", "--die-with-parent", "--new-session", "--clearenv", "--hostname", "sandbox"]
    words += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    if os.geteuid() == 0:
        # Without a user namespace: only a real private uid is what RLIMIT_NPROC counts by.
        words += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        words += ["--unshare-user"]
    for name, value in environment.items():
        words += ["--setenv", name, value]
    for folder in _parents([*_library_folders(), Path(python), Path(INSIDE, library.name)]):
        # bubblewrap would make them for root's eyes only, and we go on as somebody else.
        words += ["--perms", "0755", "--dir", str(folder)]
    words += _python_folders(python)
    words += ["--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"]
    words += ["--ro-bind", str(root / "exercises"), f"{INSIDE}/exercises"]
    words += ["--ro-bind", str(library), f"{INSIDE}/{library.name}"]
    words += ["--perms", "1777", "--size", str(disk), "--tmpfs", "/tmp", "--chdir", "/tmp", "--remount-ro", "/"]
    return words


def _python_folders(python: str) -> list[str]:
    """Python's own files and the system's libraries, without any installed packages: ours might be among those."""
    words: list[str] = []
    for folder in _library_folders():
        if folder.is_symlink():
            words += ["--symlink", os.readlink(folder), str(folder)]
        else:
            words += ["--ro-bind", str(folder), str(folder)]
            for packages in _package_folders(folder):
                words += ["--size", "4096", "--tmpfs", str(packages), "--remount-ro", str(packages)]
    return [*words, "--ro-bind", python, python]


def _parents(paths: list[Path]) -> list[Path]:
    return sorted({folder for path in paths for folder in path.parents if folder != Path("/")})


def _library_folders() -> list[Path]:
    base = Path(sys.base_prefix).resolve()
    # Not what `sysconfig` says: in a virtual environment that names the environment's own folder.
    own = [base / "lib", base / "lib64", Path(os.__file__).resolve().parent]
    folders = [Path(path) for path in _SYSTEM]
    for folder in own:
        if not any(folder.is_relative_to(known) for known in folders):
            folders.append(folder)
    return [folder for folder in folders if folder.is_dir()]


def _package_folders(folder: Path) -> list[Path]:
    return [path for kind in ("site-packages", "dist-packages") for path in sorted(folder.glob(f"python*/{kind}"))]


# --------------------------------------------------------------------------------------------------------
# Without bubblewrap


def readable(isolation: Isolation, root: Path, library: Path) -> dict[str, list[str]] | None:
    """What Landlock leaves to be listed, read and written; None: leave Landlock out."""
    if isolation.kind == "bubblewrap":
        return None
    visible = {"list": [], "read": [isolation.python, str(library), str(root / "exercises"), "/dev/urandom"]}
    for folder in dict.fromkeys([*_library_folders(), *_prefix_folders(isolation.python)]):
        _show(folder.resolve(), visible)
    return {**visible, "write": [str(root / "tmp"), "/dev/null"]}


def _show(folder: Path, shown: dict[str, list[str]]) -> None:
    """Make `folder` readable but for installed packages. Landlock cannot take back a part of what it gave."""
    packages = _package_folders(folder)
    if not packages:
        shown["read"].append(str(folder))
        return
    pythons = {path.parent for path in packages}
    shown["list"] += [str(folder), *sorted(map(str, pythons))]
    parts = [path for one in (folder, *sorted(pythons)) for path in sorted(one.iterdir())]
    shown["read"] += [str(path) for path in parts if path not in pythons and path not in packages]


def _prefix_folders(python: str) -> list[Path]:
    prefix = Path(python).resolve().parent.parent
    return [folder for folder in (prefix / "lib", prefix / "lib64") if folder.is_dir()]
