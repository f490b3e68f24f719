"""A student's own check, result by result as they come: what `replab check` does.

Law of this module: nothing is imported that reads options. That takes longer than to import all checks, and most calls
of the command have hardly any (`plainly_asked`).
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from labs.cli.errors import BadRequest
from labs.grading.check import Check, CheckOutcome
from labs.grading.checks import SUITE
from labs.grading.checks.ex3 import PARTS
from labs.grading.errors import GraderError
from labs.grading.pulse import Pulse
from labs.grading.reports.console import STYLES
from labs.grading.reports.words import MARKS, explain, not_attempted, not_run, number, score
from labs.grading.results import CheckResult, Report, Status
from labs.grading.runner import grade, open_lane, unknown_name
from labs.grading.settings import VISIBLE_SEEDS, GradingSettings
from labs.grading.submission.archive import Unreadable
from labs.grading.submission.reading import open_submission
from labs.grading.submission.submission import Submission, read_text
from labs.lesson.exercises import BY_FILE, BY_ID
from labs.lesson.workspace import exercises_folder
from labs.simulation.determinism.check import check_twice

NO_MARK = 3
"""Exit code where the grader itself failed."""
EVERYTHING = "all"
WHAT = (EVERYTHING, *BY_ID)


@dataclass(frozen=True)
class Request:
    """What is to be checked, and how: the command's options."""

    what: str = EVERYTHING
    only: tuple[str, ...] = ()
    seed: int | None = None
    dice: str = ""
    file: Path | None = None
    picture: Path = Path("pictures")


def plainly_asked(words: Sequence[str]) -> Request | None:
    """The request in the words of a command that names an exercise and a file at the most; None for any other."""
    match words:
        case []:
            return Request()
        case [what] if what in WHAT:
            return Request(what)
        case [what, "--file", file] | ["--file", file, what] if what in WHAT and not file.startswith("-"):
            return Request(what, file=Path(file))
    return None


def plain(words: Sequence[str]) -> Callable[[], int] | None:
    """The check that these words ask for, if they ask `plainly`; else None."""
    request = plainly_asked(words)
    return None if request is None else partial(run, request)


def run(request: Request) -> int:
    """Check, and print what is found. Returns the command's exit code; raises `BadRequest`."""
    console = Console(highlight=False)
    path = _find(request.file)
    if request.file is None:
        console.print(Text(f"Checking {path}", style="dim"))
    seeds = VISIBLE_SEEDS if request.seed is None else (request.seed,)
    settings = GradingSettings(seeds=seeds, dice=request.dice, only=_asked(request.what, request.only))
    try:
        submission = _open(path, request.what)
        with open_lane(submission, SUITE, settings) as lane, _progress(settings) as (pulse, told):
            teller = _Teller(told or console, request.picture)
            report = grade(submission, SUITE, settings, teller.tell, pulse, lane)
    except GraderError as fault:
        print(f"replab: {fault}", file=sys.stderr)
        return NO_MARK
    _sum_up(report, console)
    if request.file is None:  # the student's own code: it may run outside of the sandbox
        for line in what_differs(report, path):
            console.print(Text(line))
    if not report.graded:
        return NO_MARK
    return 1 if any(result.status is not Status.PASSED for result in report.checks) else 0


def what_differs(report: Report, folder: Path) -> list[str]:
    """Of an election whose two runs differed: where they part, and which line of the code did it."""
    parts = {f"ex3.{part.id}": part for part in PARTS}
    differing = [parts[result.id] for result in report.checks if result.deterministic is False and result.id in parts]
    if not differing:
        return []
    schedule = next(iter(differing[0].schedules(VISIBLE_SEEDS[0])))
    module = Path(BY_ID["ex3"].file_name).stem
    sys.path.insert(0, str(folder))
    try:
        return ["", *str(check_twice(schedule, f"{module}:MyElection")).splitlines()]
    except (ValueError, RuntimeError, subprocess.TimeoutExpired) as error:
        return ["", f"The line that makes the runs differ was not found: {error}"]
    finally:
        sys.path.remove(str(folder))


def _find(file: Path | None) -> Path:
    """The folder with the exercises' files: here, in `exercises`, in a working copy, or further up."""
    if file is not None:
        if not file.exists():
            raise BadRequest(f"there is no {file}")
        return file
    folder = exercises_folder(Path.cwd())
    if folder is None:
        raise BadRequest("no exercises are here; go to the folder that contains exercises/, or name a --file")
    return folder


def _open(path: Path, what: str) -> Submission:
    """A single Python file may have any name if it is said which exercise it is."""
    if path.suffix != ".py" or path.name in BY_FILE or what == EVERYTHING:
        return open_submission(path)
    try:
        return Submission(path.stem, {what: read_text(path.read_bytes())}, {})
    except Unreadable as problem:
        return Submission(path.stem, {}, {what: f"{path.name} {problem}"})


def _asked(what: str, only: Sequence[str]) -> tuple[str, ...]:
    checks: tuple[Check, ...] = tuple(SUITE.checks("student", VISIBLE_SEEDS))
    mine = [one for one in checks if what == EVERYTHING or one.exercise == what]
    if message := unknown_name(only, mine):
        raise BadRequest(message, "--only")
    return tuple(only) or tuple(one.id for one in mine)


@contextmanager
def _progress(settings: GradingSettings) -> Iterator[tuple[Pulse, Console | None]]:
    """In a terminal, a line that says how long the checks have been running and what they may take, and that the code
    seems to hang if it does. Results are to be printed on the console that it gives."""
    pulse = Pulse()
    console = Console(highlight=False)
    if not console.is_terminal:
        yield pulse, None
        return
    limit = settings.limits.submission
    columns = TextColumn("Checking"), BarColumn(bar_width=16), _Elapsed(pulse, limit)
    with Progress(*columns, console=console, transient=True) as progress:
        progress.add_task("", total=limit)
        yield pulse, progress.console


class _Elapsed(ProgressColumn):
    """Moves the bar, too: it is drawn ten times a second, whoever else is busy."""

    def __init__(self, pulse: Pulse, limit: float) -> None:
        super().__init__()
        self._pulse, self._limit = pulse, limit

    def render(self, task: Task) -> Text:
        task.completed = self._pulse.elapsed
        said = self._pulse.sentence()
        return Text(f"{self._pulse.elapsed:.0f} s of {self._limit:g} s at most. {said}".rstrip())


class _Teller:
    """Prints each result when it comes, and writes its picture."""

    def __init__(self, console: Console, pictures: Path) -> None:
        self._console = console
        self._pictures = pictures
        self._exercise = ""
        self._said = ""

    def tell(self, result: CheckResult, outcome: CheckOutcome) -> None:
        exercise = BY_ID[str(result.check["exercise"])]
        why = not_run(result)
        if why and why == self._said:
            return
        if self._exercise != exercise.id:
            self._exercise = exercise.id
            self._console.print(Text(f"\n{exercise.id} {exercise.title}", style="bold"))
        self._said = why
        if why:
            self._console.print(Text(f"✗ {why}", style=STYLES[result.status]))
            return
        style = STYLES[result.status]
        head = Text(f"{MARKS[result.status]} {score(result):>6} {result.check['title']}", style=style)
        self._console.print(head.append(f"  {result.id}", style="dim"))
        for line in [*_explain(result), *self._picture(result, outcome)]:
            visible = Text(line, style="default" if line.startswith(("Rule", "Hint", "See", "Picture")) else "dim")
            self._console.print(Padding(visible, (0, 0, 0, 9)))

    def _picture(self, result: CheckResult, outcome: CheckOutcome) -> list[str]:
        if outcome.page is None:
            return []
        self._pictures.mkdir(parents=True, exist_ok=True)
        path = self._pictures / f"{result.id}.html"
        path.write_text(outcome.page(), encoding="utf-8", newline="\n")
        return [f"Picture: {path}"]


def _explain(result: CheckResult) -> list[str]:
    if result.status is Status.NOT_ATTEMPTED:
        return [] if result.message == "not attempted" or result.message.startswith("builds on") else [result.message]
    return explain(result)


def _sum_up(report: Report, console: Console) -> None:
    for note in report.notes:
        if not note.startswith("not used: "):
            console.print(Text(f"note: {note}", style="dim"))
    for sentence in not_attempted(report):
        console.print(Text(f"\n{sentence}", style="yellow"))
    if not report.graded:
        console.print(Text("\nNO MARK: the grader failed", style="bold magenta"))
        return
    console.print(Text(f"\n{number(report.earned)} of {number(report.points)} points", style="bold"))
    if report.isolation.startswith("resource limits only"):
        console.print(Text("(without a sandbox: your code ran as you yourself)", style="dim"))
