"""What a node of the store is told through its environment, and whether a cluster's settings make sense.

The variables are those of `python -m replstore`; processes and containers get the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labs.cluster.base import ClusterError, Settings
from replstore.core.replication import MODES

MOST_NODES = 25


def check_settings(settings: Settings) -> Settings:
    """Give the settings back, or raise one `ClusterError` that says what is wrong and what would be right."""
    for wrong, message in (
        (not 1 <= settings.nodes <= MOST_NODES, f"nodes must be 1 to {MOST_NODES}, not {settings.nodes}"),
        (settings.heartbeat_ms < 1, f"heartbeat must be at least 1 ms, not {settings.heartbeat_ms}"),
        (
            settings.election_timeout_ms <= settings.heartbeat_ms,
            f"the election timeout ({settings.election_timeout_ms} ms) must be longer than the heartbeat "
            f"interval ({settings.heartbeat_ms} ms), or every follower takes its leader for dead",
        ),
        (settings.mode not in MODES, f"mode must be one of {', '.join(MODES)}, not {settings.mode!r}"),
        (
            settings.first_port is not None and not 1 <= settings.first_port <= 65536 - settings.nodes,
            f"first port must be 1 to {65536 - settings.nodes}, not {settings.first_port}",
        ),
    ):
        if wrong:
            raise ClusterError(message)
    return settings


def check_delay(ms: float, jitter_ms: float) -> None:
    if not (0 <= ms <= 60_000 and 0 <= jitter_ms <= 60_000):
        raise ClusterError(f"a delay is 0 to 60000 ms, not {ms:g} ms with jitter {jitter_ms:g} ms")


def check_loss(drop: float, duplicate: float) -> None:
    if not (0 <= drop <= 1 and 0 <= duplicate <= 1):
        raise ClusterError(f"a share of messages is 0 to 1, not drop {drop:g}, duplicate {duplicate:g}")


def node_environment(
    settings: Settings, node: str, addresses: Mapping[str, str], token: str, faults: Mapping[str, Any]
) -> dict[str, str]:
    """The variables for `node`, without HOST, PORT and DATA_DIR, which depend on where it runs.

    `addresses`: each node's URL as its *peers* reach it. `faults`: those in force now; the part of them that
    a node can take from its environment holds from its first message on.
    """
    peers = ",".join(f"{peer}={url}" for peer, url in addresses.items() if peer != node)
    return {
        "NODE_ID": node,
        "PEERS": peers,
        "HEARTBEAT_MS": str(settings.heartbeat_ms),
        "ELECTION_TIMEOUT_MS": str(settings.election_timeout_ms),
        "REPLICATION_MODE": settings.mode,
        "ELECTION": settings.election,
        "REPLICATION_DELAY_MS": str(round(faults.get("replication_delay_ms", 0))),
        "CLUSTER_TOKEN": token,
        "ALLOW_FAULTS": "1",
    }
