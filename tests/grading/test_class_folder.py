"""Class folders as learning platforms make them: nobody vanishes, and nothing turns a class into one hand-in."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.grading.errors import GraderError
from labs.grading.submission.class_folder import ClassFolder, find_submissions
from tests.grading.conftest import write_files
from tests.grading.test_submission import EX1, make_zip
from tests.grading.toys import GOOD, GOOD_EX1


def names(found: ClassFolder) -> list[str]:
    return [path.name for path in found.submissions]


def test_a_folder_of_submissions_is_told_from_one(tmp_path: Path) -> None:
    write_files(tmp_path / "class" / "ann", GOOD)
    write_files(tmp_path / "class" / "bob" / "exercises", GOOD)
    make_zip(tmp_path / "class" / "cid.zip", dict(GOOD))
    (tmp_path / "class" / "readme.txt").touch()

    assert names(find_submissions(tmp_path / "class")) == ["ann", "bob", "cid.zip"]
    assert names(find_submissions(tmp_path / "class" / "ann")) == ["ann"]
    assert names(find_submissions(tmp_path / "class" / "bob")) == ["bob"]


def test_submissions_come_in_natural_order(tmp_path: Path) -> None:
    for name in ("s10", "s2", "s1"):
        write_files(tmp_path / name, GOOD)

    assert names(find_submissions(tmp_path)) == ["s1", "s2", "s10"]


ENTRIES: dict[str, Callable[[Path], object]] = {
    "folder": lambda path: write_files(path, GOOD),
    "empty folder": lambda path: path.mkdir(),
    "zip": lambda path: make_zip(path.with_name(f"{path.name}.ZIP"), dict(GOOD)),
    "7z": lambda path: path.with_name(f"{path.name}.7z").write_bytes(b"7z"),
    "file": lambda path: path.with_name(f"{path.name}_{EX1}").write_text(GOOD_EX1),
    "other file": lambda path: path.with_name(f"{path.name}.txt").touch(),
    "hidden": lambda path: path.with_name(f".{path.name}").touch(),
    "link": lambda path: path.symlink_to("/etc"),
    "broken link": lambda path: path.symlink_to("nowhere"),
    "pipe": lambda path: os.mkfifo(path),
    "system": lambda path: (path.with_name("__MACOSX")).mkdir(exist_ok=True),
    "stray exercise": lambda path: path.with_name(EX1).write_text(GOOD_EX1),
    "handout": lambda path: write_files(path.with_name("exercises"), GOOD),
}


@pytest.mark.skipif(os.name != "posix", reason="links and pipes")
@given(kinds=st.lists(st.sampled_from(sorted(ENTRIES)), max_size=8))
def test_every_entry_is_a_submission_or_is_named(kinds: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("class")
    write_files(folder / "ann", GOOD)
    write_files(folder / "bob", GOOD)
    for number, kind in enumerate(kinds):
        ENTRIES[kind](folder / f"s{number}")

    found = find_submissions(folder)

    named = [
        line.rpartition(": ")[0] if "submission: that" not in line else line.split(": ")[0]
        for line in found.passed_over
    ]
    assert sorted([*names(found), *named]) == sorted(entry.name for entry in folder.iterdir())
    assert {"ann", "bob"} <= set(names(found))


@pytest.mark.parametrize("stray", [EX1, "EX1_Fault_Tolerance (1).PY", "ex3_election.ipynb", f"exercises/{EX1}"])
def test_a_stray_exercise_beside_the_students_does_not_make_them_one(stray: str, tmp_path: Path) -> None:
    write_files(tmp_path, {stray: GOOD_EX1, f"ann/{EX1}": GOOD_EX1, f"bob/sub/{EX1}": GOOD_EX1})

    found = find_submissions(tmp_path)

    assert names(found) == ["ann", "bob"]
    assert found.passed_over == [f"{stray.split('/')[0]}: exercises that belong to none of the students beside them"]


def test_where_it_may_be_either_nobody_guesses(tmp_path: Path) -> None:
    write_files(tmp_path, {EX1: GOOD_EX1, f"old/{EX1}": GOOD_EX1})

    with pytest.raises(GraderError, match="old beside them: give --single"):
        find_submissions(tmp_path)


def test_a_students_other_folders_are_no_class(tmp_path: Path) -> None:
    write_files(tmp_path, {EX1: GOOD_EX1, "data/a.csv": "", "pictures/b.svg": "", "notes.txt": ""})

    assert find_submissions(tmp_path).submissions == [tmp_path]


def test_the_results_folder_in_the_class_is_no_student(tmp_path: Path) -> None:
    write_files(tmp_path, {f"ann/{EX1}": GOOD_EX1, "grades/ann/report.json": "{}"})

    found = find_submissions(tmp_path, tmp_path / "grades")

    assert names(found) == ["ann"]
    assert found.passed_over == ["grades: the results' own folder"]
