"""The exercise panel's messages from the browser, checked and made commands.

Law of this module: whatever the browser sends, the result is a `PanelCommand` with valid arguments or a `BadCommand`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labs.panel.actions import BadCommand, PanelCommand


def parse(message: Mapping[str, Any], checks: Mapping[str, Any]) -> PanelCommand:
    """The message `{do: verb, …arguments}` as a `PanelCommand`. Raises `BadCommand`."""
    verb = message.get("do")
    match verb:
        case "run":
            only = message.get("only", [])
            if not isinstance(only, list) or not all(isinstance(name, str) and name in checks for name in only):
                raise BadCommand(f"Cannot run {only!r}: the checks are {', '.join(checks)}.")
            return PanelCommand(verb, {"only": only})
        case "source":
            return PanelCommand(verb, {"kind": str(message.get("kind"))})
        case "stop" | "real" | "search" | "leave":
            return PanelCommand(verb)
        case "open" | "diagram":
            return PanelCommand(verb, _which(message, checks) | (_how(message) if verb == "diagram" else {}))
    raise BadCommand(f"Unknown command {verb!r}.")


def _which(message: Mapping[str, Any], checks: Mapping[str, Any]) -> dict[str, Any]:
    check, whose = message.get("check"), message.get("whose", "yours")
    if not isinstance(check, str) or check not in checks:
        raise BadCommand(f"There is no check {check!r}; there are {', '.join(checks)}.")
    if whose not in ("yours", "reference"):
        raise BadCommand(f"A run is yours or the reference's, not {whose!r}.")
    return {"check": check, "whose": whose}


def _how(message: Mapping[str, Any]) -> dict[str, Any]:
    width = message.get("width", 1000)
    if isinstance(width, bool) or not isinstance(width, int | float) or not 360 <= width <= 4000:
        raise BadCommand(f"A diagram is 360 to 4000 wide, not {width!r}.")
    return {"whole": message.get("whole") is True, "width": float(width)}
