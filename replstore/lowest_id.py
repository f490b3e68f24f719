"""The old place of `replstore.core.lowest_id`, for files that were written before it moved."""

from replstore.core.lowest_id import Alive, LowestId, Taken

__all__ = ["Alive", "LowestId", "Taken"]
