"""What is copied into the sandbox can be imported there, without the rest of the lab."""

from __future__ import annotations

import subprocess
import sys

from labs.grading.sandbox.runtime_files import COPIED, shared_library


def test_every_copied_module_finds_what_it_imports_among_the_copies() -> None:
    names = [f"{package.replace('/', '.')}.{module}" for package, modules in COPIED.items() for module in modules]
    imports = "; ".join(f"import {name.removesuffix('.__init__')}" for name in names)
    code = f"import sys; sys.path.insert(0, {str(shared_library())!r}); {imports}"

    # -I and -S: neither this folder nor what is installed, only the standard library and the copies.
    ran = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)

    assert ran.returncode == 0, ran.stderr
