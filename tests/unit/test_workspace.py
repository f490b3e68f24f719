"""The student's working copy is made once, and what a student wrote in it is never overwritten."""

from __future__ import annotations

from pathlib import Path

from labs import workspace


def test_a_checkout_is_its_own_working_copy() -> None:
    here = Path(workspace.labs.__file__).parent

    found = workspace.find_or_make(here)

    assert (found.root / workspace.START).is_file()
    assert found.made == []


def test_elsewhere_a_working_copy_is_made_with_notebooks_and_exercises(tmp_path: Path) -> None:
    made = workspace.find_or_make(tmp_path)

    assert made.root == tmp_path / "replication-lab"
    assert (made.root / workspace.START).is_file()
    assert (made.root / "exercises" / "ex3_election.py").is_file()
    assert not (made.root / "solutions").exists()


def test_a_students_file_stays_and_the_newer_version_is_put_beside_it(tmp_path: Path) -> None:
    made = workspace.find_or_make(tmp_path)
    mine = made.root / "exercises" / "ex3_election.py"
    mine.write_text("# my own work\n")

    again = workspace.find_or_make(tmp_path)

    assert mine.read_text() == "# my own work\n"
    assert again.offered == [mine.with_name("ex3_election.new.py")]
    assert workspace.find_or_make(made.root).offered == [], "once is enough"
