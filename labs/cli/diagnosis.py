"""What of the lab works on this machine. Each check looks at one thing and says what it found, and what to do.

Law of this module: it changes nothing. What it starts (one node, one sandbox) it ends.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from importlib import metadata

from packaging.requirements import Requirement
from platformdirs import user_cache_path

from labs.cluster import ports
from labs.cluster.base import ClusterError, Settings
from labs.cluster.opening import why_no_docker

OLDEST_PYTHON = (3, 11)
ENOUGH_FILES = 256
"""Open files that a lab with five nodes, a notebook and a browser needs at least."""
PACKAGE = "replication-lab"


class Weight(Enum):
    """How a finding is to be taken."""

    GOOD = "good"
    OPTIONAL = "optional"  # the lab works without it
    NEEDED = "needed"  # it does not


@dataclass(frozen=True)
class Diagnosis:
    what: str
    weight: Weight
    found: str
    advice: str = ""


def python() -> Diagnosis:
    found = f"{sys.version.split()[0]} at {sys.executable}"
    if sys.version_info[:2] >= OLDEST_PYTHON:
        return Diagnosis("Python", Weight.GOOD, found)
    return Diagnosis("Python", Weight.NEEDED, found, "install Python 3.11 or later")


def packages() -> Diagnosis:
    """Of the package's own requirements, those that are always needed."""
    try:
        wanted = [line for line in metadata.requires(PACKAGE) or () if "extra ==" not in line]
    except metadata.PackageNotFoundError:
        return Diagnosis("packages", Weight.NEEDED, "the lab itself is not installed", "pip install -e .")
    names = [_name(line) for line in wanted]
    missing = [name for name in names if not _installed(name)]
    if missing:
        return Diagnosis("packages", Weight.NEEDED, f"missing: {', '.join(missing)}", "pip install -e .")
    return Diagnosis("packages", Weight.GOOD, f"all {len(names)} installed")


def _name(requirement: str) -> str:
    return Requirement(requirement).name


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def node() -> Diagnosis:
    """The only proof that local processes work is one that does."""
    from labs.cluster.process import ProcessCluster

    started = time.perf_counter()
    try:
        with ProcessCluster(Settings(nodes=1, heartbeat_ms=50, election_timeout_ms=150)) as cluster:
            cluster.start()
            answer = cluster.put("doctor", "well")
    except ClusterError as error:
        return Diagnosis("a node as a process", Weight.NEEDED, str(error), "see its log lines; the lab needs this")
    took = time.perf_counter() - started
    if not answer.ok:
        return Diagnosis("a node as a process", Weight.NEEDED, f"it runs but refuses a write: {answer.body}")
    return Diagnosis("a node as a process", Weight.GOOD, f"started, wrote and ended in {took:.1f} s")


def docker() -> Diagnosis:
    why_not = why_no_docker()
    if why_not is None:
        return Diagnosis("Docker engine", Weight.GOOD, "answers")
    return Diagnosis("Docker engine", Weight.OPTIONAL, why_not, "or work with --backend process: no Docker needed")


def sandbox() -> Diagnosis:
    """Grading runs other people's code; bubblewrap keeps it in a box."""
    program = shutil.which("bwrap")
    advice = "needed for grading other people's code: `apt install bubblewrap` (Linux)"
    if program is None:
        return Diagnosis("bubblewrap", Weight.OPTIONAL, "not installed", advice)
    tried = subprocess.run(
        [program, "--ro-bind", "/", "/", "--unshare-all", "true"], capture_output=True, text=True, timeout=10
    )
    if tried.returncode:
        why = tried.stderr.strip().splitlines()[-1:] or ["it fails"]
        return Diagnosis("bubblewrap", Weight.OPTIONAL, why[0], "allow unprivileged user namespaces for grading")
    return Diagnosis("bubblewrap", Weight.GOOD, "works")


def browser() -> Diagnosis:
    """Only the tests drive a browser; students use their own."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge", "firefox", "safari")
    found = next((path for name in names if (path := shutil.which(name))), None) or _playwright_browser()
    if found:
        return Diagnosis("browser", Weight.GOOD, found)
    advice = "notebooks open in any browser of yours; for the browser tests: `playwright install chromium`"
    return Diagnosis("browser", Weight.OPTIONAL, "none found on this machine's PATH", advice)


def _playwright_browser() -> str | None:
    found = sorted((user_cache_path() / "ms-playwright").glob("chromium-*"))
    return str(found[-1]) if found else None


def usual_ports() -> Diagnosis:
    taken = [port for port in (4001, 4002, 4003) if not ports.is_free(port)]
    if not taken:
        return Diagnosis("ports 4001-4003", Weight.GOOD, "free")
    found = ", ".join(f"{port} in use{ports.holder(port)}" for port in taken)
    return Diagnosis("ports 4001-4003", Weight.OPTIONAL, found, "end that program, or `replab up --first-port 5001`")


def open_files() -> Diagnosis:
    try:
        import resource
    except ImportError:
        return Diagnosis("open files", Weight.GOOD, "no limit on this system")
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit < 0 or limit >= ENOUGH_FILES:
        return Diagnosis("open files", Weight.GOOD, f"limit {limit}")
    return Diagnosis("open files", Weight.OPTIONAL, f"limit {limit}", "`ulimit -n 1024` before starting the lab")


CHECKS: tuple[Callable[[], Diagnosis], ...] = (
    python,
    packages,
    node,
    docker,
    sandbox,
    browser,
    usual_ports,
    open_files,
)
