"""The node's image: what is in it, who it runs as, when it is built."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import replstore
from labs.cluster import BackendUnavailable, ClusterError
from labs.cluster.docker.engine import Engine
from labs.cluster.docker.image import (
    DEFAULT_BASE,
    HASH_LABEL,
    ImageBuildFailed,
    build,
    choose_base,
    content_hash,
    context_files,
    ensure_image,
)

ROOT = Path(__file__).parent.parent.parent


def run(engine: Engine, *command: str) -> str:
    """What the command prints in a container of the image."""
    output: bytes = engine.client.containers.run(
        ensure_image(engine),
        list(command),
        remove=True,
        read_only=True,
        tmpfs={"/data": ""},  # else the image's volume would stay behind
        labels={"replication-lab": "image-test"},
    )
    return output.decode().strip()


def test_only_the_node_goes_into_the_build() -> None:
    sources = {source.relative_to(ROOT).as_posix() for source in (ROOT / "replstore").rglob("*.py")}

    assert set(context_files()) == {"Dockerfile", "container/healthcheck.py"} | sources


def test_any_change_of_the_node_or_of_the_base_changes_the_hash() -> None:
    files = context_files()
    changed = files | {"replstore/__init__.py": files["replstore/__init__.py"] + b"#"}
    without = {name: content for name, content in files.items() if name != "replstore/core/log.py"}

    hashes = {
        content_hash(files, "a"),
        content_hash(changed, "a"),
        content_hash(without, "a"),
        content_hash(files, "b"),
    }
    assert len(hashes) == 4


def test_a_package_without_the_dockerfile_says_what_is_needed(tmp_path: Path) -> None:
    with pytest.raises(BackendUnavailable, match="needs a checkout"):
        context_files(tmp_path)


def test_the_image_is_built_once(engine: Engine) -> None:
    first = engine.client.images.get(ensure_image(engine))
    second = engine.client.images.get(ensure_image(engine))

    assert first.id == second.id
    assert first.labels["replication-lab"] == "image"
    assert len(first.labels[HASH_LABEL]) == 16


def test_the_image_adds_at_most_a_megabyte_to_its_base(engine: Engine) -> None:
    base = engine.client.images.get(choose_base(engine)).attrs
    image = engine.client.images.get(ensure_image(engine)).attrs

    assert image["RootFS"]["Layers"][: len(base["RootFS"]["Layers"])] == base["RootFS"]["Layers"]
    assert 0 < image["Size"] - base["Size"] <= 1_000_000


def test_nothing_runs_as_root(engine: Engine) -> None:
    assert run(engine, "id", "-u") == "10001"


def test_the_node_finds_nothing_outside_the_standard_library(engine: Engine) -> None:
    listing = (
        "import importlib.metadata as m, pathlib, sys;"
        "print(sorted(d.metadata['Name'] for d in m.distributions()));"
        "print(sorted(p.name for p in pathlib.Path('/app').iterdir()));"
        "print([n for n in ('requests', 'docker', 'numpy', 'labs') if __import__('importlib').util.find_spec(n)])"
    )
    distributions, app, foreign = run(engine, "python3", "-c", listing).splitlines()

    assert distributions in ("[]", "['pip']")  # the official base brings its pip
    assert app == "['healthcheck.py', 'replstore']"
    assert foreign == "[]"


def test_the_source_in_the_image_is_the_source_here(engine: Engine) -> None:
    program = (
        "import hashlib, pathlib;"
        "root = pathlib.Path('/app/replstore');"
        "[print(p.relative_to(root), hashlib.sha256(p.read_bytes()).hexdigest())"
        " for p in root.rglob('*') if p.is_file()]"
    )
    inside = dict(line.split() for line in run(engine, "python3", "-c", program).splitlines())

    root = Path(replstore.__path__[0])
    assert inside == {
        source.relative_to(root).as_posix(): hashlib.sha256(source.read_bytes()).hexdigest()
        for source in root.rglob("*.py")
    }


def test_a_failed_build_shows_the_failing_step_and_its_output(engine: Engine) -> None:
    files = {"Dockerfile": b"ARG PYTHON_IMAGE\nFROM ${PYTHON_IMAGE}\nRUN echo so far so good && exit 7\n"}

    with pytest.raises(ImageBuildFailed) as failed:
        build(engine, files, choose_base(engine), "a-test-that-fails")
    assert "Failing step: Step 3/4 : RUN echo so far so good && exit 7" in str(failed.value)
    assert "returned a non-zero code: 7" in str(failed.value)
    assert "so far so good" in str(failed.value).split("Its output:")[1]


def test_a_dockerfile_that_cannot_be_read_is_a_clear_error(engine: Engine) -> None:
    with pytest.raises(ClusterError, match="could not build the node's image"):
        build(engine, {"Dockerfile": b"FETCH something\n"}, DEFAULT_BASE, "a-test-that-fails")


def test_a_base_that_cannot_be_had_says_how_to_do_without(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLAB_PYTHON_IMAGE", "localhost:1/no-such-image:here")

    with pytest.raises(BackendUnavailable, match="container/base-image"):
        ensure_image(engine)
