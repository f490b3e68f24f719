"""Which exercise a file is, by its name, as learning platforms and systems change names.

In front stands what a platform adds (`lee_ann_4711_`), behind it what a second download adds (` (1)`, `-1`, ` - Copy`);
letters may be of either case, spaces and hyphens stand for `_`.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from labs.lesson.exercises import EXERCISES, Exercise

_COPY = re.compile(r"( ?\(\d{1,3}\)|[-_ ]\d{1,2}|[-_ ]{1,3}copy)$")
_LONGEST = 255
_BY_MODULE = {exercise.module: exercise for exercise in EXERCISES}


def exercise_of(file_name: str) -> Exercise | None:
    """The exercise that a `.py` or `.ipynb` of this name is; None if it is none, a test of one, or of several."""
    stem = _stem(file_name)
    if stem is None or stem.startswith("test_"):
        return None
    matches = [exercise for module, exercise in _BY_MODULE.items() if module in stem]
    return matches[0] if len(matches) == 1 else None


def is_exact(file_name: str) -> bool:
    """Whether nothing stands in front of the exercise's own name: `EX1_fault_tolerance (1).py`."""
    return _stem(file_name) in _BY_MODULE


def _stem(file_name: str) -> str | None:
    path = PurePosixPath(file_name[:_LONGEST].lower())
    if path.suffix not in (".py", ".ipynb"):
        return None
    stem = path.stem.strip()
    for _ in range(2):
        stem = _COPY.sub("", stem)
    return re.sub(r"[ -]", "_", stem)
