"""`sqlflow run` and `sqlflow version` as a person calls them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
IRIS = ROOT / "examples" / "01-iris"


def sqlflow(*arguments: str | Path, text: str | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sqlflow_cli.main", *map(str, arguments)],
        input=text,
        env=os.environ | {"NO_COLOR": "1", "COLUMNS": "120"} | env,
        capture_output=True,
        encoding="utf-8",
        timeout=100,
        check=False,
    )


def test_a_first_look_from_nothing(tmp_path: Path) -> None:
    url = f"duckdb:///{tmp_path}/iris.duckdb"
    loaded = sqlflow("run", IRIS / "load.sql", "--database", url)
    assert loaded.returncode == 0, loaded.stdout + loaded.stderr
    ran = sqlflow("run", IRIS / "program.sql", "--database", url)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "my_model, version 1" in ran.stdout
    accuracy = float(ran.stdout.split("accuracy_score ")[1].split()[0])
    assert accuracy >= 0.93
    assert "petal_length" in ran.stdout
    assert "5 statements done" in ran.stdout


def test_results_are_tables(tmp_path: Path) -> None:
    ran = sqlflow("run", "-", "--database", "sqlite://", text="SELECT 7 AS seven, '[bold]x' AS word, NULL AS none;")
    assert ran.returncode == 0
    lines = ran.stdout.splitlines()
    assert lines[0] == "[1/1] SELECT  (line 1)"
    assert [part.strip() for part in lines[1].split("┃")] == ["seven", "word", "none"]
    assert [part.strip() for part in lines[3].split("│")] == ["7", "[bold]x", "NULL"]
    assert "1 row" in lines[4]


def test_data_does_not_steer_the_terminal() -> None:
    ran = sqlflow("run", "-", "--database", "sqlite://", text="SELECT 'a\x1b[31mred\x07' AS t; SELECT * FROM [\x1b[2J]")
    assert "\x1b" not in ran.stdout
    assert "\\x1b[31mred\\x07" in ran.stdout


def test_records_as_json(tmp_path: Path) -> None:
    ran = sqlflow("run", "-", "--database", "sqlite://", "--format", "json", text="SELECT 1 AS a; SELECT 2 AS b")
    records = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [record["values"] for record in records if record["type"] == "row"] == [[1], [2]]


def test_some_statements_only(tmp_path: Path) -> None:
    ran = sqlflow(
        "run", "-", "--database", "sqlite://", "--format", "json", "--statements", "2", text="SELECT 1; SELECT 2"
    )
    assert '"values":[2]' in ran.stdout
    assert '"values":[1]' not in ran.stdout


def test_a_preview_is_bounded_and_says_so() -> None:
    text = "SELECT * FROM generate_series(1, 1000)"
    ran = sqlflow("run", "-", "--database", "duckdb://", "--preview-rows", "3", text=text)
    assert "first 3 rows" in ran.stdout


def test_the_database_may_come_from_the_environment() -> None:
    assert sqlflow("run", "-", text="SELECT 1", SQLFLOW_DATABASE_URL="sqlite://").returncode == 0


def test_an_error_is_shown_as_a_compiler_does() -> None:
    ran = sqlflow("run", "-", "--database", "sqlite://", text="SELECT 1;\nSELECT *\nFROM missing;")
    assert ran.returncode == 1
    assert "error[database]: no such table: missing" in ran.stdout
    assert "3 | FROM missing" in ran.stdout
    assert "  |      ^~~~~~~" in ran.stdout


def test_a_program_that_cannot_be_parsed() -> None:
    ran = sqlflow("run", "-", "--database", "sqlite://", text="SELECT 1 TO TRAIN xgboost.gbtree LABEL x INTO;")
    assert ran.returncode == 2
    assert "^" in ran.stderr
    assert "statement 1, line 1" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nowhere.sql", "--database", "sqlite://"], 2, "cannot read nowhere.sql"),
        (["-", "--database", "mysql://u:canary@tcp(h:1)/x"], 2, "SQLFlow's old form"),
        (["-", "--database", "postgresql://u:canary@127.0.0.1:1/x"], 3, "Nothing listens"),
        (["-", "--database", "sqlite://", "--dialect", "klingon"], 2, "klingon"),
        (["-", "--database", "sqlite://", "--statements", "9"], 2, "no statement 9"),
        (["-"], 2, "--database"),
    ],
)
def test_what_is_wrong_is_said(arguments: list[str], code: int, words: str) -> None:
    ran = sqlflow("run", *arguments, text="SELECT 1;", SQLFLOW_DATABASE_URL="")
    assert ran.returncode == code, ran.stderr
    assert words in ran.stderr
    assert "canary" not in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr


def test_an_empty_program_is_no_error() -> None:
    assert sqlflow("run", "-", "--database", "sqlite://", text="-- nothing\n").returncode == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_ends_the_statement(tmp_path: Path, number: signal.Signals, code: int) -> None:
    program = tmp_path / "program.sql"
    program.write_text(
        "SELECT 1;\nWITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i % 7) FROM n"
    )
    out = tmp_path / "out"
    with out.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "sqlflow_cli.main", "run", str(program), "--database", "sqlite://"], stdout=stream
        )
    try:
        deadline = time.monotonic() + 30
        while "1 row" not in out.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(number)
        assert process.wait(timeout=20) == code
    finally:
        process.kill()
    assert "stopped before it was done" in out.read_text()


def test_version() -> None:
    ran = sqlflow("version")
    assert ran.returncode == 0
    assert ran.stdout.startswith("sqlflow ")
    assert "python 3." in ran.stdout
