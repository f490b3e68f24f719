"""What students install has no solutions in it, and can make a handout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from labs.lesson.tree import SOLUTIONS, copy_lab

pytestmark = pytest.mark.slow
PROJECT = Path(__file__).parents[1]
SECRETS = {
    "labs/grading/checks/instructor.py": "VERSION = 1\n",
    "labs/grading/checks/instructor_of_mine.py": "kept = True\n",
}
BUILD = "import sys; from setuptools import build_meta; print(build_meta.{}(sys.argv[1]))"


def build(kind: str, tree: Path, into: Path) -> Path:
    """As `python -m build` does it: by the build backend, in a process of its own."""
    made = subprocess.run(
        [sys.executable, "-c", BUILD.format(f"build_{kind}"), str(into)],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return into / made.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instructor's checkout: with solutions, checks of their own, and what a former build left behind."""
    root = tmp_path_factory.mktemp("checkout")
    copy_lab(PROJECT, root, withhold=False)
    for name, text in SECRETS.items():
        (root / name).write_text(text, encoding="utf-8")
    shutil.copytree(root / SOLUTIONS, root / "build" / "lib" / SOLUTIONS)
    return root


@pytest.fixture(scope="module")
def archive(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("sdist", tree, tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module")
def wheel(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", tree, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel in a fresh virtual environment; what it depends on is ours, and nothing of this checkout is there."""
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment, symlinks=os.name != "nt")
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(environment)}))
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(packages)
    # (The .pth files of a folder that a .pth file names are not read, so our editable install stays out of it.)
    (packages / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    return packages


def replab(packages: Path, here: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command of the lab that is installed in `packages`, with `here` as the current folder."""
    scripts = next(one for one in packages.parents if (one / "pyvenv.cfg").is_file()) / Path(sys.executable).parent.name
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    return subprocess.run(
        [str(scripts / Path(sys.executable).name), "-P", "-m", "labs", *words],
        cwd=here,
        env={**environment, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def names_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def secrets_among(names: set[str]) -> list[str]:
    return [name for name in names if name.startswith(SOLUTIONS) or "instructor.py" in name]


def test_no_wheel_has_solutions_or_the_instructors_checks(installed: Path) -> None:
    names = names_in(installed)

    assert "exercises/ex3_election.py" in names
    assert "labs/grading/checks/instructor_of_mine.py" in names  # only what is withheld by name
    assert secrets_among(names) == []
    [top_level] = installed.glob("*.dist-info/top_level.txt")
    assert top_level.read_text().split() == ["exercises", "labs", "replstore"]


def test_nor_does_any_text_of_a_solution_stand_in_it(installed: Path) -> None:
    solved = [path.read_bytes() for path in (PROJECT / SOLUTIONS).rglob("ex*.py")]
    with zipfile.ZipFile(installed / "labs" / "beside.zip") as beside:
        texts = [beside.read(name) for name in beside.namelist()]
    for folder in ("replstore", "labs", "exercises"):
        texts += [path.read_bytes() for path in (installed / folder).rglob("*.py")]

    assert len(solved) >= 8
    assert [text for text in texts if text in solved] == []


def test_the_source_archive_has_none_either_and_makes_the_same_wheel(
    archive: Path, wheel: Path, tmp_path: Path
) -> None:
    with tarfile.open(archive) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
        packed.extractall(tmp_path)
    [unpacked] = [path for path in tmp_path.iterdir() if path.is_dir()]
    (tmp_path / "again").mkdir()

    again = build("wheel", unpacked, tmp_path / "again")

    assert secrets_among(names) == []
    with zipfile.ZipFile(wheel) as ours, zipfile.ZipFile(again) as theirs:
        assert sorted(ours.namelist()) == sorted(theirs.namelist())


def test_a_handout_of_the_installed_wheel_is_that_of_the_checkout(installed: Path, tree: Path, tmp_path: Path) -> None:
    made = replab(installed, tmp_path, "handout", str(tmp_path / "lab"))
    copy_lab(PROJECT, tmp_path / "other", withhold=True)

    assert made.returncode == 0, made.stderr
    names = names_in(tmp_path / "lab")
    assert names == names_in(tmp_path / "other") | {"labs/grading/checks/instructor_of_mine.py"}
    assert os.access(tmp_path / "lab" / "container" / "base-image", os.X_OK)  # scripts are still scripts


def test_a_wheel_can_be_built_from_such_a_handout_and_makes_one_again(installed: Path, tmp_path: Path) -> None:
    assert replab(installed, tmp_path, "handout", str(tmp_path / "lab")).returncode == 0
    given = names_in(tmp_path / "lab")
    with zipfile.ZipFile(build("wheel", tmp_path / "lab", tmp_path)) as packed:
        packed.extractall(tmp_path / "again")

    copy_lab(tmp_path / "again", tmp_path / "second", withhold=True)

    assert names_in(tmp_path / "second") == given


def test_what_needs_solutions_says_so_in_a_sentence(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "ex1_fault_tolerance.py").write_text("def survives(cluster): ...\n", encoding="utf-8")

    graded = replab(installed, tmp_path, "grade", "ex1_fault_tolerance.py", "--out", "grades")
    handed = replab(installed, tmp_path, "handout", "auto", "--for", "gradescope")

    assert graded.returncode == 3
    assert "an instructor's checks need the folder solutions/; without it, grade with --student" in graded.stderr
    assert handed.returncode == 2
    assert "no folder solutions/, which an autograder needs" in handed.stderr
    assert "Traceback" not in graded.stderr + handed.stderr
    assert not (tmp_path / "auto").exists()


def test_students_grade_without_them(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "ex1_fault_tolerance.py").write_text("def survives(cluster): ...\n", encoding="utf-8")

    done = replab(installed, tmp_path, "grade", "ex1_fault_tolerance.py", "--student", "--only", "ex1", "--out", "out")

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "ex1_fault_tolerance" / "report.json").is_file()


def test_an_editable_install_of_a_checkout_has_them(tree: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(build("editable", tree, tmp_path)) as packed:
        [finder] = [packed.read(name).decode() for name in packed.namelist() if name.endswith("_finder.py")]

    assert f"'{SOLUTIONS}': '{tree / SOLUTIONS}'" in finder
