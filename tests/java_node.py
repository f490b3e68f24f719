"""The examples in Java, compiled for tests: their commands, or why they cannot run here."""

from __future__ import annotations

import atexit
import functools
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.missing import skip_without

EXAMPLES = Path(__file__).parent.parent / "examples"
SHARED = EXAMPLES / "node-java" / "src"
"""Where the other examples take their JSON from."""
OLDEST = 17
QUICK_START = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto")
"""Less of the processor while a node starts: many of them start in these tests."""


def command_or_skip(example: str = "node-java") -> list[str]:
    """What starts a node of this example. Skips where there is no JDK."""
    missing = what_is_missing()
    if missing:
        skip_without("JDK", missing)
    return ["java", *QUICK_START, "-cp", str(_compiled(example)), "Main"]


def what_is_missing() -> str:
    """Empty: nothing."""
    how = f"install a JDK, {OLDEST} or newer (openjdk-{OLDEST}-jdk-headless)"
    if shutil.which("javac") is None or shutil.which("java") is None:
        return f"no JDK is installed: {how}"
    told = subprocess.run(["javac", "-version"], capture_output=True, text=True, timeout=60)
    found = re.search(r"javac (\d+)", told.stdout + told.stderr)
    if found is None or int(found[1]) < OLDEST:
        return f"this JDK is too old ({(told.stdout + told.stderr).strip()}): {how}"
    return ""


@functools.cache
def _compiled(example: str) -> Path:
    """Once for each process, in a folder of its own: several workers may do this at the same time."""
    target = Path(tempfile.mkdtemp(prefix=f"{example}-"))
    atexit.register(shutil.rmtree, target, ignore_errors=True)
    sources = map(str, (EXAMPLES / example / "src").glob("*.java"))
    compiler = ["javac", "-Xlint:all,-serial", "-Werror", "-d", str(target), "-sourcepath", str(SHARED), *sources]
    done = subprocess.run(compiler, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return target
