"""Histories as JSON lines: one operation a line, fields that say nothing left out.

Law of this module: what comes back equals what went in.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from labs.cluster.base import Outcome
from labs.history.operations import HistoryError, Operation

_DEFAULTS = {field.name: field.default for field in fields(Operation)}
_NUMBER = (int, float)
_TYPES: dict[str, type | tuple[type, ...]] = {
    "client": str, "kind": str, "key": str, "invoked": _NUMBER, "completed": _NUMBER, "outcome": str,
    "found": bool, "node": str, "term": int, "index": int,
}  # fmt: skip
_USUAL = {name: float if wanted is _NUMBER else wanted for name, wanted in _TYPES.items()}
"""What a field's type nearly always is."""
_NEEDED = ("client", "kind", "key", "invoked", "outcome")


def dumps(operations: Iterable[Operation]) -> str:
    """Raises `ValueError` for a value that JSON does not have."""
    return "".join(json.dumps(_to_json(op), allow_nan=False) + "\n" for op in operations)


def loads(text: str) -> list[Operation]:
    """Raises `HistoryError` naming the line. Blank lines are skipped."""
    # Only "\n" ends a line: `splitlines` would also cut at characters that may stand inside a string.
    lines = enumerate(text.split("\n"), start=1)
    return [_parse(line, number) for number, line in lines if line.strip()]


def _to_json(op: Operation) -> dict[str, Any]:
    data = {name: getattr(op, name) for name in _DEFAULTS}
    data["outcome"] = op.outcome.value
    return {name: value for name, value in data.items() if name in _NEEDED or value is not None}


def _parse(line: str, number: int) -> Operation:
    try:
        return _build(_decode(line))
    except HistoryError as error:
        raise HistoryError(str(error), number) from None
    except (ValueError, RecursionError) as error:
        raise HistoryError(f"not JSON: {error}", number) from None


def _refuse(name: str) -> float:
    raise HistoryError(f"JSON has no {name}")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


_decode = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite).decode
_OUTCOMES: dict[object, Outcome] = {outcome.value: outcome for outcome in Outcome}


def _build(data: Any) -> Operation:
    if not isinstance(data, dict):
        raise HistoryError("an operation is a JSON object")
    for name in _NEEDED:
        if name not in data:
            raise HistoryError(f"the operation lacks its field {name!r}")
    for name, value in data.items():
        if type(value) is not _USUAL.get(name):  # nearly never
            _check(name, value)
    return Operation(**{**data, "outcome": _outcome(data["outcome"])})


def _check(name: str, value: Any) -> None:
    if name not in _DEFAULTS:
        raise HistoryError(f"an operation has no field {name!r}: one of {', '.join(_DEFAULTS)}")
    wanted = _TYPES.get(name)
    if wanted is None or (value is None and name not in _NEEDED):
        return
    # In Python a bool is an int; in a history it is not.
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        raise HistoryError(f"field {name!r} cannot be {value!r}")


def _outcome(name: str) -> Outcome:
    outcome = _OUTCOMES.get(name)
    if outcome is None:
        raise HistoryError(f"unknown outcome {name!r}: one of ok, failed, unknown")
    return outcome
