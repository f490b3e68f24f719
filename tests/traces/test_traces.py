"""The golden traces: what a simulated cluster does, step by step, is what the files in this folder say.

`pytest tests/traces --update-traces` writes the files anew.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.golden_traces import files, run_again


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_a_run_is_as_its_golden_trace_says(path: Path, request: pytest.FixtureRequest) -> None:
    expected = path.read_text(encoding="utf-8")
    made = run_again(expected)
    if request.config.getoption("--update-traces"):
        path.write_text(made, encoding="utf-8")
        return

    assert made.splitlines() == expected.splitlines()


def test_there_are_ten_traces_and_each_says_what_it_shows() -> None:
    assert len(files()) >= 10
    assert all(path.read_text(encoding="utf-8").startswith("# ") for path in files())


def test_a_change_of_the_run_changes_the_trace() -> None:
    text = files()[0].read_text(encoding="utf-8")
    other = text.replace("cluster ", "cluster seed=99 ", 1)

    assert run_again(other) != other


@pytest.mark.parametrize("text", ["# only a comment\n", "run 1\n", "dance\n----\nok\n"])
def test_what_is_no_trace_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected a command|no command"):
        run_again(text)
