"""Access policy: which values of the headers Host and Origin are taken (same-origin rules, CORS, DNS rebinding).

Law of this module: a pure function of headers. It knows no socket and no node; whoever makes a policy says which names
are its own.

A browser lets every web page send requests to every address, `localhost` too, and says in `Origin` which page it was.
An origin that is not let in is refused before anything is done. After DNS rebinding (an attacker's *name* suddenly
stands for 127.0.0.1) page and node have the same origin for the browser; only `Host` still shows the attacker's name.
So a name must be known. An IP address as Host is always taken: rebinding needs a name. So is a request without Host
(HTTP/1.0): no browser sends one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from replstore.http.syntax import HttpError
from replstore.http.writing import HeaderPairs, Headers

ANY = "*"

_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~%-]{1,255})(?::([0-9]{0,5}))?")
_ORIGIN = re.compile(r"(https?)://([^/?#@\s]+)")


class AccessPolicy:
    """`names`: the names under which this node and its peers are reached. `hosts`, `origins`: who else is let in, as
    the environment's `ALLOW_HOST` and `ALLOW_ORIGIN` say; `*` in them stands for all."""

    def __init__(self, names: Iterable[str] = (), hosts: Iterable[str] = (), origins: Iterable[str] = ()) -> None:
        self._names = frozenset(name.lower() for name in names)
        self._hosts = frozenset(host.lower() for host in hosts)
        self._origins = frozenset(origin.lower() for origin in origins)
        self._decide = lru_cache(256)(self._decided)
        self._last: tuple[Headers | None, HeaderPairs] = (None, ())

    def check(self, headers: Headers) -> HeaderPairs:
        """The CORS header that the answer to these headers carries. Raises `HttpError` 403 for strangers."""
        last, granted = self._last
        if headers is last:  # the parser gives the same object for the same header lines: most often those just seen
            return granted
        granted = self._decide(headers.get("host", ""), headers.get("origin"))
        self._last = (headers, granted)
        return granted

    def _decided(self, host: str, origin: str | None) -> HeaderPairs:
        if host and not self._host_is_known(host_name(host)):
            raise HttpError(
                403,
                f"Host {host[:200]} is not one of this node's names; start the node with ALLOW_HOST=<name> to take it",
            )
        if ANY in self._origins:
            return (("Access-Control-Allow-Origin", "*"),)
        if origin is None:
            return ()
        if not self._origin_is_known(origin.lower(), host.lower()):
            raise HttpError(
                403,
                f"Web pages of {origin[:200]} may not use this node; start the node with ALLOW_ORIGIN=<origin>, or"
                " ALLOW_ORIGIN=* for all, to let them",
            )
        return (("Access-Control-Allow-Origin", origin), ("Vary", "Origin"))

    def _host_is_known(self, name: str) -> bool:
        return is_loopback(name) or _address(name) is not None or bool({name, ANY} & self._hosts) or name in self._names

    def _origin_is_known(self, origin: str, host: str) -> bool:
        if origin in self._origins or origin == f"http://{host}":
            return True
        match = _ORIGIN.fullmatch(origin)
        if match is None:  # "null" is sent for files, sandboxed frames and redirects: anybody's page
            return False
        try:
            name = host_name(match[2])
        except HttpError:
            return False
        return is_loopback(name) or name in self._names


def host_name(authority: str) -> str:
    """Name or address of `name:port`, in lower case. Raises `HttpError` 400 where it is neither."""
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise HttpError(400, "The Host header must be a name or an address, and may have a port: node-1:4000")
    return match[1].lower().removesuffix(".")


def is_loopback(name: str) -> bool:
    """`localhost`, names below it (which browsers resolve themselves, RFC 6761), and loopback addresses."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = _address(name)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped.is_loopback
    return address is not None and address.is_loopback


def is_origin(text: str) -> bool:
    """Whether this is written as browsers write an origin: `http://name`, with a port or without."""
    match = _ORIGIN.fullmatch(text.lower())
    return match is not None and _AUTHORITY.fullmatch(match[2]) is not None


def is_host(text: str) -> bool:
    """Whether this is a name or an address without a port."""
    match = _AUTHORITY.fullmatch(text)
    return match is not None and match[2] is None


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
