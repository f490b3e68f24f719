"""Commands of other languages on the command line: `… -- CMD`, and `--node node-2='CMD'` for single nodes."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Annotated

import typer

from labs.cluster.base import Cluster, Settings

CommandArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[-- CMD…]", help="The command of a node in any language; default: the lab's Python node."),
]
NodeOption = Annotated[
    list[str] | None,
    typer.Option("--node", metavar="ID=CMD", help="The command of one node: --node node-2='node dist/main.js'."),
]
NamedPeersOption = Annotated[
    bool, typer.Option("--named-peers", help="With a command: PEERS as node-2=http://…, not as bare http://….")
]


def cluster_of_commands(
    settings: Settings, command: Sequence[str] | None, of_nodes: Sequence[str] | None, named_peers: bool
) -> Cluster | None:
    """None where no command was given. Raises as `commands_of`, and `ClusterError` for a node without a command."""
    commands = commands_of(settings, command, of_nodes)
    if not commands:
        if named_peers:
            raise typer.BadParameter("--named-peers is for nodes of a command: add -- CMD")
        return None
    from labs.cluster.foreign import ForeignCluster

    return ForeignCluster(settings, commands, named_peers=named_peers)


def commands_of(
    settings: Settings, command: Sequence[str] | None, of_nodes: Sequence[str] | None
) -> dict[str, list[str]]:
    """The command of each node that has one. Raises `typer.BadParameter` for one that cannot be understood."""
    commands = {name: list(command) for name in settings.node_ids} if command else {}
    for entry in of_nodes or ():
        node, equals, words = entry.partition("=")
        if not equals or not words.strip():
            raise typer.BadParameter(f"--node takes ID=CMD, like node-2='node dist/main.js', not {entry!r}")
        try:
            commands[node] = shlex.split(words)
        except ValueError as error:
            raise typer.BadParameter(f"the command in --node {entry!r} cannot be read: {error}") from error
    return commands
