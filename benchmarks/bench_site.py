"""The web edition: how large it is, what a first visit loads, and how long until the kernel is ready.

Built anew (or `--site`: one that is there), served by Python's own web server on loopback, opened in headless Chromium,
three times in one browser that was never there before and has its profile on disk, as a visitor's has.
"""

from __future__ import annotations

import argparse
import json
import os
import tarfile
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from platformdirs import user_cache_path
from playwright.sync_api import sync_playwright

from labs.site.building import build_site
from tools.browser.lab import CHROMIUM_FLAGS, chromium
from tools.browser.web import WebNotebook, WebServer

VISITS = 3


def measure(site: Path, folder: Path) -> dict[str, Any]:
    """Sizes in megabytes, times in seconds; `folder` is for what is left over."""
    with tarfile.open(folder / "site.tar.gz", "w:gz") as packed:
        packed.add(site)
    server = WebServer(site)
    visits = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch_persistent_context(
            folder / "profile", executable_path=chromium(), args=CHROMIUM_FLAGS
        )
        notebook = WebNotebook(browser.pages[0], "00_start_here", server)
        for _ in range(VISITS):
            server.sent.clear()
            begun, used = time.monotonic(), _processor()
            notebook.visit()
            ready, used = time.monotonic() - begun, _processor() - used
            sent = _mb(_size(site, path) for path in server.sent)
            notebook.wait_until_kept(site)
            kept = _mb(_size(site, path) for path in server.sent)
            visits.append(
                {"ready_s": round(ready, 1), "processor_s": round(used, 1), "sent_mb": sent, "sent_when_kept_mb": kept}
            )
        browser.close()
    server.close()
    return {
        "mb": _mb(path.stat().st_size for path in site.rglob("*") if path.is_file()),
        "packed_mb": _mb([(folder / "site.tar.gz").stat().st_size]), "visits": visits,
        "foreign": notebook.foreign, "errors": notebook.errors, "load": os.getloadavg()[0],
    }  # fmt: skip


def _processor() -> float:
    """Seconds of processor time of the browser and the server until now, without processes that have ended."""
    total = 0.0
    for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def _size(site: Path, path: str) -> int:
    file = site / path.partition("?")[0].lstrip("/")
    return file.stat().st_size if file.is_file() else 0


def _mb(sizes: Iterable[int]) -> float:
    return round(sum(sizes) / 1e6, 1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--site", type=Path, help="a site that is there, instead of a new one")
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        site = options.site or build_site(Path(folder) / "site", user_cache_path("replication-lab") / "site")
        found = measure(site, Path(folder))
    print(json.dumps(found, indent=1))
    if options.out is not None:
        options.out.write_text(json.dumps(found), encoding="utf-8")
    return 0 if not found["foreign"] and not found["errors"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
