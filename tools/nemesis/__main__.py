"""`python -m tools.nemesis`: the command line."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from labs.cluster import ClusterError
from replstore.core.replication import MODES
from tools.nemesis.campaign import ELECTIONS, Order, Report, run
from tools.nemesis.plan import KINDS, Pace


def main(arguments: list[str] | None = None) -> int:
    """0: nothing was violated; 1: something was; 2: it could not run."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.backend == "docker" and given.election == "majority" and given.build != "real":
        parser.error("containers get only one package: --election majority needs --build real there")
    if given.node and (given.backend == "docker" or given.build != "real"):
        parser.error("--node goes with --backend process and --build real")
    for entry in given.node or ():
        if not all(entry.partition("=")):
            parser.error(f"--node takes ID=CMD, like node-2='node dist/main.js', not {entry!r}")
    order = _order(given)
    print(f"seed {order.seed}: {order.command}", flush=True)
    try:
        report = run(order, lambda line: print(line, flush=True))
    except ClusterError as error:
        print(f"The cluster could not be run: {error}", file=sys.stderr)
        return 2
    for line in told(order, report):
        print(line)
    return 0 if report.ok else 1


def told(order: Order, report: Report) -> list[str]:
    """The report in sentences."""
    moments = ", ".join(f"{count} {moment}" for moment, count in sorted(report.moments.items()))
    lines = [
        f"{report.rounds} rounds, {report.kills} kills ({moments}), {report.faults} other faults.",
        f"{report.acknowledged} writes acknowledged, {report.unknown} of unknown outcome, {report.refused} refused;"
        f" {report.reads} linearizable reads.",
    ]
    if order.mode == "async":
        lines.append(
            f"{report.lost} acknowledged writes lost (async promises no copies); of these"
            f" {report.lost - report.untold} were reported by a node, {report.untold} were not."
        )
    else:
        lines.append(f"{report.lost} acknowledged writes lost, {len(report.violations)} violations.")
    lines += [f"VIOLATION: {violation}" for violation in report.violations[:20]]
    if report.evidence is not None:
        lines.append(f"Everything about it is in {report.evidence}")
    lines.append(f"Again: {order.command}")
    return lines


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.nemesis",
        description="Breaks real nodes while clients write and read, and judges what the clients were told.",
    )
    add = parser.add_argument
    add("--minutes", type=float, help="how long (default: 1, or as long as --kills and --faults need)")
    add("--kills", type=int, help="stop when so many nodes were killed (and --faults is reached)")
    add("--faults", type=int, help="stop when so many other faults were injected (and --kills is reached)")
    add("--mode", choices=sorted(MODES), default="quorum")
    add("--election", choices=sorted(ELECTIONS), default="lowest-id")
    add("--seed", type=int, default=0, help="the same seed gives the same plan of faults")
    add("--backend", choices=("process", "docker"), default="process")
    add("--nodes", type=int, default=3)
    add("--heartbeat-ms", type=int, default=100)
    add("--election-timeout-ms", type=int, default=400)
    add("--build", default="small", help="`small`: logs and journals that are soon long; `real`: the node as it is")
    add("--node", action="append", metavar="ID=CMD", help="this node is a command that speaks the lab's peer protocol")
    add("--round-seconds", type=float, default=8.0, help="how long clients and faults go on before a verdict")
    add("--only", nargs="+", choices=KINDS, metavar="KIND", default=(), help=f"only these faults: {', '.join(KINDS)}")
    add("--every", type=float, default=Pace().every, help="seconds between two faults, on average")
    add("--keep", type=Path, default=Path("nemesis-evidence"), help="folder for what is kept of a violation")
    return parser


def _order(given: argparse.Namespace) -> Order:
    targets = given.kills is not None or given.faults is not None
    minutes = given.minutes if given.minutes is not None else (600.0 if targets else 1.0)
    return Order(
        mode=given.mode,
        election=given.election,
        seed=given.seed,
        seconds=60 * minutes,
        kills=given.kills,
        faults=given.faults,
        backend=given.backend,
        nodes=given.nodes,
        heartbeat_ms=given.heartbeat_ms,
        election_timeout_ms=given.election_timeout_ms,
        build=given.build,
        round_seconds=given.round_seconds,
        pace=Pace(every=given.every, kinds=tuple(given.only)),
        keep_in=given.keep,
        commands=tuple((node, command) for node, _, command in (entry.partition("=") for entry in given.node or ())),
    )


if __name__ == "__main__":
    sys.exit(main())
