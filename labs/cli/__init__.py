"""The command line, `replab`: one module for each command, and `app` that puts them together."""

from labs.cli.app import main

__all__ = ["main"]
