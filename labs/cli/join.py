"""`replab up --join`: one node of a cluster whose other nodes run on other machines."""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Sequence
from datetime import datetime

import typer
from rich.console import Console

from labs.cluster.base import ClusterError, Settings
from labs.cluster.joined import JoinedNode, is_loopback, members_of, own_node
from labs.cluster.registry import announced
from labs.cluster.reply import HttpReply

LOOK_EVERY = 0.3
"""Seconds between two looks at the nodes."""
MUST_AGREE = ("mode", "election")
"""Fields of a status in which all nodes of a cluster have the same value, where they tell it."""


def join(
    addresses: str,
    node: str | None,
    token: str | None,
    settings: Settings,
    command: Sequence[str],
    named_peers: bool,
    console: Console,
    asked_to_end: threading.Event,
) -> None:
    """Run this machine's node until asked to end, and tell what it says and what becomes of the others. Raises
    `typer.BadParameter`, `StartFailed`, and `typer.Exit` with code 1 where the node ends by itself."""
    try:
        members = members_of(addresses)
        name = node or own_node(members)
        mine = JoinedNode(settings, members, name, _checked(token, members), command, named_peers)
    except ClusterError as error:
        raise typer.BadParameter(str(error)) from error
    with mine:
        mine.start()
        for member, url in members.items():
            console.print(f"  {member}  {url}" + ("  (this machine)" if member == name else ""), style="bold")
        console.print(
            "\nThe others run the same command with the same addresses, token and options, each with --as of their own"
            ".\n`replab status` in another terminal shows all nodes. Ctrl-C ends yours.\n"
        )
        with announced("joined", members):
            _tell(mine, console, asked_to_end)
        console.print(f"Ending {name} …")
    console.print("Nothing is left running.")


def _checked(token: str | None, members: dict[str, str]) -> str:
    if token is None:
        if all(is_loopback(url) for url in members.values()):
            return ""
        raise typer.BadParameter(
            "a cluster on a network needs --token: a word that all of you give and nobody else knows, like "
            f"--token {secrets.token_hex(5)}"
        )
    if not re.fullmatch(r"[!-~]{6,200}", token):
        raise typer.BadParameter("--token takes 6 to 200 letters, digits and signs of ASCII, without spaces")
    return token


def _tell(mine: JoinedNode, console: Console, asked_to_end: threading.Event) -> None:
    known = dict.fromkeys(mine.members, "")
    differing: set[str] = set()
    while not asked_to_end.wait(LOOK_EVERY):
        for line in mine.output():
            console.print(f"{_clock()} {line}")
        if mine.ended:
            console.print(f"{mine.node} has ended.", style="red")
            raise typer.Exit(1)
        seen = mine.look()
        for member, reply in seen.items():
            state = _state(member, reply)
            if member != mine.node and state != known[member]:
                console.print(f"{_clock()} {member} {state}", style="dim")
            known[member] = state
        for warning in _differences(mine.node, seen):
            if warning not in differing:
                differing.add(warning)
                console.print(f"{_clock()} {warning}", style="red")


def _state(member: str, reply: HttpReply) -> str:
    if reply.code != 200:
        return f"cannot be reached from here ({reply.error or f'code {reply.code}'})"
    told = reply.body
    if told.get("node_id") != member:
        return f"is not what answers at its address: that calls itself {told.get('node_id')!r}"
    whom = "" if told.get("role") == "leader" else f", follows {told.get('leader_id') or 'nobody yet'}"
    return f"is {told.get('role')} in term {told.get('term')}{whom}"


def _differences(node: str, seen: dict[str, HttpReply]) -> list[str]:
    """Nodes that were started with other options than this one."""
    return [
        f"{member} was started with {field} {reply.body[field]}, {node} with {seen[node].body[field]}: "
        "all of you need the same options"
        for field in MUST_AGREE
        for member, reply in seen.items()
        if field in reply.body and reply.body[field] != seen[node].body.get(field, reply.body[field])
    ]


def _clock() -> str:
    return f"{datetime.now():%H:%M:%S}"
