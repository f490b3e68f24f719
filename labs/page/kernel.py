"""What JupyterLite's kernel lacks.

Law of this module: what a widget's message says arrives as it was said; Python's `None` is JSON's `null`.
"""

from __future__ import annotations

from functools import wraps
from typing import Any


def mend() -> None:
    """JupyterLite's kernel turns `None` into JavaScript's `undefined`, which is no null: a panel that asks `=== null`
    would take what is not known for something that is. Once in a page, before a widget is made."""
    from pyodide.ffi import jsnull
    from pyodide_kernel.comm import Comm

    publish = Comm.publish_msg

    @wraps(publish)
    def publish_msg(comm: Any, msg_type: str, data: Any = None, *given: Any, **more: Any) -> None:
        publish(comm, msg_type, with_null(data or {}, jsnull), *given, **more)

    Comm.publish_msg = publish_msg


def with_null(value: Any, null: Any) -> Any:
    """`value` with `null` for every `None` in it, as deep as dictionaries, lists and tuples go."""
    if value is None:
        return null
    if isinstance(value, dict):
        return {key: with_null(one, null) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [with_null(one, null) for one in value]
    return value
