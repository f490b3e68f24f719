"""`replab check` without options does without what reads options."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from labs.cli.checking import Request, plainly_asked


@pytest.mark.parametrize(
    ("words", "request_"),
    [
        ("", Request()),
        ("ex2", Request("ex2")),
        ("all", Request("all")),
        ("ex3 --file me.py", Request("ex3", file=Path("me.py"))),
        ("--file me.zip ex1", Request("ex1", file=Path("me.zip"))),
    ],
)
def test_an_exercise_and_a_file_are_understood(words: str, request_: Request) -> None:
    assert plainly_asked(words.split()) == request_


@pytest.mark.parametrize(
    "words", ["ex4", "--help", "ex3 --seed 1", "ex3 --file --help", "ex1 ex2", "--file", "ex3 me.py"]
)
def test_everything_else_is_left_to_what_reads_options(words: str) -> None:
    assert plainly_asked(words.split()) is None


def test_what_reads_options_is_not_imported() -> None:
    code = "import sys, labs.cli.checking; print(sorted({'typer', 'pydantic'} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.strip() == "[]"


def test_a_file_that_is_not_there_is_said_to_be_missing() -> None:
    command = [sys.executable, "-m", "labs", "check", "ex1"]

    plain = subprocess.run([*command, "--file", "nowhere.py"], capture_output=True, text=True, timeout=60)
    read = subprocess.run([*command, "--file=nowhere.py"], capture_output=True, text=True, timeout=60)

    assert (plain.returncode, plain.stderr) == (read.returncode, read.stderr) == (2, "replab: there is no nowhere.py\n")
