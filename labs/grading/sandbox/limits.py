"""How much a submission may use. One place, so that the documentation and the reports can quote it."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True)
class SandboxLimits:
    """Times in seconds. Charged is the time in which the student's process works or sleeps while it is asked, and at
    least the processor time of all its processes. Time in which a loaded machine kept it from running is not charged.

    They are many times what a correct solution needs, so that a loaded machine fails nobody.
    """

    load: float = 5.0
    """To import the file."""
    question: float = 5.0
    """For one question of an election: one instant of a simulated run."""
    search: float = 5.0
    """For the search for runs that break a promise, which is nobody's fault if it takes longer."""
    call: float = 10.0
    """For one call of a function."""
    check: float = 30.0
    """For all questions of one check."""
    exercise: float = 60.0
    """For all checks of one exercise."""
    submission: float = 270.0
    """For a submission as a whole, by the wall clock, however loaded the machine is."""
    grader: float = 150.0
    """Processor time of the grader for one submission: what a student causes there (decoding, looking ahead, events of
    the cluster) is charged, too."""
    memory: int = 512 * MIB
    """Of all its processes together."""
    processes: int = 8
    """Processes and threads."""
    open_files: int = 64
    file_bytes: int = 8 * MIB
    disk_bytes: int = 16 * MIB
    output_bytes: int = MIB
    """Printed in one check. The report keeps the first `output_kept`."""
    output_kept: int = 4096
    reply_bytes: int = MIB
    """In one answer; `traffic_bytes`: of all questions and answers of one process."""
    traffic_bytes: int = 128 * MIB
    cluster_calls: int = 50_000
    """Calls of `cluster` in one check."""
    cluster_seconds: float = 600.0
    """Of the cluster's own time, in one check: what it costs the grader to simulate them is not the student's time."""
    messages: int = 50_000
    notes: int = 30_000
    note_bytes: int = MIB // 2
    """What an election sends and notes in one simulated run. It stays in the grader's memory, where a byte of it takes
    ten and more."""


DEFAULT = SandboxLimits()
START_TIMEOUT = 60.0
"""Seconds for a sandbox to come up. It contains no student code yet: beyond this, the grader is at fault."""
MOST_EXTENSION = 5.0
"""On a loaded machine a question may take up to this many times its limit, if the process was kept from running."""
