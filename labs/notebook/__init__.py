"""What the notebooks use, so that their cells stay one thought long.

Law of this package: presentation for people who learn. All works without a person at the keyboard, too: a question that
nobody answers does not hold the notebook up.
"""

from labs.notebook.asking import compare, predict, quiz
from labs.notebook.charts import curves, places
from labs.notebook.clusters import all_well, beside, cluster, end, exercise, panel
from labs.notebook.conforming import conform
from labs.notebook.nodes import nodes_are
from labs.notebook.puzzles import picture_quiz
from labs.notebook.surveys import lost_run, survey
from labs.notebook.telling import failure, lost, outcome, picture, roles, told, watch

__all__ = [
    "all_well", "beside", "cluster", "compare", "conform", "curves", "end", "exercise", "failure", "lost", "lost_run",
    "nodes_are", "outcome", "panel", "picture", "picture_quiz", "places", "predict", "quiz", "roles", "survey", "told",
    "watch",
]  # fmt: skip
