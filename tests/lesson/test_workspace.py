"""The student's working copy is made once, and what a student wrote in it is never overwritten."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import labs
import replstore
from labs.lesson import workspace


def source_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source tree with notebooks and exercises, which the lab is imported from."""
    root = tmp_path / "project"
    shutil.copytree(Path(labs.__file__).parent / "notebooks", root / "labs" / "notebooks")
    shutil.copytree(Path(labs.__file__).parents[1] / "exercises", root / "exercises")
    (root / "pyproject.toml").write_text("")
    monkeypatch.setattr(labs, "__file__", str(root / "labs" / "__init__.py"))
    return root


def test_a_handout_is_its_own_working_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handout = source_tree(tmp_path, monkeypatch)

    found = workspace.find_or_make(handout / "labs")

    assert found.root / found.start == handout / "labs" / "notebooks" / "00_start_here.ipynb"
    assert found.made == []


@pytest.mark.parametrize("where", ["", "labs", "exercises", "replication-lab/notebooks"])
def test_in_a_checkout_a_working_copy_is_made_at_its_top(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = source_tree(tmp_path, monkeypatch)
    (checkout / "solutions").mkdir()
    (checkout / "replication-lab" / "notebooks").mkdir(parents=True)

    found = workspace.find_or_make(checkout / where)

    assert found.root.resolve() == checkout / "replication-lab"
    assert (found.root / found.start).is_file()
    assert workspace.exercises_folder(checkout) == checkout / "replication-lab" / "exercises"


def test_elsewhere_a_working_copy_is_made_with_notebooks_and_exercises(tmp_path: Path) -> None:
    made = workspace.find_or_make(tmp_path)

    assert made.root == tmp_path / "replication-lab"
    assert (made.root / made.start).is_file()
    assert (made.root / "exercises" / "ex3_election.py").is_file()
    assert not (made.root / "solutions").exists()
    for notebook in (made.root / made.notebooks).glob("*.ipynb"):
        for link in re.findall(r"\]\((\.\./[^)]*)\)", notebook.read_text()):
            assert (notebook.parent / link).exists(), link


def test_a_working_copy_hides_no_package_but_the_exercises(tmp_path: Path) -> None:
    made = workspace.find_or_make(tmp_path)
    script = "import labs, replstore, exercises as mine; print(labs.__file__, replstore.__file__, mine.__file__)"
    environment = {**os.environ, "PYTHONPATH": str(made.root)}

    found = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    ).stdout.split()

    assert found == [labs.__file__, replstore.__file__, str(made.root / "exercises" / "__init__.py")]


def test_what_a_student_changed_stays_and_is_no_reason_to_offer_anything(tmp_path: Path) -> None:
    made = workspace.find_or_make(tmp_path)
    mine, run = made.root / "exercises" / "ex3_election.py", made.root / made.start
    mine.write_text("# my own work\n")
    run.write_text(run.read_text() + "\n")

    again = workspace.find_or_make(tmp_path)

    assert mine.read_text() == "# my own work\n"
    assert (again.made, again.updated, again.offered) == ([], [], [])


def package_changes(monkeypatch: pytest.MonkeyPatch, name: str, text: bytes) -> None:
    """The package's file of that name is another one from now on."""
    contents = [(place, text if place.name == name else content) for place, content in workspace.contents()]
    monkeypatch.setattr(workspace, "contents", lambda: iter(contents))


def test_a_newer_version_is_put_beside_a_changed_file_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = workspace.find_or_make(tmp_path)
    mine = made.root / "exercises" / "ex3_election.py"
    mine.write_text("# my own work\n")
    package_changes(monkeypatch, "ex3_election.py", b"# the second edition\n")

    again = workspace.find_or_make(tmp_path)

    assert mine.read_text() == "# my own work\n"
    assert again.offered == [mine.with_name("ex3_election.new.py")]
    assert again.offered[0].read_text() == "# the second edition\n"
    assert workspace.find_or_make(made.root).offered == [], "once is enough"


def test_a_newer_version_takes_the_place_of_an_untouched_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = workspace.find_or_make(tmp_path)
    untouched = made.root / "exercises" / "ex2_replication_lag.py"
    package_changes(monkeypatch, "ex2_replication_lag.py", b"# the second edition\n")

    again = workspace.find_or_make(tmp_path)

    assert untouched.read_text() == "# the second edition\n"
    assert (again.updated, again.offered) == ([untouched], [])


def test_without_memory_a_file_that_differs_is_taken_for_the_students(tmp_path: Path) -> None:
    made = workspace.find_or_make(tmp_path)
    mine = made.root / "exercises" / "ex1_fault_tolerance.py"
    mine.write_text("# mine\n")
    (made.root / workspace.GIVEN).write_text("not JSON")

    again = workspace.find_or_make(tmp_path)

    assert mine.read_text() == "# mine\n"
    assert again.offered == [mine.with_name("ex1_fault_tolerance.new.py")]


def test_a_lab_that_is_opened_inside_a_working_copy_takes_its_files_from_the_package(tmp_path: Path) -> None:
    made = workspace.find_or_make(tmp_path / "one")
    (made.root / "exercises" / "ex1_fault_tolerance.py").write_text("# mine\n")
    script = "from pathlib import Path; from labs.lesson import workspace; workspace.find_or_make(Path('two'))"
    environment = {**os.environ, "PYTHONPATH": str(made.root)}

    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, check=True)

    other = tmp_path / "two" / "replication-lab" / "exercises" / "ex1_fault_tolerance.py"
    assert other.read_text().startswith('"""Exercise 1')
