"""What `labs.cluster` promises to have, it has."""

from __future__ import annotations

import pytest

import labs.cluster


@pytest.mark.parametrize("name", labs.cluster.__all__)
def test_every_name_can_be_imported_from_the_package(name: str) -> None:
    assert getattr(labs.cluster, name).__name__ == name if name != "FAST" else labs.cluster.FAST
