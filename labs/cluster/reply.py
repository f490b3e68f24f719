"""What one exchange with a node gave, by whatever way it went there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class HttpReply:
    """What one exchange gave. `code` is None where no complete answer came, and `error` then says why."""

    code: int | None
    body: dict[str, Any] = field(default_factory=dict)
    delivered: bool = True
    """False: certainly not one byte of the request reached the node (nothing listened there)."""
    error: str = ""
