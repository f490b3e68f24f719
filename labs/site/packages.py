"""The packages that a page's Python has: the wheels unpacked into one folder, without what no page can use.

Law of this module: whatever a package depends on is in the folder, too, so that nothing is ever looked for elsewhere.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable
from email.parser import HeaderParser
from pathlib import Path

from labs.site.parts import CannotBuild

NOT_IN_A_PAGE = frozenset((
    *("jupyterlab-widgets", "pexpect", "ipython-pygments-lexers", "colorama"),
    *("jedi", "prompt-toolkit", "micropip", "packaging", "six"),
))  # fmt: skip
"""Depended on, but for terminals, other front ends, other systems, or to install more packages."""
LEFT_OUT = re.compile(r"[^/]+\.data/|.*/tests?/|.*\.pyi$|pygments/lexers/(?!(__init__|_mapping|python|special)\.py$)")
"""Files that no page uses. Of Pygments' 500 languages a page colours Python."""
NO_TERMINAL = '''"""In a page there is no terminal."""


def embed(*_args, **_more):
    raise RuntimeError("IPython cannot be embedded here: a page has no terminal")


class InteractiveShellEmbed:
    __init__ = embed
'''
NO_INSTALLER = '''"""In a page nothing is installed: all that it has comes from its own site."""


async def install(*_requirements, **_more):
    raise RuntimeError("No package can be installed in the web edition: it loads nothing from elsewhere")
'''
STAND_INS = {"IPython/terminal/embed.py": NO_TERMINAL, "piplite/piplite.py": NO_INSTALLER}
"""Instead of modules that only make a page slower: each would load packages for what a page cannot do."""


def unpack(wheels: Iterable[Path], folder: Path) -> None:
    """Write the wheels' files into `folder`. Raises `CannotBuild` where a wheel needs a package that is not there."""
    needed: dict[str, Path] = {}
    names = set()
    for wheel in wheels:
        names.add(canonical(wheel.name.split("-")[0]))
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(folder, [name for name in packed.namelist() if not LEFT_OUT.match(name)])
        needed |= dict.fromkeys(_needed(wheel), wheel)
    if missing := sorted(needed.keys() - names - NOT_IN_A_PAGE):
        raise CannotBuild(f"the wheel {needed[missing[0]].name} needs {missing[0]}, which the site lacks")
    for place, source in STAND_INS.items():
        if not (folder / place).is_file():
            raise CannotBuild(f"{place} is not among the packages: they are others than the lab was written for")
        (folder / place).write_text(source, encoding="utf-8")


def canonical(name: str) -> str:
    """As packages are compared: `prompt_toolkit` and `Prompt.Toolkit` are both `prompt-toolkit`."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _needed(wheel: Path) -> set[str]:
    """What the wheel always depends on; what it names for one system or one wish only is not."""
    with zipfile.ZipFile(wheel) as packed:
        place = next(name for name in packed.namelist() if name.endswith(".dist-info/METADATA"))
        lines = HeaderParser().parsestr(packed.read(place).decode()).get_all("Requires-Dist") or []
    found = re.compile(r"[A-Za-z0-9._-]+")
    return {canonical(match[0]) for line in lines if ";" not in line and (match := found.match(line))}
