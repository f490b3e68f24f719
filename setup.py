"""What pyproject.toml cannot say: what a wheel leaves out, and what it carries along.

A wheel is for students. It has neither the solutions nor an instructor's own checks, and it carries the files that
`replab handout` needs besides the packages. Whoever works in a checkout (`pip install -e .`) has all of them.
"""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py
from setuptools.command.editable_wheel import editable_wheel

HERE = Path(__file__).parent
TREE = runpy.run_path(str(HERE / "labs" / "lesson" / "tree.py"))


class BuildPackages(build_py):
    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        built = Path(self.build_lib)
        for name in (TREE["SOLUTIONS"], *TREE["INSTRUCTOR_ONLY"]):  # they also come from a former build's folder
            shutil.rmtree(built / name, ignore_errors=True)
            if not (built / name).is_dir():
                (built / name).unlink(missing_ok=True)
        TREE["pack"](HERE, built / TREE["ARCHIVE"])


class EditableInstall(editable_wheel):
    def run(self) -> None:
        self.distribution.packages += find_packages(str(HERE), include=[f"{TREE['SOLUTIONS']}*"])
        super().run()


setup(cmdclass={"build_py": BuildPackages, "editable_wheel": EditableInstall})
