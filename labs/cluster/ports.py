"""Ports on 127.0.0.1: which are free, and who holds one that is not."""

from __future__ import annotations

import os
import secrets
import socket

import psutil

HOST = "127.0.0.1"
LOWEST, HIGHEST = 20_000, 32_000
"""Free ports are drawn from here: below the ranges from which Linux, macOS and Windows take the local port of an
outgoing connection. A port of those ranges could be lost to any connection while its node is down, and a peer that
knocks at a stopped node's port from that very port would even connect to itself."""


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if os.name == "posix":
            # As the node does: connections that are still closing down do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def choose(count: int) -> list[int]:
    """So many free ports. Another program may take one at any moment: who uses them must be ready for that."""
    found: list[int] = []
    while len(found) < count:
        port = LOWEST + secrets.randbelow(HIGHEST - LOWEST)
        if port not in found and is_free(port):
            found.append(port)
    return found


def holder(port: int) -> str:
    """Who listens on the port, as far as this user may know it: ` (by python, process 4711)`, or nothing."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status != psutil.CONN_LISTEN or not connection.laddr or connection.pid is None:
                continue
            if connection.laddr.port == port:
                return f" (by {psutil.Process(connection.pid).name()}, process {connection.pid})"
    except psutil.Error:
        # Other users' programs are hidden on some systems; the port is taken all the same.
        return ""
    return ""
