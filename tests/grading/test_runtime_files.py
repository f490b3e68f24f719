"""Which of the lab's own files are in a sandbox."""

from __future__ import annotations

import subprocess
import sys

import pytest

from labs.grading.sandbox import runtime_files
from labs.grading.sandbox.runtime_files import ROOTS, compiled_library, runtime_modules


def test_a_sandbox_contains_no_check_no_solution_and_no_simulator() -> None:
    ours = set(runtime_modules())
    allowed = ("labs.grading.child", "labs.simulation.explorer")

    assert set(ROOTS) <= ours
    assert {name for name in ours if name.startswith(("labs.grading.", "labs.simulation.", "labs.rules"))} == {
        name for name in ours if name.startswith(allowed)
    }


def test_what_a_sandbox_contains_can_be_imported_from_there_alone() -> None:
    code = f"""
import importlib, sys
sys.path.insert(0, {str(compiled_library())!r})
for name in {sorted(runtime_modules())!r}:
    module = importlib.import_module(name)
    assert module.__file__.startswith({str(compiled_library())!r}), module
"""
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True, timeout=30)


def test_a_file_of_the_grader_that_would_get_into_a_sandbox_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime_files, "ROOTS", (*ROOTS, "labs.grading.runner"))

    with pytest.raises(RuntimeError, match=r"labs\.grading\.\w+ must not be in a sandbox"):
        runtime_modules()
