"""A run as a picture and as a story, from a list of events: a simulated trace's or real nodes'.

`spacetime_svg` draws, `tell` tells, `page` puts both into one HTML file; `read_timeline` gives the facts that these
are made of.
"""

from labs.pictures.html import page
from labs.pictures.spacetime import spacetime_svg
from labs.trace.story import tell
from labs.trace.timeline import Timeline, origin_of, read_timeline

__all__ = ["Timeline", "origin_of", "page", "read_timeline", "spacetime_svg", "tell"]
