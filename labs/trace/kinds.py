"""The vocabulary of events: every kind of note, fault and message that the lab knows, and the families they form.

Law of this module: names only. Whoever reads or writes events takes the names from here, so that a word has the same
meaning in a rule, in a picture, in a sentence and on a panel. Other kinds may occur: a strategy notes what it likes.
"""

from __future__ import annotations

from typing import Any, Literal

from replstore.core.bully import Objection
from replstore.core.lowest_id import Alive
from replstore.core.messages import (
    FetchLog,
    Heartbeat,
    HeartbeatReply,
    LogConflict,
    Replicate,
    Replicated,
    Snapshot,
    SnapshotReceived,
)

# Notes: what a node says of itself.
STARTED = "started"
STOPPING = "stopping"
RECOVERED = "recovered"
DATA_LOST = "data_lost"
"""The journal is gone, and with it entries that the node had acknowledged."""
RECOVERING = "recovering"
"""It counts as absent in elections until it holds everything again."""
CAUGHT_UP = "caught_up"
"""It does."""
STATE = "state"
"""Term and vote were saved."""
ELECTION_TIMEOUT = "election_timeout"
ELECTION_FAILED = "election_failed"
"""The strategy raised an exception."""
WAITING_FOR = "waiting_for"
BECAME_LEADER = "became_leader"
STEPPED_DOWN = "stepped_down"
FOLLOWING = "following"
CATCHING_UP = "catching_up"
APPENDED = "appended"
TRUNCATED = "truncated"
COMMITTED = "committed"
WRITE_LOST = "write_lost"
INSTALLED_SNAPSHOT = "installed_snapshot"
CONNECTED = "connected"
DISCONNECTED = "disconnected"

NODE_NOTES = frozenset(
    (
        *(STARTED, STATE, BECAME_LEADER, STEPPED_DOWN, FOLLOWING, CATCHING_UP, COMMITTED),
        *(APPENDED, TRUNCATED, WRITE_LOST, INSTALLED_SNAPSHOT, RECOVERED, STOPPING),
        *(DATA_LOST, RECOVERING, CAUGHT_UP),
    )
)
"""Notes of the node itself. The others are made by strategies and links."""

# Faults: what was done to a node …
START = "start"
RESTART = "restart"
STOP = "stop"
KILL = "kill"
CRASH = "crash"
PAUSE = "pause"
RESUME = "resume"

RUN_OUT = "run_out"
"""A node's clock was put forward until its election did something. In the simulator only."""

STARTS = frozenset((START, RESTART))
STOPS = frozenset((STOP, KILL, CRASH))
"""After one of these the node does not run."""

# … and to the network.
PARTITION = "partition"
HEAL = "heal"
CUT = "cut"
"""One direction of one link."""
DISCONNECT = "disconnect"
"""One node cannot connect to another, and only answers to the other's messages arrive there. In the simulator only."""
HOLD = "hold"
"""What one node says to another waits until the `RELEASE`. In the simulator only."""
RELEASE = "release"
DELAY = "delay"
LOSS = "loss"
SETTINGS = "settings"
"""Delay and loss together, as a node's fault settings."""

NETWORK = frozenset((PARTITION, HEAL, CUT, DELAY, LOSS, SETTINGS))

# Messages, by the name of their class.
MessageFamily = Literal["heartbeat", "replication", "election"]

HEARTBEAT = Heartbeat.__name__
ALIVE = Alive.__name__
"""What a node says that does not lead: only that it is there."""
FROM_LEADERS = frozenset(cls.__name__ for cls in (Heartbeat, Replicate, Snapshot))
"""Messages that only a leader sends."""

_HEARTBEATS = frozenset(cls.__name__ for cls in (Heartbeat, HeartbeatReply, Alive))
_REPLICATION = frozenset(
    cls.__name__ for cls in (Replicate, Replicated, LogConflict, Snapshot, SnapshotReceived, FetchLog)
)
OF_THE_NODE = _HEARTBEATS | _REPLICATION
"""Messages that no strategy of one's own sends."""

_REPLIES = frozenset(cls.__name__ for cls in (HeartbeatReply, Replicated, LogConflict, SnapshotReceived, Objection))
_REPLY_SUFFIXES = ("Reply", "Answer", "Response")

YES = frozenset(("granted", "vote_granted", "ok", "yes", "success", "accepted", "grant"))
"""What strategies call the field of a reply that says yes or no."""

PRE = frozenset(("pre", "prevote", "pre_vote"))
"""What strategies call the field that makes a vote a pre-vote."""


def family_of(message: str) -> MessageFamily:
    """What a message is for. Every message that is not the node's own belongs to an election."""
    if message in _HEARTBEATS:
        return "heartbeat"
    return "replication" if message in _REPLICATION else "election"


def vote_in(details: dict[str, Any]) -> bool | None:
    """The yes or no in a message's fields; None if there is neither."""
    return next((v for name, v in details.items() if name in YES and isinstance(v, bool)), None)


def is_reply(message: str, details: dict[str, Any]) -> bool:
    """Whether it answers another message. Of a strategy's own message the name tells, or a yes or no inside."""
    if family_of(message) == "election" and vote_in(details) is not None:
        return True
    return message in _REPLIES or message.endswith(_REPLY_SUFFIXES)
