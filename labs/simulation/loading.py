"""Elections by name, file or source text.

Law of this module: the code is imported into this process. It is for a student's own code on the student's own machine;
the submissions of others belong into the sandbox.
"""

from __future__ import annotations

import itertools
import linecache
import os
import sys
from pathlib import Path
from types import ModuleType

from replstore.core.election import Election
from replstore.settings import load_election

CLASS = "MyElection"
_numbers = itertools.count(1)


def election_from_source(text: str, name: str = CLASS) -> type[Election]:
    """The class `name` of a module with this text. Raises `ValueError` where there is none.

    Imported anew each time: nothing that an earlier run left in its module is found by the next.
    """
    module = ModuleType(f"replayed_{next(_numbers)}")
    file = f"<{module.__name__}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    sys.modules[module.__name__] = module  # messages are looked up by their module's name
    try:
        # With its own `from __future__` lines, and not with ours.
        exec(compile(text, file, "exec", dont_inherit=True), module.__dict__)
    except (Exception, SystemExit) as error:  # `sys.exit()` must not end the program that looks at it
        raise ValueError(f"the code cannot be imported here: {type(error).__name__}: {error}") from error
    cls = getattr(module, name, None)
    if not (isinstance(cls, type) and issubclass(cls, Election)):
        raise ValueError(f"the code has no class {name} that derives from Election")
    return cls


def find_election(name: str) -> type[Election]:
    """`lowest-id`, `bully`, `module:Class` (also of the current folder), `file.py` or `file.py:Class`.

    Raises `ValueError` saying what is wrong.
    """
    path, _, class_name = name.rpartition(":") if name.rpartition(":")[0].endswith(".py") else (name, "", "")
    if path.endswith(".py"):
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{path} cannot be read: {error}") from error
        try:
            return election_from_source(text, class_name or CLASS)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    return load_election(name)
