"""The server side of the `cluster` that a student's function is given: it answers the calls of `child.cluster`.

Law of this module: the cluster belongs to the grader. Student code reaches it only through these verbs, every argument
of which is checked. Its calls are recorded in `calls`, for the checks to judge.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from types import MappingProxyType
from typing import Any

from labs.cluster.base import Answer, Cluster, ClusterError, NodeStatus
from labs.cluster.simulated import SimulatedCluster
from labs.grading.child.values import BadValue, check_json
from labs.grading.errors import ErrorKind, StudentError
from labs.grading.sandbox.limits import DEFAULT, SandboxLimits
from labs.trace.events import Event
from labs.trace.kinds import STARTED

MAX_KEY = 1000
MAX_TEXT = 100_000
MAX_TIMEOUT = 600.0
MAX_EVENTS = 20_000


@dataclass(frozen=True)
class ClusterCall:
    """One thing that the student's code asked the cluster for. Times are the cluster's own, in seconds."""

    method: str
    arguments: Mapping[str, Any]
    result: Any
    """What the trusted cluster gave back: `Answer`, the statuses, a leader's id …; the exception if it raised one."""
    began: float
    ended: float


class ClusterGateway:
    """Hands `cluster` to student code: `session.call("survives", ClusterGateway(cluster))`.

    `allowed` restricts the verbs (None: all). `settings.seed` stays secret. `disguises`: messages of a store that is
    broken on purpose, each with the good store's message that it is to look like.
    """

    def __init__(
        self,
        cluster: Cluster,
        allowed: Collection[str] | None = None,
        disguises: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.cluster = cluster
        self._disguises = disguises
        self.calls: list[ClusterCall] = []
        self.limits: SandboxLimits = DEFAULT
        self._allowed = set(VERBS) if allowed is None else set(allowed) & set(VERBS)
        self._created_at = cluster.now()

    def describe(self) -> dict[str, Any]:
        """What the other side needs to make its proxy."""
        settings = asdict(self.cluster.settings) | {"seed": 0, "python_path": [], "first_port": None}
        may_wait = "sleep" in self._allowed and isinstance(self.cluster, SimulatedCluster)
        return {"settings": settings, "backend": self.cluster.backend, "may_wait": may_wait}

    def serve(self, method: str, arguments: Any) -> dict[str, Any]:
        """Answer one request: `{"ok": JSON}` or `{"raise": [name, text]}`. Raises `StudentError` beyond the budget.

        A `turn` is a `sleep`, if any, and one verb; its answer tells the time afterwards, too.
        """
        if method != "turn":
            return self._serve(method, arguments)
        if type(arguments) is not dict or arguments.keys() != {"sleep", "method", "arguments"}:
            return {"raise": ["ValueError", "a turn is a sleep, a method and its arguments"]}
        if arguments["sleep"] is not None:
            slept = self._serve("sleep", {"seconds": arguments["sleep"]})
            if "raise" in slept:
                return slept
        answer = self._serve(arguments["method"], arguments["arguments"])
        return {"ok": {"result": answer["ok"], "now": self.cluster.now()}} if "ok" in answer else answer

    def _serve(self, method: str, arguments: Any) -> dict[str, Any]:
        self._spend()
        began = self.cluster.now()
        try:
            result = self._carry_out(method, arguments)
        except (ClusterError, _Refused) as error:
            self._record(method, arguments, error, began)
            return {"raise": [_name(error), str(error)]}
        self._record(method, arguments, result, began)
        return {"ok": self._told(result)}

    def _spend(self) -> None:
        if len(self.calls) >= self.limits.cluster_calls:
            raise StudentError(
                ErrorKind.RESOURCE_LIMIT, f"more than {self.limits.cluster_calls:,} calls of the cluster"
            )
        if self._seconds > self.limits.cluster_seconds:
            limit = self.limits.cluster_seconds
            raise StudentError(ErrorKind.RESOURCE_LIMIT, f"more than {limit:,.0f} s of the cluster's own time")

    def _told(self, result: Any) -> Any:
        if not isinstance(result, list):
            return _to_json(result)
        return [event.to_json() for event in _as_of_a_good_store(result, self._disguises)[-MAX_EVENTS:]]

    @property
    def _seconds(self) -> float:
        return self.cluster.now() - self._created_at

    def _record(self, method: str, arguments: Any, result: Any, began: float) -> None:
        known = dict(arguments) if type(arguments) is dict else {}
        self.calls.append(ClusterCall(method, known, result, began, self.cluster.now()))

    def _carry_out(self, method: str, arguments: Any) -> Any:
        if type(method) is not str or method not in self._allowed:
            raise _Refused(f"cluster.{method} is not available here")
        checks = VERBS[method]
        if type(arguments) is not dict or arguments.keys() != checks.keys():
            raise _Refused(f"cluster.{method} takes {', '.join(checks) or 'no arguments'}")
        for name, check in checks.items():
            if problem := check(arguments[name]):
                raise _Refused(f"cluster.{method}: {name} must be {problem}")
        if method == "sleep" and self._seconds + arguments["seconds"] > self.limits.cluster_seconds:
            limit = self.limits.cluster_seconds
            raise StudentError(ErrorKind.RESOURCE_LIMIT, f"more than {limit:,.0f} s of the cluster's own time")
        if method == "partition":
            return self.cluster.partition(*arguments["groups"])
        return getattr(self.cluster, method)(**arguments)


class _Refused(ValueError):
    """An argument that the cluster would not take."""


def _name(error: Exception) -> str:
    return "ValueError" if isinstance(error, _Refused) else type(error).__name__


# --------------------------------------------------------------------------------------------------------
# Arguments: what each must be, None where it is fine

ArgumentCheck = Callable[[Any], str | None]


def _text(value: Any) -> str | None:
    if type(value) is not str or len(value) > MAX_KEY:
        return f"a string of at most {MAX_KEY} characters"
    return None if value.isascii() or _is_unicode(value) else "Unicode text, not half a surrogate pair"


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text_or_none(value: Any) -> str | None:
    return None if value is None else _text(value)


def _flag(value: Any) -> str | None:
    return None if type(value) is bool else "True or False"


def _number(most: float) -> ArgumentCheck:
    def check(value: Any) -> str | None:
        fine = type(value) in (int, float) and isfinite(value) and 0 <= value <= most
        return None if fine else f"a number from 0 to {most:g}"

    return check


def _number_or_none(most: float) -> ArgumentCheck:
    check = _number(most)
    return lambda value: None if value is None else check(value)


def _groups(value: Any) -> str | None:
    fine = type(value) is list and all(type(group) is list and not any(map(_text, group)) for group in value)
    return None if fine else "groups of node ids"


def _json(value: Any) -> str | None:
    try:
        return None if len(repr(check_json(value))) <= MAX_TEXT else f"JSON of at most {MAX_TEXT:,} characters"
    except BadValue as error:
        return f"JSON, not {error}"


_timeout = _number_or_none(MAX_TIMEOUT)
VERBS: dict[str, dict[str, ArgumentCheck]] = {
    "start": {"node": _text_or_none},
    "stop": {"node": _text},
    "kill": {"node": _text},
    "pause": {"node": _text},
    "resume": {"node": _text},
    "restart": {"node": _text},
    "partition": {"groups": _groups},
    "cut": {"sender": _text, "to": _text},
    "heal": {},
    "delay_replication": {"ms": _number(60_000), "jitter_ms": _number(60_000)},
    "lose_messages": {"drop": _number(1), "duplicate": _number(1)},
    "put": {"key": _text, "value": _json, "via": _text_or_none, "timeout": _timeout},
    "get": {"key": _text, "via": _text_or_none, "linearizable": _flag, "timeout": _timeout},
    "delete": {"key": _text, "via": _text_or_none, "timeout": _timeout},
    "status": {},
    "leader": {},
    "events": {},
    "now": {},
    "sleep": {"seconds": _number(1e9)},
}


# --------------------------------------------------------------------------------------------------------
# Results


def _to_json(result: Any) -> Any:
    if isinstance(result, Answer):
        return {**vars(result), "outcome": result.outcome.value}  # (`asdict` would copy the values: far slower)
    if isinstance(result, dict):
        return [_of_node(status) for status in result.values() if isinstance(status, NodeStatus)]
    return result


def _as_of_a_good_store(events: list[Event], disguises: Mapping[str, str]) -> list[Event]:
    """Without the names of classes: that of a broken store would tell what is broken, instead of its behaviour."""
    told: list[Event] = []
    last: dict[tuple[str, str, str], dict[str, Any]] = {}
    for event in events:
        if event.kind == STARTED and event.event == "note":
            event = event._replace(details={"mode": event.details.get("mode")})
        elif event.kind in disguises:
            kind = disguises[event.kind]
            event = event._replace(kind=kind, details=last.get((event.node, event.event, kind), {}))
        elif event.kind in disguises.values():
            last[event.node, event.event, event.kind] = event.details
        told.append(event)
    return told


def _of_node(status: NodeStatus) -> dict[str, Any]:
    """Without the class that elects: that of a store that is broken on purpose would tell what is broken."""
    return {**vars(status), "raw": {name: value for name, value in status.raw.items() if name != "election"}}
