"""A run that cannot be replayed is found, and so is what in the strategy did it."""

from __future__ import annotations

from pathlib import Path

import pytest

from labs.simulation.determinism.check import DeterminismReport, check_twice, first_difference, name_of
from labs.simulation.determinism.set_iteration import set_iterations
from labs.simulation.schedule import Schedule, Step, carry_out, random_schedule
from solutions.ex3_election import MyElection
from tests.simulation import unrepeatable

SCHEDULE = Schedule(nodes=3, length=2.0, calm=0.0, steps=(Step(1.2, "crash_leader"),))
SOURCE = Path(unrepeatable.__file__).read_text().splitlines()


def line_of(text: str, after: str) -> int:
    """The number of the first line with `text` behind the one with `after`."""
    start = next(number for number, line in enumerate(SOURCE) if after in line)
    return 1 + next(number for number in range(start, len(SOURCE)) if text in SOURCE[number])


def checked(strategy: type[MyElection]) -> DeterminismReport:
    return check_twice(SCHEDULE, name_of(strategy))


def test_the_reference_election_is_repeatable() -> None:
    report = check_twice(random_schedule(3), name_of(MyElection))

    assert report.repeatable
    assert "event for event" in str(report)


def test_the_order_of_a_set_is_found_and_its_line_is_named() -> None:
    report = checked(unrepeatable.GoesThroughASet)
    line = line_of("for peer in others", "class GoesThroughASet")

    assert report.difference is not None
    assert "sends RequestVote" in str(report.difference)
    assert f"unrepeatable.py, line {line}: `for peer in others:`" in str(report)
    assert "use sorted(…)" in str(report)


def test_a_sorted_set_does_no_harm() -> None:
    assert checked(unrepeatable.SortsItsSet).repeatable


@pytest.mark.parametrize(
    ("strategy", "call", "advice"),
    [
        (unrepeatable.UsesTheGlobalDice, "random.random()", "draw from self.rng"),
        (unrepeatable.UsesAClock, "time.time()", "the time is handed in as `now`"),
        (unrepeatable.UsesAClockImportedByName, "time.monotonic()", "the time is handed in as `now`"),
        (unrepeatable.UsesTheCalendar, "datetime.now()", "the time is handed in as `now`"),
    ],
)
def test_dice_and_clocks_that_were_not_handed_in_are_named_with_their_line(
    strategy: type[MyElection], call: str, advice: str
) -> None:
    report = checked(strategy)
    line = line_of(call.partition(".")[2], f"class {strategy.__name__}(")

    assert not report.repeatable
    assert f"unrepeatable.py, line {line}: {call}" in str(report)
    assert advice in str(report)


def test_another_cause_is_found_and_said_to_be_another() -> None:
    report = checked(unrepeatable.HasItsOwnDice)

    assert report.difference is not None
    assert "a Random() without a seed" in str(report)


def test_the_lines_that_go_through_a_set_are_found_in_the_source() -> None:
    found = "\n".join(set_iterations(unrepeatable.GoesThroughASet))

    assert "for peer in others:" in found
    assert "for peer in list(self.friends):" in found
    assert "sorted" not in found


def test_the_first_difference_is_told_in_words() -> None:
    one = carry_out(SCHEDULE, MyElection).trace
    other = [*one[:20], one[20]._replace(node="node-9"), *one[21:]]

    difference = first_difference(one, other)

    assert difference is not None
    assert difference.number == 21
    assert str(difference).startswith("The first 20 events are the same. Then in one run at ")
    assert "node-9" in str(difference)


def test_a_run_that_ends_early_differs_where_it_ends() -> None:
    trace = carry_out(SCHEDULE, MyElection).trace

    assert str(first_difference(trace, trace[:-1])).endswith("in the other nothing more happens")
    assert first_difference(trace, trace) is None


def test_a_class_that_another_process_cannot_import_is_refused() -> None:
    class Local(MyElection):
        pass

    with pytest.raises(ValueError, match="put it into a file"):
        name_of(Local)
    with pytest.raises(ValueError, match="has no class Nobody"):
        check_twice(SCHEDULE, "tests.simulation.unrepeatable:Nobody")
