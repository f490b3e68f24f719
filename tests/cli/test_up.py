"""`replab up` tells what an election strategy raises once a node, with its traceback, and counts the rest."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

from rich.console import Console

from labs.cli.up import RaisedErrors, last_traceback
from labs.trace.events import Event
from labs.trace.kinds import ELECTION_FAILED

LOG = [
    "[node-1] Store Node listening on port 4001",
    "Traceback (most recent call last):",
    '  File "runtime.py", line 239, in _turn',
    '  File "mine.py", line 7, in tick',
    "    raise NotImplementedError",
    "NotImplementedError: MyElection.tick",
    "Traceback (most recent call last):",
    '  File "runtime.py", line 239, in _turn',
]


def told(*errors: tuple[str, str]) -> str:
    out = io.StringIO()
    cluster: Any = SimpleNamespace(logs=lambda node, lines: LOG)
    raised = RaisedErrors(cluster, Console(file=out, width=200))
    for number, (node, error) in enumerate(errors):
        raised.take(Event(float(number), node, "note", ELECTION_FAILED, details={"error": error}))
    raised.sum_up()
    return out.getvalue()


def test_a_strategy_that_raises_all_the_time_is_told_once_a_node_and_counted() -> None:
    said = told(*[("node-1", "KeyError: 'x'"), ("node-2", "KeyError: 'x'")] * 20)

    assert said.count("The election strategy raised KeyError: 'x'") == 2
    assert "node-1 raised KeyError: 'x' 20 times in all." in said
    assert "node-2 raised KeyError: 'x' 20 times in all." in said


def test_the_traceback_with_file_and_line_is_shown() -> None:
    said = told(("node-1", "NotImplementedError: MyElection.tick"))

    assert 'File "mine.py", line 7, in tick' in said
    assert said.count("Traceback") == 1
    assert "times in all" not in said


def test_another_error_of_the_same_node_is_told_again() -> None:
    assert told(("node-1", "KeyError: 1"), ("node-1", "KeyError: 2"), ("node-1", "KeyError: 1")).count("told once") == 2


def test_a_node_that_does_not_say_what_was_raised_ends_nothing() -> None:
    out = io.StringIO()
    raised = RaisedErrors(SimpleNamespace(logs=lambda node, lines: LOG), Console(file=out, width=200))  # type: ignore[arg-type]
    raised.take(Event(1.0, "node-1", "note", ELECTION_FAILED))

    assert "The election strategy raised" in out.getvalue()


def test_only_a_complete_traceback_counts() -> None:
    assert last_traceback(LOG)[-1] == "NotImplementedError: MyElection.tick"
    assert last_traceback(LOG[:3]) == []
    assert last_traceback([]) == []
