"""The search from the exercise panel: every order of messages, in a process that ends whatever the code does."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

from tests.panel.exercise_panels import ENDLESS, REFERENCE, STARTER, WRONG, Make, children_with

PRINTS = REFERENCE.replace("if not self.deadline:", "print('{\"told\": \"nothing\"}')\n        if not self.deadline:")


def searching() -> list[psutil.Process]:
    return children_with("labs.simulation.explorer")


@pytest.mark.slow
def test_two_leaders_of_one_term_are_found_told_step_by_step_and_drawn(make: Make) -> None:
    watched = make(code=WRONG)

    watched.ask("search")
    opened = watched.until(lambda: watched.panel.opened)

    assert "are both leaders of term 1" in watched.panel.board.stage["warning"]
    assert opened.panel.value.count("<li>") == 10  # two timeouts, two trial votes, and for each candidate three more
    assert "<svg" in opened.panel.value
    assert watched.panel.children[-1] is opened.panel
    watched.ask("leave")
    watched.until(lambda: watched.panel.opened is None)
    assert watched.panel.children == (watched.panel.board,)


@pytest.mark.slow
@pytest.mark.parametrize("code", [REFERENCE, PRINTS])
def test_a_right_election_is_told_to_be_right_as_far_as_was_searched(code: str, make: Make) -> None:
    watched = make(code=code)

    watched.ask("search")
    opened = watched.until(lambda: watched.panel.opened)

    assert opened.text.startswith("Never two leaders in a term: ")
    assert opened.panel is None
    assert opened.warning == ""


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import nowhere_to_be_found\n", "nowhere_to_be_found"),
        (STARTER, "NotImplementedError"),
        ("x = 1\n", "no class MyElection"),
    ],
)
def test_what_cannot_be_searched_is_told_in_a_sentence(code: str, told: str, make: Make) -> None:
    watched = make(code=code)

    watched.ask("search")
    opened = watched.until(lambda: watched.panel.opened)

    assert told in opened.text + opened.warning


def test_a_search_that_does_not_end_is_stopped_and_leaves_no_process(make: Make) -> None:
    watched = make(code=ENDLESS)
    watched.ask("search")
    watched.until(searching)
    assert watched.why["stop"] == ""

    watched.ask("stop")

    assert "the search was stopped" in watched.problem()
    assert searching() == []
    assert watched.panel.opened is None


def test_a_panel_that_is_closed_takes_its_search_along(make: Make) -> None:
    watched = make(code=ENDLESS)
    watched.ask("search")
    watched.until(searching)

    watched.panel.close()

    assert searching() == []


def test_the_other_exercises_have_no_search(make: Make) -> None:
    assert not make("ex1", code="").panel.board.about["election"]
    assert make("ex3", code=REFERENCE).panel.board.about["election"]


def test_the_process_ends_with_whoever_started_it() -> None:
    command = [sys.executable, "-m", "labs.simulation.explorer"]
    text = "while True:\n    pass\n"
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdin is not None
        process.stdin.write(f"{text!r}\n".replace("'", '"'))
        process.stdin.close()

        assert process.wait(30) == 1
