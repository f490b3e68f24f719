"""The environment: every variable understood, every wrong value refused in one line that names it."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from replstore.core.bully import Bully
from replstore.core.lowest_id import LowestId
from replstore.settings import VARIABLES, BadSettings, describe, from_environment, mistyped


def test_a_node_needs_nothing_but_its_id() -> None:
    settings = from_environment({"NODE_ID": "node-1"})

    assert (settings.port, settings.heartbeat_ms, settings.election_timeout_ms) == (4000, 2000, 6000)
    assert settings.mode == "async"
    assert settings.election is LowestId
    assert settings.data_dir is None
    assert not settings.allow_faults


def test_every_variable_is_understood() -> None:
    settings = from_environment(
        {
            "NODE_ID": "node-1",
            "PORT": "4001",
            "HOST": "0.0.0.0",
            "PEERS": "node-2=http://node2:4000, node-3=http://[::1]:4003",
            "HEARTBEAT_MS": "100",
            "ELECTION_TIMEOUT_MS": "400",
            "REPLICATION_MODE": "quorum",
            "ELECTION": "bully",
            "DATA_DIR": "data",
            "REPLICATION_DELAY_MS": "50",
            "CLUSTER_TOKEN": "secret",
            "ALLOW_FAULTS": "1",
            "ALLOW_HOST": "lab.example.org, 10.0.0.1",
            "ALLOW_ORIGIN": "http://a.example:3000, https://b.example",
        }
    )

    assert settings.peers == {"node-2": ("node2", 4000), "node-3": ("::1", 4003)}
    assert settings.election is Bully
    assert settings.data_dir == Path("data")
    assert settings.token == "secret"
    assert settings.allow_faults
    assert settings.allow_hosts == ("lab.example.org", "10.0.0.1")
    assert settings.allow_origins == ("http://a.example:3000", "https://b.example")


def test_the_list_of_variables_is_complete() -> None:
    assert set(VARIABLES) == set(re.findall(r'"([A-Z][A-Z_]+)"', inspect.getsource(from_environment)))


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("REPLICATION_MOD", "REPLICATION_MODE"),
        ("replication_mode", "REPLICATION_MODE"),
        ("NODEID", "NODE_ID"),
        ("PEER", "PEERS"),
        ("HEARTBEAT", "HEARTBEAT_MS"),
        ("ELECTION_TIMEOUT", "ELECTION_TIMEOUT_MS"),
        ("Port", "PORT"),
        ("DATADIR", "DATA_DIR"),
    ],
)
def test_a_variable_that_is_nearly_one_of_ours_is_named(name: str, meant: str) -> None:
    assert mistyped({"NODE_ID": "node-1", name: "x"}) == [
        f"The variable {name} means nothing to a node. Was {meant} meant?"
    ]


def test_the_variables_of_others_are_no_mistakes() -> None:
    others = ("HOSTNAME", "HOME", "PATH", "PYTHONPATH", "LANG", "PS1", "SHLVL", "PWD", "POST", "TOKEN")

    assert mistyped(dict.fromkeys([*others, *VARIABLES], "x")) == []


def test_a_node_can_say_what_it_was_set_to() -> None:
    plain = from_environment({"NODE_ID": "node-1"})
    others = {"REPLICATION_MODE": "sync", "ELECTION": "bully", "DATA_DIR": "d", "CLUSTER_TOKEN": "secret"}
    told = from_environment({"NODE_ID": "node-1", **others})

    assert describe(plain) == (
        "Mode async, election LowestId, heartbeat 2000 ms, election timeout 6000 ms, in memory only, without a journal,"
        " without a token"
    )
    assert describe(told) == (
        "Mode sync, election Bully, heartbeat 2000 ms, election timeout 6000 ms, journal in d, protected by a token"
    )
    assert "secret" not in describe(told)


def test_the_election_timeout_follows_the_heartbeat() -> None:
    assert from_environment({"NODE_ID": "n", "HEARTBEAT_MS": "100"}).election_timeout_ms == 300


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("NODE_ID", "", "not set"),
        ("NODE_ID", "node 1", "an id like node-1"),
        ("NODE_ID", 'x"y', "an id like node-1"),
        ("PORT", "http", "between 0 and 65535"),
        ("PORT", "65536", "between 0 and 65535"),
        ("PORT", "-1", "between 0 and 65535"),
        ("HEARTBEAT_MS", "0", "between 1 and"),
        ("HEARTBEAT_MS", "1.5", "whole number"),
        ("HEARTBEAT_MS", "٣", "whole number"),
        ("ELECTION_TIMEOUT_MS", "2000", "longer than HEARTBEAT_MS"),
        ("REPLICATION_MODE", "eventual", "async, quorum, sync"),
        ("ELECTION", "raft", "lowest-id, bully, or module:Class"),
        ("ELECTION", "no_such_module:Raft", "cannot import"),
        ("ELECTION", "replstore.election:ElectionContext", "derives from"),
        ("PEERS", "node-2", "node-2=http://host:port"),
        ("PEERS", "node-2=https://h:1", "node-2=http://host:port"),
        ("PEERS", "node-2=http://h", "node-2=http://host:port"),
        ("PEERS", "node-2=http://h:99999", ""),
        ("PEERS", "node-2=http://h:1,node-2=http://h:2", "twice"),
        ("PEERS", "node-1=http://h:1", "itself"),
        ("ALLOW_FAULTS", "yes", "0 or 1"),
        ("ALLOW_HOST", "lab:4001", "without ports"),
        ("ALLOW_HOST", "a,", "without ports"),
        ("ALLOW_ORIGIN", "lab.example.org", "http://lab.example.org:8888"),
        ("ALLOW_ORIGIN", "http://lab/", "without a path"),
        ("ALLOW_ORIGIN", "null", "http://lab.example.org:8888"),
        ("REPLICATION_DELAY_MS", "-5", "between 0"),
    ],
)
def test_a_wrong_value_is_refused_in_one_line_that_names_the_variable(name: str, value: str, advice: str) -> None:
    with pytest.raises(BadSettings) as refused:
        from_environment({"NODE_ID": "node-1", name: value})

    assert name in str(refused.value)
    assert advice in str(refused.value)
    assert "\n" not in str(refused.value)


def start(**env: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "replstore"],
        env={**kept, **env},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_node_with_a_wrong_setting_does_not_start() -> None:
    done = start(NODE_ID="node-1", PORT="no")

    assert done.returncode == 1
    assert done.stderr == "PORT=no: expected a whole number between 0 and 65535\n"


def test_a_damaged_journal_keeps_the_node_from_starting(tmp_path: Path) -> None:
    (tmp_path / "journal").write_bytes(b'00000000 {"record":"state","term":1,"vote":null}\n')

    done = start(NODE_ID="node-1", PORT="0", DATA_DIR=str(tmp_path))

    assert done.returncode == 1
    assert "line 1 is damaged" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    done = start(NODE_ID="node-1", PORT="0", DATA_DIR=str(tmp_path / "file"))

    assert done.returncode == 1
    assert "DATA_DIR" in done.stderr
    assert "Traceback" not in done.stderr
