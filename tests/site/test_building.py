"""`replab site`: what a page loads is pinned, complete, and the lab's own code unchanged."""

from __future__ import annotations

import json
import re
import subprocess
import zipfile
from pathlib import Path

import pytest

import labs
from labs.cli import main
from labs.lesson.workspace import contents
from labs.site import building, compiling, parts
from labs.site.building import build_site, with_notice
from labs.site.lock import canonical, write_lock
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
def runtime(tmp_path: Path) -> Path:
    (tmp_path / "pyodide-lock.json").write_text(json.dumps({"info": {"python": "3.14.2"}, "packages": {"numpy": {}}}))
    return tmp_path


def test_the_list_of_packages_names_what_is_there_and_nothing_else(runtime: Path) -> None:
    names = write_lock(runtime, [wheel(runtime, "ipython", "prompt_toolkit>=3"), wheel(runtime, "prompt_toolkit")])

    lock = json.loads((runtime / "pyodide-lock.json").read_text())
    assert names == ["ipython", "prompt-toolkit"] == sorted(lock["packages"])
    assert lock["packages"]["ipython"]["depends"] == ["prompt-toolkit"]  # the key, not what the wheel wrote
    assert lock["packages"]["prompt-toolkit"]["imports"] == ["prompt_toolkit"]
    assert lock["info"] == {"python": "3.14.2"}


def test_a_package_that_would_be_looked_for_elsewhere_is_refused(runtime: Path) -> None:
    with pytest.raises(CannotBuild, match="ipython needs traitlets, which the site lacks"):
        write_lock(runtime, [wheel(runtime, "ipython", "traitlets>=5")])


def test_what_is_needed_for_other_systems_only_is_not_asked_for(runtime: Path) -> None:
    names = write_lock(runtime, [wheel(runtime, "ipython", 'pexpect; sys_platform != "win32"', 'numpy; extra == "x"')])

    assert names == ["ipython"]


@pytest.mark.parametrize("name", ["Prompt.Toolkit", "prompt_toolkit", "prompt-toolkit", "prompt__toolkit"])
def test_a_package_has_one_name(name: str) -> None:
    assert canonical(name) == "prompt-toolkit"


def test_every_wheel_is_pinned_to_a_version_and_a_hash() -> None:
    lines = [line for line in parts.WHEELS.read_text().splitlines() if not line.startswith("#")]

    assert len(lines) > 15
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


def test_a_compiled_module_comes_into_the_wheel_that_has_its_source(tmp_path: Path) -> None:
    wheels = [wheel(tmp_path, name) for name in ("one", "other")]
    names = ("one/__pycache__/__init__.cpython-314.pyc", "one/__pycache__/gone.cpython-314.pyc")
    compiled = {}
    for number, name in enumerate(names):
        compiled[name] = tmp_path / f"{number}.pyc"
        compiled[name].write_bytes(b"code")

    for path in wheels:
        compiling._add(path, compiled)

    held = [set(zipfile.ZipFile(path).namelist()) for path in wheels]
    assert names[0] in held[0]
    assert names[1] not in held[0]
    assert "one/__init__.py" in held[0]
    assert not any(name.endswith(".pyc") for name in held[1])


def test_of_the_standard_library_the_compiled_modules_stand_beside_their_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    one = wheel(runtime, "one")
    with zipfile.ZipFile(runtime / "python_stdlib.zip", "w") as library:
        library.writestr("json/__init__.py", "source")

    def compiles(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        target = Path(command[3])
        for name in ("wheels/one/__pycache__/__init__.cpython-314.pyc", "stdlib/json/__init__.pyc"):
            (target / name).parent.mkdir(parents=True)
            (target / name).write_bytes(b"code")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", compiles)
    compiling.add_compiled(runtime)

    with zipfile.ZipFile(runtime / "python_stdlib.zip") as library:
        assert {name: library.read(name) for name in library.namelist()} == {
            "json/__init__.py": b"source", "json/__init__.pyc": b"code",
        }  # fmt: skip
    assert "one/__pycache__/__init__.cpython-314.pyc" in zipfile.ZipFile(one).namelist()


def test_without_node_the_command_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(CannotBuild, match=r"Node\.js, which is not here"):
        compiling.add_compiled(tmp_path)
