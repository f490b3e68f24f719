"""Hand-ins as learning platforms, systems and browsers make them: taken where one candidate is clear."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from labs.grading.submission.reading import open_submission
from labs.grading.submission.submission import submission_name
from tests.grading.conftest import write_files
from tests.grading.test_submission import EX1, EX3, make_zip
from tests.grading.toys import GOOD, GOOD_EX1, GOOD_EX3


def make_tar(path: Path, members: dict[str, str], mode: str = "w:gz", kind: bytes = tarfile.REGTYPE) -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, text in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.type = len(text.encode()), kind
            info.linkname = "/etc/passwd" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
            archive.addfile(info, io.BytesIO(text.encode()))
    return path


@pytest.mark.parametrize(
    "name",
    [
        "EX1_FAULT_TOLERANCE.PY",
        "ex1_fault_tolerance (1).py",
        "ex1_fault_tolerance(2).py",
        "ex1_fault_tolerance-3.py",
        "ex1_fault_tolerance - Copy.py",
        "ex1 fault tolerance.py",
        "ex1-fault-tolerance.Py",
        "lee_ann_4711_ex1_fault_tolerance.py",
        "Lee, Ann_4711_assignsubmission_file_ex1_fault_tolerance (1).PY",
        "ex1_fault_tolerance_ann.py",
    ],
)
def test_a_changed_name_is_recognized(name: str, tmp_path: Path) -> None:
    write_files(tmp_path / "folder", {name: GOOD_EX1})

    for path in (tmp_path / "folder", tmp_path / "folder" / name, make_zip(tmp_path / "a.zip", {name: GOOD_EX1})):
        found = open_submission(path)
        assert found.sources == {"ex1": GOOD_EX1}
        assert found.notes == (f"{name} was taken for {EX1}",)


@pytest.mark.parametrize(
    "name", ["test_ex1_fault_tolerance.py", "ex1_fault_tolerance.pyc", "ex1_fault_tolerance.txt", "a.py"]
)
def test_another_name_is_not(name: str, tmp_path: Path) -> None:
    found = open_submission(write_files(tmp_path, {name: GOOD_EX1}))

    assert (found.sources, found.notes) == ({}, (f"not used: {name}",))


def test_the_exercises_own_name_comes_before_one_with_something_in_front(tmp_path: Path) -> None:
    found = open_submission(write_files(tmp_path, {EX1: "new = 1", f"old_{EX1}": "old = 1"}))

    assert found.sources["ex1"] == "new = 1"
    assert found.notes == (f"not used, for {EX1} is there: old_{EX1}",)


@pytest.mark.parametrize("second", ["ex1_fault_tolerance (1).py", "EX1_fault_tolerance.py"])
def test_of_two_copies_nobody_guesses(second: str, tmp_path: Path) -> None:
    found = open_submission(make_zip(tmp_path / "a.zip", {EX1: "a = 1", second: "a = 2"}))

    assert "is there more than once" in found.problems["ex1"]
    assert second in found.problems["ex1"]


def test_two_copies_that_are_equal_are_clear(tmp_path: Path) -> None:
    found = open_submission(write_files(tmp_path, {EX1: "a = 1", "ex1_fault_tolerance (1).py": "a = 1"}))

    assert found.sources == {"ex1": "a = 1"}


@pytest.mark.parametrize(("end", "content"), [("CR", b"a = 1\rb = 2\r"), ("CRLF", b"\xef\xbb\xbfa = 1\r\nb = 2\r\n")])
def test_other_line_ends_are_taken(end: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / EX1).write_bytes(content)

    assert open_submission(tmp_path).sources == {"ex1": "a = 1\nb = 2\n"}, end


# --------------------------------------------------------------------------------------------------------
# Archives


@pytest.mark.parametrize(
    ("ending", "mode"),
    [
        (".tar", "w"),
        (".tar.gz", "w:gz"),
        (".tgz", "w:gz"),
        (".tar.bz2", "w:bz2"),
        (".TAR.XZ", "w:xz"),
        (".tgz", "w"),  # as some browsers unpack it without a new name
    ],
)
def test_a_tar_is_a_submission(ending: str, mode: str, tmp_path: Path) -> None:
    path = make_tar(tmp_path / f"ann{ending}", {f"./lab/{name}": text for name, text in GOOD.items()}, mode)

    assert open_submission(path).files == GOOD
    assert submission_name(path) == "ann"


def test_a_folder_that_holds_the_zip_that_was_uploaded_is_looked_into(tmp_path: Path) -> None:
    write_files(tmp_path / "ann_123_file", {"onlinetext.html": "hello"})
    make_zip(
        tmp_path / "ann_123_file" / "hand in.ZIP", {f"exercises/{EX1}": GOOD_EX1, "__MACOSX/._a": "", EX3: GOOD_EX3}
    )
    found = open_submission(tmp_path / "ann_123_file")

    assert found.sources == {"ex1": GOOD_EX1, "ex3": GOOD_EX3}
    assert found.notes == ("taken from hand in.ZIP", "not used: onlinetext.html")


def test_an_archive_in_an_archive_is_looked_into(tmp_path: Path) -> None:
    inner = make_tar(tmp_path / "inner.tgz", {EX1: GOOD_EX1})
    found = open_submission(make_zip(tmp_path / "a.zip", {"sub/inner.tgz": inner.read_bytes()}))

    assert found.sources == {"ex1": GOOD_EX1}


def test_of_two_archives_with_exercises_nobody_guesses(tmp_path: Path) -> None:
    folder = tmp_path / "ann"
    folder.mkdir()
    make_zip(folder / "a.zip", {EX1: "a = 1"})
    make_zip(folder / "b.zip", {EX1: "b = 1"})

    assert "several archives contain exercises: a.zip, b.zip" in open_submission(folder).problems["ex1"]
    (folder / "b.zip").unlink()
    make_zip(folder / "b.zip", {"picture.png": ""})
    assert open_submission(folder).sources == {"ex1": "a = 1"}


def test_a_damaged_archive_in_a_folder_is_named(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "ann", {"hand in.zip": "no zip"})

    assert "hand in.zip: the zip cannot be opened" in open_submission(folder).problems["ex1"]


@pytest.mark.parametrize(
    ("name", "why"), [(f"../{EX1}", "leads out of the tar"), (f"/{EX1}", "does not begin in the tar")]
)
def test_a_tar_member_outside_is_refused(name: str, why: str, tmp_path: Path) -> None:
    found = open_submission(make_tar(tmp_path / "a.tgz", {name: "evil = 1", EX3: GOOD_EX3}))

    assert found.sources == {"ex3": GOOD_EX3}
    assert why in found.notes[0]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_a_tar_member_that_is_no_file_is_refused(kind: bytes, tmp_path: Path) -> None:
    found = open_submission(make_tar(tmp_path / "a.tgz", {EX1: ""}, kind=kind))

    assert found.sources == {}
    assert found.notes[0].startswith("refused, for it is ")
