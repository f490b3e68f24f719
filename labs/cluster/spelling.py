"""One spelling for the names of fields: nodes in other languages may write `leaderId` where the lab reads `leader_id`.

Law of this module: only the names of an answer's own fields are respelled. What is stored under them is left untouched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def snake_case(name: str) -> str:
    """`leaderId`, `leaderID` and `leader_id` are the same field."""
    return _HUMP.sub("_", name).lower() if name[:1].islower() and "_" not in name else name


def snake_case_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The same fields in snake_case; where both spellings are there, the one in snake_case counts."""
    respelled = {snake_case(name): value for name, value in fields.items()}
    return respelled | {name: value for name, value in fields.items() if snake_case(name) == name}
