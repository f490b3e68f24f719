"""What the environment says: one checked value for each variable, or one clear line about the first that is wrong."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from replstore.core.bully import Bully
from replstore.core.election import Election
from replstore.core.lowest_id import LowestId
from replstore.core.messages import NodeId
from replstore.core.replication import MODES
from replstore.http.access import ANY, is_host, is_origin

T = TypeVar("T")

VARIABLES = (
    *("NODE_ID", "PORT", "HOST", "PEERS", "HEARTBEAT_MS", "ELECTION_TIMEOUT_MS", "REPLICATION_MODE", "ELECTION"),
    *("DATA_DIR", "REPLICATION_DELAY_MS", "CLUSTER_TOKEN", "ALLOW_FAULTS", "EXIT_WITH_PARENT"),
    *("ALLOW_HOST", "ALLOW_ORIGIN"),
)
"""All that a node looks at."""

ELECTIONS: dict[str, type[Election]] = {"lowest-id": LowestId, "bully": Bully}


class BadSettings(ValueError):
    """A variable has a value that cannot be used; the message names the variable and what it takes."""


@dataclass(frozen=True)
class Settings:
    """Times in milliseconds. `peers` gives host and port of each other node."""

    node_id: NodeId
    election: type[Election]
    port: int = 4000
    host: str = "127.0.0.1"
    peers: Mapping[NodeId, tuple[str, int]] = field(default_factory=dict)
    heartbeat_ms: int = 2000
    election_timeout_ms: int = 6000
    mode: str = "async"
    data_dir: Path | None = None
    replication_delay_ms: int = 0
    token: str = ""
    allow_faults: bool = False
    exit_with_parent: bool = False
    allow_hosts: tuple[str, ...] = ()
    allow_origins: tuple[str, ...] = ()


def from_environment(env: Mapping[str, str]) -> Settings:
    """Raises `BadSettings`."""
    node_id = _read(env, "NODE_ID", _node_id, None)
    heartbeat = _read(env, "HEARTBEAT_MS", _whole(1, 3_600_000), 2000)
    timeout = _read(env, "ELECTION_TIMEOUT_MS", _whole(2, 3_600_000), 3 * heartbeat)
    if timeout <= heartbeat:
        raise BadSettings(
            f"ELECTION_TIMEOUT_MS={timeout}: must be longer than HEARTBEAT_MS ({heartbeat}), or every follower would"
            " call an election between two heartbeats"
        )
    nobody: dict[NodeId, tuple[str, int]] = {}
    default_election: type[Election] = LowestId
    peers = _read(env, "PEERS", _peers, nobody)
    if node_id in peers:
        raise BadSettings(f"PEERS: names {node_id} itself; list only the other nodes")
    return Settings(
        node_id=node_id,
        port=_read(env, "PORT", _whole(0, 65535), 4000),
        host=env.get("HOST") or "127.0.0.1",
        peers=peers,
        heartbeat_ms=heartbeat,
        election_timeout_ms=timeout,
        mode=_read(env, "REPLICATION_MODE", _one_of(MODES), "async"),
        election=_read(env, "ELECTION", load_election, default_election),
        data_dir=Path(env["DATA_DIR"]) if env.get("DATA_DIR") else None,
        replication_delay_ms=_read(env, "REPLICATION_DELAY_MS", _whole(0, 60_000), 0),
        token=env.get("CLUSTER_TOKEN", ""),
        allow_faults=_read(env, "ALLOW_FAULTS", _yes_or_no, False),
        exit_with_parent=_read(env, "EXIT_WITH_PARENT", _yes_or_no, False),
        allow_hosts=_read(env, "ALLOW_HOST", _hosts, ()),
        allow_origins=_read(env, "ALLOW_ORIGIN", _origins, ()),
    )


def load_election(name: str) -> type[Election]:
    """`lowest-id`, `bully`, or `module:Class`. Raises `ValueError` saying what is wrong with the name."""
    if name in ELECTIONS:
        return ELECTIONS[name]
    module_name, colon, class_name = name.partition(":")
    if not colon:
        raise ValueError(f"expected one of {', '.join(ELECTIONS)}, or module:Class")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # a student's module can raise anything while it is imported
        raise ValueError(f"cannot import {module_name}: {type(error).__name__}: {error}") from error
    cls = getattr(module, class_name, None)
    if not (isinstance(cls, type) and issubclass(cls, Election)):
        raise ValueError(f"{module_name} has no class {class_name} that derives from replstore.Election")
    return cls


def describe(settings: Settings) -> str:
    """What a node was set to, in one line."""
    places = {
        "election": settings.election.__name__,
        "heartbeat": f"{settings.heartbeat_ms} ms",
        "election timeout": f"{settings.election_timeout_ms} ms",
    }
    told = ", ".join(f"{name} {value}" for name, value in places.items())
    kept = f"journal in {settings.data_dir}" if settings.data_dir else "in memory only, without a journal"
    guarded = "protected by a token" if settings.token else "without a token"
    return f"Mode {settings.mode}, {told}, {kept}, {guarded}"


def mistyped(env: Mapping[str, str]) -> list[str]:
    """A sentence for each variable whose name is nearly, and not quite, one of a node's."""
    sentences = []
    for name in env:
        if name in VARIABLES:
            continue
        # HOSTNAME is nobody's mistake, and of four letters almost everything is near: there only the case may differ.
        near = [known for known in VARIABLES if name.upper() == known] or get_close_matches(
            name.upper(), [known for known in VARIABLES if len(known) > 4], n=1, cutoff=0.85
        )
        sentences += [f"The variable {name} means nothing to a node. Was {known} meant?" for known in near]
    return sentences


# --------------------------------------------------------------------------------------------------------


def _read(env: Mapping[str, str], name: str, parse: Callable[[str], T], default: T | None) -> T:
    text = env.get(name, "")
    if not text:
        if default is None:
            raise BadSettings(f"{name} is not set; it takes an id like node-1")
        return default
    try:
        return parse(text)
    except ValueError as error:
        raise BadSettings(f"{name}={text}: {error}") from error


def _node_id(text: str) -> NodeId:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", text):
        raise ValueError("expected an id like node-1: letters, digits, dot, dash and underscore, 64 at most")
    return text


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise ValueError(f"expected a whole number between {low} and {high}")
        return int(text)

    return parse


def _hosts(text: str) -> tuple[str, ...]:
    hosts = tuple(part.strip() for part in text.split(","))
    if not all(host == ANY or is_host(host) for host in hosts):
        raise ValueError("expected names like lab.example.org, separated by commas, without ports; or *")
    return hosts


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(part.strip() for part in text.split(","))
    if not all(origin == ANY or is_origin(origin) for origin in origins):
        raise ValueError("expected origins like http://lab.example.org:8888, separated by commas, without a path; or *")
    return origins


def _one_of(names: Mapping[str, object]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in names:
            raise ValueError(f"expected one of {', '.join(names)}")
        return text

    return parse


def _yes_or_no(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError("expected 0 or 1")
    return text == "1"


def _peers(text: str) -> dict[NodeId, tuple[str, int]]:
    peers: dict[NodeId, tuple[str, int]] = {}
    for part in text.split(","):
        node_id, equals, url = part.strip().partition("=")
        address = urlsplit(url)
        if not equals or address.scheme != "http" or not address.hostname or address.port is None:
            raise ValueError(f"expected node-2=http://host:port, comma, …; this part is not of that form: {part!r}")
        if _node_id(node_id) in peers:
            raise ValueError(f"{node_id} is named twice")
        peers[node_id] = (address.hostname, address.port)
    return peers
