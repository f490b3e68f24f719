"""The examples in TypeScript, built for tests: their commands, or why they cannot run here."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.missing import skip_without

EXAMPLES = Path(__file__).parent.parent / "examples"


def command_or_skip(example: str = "node-typescript") -> list[str]:
    """What starts a node of this example. Skips where Node.js or the packages are missing."""
    folder = EXAMPLES / example
    missing = _what_is_missing(folder)
    if missing:
        skip_without("Node.js", missing)
    return ["node", str(folder / "dist" / "main.js")]


def _what_is_missing(folder: Path) -> str:
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "Node.js is not installed"
    sources = max(file.stat().st_mtime for file in (folder / "src").iterdir())
    built = folder / "dist" / "main.js"
    if built.exists() and built.stat().st_mtime >= sources:
        return ""
    if not (folder / "node_modules").exists():
        return f"examples/{folder.name} is not built: run npm ci and npm run build there"
    done = subprocess.run(["npm", "run", "build"], cwd=folder, capture_output=True, text=True, timeout=120)
    return "" if done.returncode == 0 else f"npm run build failed: {done.stdout}{done.stderr}"
