"""The web edition: how large it is, what a first visit loads, and how long until the kernel is ready.

Built anew, served by Python's own web server on loopback, opened in headless Chromium, three times in one browser.
"""

from __future__ import annotations

import argparse
import json
import os
import tarfile
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path
from playwright.sync_api import sync_playwright

from labs.site.building import build_site
from tools.browser.lab import CHROMIUM_FLAGS, chromium
from tools.browser.web import WebNotebook, WebServer

VISITS = 3


def measure(folder: Path) -> dict[str, Any]:
    """Sizes in megabytes, times in seconds."""
    begun = time.monotonic()
    site = build_site(folder / "site", user_cache_path("replication-lab") / "site")
    built = time.monotonic() - begun
    with tarfile.open(folder / "site.tar.gz", "w:gz") as packed:
        packed.add(site)
    server = WebServer(site)
    visits = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        notebook = WebNotebook(browser.new_page(), "00_start_here", server)
        for _ in range(VISITS):
            server.sent.clear()
            begun = time.monotonic()
            notebook.visit()
            ready = time.monotonic() - begun
            visits.append({"ready_s": round(ready, 1), "sent_mb": _mb(_size(site, path) for path in server.sent)})
        browser.close()
    server.close()
    return {
        "built_s": round(built, 1), "mb": _mb(path.stat().st_size for path in site.rglob("*") if path.is_file()),
        "packed_mb": _mb([(folder / "site.tar.gz").stat().st_size]), "visits": visits,
        "foreign": notebook.foreign, "errors": notebook.errors, "load": os.getloadavg()[0],
    }  # fmt: skip


def _size(site: Path, path: str) -> int:
    file = site / path.partition("?")[0].lstrip("/")
    return file.stat().st_size if file.is_file() else 0


def _mb(sizes: Iterable[int]) -> float:
    return round(sum(sizes) / 1e6, 1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder))
    print(json.dumps(found, indent=1))
    if options.out is not None:
        options.out.write_text(json.dumps(found), encoding="utf-8")
    return 0 if not found["foreign"] and not found["errors"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
