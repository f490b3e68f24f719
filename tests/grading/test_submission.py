"""What is taken from a submission, and what is refused."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from labs.grading.submission.reading import open_submission
from tests.grading.conftest import write_files
from tests.grading.toys import GOOD, GOOD_EX1, GOOD_EX3

EX1, EX3 = "ex1_fault_tolerance.py", "ex3_election.py"


def make_zip(path: Path, files: Mapping[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_a_folder_gives_its_exercises(tmp_path: Path) -> None:
    found = open_submission(write_files(tmp_path / "ann", GOOD))

    assert found.name == "ann"
    assert found.files == GOOD
    assert found.problems == {}


def test_a_single_file_is_a_submission(tmp_path: Path) -> None:
    write_files(tmp_path, {EX1: GOOD_EX1})

    assert open_submission(tmp_path / EX1).sources == {"ex1": GOOD_EX1}


def test_a_file_with_the_students_name_in_front_is_recognized(tmp_path: Path) -> None:
    write_files(tmp_path, {"lee_ann_4711_ex1_fault_tolerance.py": GOOD_EX1})
    found = open_submission(tmp_path / "lee_ann_4711_ex1_fault_tolerance.py")

    assert found.sources == {"ex1": GOOD_EX1}
    assert "was taken for ex1_fault_tolerance.py" in found.notes[0]


def test_files_lie_anywhere_in_a_folder_or_zip(tmp_path: Path) -> None:
    nested = {f"lab/exercises/{name}": text for name, text in GOOD.items()}

    assert open_submission(write_files(tmp_path / "a", nested)).files == GOOD
    assert open_submission(make_zip(tmp_path / "b.zip", dict(nested))).files == GOOD


def test_of_two_the_one_less_deep_is_taken(tmp_path: Path) -> None:
    found = open_submission(write_files(tmp_path, {EX1: "new = 1", f"old/{EX1}": "old = 1"}))

    assert found.sources["ex1"] == "new = 1"


def test_two_equally_deep_are_a_problem(tmp_path: Path) -> None:
    found = open_submission(write_files(tmp_path, {f"a/{EX1}": "a = 1", f"b/{EX1}": "b = 1", EX3: GOOD_EX3}))

    assert "is there more than once" in found.problems["ex1"]
    assert "ex3" in found.sources


def test_other_files_are_noted_and_go_no_further(tmp_path: Path) -> None:
    others = ("conftest.py", "pytest.ini", "sitecustomize.py", "random.py", "json.py", "evil.pth", "results.json")
    found = open_submission(write_files(tmp_path, {**GOOD, **dict.fromkeys(others, "x")}))

    assert found.files == GOOD
    assert all(name in found.notes[0] for name in others)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"x = 1\ny = '\xe9'\n", r"is not UTF-8 \(line 2\)"),
        (b"x = 1\n\n\x00", r"contains NUL bytes \(line 3\)"),
        (b"\xff\xfex\x00=\x001\x00", r"is not UTF-8 \(line 1\)"),
        (b"#" * (1024 * 1024 + 1), "is larger than 1,024 KiB"),
    ],
)
def test_an_unreadable_file_is_a_problem_of_its_exercise_only(tmp_path: Path, content: bytes, problem: str) -> None:
    write_files(tmp_path, {EX3: GOOD_EX3})
    (tmp_path / EX1).write_bytes(content)
    found = open_submission(tmp_path)

    with pytest.raises(AssertionError, match=problem):
        raise AssertionError(found.problems["ex1"])
    assert found.sources == {"ex3": GOOD_EX3}


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    (tmp_path / EX1).write_bytes(b"\xef\xbb\xbfx = 1\n")

    assert open_submission(tmp_path).sources == {"ex1": "x = 1\n"}


def test_an_empty_submission_has_nothing(tmp_path: Path) -> None:
    found = open_submission(tmp_path)

    assert (found.sources, found.problems) == ({}, {})


# --------------------------------------------------------------------------------------------------------
# Hostile


def test_a_zip_entry_that_leads_out_is_refused(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "a.zip", {f"../{EX1}": "evil = 1", f"/{EX3}": "evil = 1", f"C:\\{EX3}": "evil = 1"})
    found = open_submission(archive)

    assert found.sources == {}
    assert [note.split(":")[0] for note in found.notes] == [
        "refused, for it leads out of the zip",
        "refused, for its path does not begin in the zip",
        "refused, for its path does not begin in the zip",
    ]
    assert not (tmp_path.parent / EX1).exists()


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo(EX1)
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    found = open_submission(tmp_path / "a.zip")

    assert found.sources == {}
    assert "it is a link" in found.notes[0]


@pytest.mark.skipif(os.name != "posix", reason="links and pipes")
def test_links_and_pipes_in_a_folder_are_refused(tmp_path: Path) -> None:
    secret = write_files(tmp_path / "secret", {"a.py": "secret = 1"})
    folder = tmp_path / "ann"
    folder.mkdir()
    (folder / EX1).symlink_to(secret / "a.py")
    (folder / "elsewhere").symlink_to(secret)
    os.mkfifo(folder / EX3)
    found = open_submission(folder)

    assert found.sources == {}
    assert set(found.notes) == {
        f"link refused: {EX1}",
        "link refused: elsewhere",
        f"refused, for it is no ordinary file: {EX3}",
    }


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    bomb = make_zip(tmp_path / "a.zip", {EX1: b"#" * 50_000_000, "other.bin": bytes(50_000_000), EX3: GOOD_EX3})
    assert bomb.stat().st_size < 200_000
    found = open_submission(bomb)

    assert "is larger than" in found.problems["ex1"]
    assert found.sources == {"ex3": GOOD_EX3}


def test_ten_thousand_files_are_refused(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "a.zip", {f"{number}.txt": "" for number in range(10_000)} | {EX1: GOOD_EX1})

    assert "10,001 files in the zip" in open_submission(archive).problems["ex1"]


def test_a_folder_with_too_many_files_is_refused(tmp_path: Path) -> None:
    for number in range(2001):
        (tmp_path / f"{number}.txt").touch()

    assert "more than 2,000 files" in open_submission(tmp_path).problems["ex1"]


def test_a_zip_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 but no more")

    assert "the zip cannot be opened" in open_submission(tmp_path / "a.zip").problems["ex2"]


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.rar").write_bytes(b"Rar!")

    problem = open_submission(tmp_path / "a.rar").problems["ex1"]

    assert problem == "a.rar: hand in a .py, an .ipynb, a .zip, a .tar.gz or a folder"
