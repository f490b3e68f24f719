"""`from labs.events import Event`, as submissions may say; the class itself is in `labs.trace.events`."""

from labs.trace.events import Event as Event
