"""The old place of `replstore.core.election`, for files that were written before it moved."""

from replstore.core.election import Election, ElectionContext, LogView, Seat

__all__ = ["Election", "ElectionContext", "LogView", "Seat"]
