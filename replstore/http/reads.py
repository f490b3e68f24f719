"""How much is read from a socket at once.

Law of this module: one number and where it is set. What is read, it does not see.
"""

from __future__ import annotations

import asyncio

READ_BYTES = 64 * 2**10


def bound_reads(transport: asyncio.BaseTransport) -> None:
    """asyncio takes 256 KiB of memory for each read. The C library fetches so much anew from the kernel each time and
    gives it back: three more system calls for every message. What a transport calls otherwise is left as it is."""
    if hasattr(transport, "max_size"):
        transport.max_size = READ_BYTES
