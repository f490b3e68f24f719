"""Hand-ins that were written against the starters of version 0.1.0 are graded as they were.

`data/version_0_1_0` holds that version's reference solutions, letter by letter: they import from the places that
submissions used then.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from labs.grading.checks import SUITE
from labs.grading.results import Status
from labs.grading.runner import grade
from labs.grading.settings import GradingSettings
from labs.grading.submission.submission import Submission
from tools.direct import from_source, lost

FORMER = Path(__file__).parent / "data" / "version_0_1_0"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "one"),
    [
        ("ex1_fault_tolerance", "ex1.broken.drops-deletes"),
        ("ex2_replication_lag", "ex2.deletes"),
        ("ex3_election", "ex3.elects"),
        ("ex3_states", "ex3.elects"),
    ],
)
def test_a_former_hand_in_keeps_its_marks(name: str, one: str) -> None:
    """By all checks in this process, and by one in the sandbox: what could differ there is what it may import."""
    source = (FORMER / f"{name}.txt").read_text(encoding="utf-8")
    exercise = name[:3]

    assert lost(exercise, from_source(f"former_{name}", source)) == {}
    report = grade(Submission(name, {exercise: source}, {}), SUITE, GradingSettings(only=(one,)))

    assert {check.id: check.message for check in report.checks if check.status is not Status.PASSED} == {}
    assert one in {check.id for check in report.checks}
    assert all(check.deterministic for check in report.checks)


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("replstore.election", "Election LogView Seat"),
        (
            "replstore.messages",
            "Append CatchUp Command Delete Diverged Done Effect Entry EntryId Flush Heartbeat HeartbeatReply"
            " Input Install LinearizableGet Message NodeId Note NotLeader Overloaded Put Received Record"
            " Replicate Replicated Reply Request Result START Save Send Snapshot SnapshotReceived State Tick"
            " Unknown Value natural_order",
        ),
        ("replstore.lowest_id", "Alive LowestId Taken"),
        ("replstore.bully", "Bully Challenge Coordinator Objection"),
        ("labs.cluster", "Cluster Client ConditionTimeout NodeStatus Outcome Settings open_cluster"),
        ("labs.events", "Event"),
    ],
)
def test_the_former_places_still_have_what_submissions_imported(module: str, names: str) -> None:
    place = import_module(module)

    assert [name for name in names.split() if not hasattr(place, name)] == []


def test_a_former_name_is_the_same_thing() -> None:
    former, now = import_module("replstore.election"), import_module("replstore")

    assert former.Election is now.Election
    assert former.Seat is now.Seat is now.ElectionContext
    assert import_module("replstore.messages").Message is now.Message
