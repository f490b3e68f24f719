"""What a node prints on its terminal: a line for each note that concerns people.

Law of this module: a table and nothing else. Real nodes print these lines, and so does the simulated cluster.
"""

from __future__ import annotations

LOG_LINES: dict[str, str] = {
    "started": "Store Node listening on port {port}",
    "data_lost": "⚠ The journal is gone, and with it the entries that this node had acknowledged",
    "recovering": "Neither votes nor leads until a leader has sent everything again",
    "caught_up": "Holds everything again, up to entry {entries} (keys: {keys})",
    "recovered": "Recovered term {term} from the journal (keys: {keys})",
    "election_timeout": "Election timeout! Starting election...",
    "waiting_for": "Waiting for {leader} to become leader",
    "became_leader": "👑 Became LEADER for term {term}",
    "stepped_down": "Stepped down from term {term}",
    "following": "Following {leader} in term {term}",
    "catching_up": "Fetching from {source} what this node lacks",
    "write_lost": "⚠ Lost an acknowledged write: {op} {key} (entry {index} of term {term})",
    "installed_snapshot": "Installed a snapshot as of entry {index} (keys: {keys})",
    "election_failed": "The election strategy raised {error}",
    "undeliverable": "⚠ Cannot send a {message} to {to}: {reason}",
    "write_left_out": "⚠ Left out of the journal: {key} (entry {index} of term {term}). {reason}",
    "stopping": "Stopping",
}
"""What people see on the terminal; other notes are only events."""
