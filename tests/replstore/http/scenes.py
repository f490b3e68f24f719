"""Asynchronous scenes on this machine, in tests that are plain functions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

HOST = "127.0.0.1"


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Carry the scene out; it fails after 30 seconds."""
    asyncio.run(asyncio.wait_for(test(), 30))


async def until(condition: Callable[[], bool]) -> None:
    """Wait for the condition; fails after ten seconds."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)
