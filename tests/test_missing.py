"""What becomes of tests where a program that they need is not installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import java_node
from tests.missing import NOT_IN_CI, skip_without


@pytest.mark.parametrize("program", ["Node.js", "JDK"])
def test_at_home_a_missing_program_skips_and_says_why(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match="not installed: get it there"):
        skip_without(program, f"{program} is not installed: get it there")


def test_in_ci_only_what_its_setup_leaves_out_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match="Node is not installed"):
        skip_without("Node.js", "Node is not installed")
    for program in NOT_IN_CI:
        with pytest.raises(pytest.skip.Exception, match="not there"):
            skip_without(program, "not there")


def test_without_a_jdk_the_example_in_java_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "no JDK is installed: install a JDK, 17 or newer" in java_node.what_is_missing()

    for program in ("java", "javac"):
        (tmp_path / program).write_text("#!/bin/sh\necho javac 11.0.2\n")
        (tmp_path / program).chmod(0o755)
    assert java_node.what_is_missing().startswith("this JDK is too old (javac 11.0.2)")
