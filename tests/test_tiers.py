"""What a plain `pytest` runs, and what it says about the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ("pytester",)

CONFTEST = (Path(__file__).parent / "conftest.py").read_text(encoding="utf-8")
SETTINGS = """
[pytest]
testpaths = here
markers =
    docker
    browser
    notebook
    slow
    sample
"""


with_workers = pytest.mark.parametrize(
    "workers", [pytest.param((), id="alone"), pytest.param(("-n", "2"), id="two workers", marks=pytest.mark.slow)]
)


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Three tests: a quick one, a slow one, and one that must be skipped. No plugin but xdist: some take seconds to
    load."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p xdist")
    pytester.makeini(SETTINGS)
    pytester.makeconftest(CONFTEST)
    folder = pytester.mkdir("here")
    (folder / "test_some.py").write_text(
        "import pytest\n"
        "def test_quick(): pass\n"
        "@pytest.mark.slow\ndef test_slow(): pass\n"
        "@pytest.mark.docker\ndef test_in_a_container(): pytest.skip('no engine answers')\n"
    )
    return pytester


@pytest.mark.slow
def test_of_a_test_with_many_cases_a_plain_run_takes_the_first_ones(project: pytest.Pytester) -> None:
    (project.path / "here" / "test_more.py").write_text(
        "import pytest\n"
        "many = pytest.mark.parametrize('number', range(5))\n"
        "@pytest.mark.sample(2)\n@many\ndef test_some(number): assert number < 2\n"
        "@many\ndef test_all(number): pass\n"
    )

    result = project.runpytest_subprocess()

    result.assert_outcomes(passed=1 + 2 + 5)
    result.stdout.fnmatch_lines(["left out: 5 tests (1 docker, 4 slow); pytest --full runs them all"])


@with_workers
def test_a_plain_run_leaves_the_slow_kinds_out_and_says_so(project: pytest.Pytester, workers: tuple[str, ...]) -> None:
    result = project.runpytest_subprocess(*workers)

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["left out: 2 tests (1 docker, 1 slow); pytest --full runs them all"])


@pytest.mark.slow
def test_a_full_run_leaves_nothing_out_and_names_the_reason_of_what_it_skips(project: pytest.Pytester) -> None:
    result = project.runpytest_subprocess("--full")

    result.assert_outcomes(passed=2, skipped=1)
    result.stdout.fnmatch_lines(["skipped: 1 (no engine answers)"])
    result.stdout.no_fnmatch_line("left out:*")


@pytest.mark.slow
@with_workers
def test_whoever_names_a_file_gets_all_of_it(project: pytest.Pytester, workers: tuple[str, ...]) -> None:
    result = project.runpytest_subprocess("here/test_some.py", *workers)

    result.assert_outcomes(passed=2, skipped=1)
