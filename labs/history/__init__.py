"""What clients saw: recorded, kept in files, and judged.

Start with `Recorder` to get a history from a cluster (or `load` one), then `check` (linearizability),
`check_sessions`, `staleness`, `lost_writes` and `divergence`. `labs.pictures.history` draws.
"""

from labs.history.files import load, save
from labs.history.generate import linearizable_history
from labs.history.linearizability import LinearizabilityViolation, Verdict, check, is_linearizable
from labs.history.models import CAS_REGISTER, REGISTER, TEXT, Model, model_for
from labs.history.operations import History, HistoryError, Operation
from labs.history.record import Recorder, RecordingClient
from labs.history.replicas import Divergence, LostWrite, divergence, lost_writes, read_back
from labs.history.sessions import SessionViolation, check_sessions, violations_of
from labs.history.staleness import Staleness, staleness

__all__ = [
    "CAS_REGISTER",
    "REGISTER",
    "TEXT",
    "Divergence",
    "History",
    "HistoryError",
    "LinearizabilityViolation",
    "LostWrite",
    "Model",
    "Operation",
    "Recorder",
    "RecordingClient",
    "SessionViolation",
    "Staleness",
    "Verdict",
    "check",
    "check_sessions",
    "divergence",
    "is_linearizable",
    "linearizable_history",
    "load",
    "lost_writes",
    "model_for",
    "read_back",
    "save",
    "staleness",
    "violations_of",
]  # fmt: skip
