"""Asks the checks one after the other, and makes a report of what came.

Law of this module: a check that cannot be asked is skipped with the reason, and never waits. A sentence about time is
asked a second time before it counts as broken, and the report says so.
"""

from __future__ import annotations

import shlex
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from labs.cluster.base import ClusterError
from labs.conform.bench import Bench, Nodes
from labs.conform.check import LEVELS, OPTIONAL, CannotAsk, NodeCheck, NotAsSaid, NotTried, TooLate
from labs.conform.confined import DESCRIPTION
from labs.conform.durable import DURABLE
from labs.conform.faults import FAULTS
from labs.conform.peers import PEERS
from labs.conform.scene import Scene
from labs.conform.steps import WALK
from labs.conform.wire import WIRE
from labs.grading.results import CheckResult, ExerciseSummary, Particulars, Report, Status, clean, clean_all
from labs.pictures import origin_of, spacetime_svg

CHECKS: tuple[NodeCheck, ...] = (*WIRE.checks, *WALK.checks, *FAULTS.checks, *DURABLE.checks, *PEERS.checks)
LANES = (("wire", "steps", "faults"), ("durable", "peers"))
"""Levels that are asked one after the other; the lanes go side by side, each on nodes of its own."""
LAST_LINES = 30
"""Of a long exchange a failure shows the end."""
MOST_EVENTS = 400
"""Events in a picture: the last ones of the check."""


@dataclass(frozen=True)
class Wish:
    """What is to be asked. `levels`: empty for all. `only`: ids of checks, empty for all."""

    levels: tuple[str, ...] = ()
    only: tuple[str, ...] = ()

    def checks(self) -> list[NodeCheck]:
        """In their order, each with those that it needs. Raises `KeyError` for an id that no check has."""
        named = self.only or tuple(check.id for check in CHECKS if check.level in (self.levels or LEVELS))
        wanted: set[str] = set()
        for name in named:
            _add(name, wanted)
        return [check for check in CHECKS if check.id in wanted]


BY_ID = {check.id: check for check in CHECKS}


def _add(name: str, wanted: set[str]) -> None:
    wanted.add(name)
    for need in BY_ID[name].needs:
        _add(need, wanted)


class _Findings:
    """What is known so far, by check; several threads add to it."""

    def __init__(self, checks: Sequence[NodeCheck]) -> None:
        self.results: dict[str, CheckResult] = {}
        self.seconds: dict[str, float] = {}
        self.logs: dict[str, str] = {}
        self.pictures: dict[str, str] = {}
        self._asked = {check.id: threading.Event() for check in checks}

    def add(self, result: CheckResult) -> None:
        self.results[result.id] = result
        self._asked[result.id].set()

    def passed(self, name: str) -> bool:
        """Waits until the check has been asked, perhaps in another lane."""
        self._asked[name].wait()
        return name in self.results and self.results[name].status is Status.PASSED

    def give_up(self) -> None:
        """Nobody waits any more."""
        for asked in self._asked.values():
            asked.set()


def examine(
    nodes: Nodes,
    command_line: Sequence[str],
    wish: Wish | None = None,
    seen: Callable[[CheckResult], None] = lambda result: None,
) -> Report:
    """Ask the node all that is wished. `command_line`: what started this, for the lines that repeat a failure. `seen`
    is told each result as it comes. Raises `StartFailed` where the command is no node at all."""
    wish = wish or Wish()
    checks = wish.checks()
    if all(check.level == PEERS.name for check in checks):
        nodes = nodes.named()  # such a node may take nothing else, and no check asks for bare addresses
    found = _Findings(checks)
    began = time.perf_counter()

    def ask_all(bench: Bench, lane: Sequence[NodeCheck]) -> None:
        try:
            for check in lane:
                if bench.closed:
                    return
                result = _result(bench, check, wish, found, command_line)
                found.add(result)
                seen(result)
        except BaseException:
            found.give_up()
            raise

    first, second = ([check for check in checks if check.level in lane] for lane in LANES)
    with Bench(nodes) as bench, Bench(nodes) as other, ThreadPoolExecutor(1) as pool:
        bench.started()
        beside = pool.submit(ask_all, other, second)
        try:
            ask_all(bench, first)
            beside.result()
        except BaseException:
            other.close()
            raise
    found.seconds["total"] = time.perf_counter() - began
    _leave_out(wish, found)
    return _report(checks, found, nodes)


def _leave_out(wish: Wish, found: _Findings) -> None:
    """What the lesson does not ask for and the node does not try is worth no points: a right node gets them all."""
    for level in OPTIONAL:
        if level in wish.levels or not _not_tried(found, level):
            continue
        for name, result in found.results.items():
            if result.check["exercise"] == level:
                found.results[name] = replace(result, check={**result.check, "points": 0.0})


def _result(bench: Bench, check: NodeCheck, wish: Wish, found: _Findings, command_line: Sequence[str]) -> CheckResult:
    unmet = [need for need in check.needs if not found.passed(need)]
    if unmet:
        reason = f"not asked, because this is needed and was not found: {BY_ID[unmet[0]].says}"
        return CheckResult(check.to_json(), Status.SKIPPED, 0, clean(reason))
    started = time.perf_counter()
    scene, trouble = _ask(bench, check)
    note = ""
    if isinstance(trouble, TooLate):
        first, note = trouble, "at the second try"
        bench.discard()
        scene, trouble = _ask(bench, check)
        if trouble is None:
            note = f"at the second try; at the first: {first}"
        elif isinstance(trouble, TooLate):
            note = "twice, the second time on new nodes"
    found.seconds[check.id] = round(time.perf_counter() - started, 3)
    measured = "; ".join(scene.measured)
    if trouble is None:
        text = f"{measured} ({note})" if note else measured
        return CheckResult(check.to_json(), Status.PASSED, check.points, clean(text))
    if isinstance(trouble, CannotAsk) or (isinstance(trouble, NotTried) and check.level not in wish.levels):
        return CheckResult(check.to_json(), Status.SKIPPED, 0, clean(f"not asked: {trouble}"))
    picture = _picture(bench, scene, trouble)
    if picture:
        found.pictures[f"{check.id}.svg"] = picture
    found.logs[check.id] = clean(_logs(bench), 6000)
    bench.discard()
    return CheckResult(
        check.to_json(),
        Status.FAILED,
        0,
        clean(f"{trouble} ({note})" if note else str(trouble)),
        clean_all(tuple(scene.transcript[-LAST_LINES:])),
        shlex.join([*command_line[:2], "--only", check.id, *command_line[2:]]),
        f"{check.id}.svg" if picture else None,
    )


def _ask(bench: Bench, check: NodeCheck) -> tuple[Scene, Exception | None]:
    scene = Scene(bench)
    try:
        check.run(scene)
    except (NotAsSaid, CannotAsk, NotTried) as trouble:
        return scene, trouble
    except ClusterError as error:  # a node did not start again, say
        return scene, NotAsSaid(str(error))
    return scene, None


def _picture(bench: Bench, scene: Scene, trouble: Exception) -> str | None:
    """The messages between the nodes, and the client's requests, from the check's beginning to its end."""
    own = getattr(trouble, "picture", None)
    if own is not None or bench.present is None:
        return own
    events = [event for event in bench.present.events() if event.time >= scene.began]
    events = sorted([*events, *scene.requests], key=lambda event: event.time)[-MOST_EVENTS:]
    if not events:
        return None
    return spacetime_svg(events, node_ids=bench.present.node_ids, origin=origin_of(events))


def _logs(bench: Bench) -> str:
    cluster = bench.present
    if cluster is None:
        return ""
    return "\n".join(f"{node}:\n" + "\n".join(cluster.logs(node, 12)) for node in cluster.node_ids)


# --------------------------------------------------------------------------------------------------------
# The report


def _report(checks: Sequence[NodeCheck], found: _Findings, nodes: Nodes) -> Report:
    settings = nodes.settings
    summaries = tuple(_summary(level, found) for level in LEVELS if any(c.level == level for c in checks))
    commands = sorted({shlex.join(command) for command in nodes.commands.values()})
    notes = (
        f"Heartbeats every {settings.heartbeat_ms} ms, election timeout {settings.election_timeout_ms} ms; "
        "in real time, so figures differ from run to run.",
        "Faults and pictures come from the links between the nodes; the nodes do not help.",
        f"Whole run: {found.seconds['total']:.1f} s.",
        *(
            f"Level {level} was not tried; the lesson does not ask for it."
            for level in OPTIONAL
            if _not_tried(found, level)
        ),
    )
    return Report(
        submission=clean(" | ".join(commands), 200),
        level=", ".join(summary.id for summary in summaries),
        suite="conform",
        seeds=(),
        isolation=DESCRIPTION if nodes.confinement else "processes of this machine",
        fingerprint="",
        exercises=summaries,
        checks=tuple(found.results[check.id] for check in checks),
        notes=notes,
        run=Particulars(datetime.now(UTC).isoformat(timespec="seconds"), found.seconds, found.logs),
        pictures=found.pictures,
    )


def _not_tried(found: _Findings, level: str) -> bool:
    results = [result.status for result in found.results.values() if result.check["exercise"] == level]
    return bool(results) and all(status is Status.SKIPPED for status in results)


def _summary(level: str, found: _Findings) -> ExerciseSummary:
    results = [result for result in list(found.results.values()) if result.check["exercise"] == level]
    earned, points = sum(result.earned for result in results), sum(result.points for result in results)
    return ExerciseSummary(level, LEVELS[level], "", True, round(earned, 2), round(points, 2))


def is_right(report: Report) -> bool:
    """Whether nothing that was asked is wrong. A level that the lesson does not ask for may be left out as a whole."""
    return all(
        result.status is Status.PASSED or (result.status is Status.SKIPPED and _left_out(report, result))
        for result in report.checks
    )


def _left_out(report: Report, result: CheckResult) -> bool:
    level = str(result.check["exercise"])
    return level in OPTIONAL and not any(other.status is Status.FAILED for other in report.of(level))
