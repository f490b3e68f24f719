"""`replab site`: what a page loads is pinned, complete, and the lab's own code unchanged."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

import labs
from labs.cli import main
from labs.lesson.workspace import contents
from labs.site import building, freezing, offline, parts
from labs.site.building import build_site, with_notice
from labs.site.packages import NO_INSTALLER, NO_TERMINAL, canonical, unpack
from labs.site.parts import CannotBuild
from labs.site.wheel import build_wheel


def wheel(folder: Path, name: str, *needs: str) -> Path:
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as packed:
        lines = "".join(f"Requires-Dist: {need}\n" for need in needs)
        packed.writestr(f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\n{lines}\n")
        packed.writestr(f"{name}/__init__.py", "")
    return path


@pytest.fixture
def standing_in(tmp_path: Path) -> list[Path]:
    """Wheels with the two modules that a page gets others for."""
    wheels = [wheel(tmp_path, "ipython"), wheel(tmp_path, "piplite")]
    for path, place in zip(wheels, ("IPython/terminal/embed.py", "piplite/piplite.py"), strict=True):
        with zipfile.ZipFile(path, "a") as packed:
            packed.writestr(place, "slow")
    return wheels


def test_the_packages_are_unpacked_without_what_no_page_uses(tmp_path: Path, standing_in: list[Path]) -> None:
    pygments = wheel(tmp_path, "pygments")
    kept = ("pygments/lexers/python.py", "pygments/lexers/__init__.py", "pygments/contests.py")
    left_out = ("pygments/lexers/rust.py", "pygments/tests/test_all.py", "pygments/stubs.pyi", "one-1.0.data/data/x.js")
    with zipfile.ZipFile(pygments, "a") as packed:
        for name in (*kept, *left_out):
            packed.writestr(name, "")

    unpack([*standing_in, pygments], tmp_path / "packages")

    assert [name for name in kept if not (tmp_path / "packages" / name).is_file()] == []
    assert [name for name in left_out if (tmp_path / "packages" / name).exists()] == []


def test_a_page_gets_no_terminal_and_no_installer(tmp_path: Path, standing_in: list[Path]) -> None:
    unpack(standing_in, tmp_path / "packages")

    assert (tmp_path / "packages/IPython/terminal/embed.py").read_text() == NO_TERMINAL
    assert (tmp_path / "packages/piplite/piplite.py").read_text() == NO_INSTALLER
    found: dict[str, Any] = {}
    exec(NO_INSTALLER, found)
    with pytest.raises(RuntimeError, match="No package can be installed in the web edition"):
        asyncio.run(found["install"]("numpy"))


def test_other_packages_than_the_lab_was_written_for_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotBuild, match="others than the lab was written for"):
        unpack([wheel(tmp_path, "ipython")], tmp_path / "packages")


def test_a_package_that_would_be_looked_for_elsewhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotBuild, match=r"ipython-1\.0.* needs traitlets, which the site lacks"):
        unpack([wheel(tmp_path, "ipython", "traitlets>=5")], tmp_path / "packages")


def test_what_a_page_does_without_and_what_other_systems_need_is_not_asked_for(
    tmp_path: Path, standing_in: list[Path]
) -> None:
    needs = ("jedi>=0.16", "prompt_toolkit", 'pexpect; sys_platform != "win32"', 'numpy; extra == "x"')

    unpack([*standing_in, wheel(tmp_path, "other", *needs)], tmp_path / "packages")

    assert (tmp_path / "packages/other/__init__.py").is_file()


@pytest.mark.parametrize("name", ["Prompt.Toolkit", "prompt_toolkit", "prompt-toolkit", "prompt__toolkit"])
def test_a_package_has_one_name(name: str) -> None:
    assert canonical(name) == "prompt-toolkit"


def test_every_wheel_is_pinned_to_a_version_and_a_hash() -> None:
    lines = [line for line in parts.WHEELS.read_text().splitlines() if not line.startswith("#")]

    assert len(lines) > 10
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[0-9.]+ --hash=sha256:[0-9a-f]{64}", line)] == []


def test_a_page_gets_the_code_that_is_tested_without_solutions(tmp_path: Path) -> None:
    root = Path(labs.__path__[0]).parent
    with zipfile.ZipFile(build_wheel(tmp_path)) as packed:
        names = packed.namelist()
        for name in ("replstore/core/node.py", "labs/simulation/simulator.py", "labs/panel/static/panel.js"):
            assert packed.read(name) == (root / name).read_bytes()

    assert [name for name in names if name.startswith(("solutions/", "labs/cli/", "labs/site/", "exercises/"))] == []
    assert [name for name in names if "instructor" in name] == []


def test_the_same_lab_gives_the_same_wheel(tmp_path: Path) -> None:
    first = build_wheel(tmp_path, solutions=True).read_bytes()

    assert build_wheel(tmp_path, solutions=True).read_bytes() == first
    assert b"solutions/ex3_election.py" in first


def test_every_notebook_says_at_the_top_what_is_real() -> None:
    for place, content in contents():
        if place.suffix == ".ipynb":
            cells = json.loads(with_notice(content))["cells"]
            assert "simulated network" in "".join(cells[0]["source"])
            assert cells[1:] == json.loads(content)["cells"]


def test_without_its_packages_the_command_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(parts.NEEDED, "no_such_module", "no-such-package")

    with pytest.raises(SystemExit) as ended:
        main(["site", str(tmp_path / "site")])

    assert ended.value.code == 1
    complaint = capsys.readouterr().err
    assert "no-such-package" in complaint
    assert "pip install 'replication-lab[site]'" in complaint
    assert not (tmp_path / "site").exists()


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "require_tools", lambda: None)
    (tmp_path / "thesis.txt").write_text("years of work")

    with pytest.raises(CannotBuild, match="name a new folder"):
        build_site(tmp_path, tmp_path / "cache")

    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_package_that_has_changed_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "other.tgz").write_bytes(b"something else")

    with pytest.raises(CannotBuild, match="is not what it was"):
        parts._check(tmp_path / "other.tgz")


def test_without_npm_the_command_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(CannotBuild, match=r"install Node\.js"):
        parts.fetch_pyodide(tmp_path / "cache")


def test_a_page_starts_python_from_its_memory_and_names_no_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"pyodide.mjs": "export const loadPyodide = 1;", "pyodide.asm.wasm": "wasm", "pyodide-lock.json": "{}"}
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    (tmp_path / "pyodide-lock.json").write_text(json.dumps({"info": {"python": "3.14.2"}, "packages": {"numpy": {}}}))

    def freezes(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        for name in ("memory.bin", "files.bin"):
            (Path(command[4]) / name).write_bytes(b"packed")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", freezes)
    freezing.freeze(tmp_path, tmp_path / "packages")

    assert json.loads((tmp_path / "pyodide-lock.json").read_text()) == {"info": {"python": "3.14.2"}, "packages": {}}
    assert gzip.decompress((tmp_path / "pyodide.asm.wasm.bin").read_bytes()) == b"wasm"
    assert not (tmp_path / "pyodide.asm.wasm").exists()
    assert (tmp_path / "loader.mjs").read_text() == files["pyodide.mjs"]
    assert "./python.mjs" in (tmp_path / "pyodide.mjs").read_text()


def test_what_cannot_be_imported_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyodide-lock.json").write_text("{}")
    failed = subprocess.CompletedProcess([], 1, "", "ModuleNotFoundError: No module named 'labs.gone'")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)

    with pytest.raises(CannotBuild, match=r"No module named 'labs\.gone'"):
        freezing.freeze(tmp_path, tmp_path / "packages")


def test_without_node_the_command_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(CannotBuild, match=r"Node\.js, which is not here"):
        freezing.freeze(tmp_path, tmp_path)


LAB_PAGE = """<link id="jupyter-lite-main" rel="preload" href="../build/lab/bundle.js">
<script>(async function () { await import('../config-utils.js'); }.call(this));</script>"""


@pytest.fixture
def made(tmp_path: Path) -> Path:
    site = tmp_path / "made"
    for place, content in {
        "lab/index.html": LAB_PAGE, "index.html": "welcome", "api/contents/all.json": "{}",
        "build/1.js": "1", "build/icons.svg": "icons",
        "extensions/anywidget/static/main.1.js": "widgets", "static/panel.js": "panel", "service-worker.js": "another",
    }.items():  # fmt: skip
        (site / place).parent.mkdir(parents=True, exist_ok=True)
        (site / place).write_text(content)
    return site


def listed(site: Path, name: str) -> Any:
    found = re.search(rf"const {name} = (?:new Set\()?(.*?)\)?;\n", (site / "service-worker.js").read_text())
    assert found is not None
    return json.loads(found[1])


def test_the_service_worker_knows_every_file_but_itself(made: Path) -> None:
    offline.keep_offline(made)

    there = {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()}
    assert set(listed(made, "FILES")) == there - {"service-worker.js"}
    assert set(listed(made, "KEPT")) == there - {"service-worker.js", "build/icons.svg"}
    assert '"@' not in (made / "service-worker.js").read_text() + (made / "static/boot.mjs").read_text()


def test_the_page_calls_the_service_worker_before_anything_else_is_loaded(made: Path) -> None:
    offline.keep_offline(made)

    page = (made / "lab/index.html").read_text()
    assert page.index("static/boot.mjs") < page.index("config-utils.js")
    assert "preload" not in page


def test_a_site_with_one_other_file_keeps_its_files_elsewhere(made: Path) -> None:
    offline.keep_offline(made)
    first = listed(made, "CONTENT")
    (made / "lab/index.html").write_text(LAB_PAGE)
    offline.keep_offline(made)
    assert listed(made, "CONTENT") == first

    (made / "lab/index.html").write_text(LAB_PAGE)
    (made / "build/1.js").write_text("2")
    offline.keep_offline(made)

    assert listed(made, "CONTENT") != first


def test_a_page_of_another_jupyterlite_is_refused(made: Path) -> None:
    (made / "lab/index.html").write_text("<script>import('../config-utils.js')</script>")

    with pytest.raises(CannotBuild, match="another one than the lab was written for"):
        offline.keep_offline(made)
