"""A run as a picture and as a story, from a list of events: a simulated trace's or real nodes'.

`spacetime_svg` draws, `tell` tells, `page` puts both into one HTML file; `read` gives the facts they are made of.
"""

from labs.pictures.html import page
from labs.pictures.spacetime import spacetime_svg
from labs.trace.story import tell
from labs.trace.timeline import Run, origin_of, read

__all__ = ["Run", "origin_of", "page", "read", "spacetime_svg", "tell"]
