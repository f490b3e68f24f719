"""Level `steps`: Steps 1–8, as `replab steps` walks them."""

from __future__ import annotations

import json
from collections.abc import Callable

from labs.conform.check import Level, NotAsSaid, TooLate
from labs.conform.scene import Scene
from labs.lesson.steps import STEPS, LessonStep, StepReport, run_step

WALK = Level("steps")
_NEEDS = {1: (), 2: (1,), 3: (1,), 4: (3,), 5: (1,), 6: (1,), 7: (6,), 8: (6,)}

_CHANGE = (1, 3, 6, 7)
"""Steps that do something; the others only look."""


def _check_of(step: LessonStep) -> Callable[[Scene], None]:
    def run(scene: Scene) -> None:
        """Steps build on each other: where the present cluster has not walked those before, a new one does."""
        bench = scene.bench
        if bench.walked != step.number - 1 or bench.present is None or step.number == 1:
            bench.fresh()
            for earlier in STEPS[: step.number - 1]:
                if earlier.number in _CHANGE:
                    run_step(scene.cluster, earlier)
        cluster = scene.cluster
        cluster.waits.clear()
        cluster.late = False
        report = run_step(cluster, step)
        bench.walked = step.number
        scene.transcript += _lines(report)
        scene.measured += [f"waited {took:.2f} s, allowed {most:.1f} s" for took, most in cluster.waits if took > 0.1]
        wrong = [check for check in report.checks if not check.holds]
        if wrong or not report.checks:
            text = "; ".join(f"{check.claim}: instead {check.seen}" for check in wrong)
            raise (TooLate if cluster.late else NotAsSaid)(text)

    return run


def _lines(report: StepReport) -> list[str]:
    lines = [f"* {action}" for action in report.actions]
    for exchange in report.exchanges:
        answer = "no answer" if exchange.code is None else exchange.code
        lines += [f"> {exchange.curl}", f"< {answer} {json.dumps(exchange.answer, ensure_ascii=False)[:300]}"]
    return lines


for _step in STEPS:
    WALK.add(
        str(_step.number),
        f"Step {_step.number}, {_step.title}: {_step.says}",
        _check_of(_step),
        points=2,
        needs=tuple(str(number) for number in _NEEDS[_step.number]),
    )
