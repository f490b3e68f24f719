"""The node of a small replicated key-value store, on the standard library alone."""

__version__ = "0.2.0"
