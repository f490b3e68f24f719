"""The text of a sandboxed process's replies: strict JSON, and what of it is compared between two runs."""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import Any, NoReturn


class Poison(ValueError):
    """JSON for Python's reader, and yet nothing that can be handed on; the message says what."""


def _no_number(name: str) -> NoReturn:
    raise Poison(f"{name} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise Poison(f"{text[:20]} is larger than any number of JSON's can be here")
    return number


_from_json = json.JSONDecoder(parse_constant=_no_number, parse_float=_finite).decode
_to_text = json.JSONEncoder(ensure_ascii=False).encode


def read_reply(line: bytes) -> Any:
    """Raises `Poison` for numbers without end and texts that are no Unicode, other `ValueError`s for what is not JSON,
    and `RecursionError` for what is nested too deeply."""
    reply = _from_json(line.decode())
    if b"\\ud" in line or b"\\uD" in line:  # perhaps half a surrogate pair: no report could be written with it
        try:
            _to_text(reply).encode()
        except UnicodeEncodeError:
            raise Poison("a text holds half a surrogate pair, which is not Unicode text") from None
    return reply


def without_addresses(line: bytes) -> bytes:
    """For the comparison of two runs: addresses of objects differ from run to run and mean nothing."""
    return re.sub(rb"0x[0-9a-f]{6,}", b"0x", line)
