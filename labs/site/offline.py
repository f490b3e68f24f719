"""Lets a browser keep the site: writes the service worker, which knows every file of the site by its content.

Law of this module: it comes last, when no file of the site is changed any more.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from labs.site.freezing import PAGES
from labs.site.parts import CannotBuild
from replstore import __version__

WORKER = "service-worker.js"
BOOT = "boot.mjs"
KEPT = (
    *("index.html", "panel.html", "lab/index.html", "config-utils.js", "api/**/*", "files/**/*"),
    *("static/*.*", "static/pyodide/*", "lab/favicon.ico", "build/*.js", "build/*.woff2"),
    *("extensions/@jupyter-widgets/jupyterlab-manager/static/*.*.js", "extensions/anywidget/static/*.*.js"),
)
"""What a browser loads and keeps once the first visit's kernel has started. Everything else is kept when it is loaded;
these are loaded before the service worker answers, or when a notebook shows its first panel or diagram, and then the
server may be gone."""
MARK = 12
"""Hexadecimal digits that tell two sites apart."""


def keep_offline(made: Path) -> None:
    """Write service worker and start of the site in `made`. Raises `CannotBuild`."""
    boot = (PAGES / BOOT).read_text(encoding="utf-8")
    (made / "static" / BOOT).write_text(_filled(boot, VERSION=__version__), encoding="utf-8")
    lab = made / "lab" / "index.html"
    lab.write_text(_begun(lab.read_text(encoding="utf-8")), encoding="utf-8")
    files = {path.relative_to(made).as_posix(): path for path in sorted(made.rglob("*")) if path.is_file()}
    files.pop(WORKER, None)  # a browser asks for it at each visit: so it learns of a newer site
    marks = {place: hashlib.sha256(path.read_bytes()).hexdigest() for place, path in files.items()}
    kept = {path.relative_to(made).as_posix() for pattern in KEPT for path in made.glob(pattern)} & marks.keys()
    worker = (PAGES / WORKER).read_text(encoding="utf-8")
    content = hashlib.sha256(json.dumps([marks, sorted(kept), worker]).encode()).hexdigest()
    (made / WORKER).write_text(
        _filled(worker, FILES=[*files], KEPT=sorted(kept), CONTENT=content[:MARK]), encoding="utf-8"
    )


def _begun(page: str) -> str:
    """JupyterLab's page, which first calls the service worker: what is loaded earlier is not kept."""
    preload, first = 'rel="preload"', "await import("
    if page.count(preload) != 1 or page.count(first) != 1:
        raise CannotBuild("JupyterLite's page is another one than the lab was written for")
    boot = f"await import('../static/{BOOT}');\n        {first}"
    return page.replace(f"{preload} ", "").replace(first, boot)


def _filled(text: str, **contents: object) -> str:
    for name, content in contents.items():
        text = text.replace(f'"@{name}@"', json.dumps(content, separators=(",", ":")))
    return text
