"""The node's image: built through the engine's own builder, and only when what goes into it changed.

The image carries a hash of everything it is made of, its base included; an image with the right hash is used as it is.
The base is `python:3.13-alpine` (or what `REPLAB_PYTHON_IMAGE` names), and where that can neither be found nor pulled,
the one that `container/base-image` builds from the machine's own Debian mirror.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import re
import tarfile
from pathlib import Path

from docker.errors import APIError, ImageNotFound

import labs
import replstore
from labs.cluster.base import BackendUnavailable, ClusterError
from labs.cluster.docker.engine import Engine, engine_errors

DEFAULT_BASE = "python:3.13-alpine"
LOCAL_BASE = "replication-lab-base:local"
HASH_LABEL = "replication-lab.hash"
REPOSITORY = "replication-lab-node"

_log = logging.getLogger(__name__)


class ImageBuildFailed(ClusterError):
    """The engine could not build the node's image; the message shows the step and its output."""


def ensure_image(engine: Engine) -> str:
    """The name of an image of the present `replstore`; builds it where the engine does not have it yet."""
    files = context_files()
    for base in (python_image(),) if "REPLAB_PYTHON_IMAGE" in os.environ else (DEFAULT_BASE, LOCAL_BASE):
        base_id = _image_id(engine, base)
        if base_id and (found := _image_with(engine, content_hash(files, base_id))):
            return found
    base = choose_base(engine)
    digest = content_hash(files, _image_id(engine, base) or base)
    return build(engine, files, base, digest)


def context_files(root: Path | None = None) -> dict[str, bytes]:
    """What the image is built from, by its path in the build's context."""
    root = root or Path(labs.__path__[0]).parent
    names = ["Dockerfile", "container/healthcheck.py"]
    missing = [name for name in names if not (root / name).is_file()]
    if missing:
        raise BackendUnavailable(
            f"{missing[0]} is not here: the Docker backend needs a checkout of the project (`pip install -e .` in it). "
            "Or use --backend process."
        )
    files = {name: (root / name).read_bytes() for name in names}
    package = Path(replstore.__path__[0])
    for source in sorted(package.rglob("*.py")):
        files[f"replstore/{source.relative_to(package).as_posix()}"] = source.read_bytes()
    return files


def content_hash(files: dict[str, bytes], base_id: str) -> str:
    digest = hashlib.sha256(base_id.encode())
    for name, content in sorted(files.items()):
        digest.update(f"\0{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


def python_image() -> str:
    """The base that is wanted."""
    return os.environ.get("REPLAB_PYTHON_IMAGE") or DEFAULT_BASE


def choose_base(engine: Engine) -> str:
    """The wanted base where it is here or can be pulled, else the local one."""
    wanted = python_image()
    if _image_id(engine, wanted):
        return wanted
    _log.info("pulling %s", wanted)
    try:
        engine.client.images.pull(wanted)
    except APIError as error:
        if wanted == DEFAULT_BASE and _image_id(engine, LOCAL_BASE):
            return LOCAL_BASE
        raise BackendUnavailable(
            f"The image {wanted} is not on this engine and cannot be pulled ({error.explanation}). "
            f"Where no registry is reachable, run container/base-image once (it builds {LOCAL_BASE}), or set "
            "REPLAB_PYTHON_IMAGE to an image with Python 3.11 or later that is here."
        ) from error
    return wanted


def build(engine: Engine, files: dict[str, bytes], base: str, digest: str) -> str:
    """Build and tag the image. Raises `ImageBuildFailed`."""
    tag = f"{REPOSITORY}:{digest}"
    _log.info("building %s on %s", tag, base)
    with engine_errors("build the node's image", engine):
        messages = engine.client.api.build(
            fileobj=tar(files),
            custom_context=True,
            buildargs={"PYTHON_IMAGE": base},
            labels={HASH_LABEL: digest},
            tag=tag,
            rm=True,
            forcerm=True,
            decode=True,
        )
        # To the end, also after an error, so that the connection is free again.
        _raise_for_failed_step(list(messages))
    return tag


def tar(files: dict[str, bytes]) -> io.BytesIO:
    """The files as a tar archive: the form in which an engine, near or far, takes files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o644
            archive.addfile(info, io.BytesIO(content))
    buffer.seek(0)
    return buffer


def _raise_for_failed_step(messages: list[dict[str, str]]) -> None:
    step, output = "before the first step", list[str]()
    for message in messages:
        line = message.get("stream", "")
        if re.match(r"Step \d+/\d+ : ", line):
            step, output = line.strip(), []
        else:
            output.append(line)
        if "error" in message:
            visible = "".join(output).strip()
            raise ImageBuildFailed(
                f"The node's image could not be built. Failing step: {step}\n{message['error']}"
                + (f"\nIts output:\n{visible}" if visible else "")
            )


def _image_id(engine: Engine, name: str) -> str | None:
    with engine_errors(f"look for the image {name}", engine):
        try:
            return str(engine.client.images.get(name).id)
        except ImageNotFound:
            return None


def _image_with(engine: Engine, digest: str) -> str | None:
    with engine_errors("look for the node's image", engine):
        found = engine.client.api.images(filters={"label": f"{HASH_LABEL}={digest}"})
    return str(found[0]["Id"]) if found else None
