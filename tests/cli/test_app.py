"""The command line as a whole: its help costs nothing, and what it complains about is said in a user's words."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from labs.cli.app import build, main
from labs.cli.overview import COMMANDS


def complaint(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_the_help_tells_of_every_command_what_the_command_says_of_itself() -> None:
    told = {(one.name or one.callback.__name__): one.callback.__doc__ for one in build().registered_commands
            if one.callback is not None}  # fmt: skip

    said = {name: " ".join((text or "").split("\n\n")[0].split()) for name, text in told.items()}
    assert said == COMMANDS


def test_the_help_needs_none_of_the_commands_nor_their_libraries() -> None:
    script = (
        "import sys\nfrom labs.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit as end: assert not end.code\n"
        "heavy = {'typer', 'rich', 'requests', 'docker', 'psutil'}\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & heavy))"
    )

    said = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout

    assert said.endswith("[]\n")
    assert "Open the lab's notebooks" in said


def test_the_help_costs_three_tenths_of_a_second_of_processor_time_at_most() -> None:
    before = time.process_time()
    resource = pytest.importorskip("resource")
    children = resource.getrusage(resource.RUSAGE_CHILDREN)

    subprocess.run([sys.executable, "-m", "labs", "--help"], check=True, capture_output=True)

    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - children.ru_utime - children.ru_stime <= 0.3
    assert time.process_time() >= before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "ex4"], "'ex4' is not one of 'all', 'ex1', 'ex2', 'ex3'"),
        (["up", "--nodes", "0"], "--nodes: it must be at least 1"),
        (["up", "--nodes", "three"], "--nodes: it must be a whole number"),
        (["open", "--port", "99999"], "--port: it must be at most 65535"),
        (["simulate", "--mode", "fast"], "--mode: 'fast' is not one of 'async', 'quorum', 'sync'"),
        (["replay", "nowhere.json"], "nowhere.json: no such file or directory"),
        (["status", "nowhere"], "'nowhere' is no address of a node"),
        (["up", "--election", "raft"], "--election raft: there are lowest-id, bully, and module:Class"),
        (["chekc"], "No such command 'chekc'."),
        (["up", "--heartbeat", "5", "--election-timeout", "3"], "the election timeout (3 ms) must be longer"),
    ],
)
def test_a_wrong_command_line_is_told_in_one_sentence_without_internals(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = complaint(arguments, capsys)

    assert told.startswith(f"replab: {said}") or f": {said}" in told
    assert told.count("\n") == 1
    assert not any(word in told for word in ("Errno", "Value error", "Input should", "Invalid value", "Traceback"))


def test_a_file_that_is_no_schedule_says_what_it_lacks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other.json").write_text('{"nodes": 3}')

    assert "not a schedule: 'steps' is missing in it" in complaint(["replay", str(tmp_path / "other.json")], capsys)


def test_no_command_at_all_is_answered_with_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])

    assert ended.value.code == 2
    assert "Usage: replab COMMAND" in capsys.readouterr().out
