"""Whatever a hand-in does while it is read concerns that hand-in alone, takes little time, and ends with a sentence."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest

from labs.grading.errors import Stopped
from labs.grading.submission import reading
from labs.grading.submission.archive import members
from labs.grading.submission.notebook import MAX_CELLS, extract
from labs.grading.submission.reading import open_submission
from labs.grading.submission.submission import read_submission
from tests.grading.test_notebook import notebook
from tests.grading.test_submission import EX1, EX3, make_zip
from tests.grading.toys import GOOD_EX1, GOOD_EX3


def damaged(path: Path, method: int) -> Path:
    """A zip with EX1, packed by `method`, in which the packed bytes are damaged, and EX3, which is whole."""
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr(EX1, GOOD_EX1 * 50)
        archive.writestr(EX3, GOOD_EX3, zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    start = data.find(EX1.encode()) + len(EX1) + 12
    for place in range(start, start + 20):
        data[place] ^= 0xFF
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_member_is_a_problem_of_its_exercise(method: int, tmp_path: Path) -> None:
    found = open_submission(damaged(tmp_path / "a.zip", method))

    assert "cannot be read from the zip" in found.problems["ex1"]
    assert found.sources == {"ex3": GOOD_EX3}


def test_a_member_whose_two_names_differ_is_a_problem_of_its_exercise(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {EX1: GOOD_EX1, EX3: GOOD_EX3})
    path.write_bytes(path.read_bytes().replace(EX1.encode(), b"x" * len(EX1), 1))
    found = open_submission(path)

    assert "differ" in found.problems["ex1"]
    assert found.sources == {"ex3": GOOD_EX3}


@pytest.mark.parametrize("ending", [".zip", ".tar", ".tgz", ".tar.xz", ".tar.bz2"])
def test_no_damage_to_an_archive_is_an_error_of_the_grader(ending: str, tmp_path: Path) -> None:
    mode = {".tar": "w", ".tgz": "w:gz", ".tar.xz": "w:xz", ".tar.bz2": "w:bz2"}.get(ending)
    whole = tmp_path / f"whole{ending}"
    if mode is None:
        make_zip(whole, {EX1: GOOD_EX1})
    else:
        with tarfile.open(whole, mode) as archive:  # type: ignore[call-overload]
            info = tarfile.TarInfo(EX1)
            info.size = len(GOOD_EX1)
            archive.addfile(info, io.BytesIO(GOOD_EX1.encode()))
    data = whole.read_bytes()
    for place in range(0, len(data), max(1, len(data) // 100)):
        for changed in (data[:place], data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]):
            (tmp_path / f"a{ending}").write_bytes(changed)
            found = read_submission(tmp_path / f"a{ending}", "a")
            assert found.sources.keys() | found.problems.keys() | set(found.notes), place


def test_a_bomb_in_a_tar_is_refused(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.tgz", "wb", compresslevel=1) as file:
        header = tarfile.TarInfo("x")
        header.size = 10**12
        file.write(header.tobuf())
        for _ in range(210):
            file.write(bytes(2**20))

    assert open_submission(tmp_path / "a.tgz").problems["ex1"] == "the archive unfolds to more than 200 MiB"


def test_a_tar_that_claims_an_endless_header_is_refused(tmp_path: Path) -> None:
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 10**11
    (tmp_path / "a.tar").write_bytes(header.tobuf() + bytes(10240))

    assert "the tar cannot be read" in open_submission(tmp_path / "a.tar").problems["ex1"]


def test_sixty_kilobytes_that_unfold_to_many_cells_are_refused(tmp_path: Path) -> None:
    cells = [{"cell_type": "code", "metadata": {"tags": ["exercise"]}, "source": "f()"}] * 150_000
    path = make_zip(tmp_path / "a.zip", {"ex1_fault_tolerance.ipynb": json.dumps({"cells": cells})})

    assert path.stat().st_size < 64_000
    assert f"it has 150,000 cells, more than {MAX_CELLS:,}" in open_submission(path).problems["ex1"]


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    "text",
    [
        "def survives(c) 1\n" + "\n" * 900_000,
        "def survives(c): ...\n" + "f();" * 25_000,
        "def survives(c): ...\n" + "f()\n" * 25_000,
        "%x\n" + "? " * 300_000 + "x" + " " * 300_000 + "x\n(",
    ],
    ids=["empty lines", "one line", "many lines", "magics"],
)
def test_reading_takes_no_more_than_in_proportion(text: str) -> None:
    extract(notebook(text)).source(("survives",))  # with quadratic time it would take hours


def test_blanking_keeps_every_other_place() -> None:
    found = extract(notebook("x = 'ä'; f(1,\n2); y = 'ö'\ng()\nz = 3"))

    assert found.cells[1] == "x = 'ä'; pass\n; y = 'ö'\npass\nz = 3"


def test_what_takes_too_long_is_ended_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_BOOT", "while True: pass")
    monkeypatch.setattr(reading, "WALL_SECONDS", 0.5)

    found = open_submission(make_zip(tmp_path / "a.zip", {EX1: GOOD_EX1}))

    assert found.problems["ex1"] == "reading it takes more than 0.5 s"


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "reading it ended the reader (exit status -11)"),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGXCPU)",
            "reading it takes more than 20 s of processor time",
        ),
        ("raise SystemExit(3)", "reading it takes more than 1,024 MiB of memory"),
    ],
)
def test_what_ends_the_reader_is_a_sentence(
    what: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_BOOT", what)

    assert why in open_submission(make_zip(tmp_path / "a.zip", {EX1: GOOD_EX1})).problems["ex1"]


def test_reading_stops_when_it_is_not_wanted_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_BOOT", "while True: pass")

    with pytest.raises(Stopped):
        open_submission(make_zip(tmp_path / "a.zip", {EX1: GOOD_EX1}), stop=lambda: True)


def test_only_what_is_wanted_is_unpacked(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"big.bin": bytes(300 * 2**20), EX1: GOOD_EX1})
    found = {one.name: one.content for one in members(path.read_bytes(), "a.zip", lambda name: name.suffix == ".py")}

    assert found == {"big.bin": b"", EX1: GOOD_EX1.encode()}
