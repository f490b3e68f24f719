"""`replab linearizable`: a verdict a line, and honest exit codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from labs.cli.app import main
from labs.cli.linearizable import register
from labs.history import linearizable_history, save

DATA = Path(__file__).parents[1] / "history" / "data"
NAMES = [line.split()[0] for line in (DATA / "VERDICTS.txt").read_text().splitlines()]


def run(*arguments: str | Path) -> tuple[int, str, str]:
    app = typer.Typer()
    app.callback()(lambda: None)  # with a callback, a single command still has its name
    register(app)
    result = CliRunner().invoke(app, ["linearizable", *map(str, arguments)], catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def in_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(DATA)


@pytest.mark.usefixtures("in_data")
def test_the_verdicts_of_all_recorded_histories_are_printed_as_known() -> None:
    code, printed, complaints = run(*NAMES)

    assert printed == Path("VERDICTS.txt").read_text()
    assert (code, complaints) == (1, "")


@pytest.mark.usefixtures("in_data")
def test_exit_code_0_says_that_all_are_linearizable() -> None:
    assert run("etcd_018.log", "kv_c01-ok.txt") == (
        0,
        "etcd_018.log linearizable\nkv_c01-ok.txt linearizable\n",
        "",
    )


def test_our_own_histories_are_judged_too(tmp_path: Path) -> None:
    save(tmp_path / "h.jsonl", linearizable_history(50, seed=1))

    assert run(tmp_path / "h.jsonl") == (0, f"{tmp_path / 'h.jsonl'} linearizable\n", "")


def test_a_file_that_cannot_be_parsed_gives_one_line_with_its_place_and_exit_code_2(tmp_path: Path) -> None:
    bad = tmp_path / "bad.log"
    bad.write_text("INFO  jepsen.util - 0\t:invoke\t:write\t4\nINFO  jepsen.util - 0\t:ok\t:wrote\t4\n")
    good = DATA / "etcd_000.log"

    code, printed, complaints = run(bad, good)

    assert (code, printed) == (2, f"{good} violation\n")
    assert complaints.startswith(f"{bad}:2: not an event of a Jepsen register log")
    assert complaints.count("\n") == 1


def test_a_file_that_cannot_be_read_gives_one_line_and_exit_code_2(tmp_path: Path) -> None:
    code, printed, complaints = run(tmp_path / "missing")

    assert (code, printed) == (2, "")
    assert complaints == f"{tmp_path / 'missing'}: cannot be read: No such file or directory\n"


def test_a_history_that_its_model_cannot_judge_gives_exit_code_2(tmp_path: Path) -> None:
    mixed = tmp_path / "mixed.jsonl"
    operation = '{"client": "a", "kind": "%s", "key": "x", "value": %s, "invoked": 1, "outcome": "unknown"}\n'
    mixed.write_text(operation % ("append", '"t"') + operation % ("delete", "null"))

    code, _, complaints = run(mixed)

    assert code == 2
    assert complaints == f"{mixed}: a text with append has no 'delete': one of put, get, append\n"


def test_pictures_are_written_on_request_one_for_each_violating_key(tmp_path: Path) -> None:
    code, printed, complaints = run(DATA / "kv_c10-bad.txt", DATA / "kv_c10-ok.txt", "--picture", tmp_path / "p")

    assert (code, complaints, len(printed.splitlines())) == (1, "", 2)
    pictures = sorted(path.name for path in (tmp_path / "p").iterdir())
    assert pictures[0] == "kv_c10-bad.txt-1.svg"
    assert len(pictures) == 8


def test_a_folder_for_pictures_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    code, _, complaints = run(DATA / "etcd_000.log", "--picture", tmp_path / "file")

    assert code == 2
    assert complaints.startswith(f"{tmp_path / 'file'}: cannot write the picture")


def test_explanations_go_to_stderr(tmp_path: Path) -> None:
    code, printed, complaints = run(DATA / "etcd_021.log", "--explain")

    assert (code, len(printed.splitlines())) == (1, 1)
    assert "fits nowhere; it could have been get → 2" in complaints


@pytest.mark.usefixtures("in_data")
def test_a_list_of_files_alone_is_judged_without_the_option_parser_and_likewise(
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = ["etcd_018.log", "etcd_000.log", "missing.jsonl"]

    with pytest.raises(SystemExit) as left:
        main(["linearizable", *files])

    printed, complaints = capsys.readouterr()
    assert (left.value.code, printed, complaints) == run(*files)


def test_the_option_parser_is_not_imported_for_that(tmp_path: Path) -> None:
    save(tmp_path / "h.jsonl", linearizable_history(50, seed=1))
    program = "import sys\nfrom labs.cli.app import main\ntry: main()\nfinally: print('typer' in sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", program, "linearizable", "h.jsonl"], cwd=tmp_path, capture_output=True, text=True
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "h.jsonl linearizable\nFalse\n", "")
