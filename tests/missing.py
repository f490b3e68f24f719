"""What becomes of a test where a program that it needs is not installed.

At home it is skipped and says why. Where `CI` is `true` everything must be tested, so there it fails; but for the
programs in `NOT_IN_CI`, which `.ci/setup` does not install.
"""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

NOT_IN_CI = {"JDK": "the examples in Java"}
"""By program: what is left untested in CI where it is missing. A run's last lines name it, like all skips."""


def skip_without(program: str, why: str) -> NoReturn:
    """`why`: one sentence; it also says how to get the program."""
    if os.environ.get("CI") == "true" and program not in NOT_IN_CI:
        pytest.fail(why)
    pytest.skip(why)
