"""The old place of `replstore.core.bully`, for files that were written before it moved."""

from replstore.core.bully import Bully, Challenge, Coordinator, LaterTerm, Objection

__all__ = ["Bully", "Challenge", "Coordinator", "LaterTerm", "Objection"]
