"""Widgets for JupyterLab: a living picture of a cluster."""

from labs.panel.panel import ClusterPanel

__all__ = ["ClusterPanel"]
