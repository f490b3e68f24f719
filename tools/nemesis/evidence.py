"""What is kept of a round that broke a promise: everything that is needed to see what happened, in one folder."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from labs.cluster import ClusterError
from labs.history import Operation, save
from tools.nemesis.judge import Verdict
from tools.nemesis.plan import Plan
from tools.nemesis.targets import Target

READ_ME = """\
A round of the nemesis that broke a promise.

verdict.txt      what is wrong, and the command that repeats the run
history.jsonl    what clients did and were told: `replab linearizable history.jsonl` judges it again
local-reads.jsonl  reads of a node's own copy
plan.json        the faults as planned; diary.jsonl: as they happened
events.jsonl     what the nodes told of themselves (a node that was killed takes the last of it along)
contents.json    what each node held in the end
node-N.log, node-N/  what each node printed, and its journal
"""


def keep(
    folder: Path,
    *,
    target: Target,
    plan: Plan,
    diary: list[dict[str, Any]],
    history: list[Operation],
    local_reads: list[Operation],
    verdict: Verdict,
    command: str,
) -> Path:
    """Write everything into `folder`, which is made; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.txt").write_text(READ_ME, encoding="utf-8")
    said = [*verdict.violations, "", f"again: {command}", ""]
    (folder / "verdict.txt").write_text("\n".join(said), encoding="utf-8")
    save(folder / "history.jsonl", history)
    save(folder / "local-reads.jsonl", local_reads)
    (folder / "plan.json").write_text(json.dumps(asdict(plan), indent=1), encoding="utf-8")
    _lines(folder / "diary.jsonl", diary)
    _lines(folder / "events.jsonl", [event.to_json() for event in target.events()])
    (folder / "contents.json").write_text(json.dumps(verdict.contents, indent=1), encoding="utf-8")
    for node in target.node_ids:
        (folder / f"{node}.log").write_text("\n".join(target.whole_log(node)) + "\n", encoding="utf-8")
        try:
            target.copy_data(node, folder / node)
        except (OSError, ClusterError) as error:
            (folder / f"{node}.missing").write_text(f"{error}\n", encoding="utf-8")
    return folder


def _lines(path: Path, records: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
