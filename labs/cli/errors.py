"""What is wrong with what a command was asked for, said without an option parser."""

from __future__ import annotations


class BadRequest(Exception):
    """What cannot be done, and why. `option`: the one that asked for it."""

    def __init__(self, message: str, option: str = "") -> None:
        super().__init__(message)
        self.option = option
