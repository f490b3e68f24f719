"""What all benchmarks share at their end: the machine they ran on, the JSON file, the verdict."""

from __future__ import annotations

import json
import os
import platform
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.console import Console

console = Console()


def machine() -> dict[str, Any]:
    """What a figure must not be read without. `load_average`: what else was running here as the benchmark began."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "fsync_ms": round(fsync_ms(), 3),
        "load_average": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def fsync_ms(trials: int = 31) -> float:
    """The median time of one fsync in the temporary folder, where the clusters keep their journals; milliseconds.

    Figures with a journal depend on it, and a folder in memory makes it next to nothing.
    """
    times = []
    with tempfile.TemporaryFile(buffering=0) as file:
        for _ in range(trials):
            file.write(b"x" * 100)
            began = perf_counter()
            os.fsync(file.fileno())
            times.append(perf_counter() - began)
    return 1e3 * sorted(times)[trials // 2]


def save(path: Path | None, results: dict[str, Any]) -> None:
    """Write `results` as JSON, if there is somewhere to write it."""
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n")
    console.print(f"written to {path}")


def describe(about: dict[str, Any]) -> str:
    """The machine in one line."""
    load = about["load_average"]
    busy = "" if load is None else f", load average {load} at the start"
    python = f"Python {about['python']}, fsync {about['fsync_ms']} ms"
    return f"{about['processor']}, {about['cores']} cores, {about['system']}, {python}{busy}"


def spread(values: list[float]) -> dict[str, float]:
    """Least, median, 90th percentile and greatest of at least one value."""
    ordered = sorted(values)
    last = len(ordered) - 1
    return {
        "min": ordered[0],
        "median": ordered[len(ordered) // 2],
        "p90": ordered[round(0.9 * last)],
        "max": ordered[last],
    }
