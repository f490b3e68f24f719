"""Starts the kernel of a page's notebooks: JupyterLite's, with what it lacks.

Law of this module: what a widget's message says arrives as it was said; Python's `None` is JSON's `null`.
"""

from __future__ import annotations

import sys
from typing import Any

from labs.page.start import DRIVE


def begin() -> None:
    """Start IPython in this page's Python, once."""
    from pyodide.ffi import jsnull
    from pyodide_kernel import ipython_shell
    from pyodide_kernel.comm import Comm

    publish = Comm.publish_msg

    def publish_msg(comm: Any, msg_type: str, data: Any = None, *given: Any, **more: Any) -> None:
        """JupyterLite's kernel turns `None` into JavaScript's `undefined`, which is no null: a panel that asks
        `=== null` would take what is not known for something that is."""
        publish(comm, msg_type, with_null(data or {}, jsnull), *given, **more)

    Comm.publish_msg = publish_msg
    ipython_shell.Completer.use_jedi = False  # not in a page: completion asks the objects themselves
    # The visitor's files are mounted after this. An import that has looked for them already, in vain, has noted that
    # there is no such folder, and Python would never look there again.
    sys.path_importer_cache.pop(DRIVE, None)


def with_null(value: Any, null: Any) -> Any:
    """`value` with `null` for every `None` in it, as deep as dictionaries, lists and tuples go."""
    if value is None:
        return null
    if isinstance(value, dict):
        return {key: with_null(one, null) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [with_null(one, null) for one in value]
    return value
