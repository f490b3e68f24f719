"""The lesson's node in TypeScript, built for tests: its command, or why it cannot run here."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "examples" / "node-typescript"
BUILT = FOLDER / "dist" / "main.js"


def command_or_skip() -> list[str]:
    """What starts a node. Skips where Node.js or the packages are missing; where `CI` is `true` that is a failure."""
    missing = _what_is_missing()
    if missing:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    return ["node", str(BUILT)]


def _what_is_missing() -> str:
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "Node.js is not installed"
    sources = max(file.stat().st_mtime for file in (FOLDER / "src").iterdir())
    if BUILT.exists() and BUILT.stat().st_mtime >= sources:
        return ""
    if not (FOLDER / "node_modules").exists():
        return "examples/node-typescript is not built: run npm ci and npm run build there"
    done = subprocess.run(["npm", "run", "build"], cwd=FOLDER, capture_output=True, text=True, timeout=120)
    return "" if done.returncode == 0 else f"npm run build failed: {done.stdout}{done.stderr}"
