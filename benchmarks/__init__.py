"""Measurements of the node and of what it is compared with. Not installed; run from the project's folder."""
