"""The commands and what each is for, so that the help needs none of them.

Law of this module: it imports nothing that takes time.
"""

from __future__ import annotations

import shutil
import textwrap

PURPOSE = "A teaching lab on replication and leader election."
COMMANDS = {
    "steps": "Walk Steps 1-8 of the lesson on a live cluster. Exit code 1 if anything is not as the lesson says.",
    "up": "Keep a cluster running until Ctrl-C, and print what happens in it.",
    "conform": "Check nodes of any language against the lesson: replab conform -- node dist/main.js",
    "status": "Show each node's role, term and data. Exit code 1 if none answers.",
    "doctor": "Check what works on this machine. Exit code 1 if something is missing that the lab cannot do without.",
    "down": "Remove leftover Docker clusters: those whose Python process is gone.",
    "open": "Open the lab's notebooks. Ctrl-C ends it.",
    "singleuser": "Serve the lab to one user of a JupyterHub, which starts it.",
    "site": "Build the web edition: notebooks, panels and exercises in the browser, on simulated clusters.",
    "handout": "Copy the lab; for students without its solutions and the instructor's checks.",
    "check": "Check the exercises as they will be graded. Exit code 1 if anything is missing yet.",
    "grade": "Grade submissions. What is in --out already is not done again, so a broken-off run can be repeated.",
    "simulate": "Run each election on the same random fault schedules and count acknowledged writes that were lost.",
    "replay": "Run one schedule again and tell what happened. Exit code 1 if a rule was broken.",
    "explore": "Try every order of messages and timeouts up to a bound. Exit code 1 if a term gets two leaders.",
    "linearizable": "Print a verdict a line: FILE linearizable, or FILE violation.",
}
"""Each is a module of `labs.cli` with `register(app)`; in the order in which the help shows them."""


def overview() -> str:
    """What `replab --help` says."""
    wide = min(100, shutil.get_terminal_size().columns)
    indent = " " * (max(map(len, COMMANDS)) + 4)
    entries = [
        textwrap.fill(f"  {name:{len(indent) - 2}}{purpose}", wide, subsequent_indent=indent)
        for name, purpose in COMMANDS.items()
    ]
    return "\n".join(
        (
            PURPOSE, "", "Usage: replab COMMAND [ARGUMENTS]", "", *entries, "",
            "replab COMMAND --help tells more about one of them.",
        )
    )  # fmt: skip
