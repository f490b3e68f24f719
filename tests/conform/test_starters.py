"""What students of TypeScript begin with: it builds, does what it says, and fails in what is left to them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from labs.cluster.foreign import PATIENT
from labs.conform import runner
from labs.conform.bench import Nodes
from labs.grading.results import Report, Status
from tests import typescript_node

pytestmark = [pytest.mark.processes, pytest.mark.slow]


def examine(command: list[str], *levels: str) -> Report:
    nodes = Nodes(dict.fromkeys(PATIENT.node_ids, command), PATIENT, named_peers=True)
    return runner.examine(nodes, ["replab", "conform"], runner.Wish(levels))


def failed(report: Report) -> set[str]:
    return {result.id for result in report.checks if result.status is Status.FAILED}


def test_the_starter_of_the_lessons_node_answers_clients_and_leaves_the_rest(tmp_path: Path) -> None:
    typescript_node.command_or_skip()
    example = typescript_node.EXAMPLES / "node-typescript"
    folder = tmp_path / "node"
    shutil.copytree(example, folder, ignore=shutil.ignore_patterns("node_modules", "dist"))
    (folder / "node_modules").symlink_to(example / "node_modules")
    shutil.copyfile(folder / "starter" / "node.ts", folder / "src" / "node.ts")
    subprocess.run(["npm", "run", "build"], cwd=folder, check=True, capture_output=True, timeout=120)

    report = examine(["node", str(folder / "dist" / "main.js")], "wire", "steps")

    assert failed(report) == {"steps.4", "steps.6"}


def test_the_starter_of_an_election_elects_nobody() -> None:
    command = typescript_node.command_or_skip("node-typescript-full")

    report = examine(["env", "ELECTION=my-election", *command], "faults")

    assert failed(report) == {"faults.elects"}
