"""Tasks for those who change the lab: `nox -l` lists them, `nox` runs lint, types and the quick tests."""

from __future__ import annotations

import nox

nox.options.sessions = ["lint", "types", "tests"]
nox.options.reuse_existing_virtualenvs = True


TESTS_OF_THESE = ("tests/replstore", "tests/simulation", "tests/rules", "tests/trace", "tests/grading")


@nox.session
def lint(session: nox.Session) -> None:
    """Style and common mistakes (ruff)."""
    session.install("ruff")
    session.run("ruff", "check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """mypy --strict."""
    session.install("-e", ".[test,dev]")
    session.run("mypy")


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
def tests(session: nox.Session) -> None:
    """The quick tests, with every supported Python that is installed."""
    session.install("-e", ".[test]")
    session.run("pytest", *session.posargs)


@nox.session
def full(session: nox.Session) -> None:
    """All tests: also those that need Docker, a browser or minutes."""
    session.install("-e", ".[test,dev]")
    session.run("pytest", "--full", *session.posargs)


COVERED = {"replstore/core/*": 97, "labs/rules/*": 85, "labs/grading/*": 75}
"""Which files must be covered, and to how many percent at the least."""


@nox.session(python="3.13")
def coverage(session: nox.Session) -> None:
    """How much of the core, the rules and the grading the tests reach. (From 3.12 on, Python measures this cheaply.)"""
    session.install("-e", ".[test,dev]")
    session.env["COVERAGE_CORE"] = "sysmon"
    session.run("pytest", "--cov", "--cov-report=", *(session.posargs or TESTS_OF_THESE))
    for files, percent in COVERED.items():
        session.run("coverage", "report", f"--include={files}", f"--fail-under={percent}", "--skip-covered")


@nox.session
def panel(session: nox.Session) -> None:
    """The panels' TypeScript: lint, types, tests, and whether the bundle is up to date. Needs Node.js 20."""
    session.chdir("frontend")
    session.run("npm", "ci", external=True)
    session.run("npm", "run", "check", external=True)


@nox.session
def example(session: nox.Session) -> None:
    """The nodes in TypeScript: lint, types, tests, build. Needs Node.js 20."""
    for folder in ("examples/node-typescript", "examples/node-typescript-full"):
        session.run("npm", "--prefix", folder, "ci", external=True)
        session.run("npm", "--prefix", folder, "run", "check", external=True)


@nox.session
def release(session: nox.Session) -> None:
    """Build the wheel and the source archive into dist/."""
    session.install("build")
    session.run("python", "-m", "build")
