"""Shows the points under the results of `pytest exercises/`."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

POINTS = "points"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    earned: dict[str, float] = defaultdict(float)
    possible: dict[str, float] = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == POINTS and report.when == "call":
                    exercise, got, of = value
                    earned[exercise] += got
                    possible[exercise] += of
    for exercise in sorted(possible):
        terminalreporter.write_line(f"{exercise}: {earned[exercise]:g} of {possible[exercise]:g} points")
