"""Exercises out of notebooks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from labs.grading.results import Status
from labs.grading.submission.notebook import NotANotebook, extract
from labs.grading.submission.reading import open_submission
from labs.lesson.exercises import EXERCISES
from tests.grading.conftest import grade_ex1, the_result


def notebook(*cells: tuple[str, str] | str) -> bytes:
    """Cells are code tagged `exercise`; `("", text)` is untagged, `("markdown", text)` is prose."""
    return json.dumps({"nbformat": 4, "cells": [_cell(cell) for cell in cells]}).encode()


def _cell(cell: tuple[str, str] | str) -> dict[str, Any]:
    kind, text = ("exercise", cell) if isinstance(cell, str) else cell
    tags = {"tags": [kind]} if kind not in ("", "markdown") else {}
    lines = text.splitlines(keepends=True)
    return {"cell_type": "markdown" if kind == "markdown" else "code", "metadata": tags, "source": lines}


def source(*cells: tuple[str, str] | str) -> str:
    text = extract(notebook(*cells)).source(("double", "survives"))
    assert text is not None
    return text


def test_a_whole_file_can_be_put_into_a_cell() -> None:
    whole = '"""To do."""\n\nfrom __future__ import annotations\n\ndef double(n: Later) -> int:\n    return 2 * n\n'
    taken = extract(notebook("import math", whole))

    text = taken.source(("double",))
    assert text is not None
    assert text.startswith("from __future__ import annotations\n")
    compile(text, "taken", "exec")
    assert the_result(grade_ex1(text)).status is Status.PASSED
    assert taken.notes == []


def test_tagged_cells_are_taken_in_order() -> None:
    text = source(("markdown", "# Title"), "factor = 2", ("", "print('try')"), "def double(n):\n    return factor * n")

    assert text == "# cell 2\nfactor = 2\n\n# cell 4\ndef double(n):\n    return factor * n\n"


def test_the_last_definition_wins_as_in_the_notebook() -> None:
    text = source("def double(n):\n    return 0", "def double(n):\n    return 2 * n")

    assert the_result(grade_ex1(text)).status is Status.PASSED


def test_calls_made_to_try_something_are_left_out_with_a_note() -> None:
    found = extract(
        notebook("def double(n):\n    return 2 * n\nprint(double(2))\nfor i in range(3):\n    print(i)\nx = 3")
    )

    assert found.source(("double",)) == "# cell 1\ndef double(n):\n    return 2 * n\npass\npass\n\nx = 3\n"
    assert found.notes == [
        "cell 1, line 3: left out, for it defines nothing that can be graded",
        "cell 1, line 4: left out, for it defines nothing that can be graded",
    ]


def test_a_dropped_call_in_a_line_with_others_leaves_them_alone() -> None:
    assert "é = 1; pass; y = 2" in source("def double(n): ...\né = 1; print(é); y = 2")


def test_magics_are_dropped_with_a_note() -> None:
    found = extract(notebook("%matplotlib inline\n!pip install x\ndef double(n):\n    return '%d' % n\ndouble?"))

    assert found.source(("double",)) == "# cell 1\n\n\ndef double(n):\n    return '%d' % n\n"
    assert found.notes == ["cell 1: magics left out: %matplotlib inline, !pip install x, double?"]


def test_a_line_of_text_that_looks_like_a_magic_stays() -> None:
    assert '"""\n%cd x\n"""' in source('def double(n):\n    return n\ntext = """\n%cd x\n"""')


def test_a_cell_in_another_language_is_left_out_whole() -> None:
    found = extract(notebook("def double(n): return n", "%%bash\nrm -rf everything"))

    assert "rm" not in str(found.source(("double",)))
    assert found.notes == ["cell 2: left out, for it is a %%bash cell"]


def test_a_timed_cell_keeps_its_code() -> None:
    assert "def double" in source("%%time\ndef double(n):\n    return n")


def test_of_untagged_cells_only_imports_are_kept() -> None:
    found = extract(
        notebook(("", "import math\nfrom labs.panel import show\nx = 1"), "def double(n): return math.floor(n)")
    )

    assert str(found.source(("double",))).startswith("# cell 1\nimport math\n")
    assert "1 code cell without the tag" in found.notes[-1]


@pytest.mark.parametrize(
    "cells",
    [
        [("", "def double(n): return n")],
        [("", "x = = 3"), ("", "import math")],
        [("markdown", "def double(n): return n")],
        [],
    ],
)
def test_without_tagged_cells_there_is_nothing_and_it_is_said(cells: list[tuple[str, str]]) -> None:
    found = extract(notebook(*cells))

    assert found.source(("double",)) is None
    assert found.notes == ["nothing in it was graded: no code cell has the tag 'exercise' or writes an exercise's file"]


def test_a_notebook_of_cells_that_are_none_says_so() -> None:
    garbage = [7, None, {}, {"cell_type": "banana", "source": 7}]

    assert "nothing in it was graded" in extract(json.dumps({"nbformat": 4, "cells": garbage}).encode()).notes[0]


WRITTEN = "def survives(cluster):\n    return 1\n\nprint(survives)\n"


@pytest.mark.parametrize("kind", ["", "exercise"])
@pytest.mark.parametrize(
    "magic",
    [
        "%%writefile ex1_fault_tolerance.py",
        "%%file ex1_fault_tolerance.py",
        "%%writefile exercises/ex1_fault_tolerance.py ",
        "%%writefile 'ex1_fault_tolerance.py'",
        "%%writefile ..\\exercises\\ex1_fault_tolerance.py",
    ],
)
def test_a_cell_that_writes_an_exercises_file_is_that_file(magic: str, kind: str) -> None:
    found = extract(notebook(("", "import math"), "def survives(cluster): return 2", (kind, f"{magic}\n{WRITTEN}")))

    assert found.file_of(EXERCISES[0]) == WRITTEN
    assert found.file_of(EXERCISES[1]) is None


def test_of_cells_that_write_the_same_file_the_last_one_counts_and_one_may_add_to_it() -> None:
    first, second, more = (
        ("", f"%%writefile {words}ex1_fault_tolerance.py\n{text}")
        for words, text in (("", "x = 1"), ("", "y = 2"), ("-a ", "z = 3\n"))
    )

    assert extract(notebook(first, second, more)).file_of(EXERCISES[0]) == "y = 2\nz = 3\n"


@pytest.mark.parametrize(
    "first", ["%%writefile mine.py", "%%writefile", "%%bash", "%%writefile a.py ex1_fault_tolerance.py"]
)
def test_a_cell_that_writes_another_file_is_no_exercise(first: str) -> None:
    assert extract(notebook(("", f"{first}\n{WRITTEN}"))).file_of(EXERCISES[0]) is None


def test_an_empty_file_that_a_cell_writes_has_no_points_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "ann.ipynb").write_bytes(notebook(("", "%%writefile ex1_fault_tolerance.py\n\n")))

    assert open_submission(tmp_path / "ann.ipynb").problems == {"ex1": "ex1_fault_tolerance.py is empty in ann.ipynb"}


def test_top_level_await_is_left_out() -> None:
    text = source("def double(n): return n\nx = await something()\nawait other()")

    assert "await" not in text


def test_a_broken_cell_fails_its_own_exercise_with_the_line() -> None:
    found = extract(notebook("def survives(cluster)\n    return 1", "def double(n):\n    return 2 * n"))

    assert the_result(grade_ex1(str(found.source(("double",))))).status is Status.PASSED
    broken = the_result(grade_ex1(str(found.source(("survives",)))))
    assert "SyntaxError: expected ':' (ex1_fault_tolerance.py, line 2)" in broken.message


def test_input_in_a_notebook_does_not_hang() -> None:
    result = the_result(grade_ex1(source("n = input('how many? ')\ndef double(n): return 2 * n")))

    assert "EOFError" in result.message


@pytest.mark.parametrize(
    "text", ["-" * 50_000 + "1", "a" + ".b" * 50_000, "(" * 1000, "not " * 20_000 + "x", "\\", "\x00"]
)
def test_source_made_to_break_a_parser_breaks_nothing(text: str) -> None:
    assert "def double" in source(text, "def double(n): ...")


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b'{"cells": 3}', b"\xff", b"[" * 100_000])
def test_what_is_no_notebook_is_refused(data: bytes) -> None:
    with pytest.raises(NotANotebook):
        extract(data)


@pytest.mark.parametrize(
    "cell", [3, {}, {"cell_type": "code"}, {"cell_type": "code", "metadata": {"tags": 3}, "source": 4}]
)
def test_odd_cells_are_passed_over(cell: object) -> None:
    assert extract(json.dumps({"cells": [cell]}).encode()).source(("double",)) is None


def test_a_notebook_is_a_submission(tmp_path: Path) -> None:
    (tmp_path / "ann.ipynb").write_bytes(notebook("def survives(c): ...", "class MyElection: ..."))
    found = open_submission(tmp_path / "ann.ipynb")

    assert sorted(found.sources) == ["ex1", "ex3"]
    assert found.name == "ann"


@pytest.mark.parametrize("cells", [[""], ["# to do\n", ""], ["def helper(): ...", ("", "def survives(c): ...")]])
def test_a_notebook_whose_tagged_cells_define_nothing_asked_for_is_named(
    cells: list[tuple[str, str] | str], tmp_path: Path
) -> None:
    (tmp_path / "ann.ipynb").write_bytes(notebook(*cells))
    found = open_submission(tmp_path / "ann.ipynb")

    assert not found.sources
    assert "ann.ipynb: nothing in it was graded: none of its cells with the tag defines what an exercise asks for" in (
        found.notes
    )


def test_a_py_file_comes_before_a_notebook(tmp_path: Path) -> None:
    (tmp_path / "ex1_fault_tolerance.py").write_text("x = 1")
    (tmp_path / "ex1_fault_tolerance.ipynb").write_bytes(notebook("def survives(c): ...", "class MyElection: ..."))
    found = open_submission(tmp_path)

    assert found.sources["ex1"] == "x = 1"
    assert "class MyElection" in found.sources["ex3"]


def test_half_a_character_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_bytes(
        b'{"cells": [{"cell_type": "code", "metadata": {"tags": ["exercise"]}, "source": "survives = \'\\ud800\'"}]}'
    )

    assert "survives" in open_submission(tmp_path / "a.ipynb").sources["ex1"]
