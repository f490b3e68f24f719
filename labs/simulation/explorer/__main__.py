"""The search as a process of its own: `python -m labs.simulation.explorer`, for those who must be able to end it.

The first line of standard input is the election's source text as JSON; the answer is one line of JSON (see `answer`).
It ends when standard input does, whatever the election does meanwhile: who asked has gone.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from typing import Any

from labs.simulation.explorer.search import Search
from labs.simulation.explorer.snapshot import CannotSnapshot
from labs.simulation.loading import election_from_source


def answer(text: str) -> dict[str, Any]:
    """`{told: a sentence}`, and where a term got two leaders also `{steps, events}` of a shortest trace."""
    try:
        report = Search(election_from_source(text)).run()
    except (ValueError, CannotSnapshot) as error:
        return {"told": f"MyElection cannot be searched: {error}"}
    if not report.traces:
        return {"told": str(report)}
    [trace] = report.traces
    events = [event.to_json() for event in trace.events]
    return {"told": trace.problem, "steps": trace.steps, "events": events}


def _end_with_the_input() -> None:
    sys.stdin.read()
    os._exit(1)


def main() -> None:
    text = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_the_input, daemon=True).start()
    with contextlib.redirect_stdout(sys.stderr):  # whatever the election prints is not the answer
        answered = answer(text)
    print(json.dumps(answered, default=repr), flush=True)
    os._exit(0)  # the thread above still waits for the input's end


if __name__ == "__main__":
    main()
