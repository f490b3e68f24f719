"""Widgets for JupyterLab: a living picture of a cluster, and an exercise's checks with all that they saw."""

from labs.panel.exercise import ExercisePanel
from labs.panel.panel import ClusterPanel

__all__ = ["ClusterPanel", "ExercisePanel"]
