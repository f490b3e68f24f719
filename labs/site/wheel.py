"""The lab itself as a wheel for a page: the node, the simulator, checks and panels, without what a page cannot use.

Law of this module: the same files as are running here, unchanged, so that a page runs the node that is tested.
"""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import labs
from replstore import __version__

NAME = "replication_lab"
LEFT_OUT = (
    *("labs/cli/", "labs/site/", "labs/notebooks/", "labs/conform/", "labs/cluster/docker/"),
    *("labs/grading/checks/instructor/", "labs/grading/checks/instructor.py", "labs/grading/templates/"),
)
SUFFIXES = frozenset((".py", ".js", ".css", ".json", ".svg", ".typed"))
EPOCH = (2020, 1, 1, 0, 0, 0)
"""The time of all files: the same lab gives the same wheel, byte by byte."""


def build_wheel(folder: Path, solutions: bool = False) -> Path:
    """Write the wheel into `folder`. `solutions`: with the reference solutions."""
    target = folder / f"{NAME}-{__version__}-py3-none-any.whl"
    records = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for name, content in [*_files(solutions), *_about()]:
            packed.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED, 9)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            records.append(f"{name},sha256={digest},{len(content)}\n")
        record = f"{NAME}-{__version__}.dist-info/RECORD"
        text = "".join([*records, f"{record},,\n"]).encode()
        packed.writestr(zipfile.ZipInfo(record, EPOCH), text, zipfile.ZIP_DEFLATED, 9)
    return target


def _files(solutions: bool) -> Iterator[tuple[str, bytes]]:
    root = Path(labs.__path__[0]).parent
    for package in ("replstore", "labs", *(("solutions",) if solutions else ())):
        for path in sorted((root / package).rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.is_file() and path.suffix in SUFFIXES and not name.startswith(LEFT_OUT):
                yield name, path.read_bytes()


def _about() -> Iterator[tuple[str, bytes]]:
    folder = f"{NAME}-{__version__}.dist-info"
    yield f"{folder}/METADATA", f"Metadata-Version: 2.1\nName: replication-lab\nVersion: {__version__}\n".encode()
    yield f"{folder}/WHEEL", b"Wheel-Version: 1.0\nGenerator: replab\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
