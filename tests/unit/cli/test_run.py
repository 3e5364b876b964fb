"""`sqlflow run` and `sqlflow version` as a person calls them."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlflow_cli.__main__ import main

from tests.support.commands import run_here
from tests.support.waiting import wait_for

ROOT = Path(__file__).resolve().parents[3]
IRIS = ROOT / "examples" / "01-iris"


def sqlflow(*arguments: str | Path, text: str | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    return run_here(main, ["sqlflow", *map(str, arguments)], text or "", {"NO_COLOR": "1", "COLUMNS": "120"} | env)


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


WIDE = (
    ", ".join(f"'value-{n:04}' AS column_{n}" for n in range(30))
    + ", 12345678901234567890.12345 AS exact, NULL AS none"
)


@pytest.mark.parametrize("columns", ["", "80", "1000"])
def test_a_wide_result_loses_nothing(columns: str) -> None:
    """A table where it fits, else one value a line; no cell is broken."""
    ran = sqlflow("run", "-", "--database", "duckdb://", text=f"SELECT {WIDE} FROM range(3)", COLUMNS=columns)
    lines = ran.stdout.splitlines()
    for n in range(30):
        assert sum(f"value-{n:04}" in line for line in lines) == 3
        assert f"column_{n}" in ran.stdout
    assert ran.stdout.count("12345678901234567890.12345") == 3
    if columns == "1000":
        assert len(lines) == 8
    else:
        assert max(map(len, lines)) < 80
        assert lines[1] == "── row 1 ──"
        assert lines[2] == "column_0  │ value-0000"
        assert [part.strip() for part in lines[33].split("│")] == ["none", "NULL"]


def test_numbers_are_never_broken_and_long_texts_are_folded() -> None:
    text = f"SELECT {'9' * 38}::DECIMAL(38,0) AS n, repeat('x', 300) AS t, {'8' * 38}::DECIMAL(38,0) AS m"
    ran = sqlflow("run", "-", "--database", "duckdb://", text=text, COLUMNS="130")
    assert "9" * 38 in ran.stdout
    assert "8" * 38 in ran.stdout
    assert ran.stdout.count("x") == 300
    narrow = sqlflow("run", "-", "--database", "duckdb://", text=text, COLUMNS="60")
    assert "m │ " + "8" * 38 in narrow.stdout
    assert "t │ " + "x" * 300 in narrow.stdout


def test_numbers_stand_at_the_right_whatever_the_database_calls_them() -> None:
    text = "SELECT * FROM (VALUES (1::HUGEINT, INTERVAL 1 DAY), (1000, INTERVAL 2 DAY)) t(n, i)"
    ran = sqlflow("run", "-", "--database", "duckdb://", text=text)
    assert ran.stdout.splitlines()[3].startswith("   1 │ 1 day")


def test_lines_within_a_value_stay_lines() -> None:
    text = "SELECT 'one' || chr(10) || 'two' AS a, " + WIDE
    ran = sqlflow("run", "-", "--database", "duckdb://", text=text, COLUMNS="80")
    assert "a         │ one\n          │ two\n" in ran.stdout


def test_a_cell_that_was_cut_says_so() -> None:
    ran = sqlflow("run", "-", "--database", "duckdb://", text="SELECT repeat('x', 70000) AS t, 1 AS n", COLUMNS="80")
    assert ran.stdout.count("x") == 65536
    assert "x…" in ran.stdout.replace("\n", "").replace(" ", "")


def test_progress_has_a_share_and_the_time_so_far() -> None:
    ran = sqlflow("run", "-", "--database", "sqlite://", text="SELECT 1; SELECT 2; SELECT 3")
    shares = re.findall(r"(\d) of 3 done \((\d+) %\) after [\d.]+ s", ran.stdout)
    assert shares == [("1", "33"), ("2", "66"), ("3", "100")]
    assert "3 statements done in" in ran.stdout


def test_the_statement_that_runs_is_in_a_log_before_it_ends(tmp_path: Path) -> None:
    ran = sqlflow("run", "-", "--database", "sqlite://", text="SELECT 1;\nSELECT * FROM missing")
    assert ran.stdout.index("[2/2] SELECT") < ran.stdout.index("no such table")
    assert ran.stdout.count("[2/2]") == 1


MANIFEST = """apiVersion: sqlflow.org/v1alpha1
kind: SQLFlowJob
metadata: {name: a}
spec:
  dialect: DIALECT
  dataSource: {secretRef: {name: s}}
  previewRows: 2
  program: |
    CREATE TABLE t (x int);
    -- fill
    INSERT INTO t VALUES (1), (2), (3);
    SELECT x FROM t;
"""


@pytest.mark.parametrize("dialect", ["sqlite", "duckdb"])
def test_the_program_of_a_manifest_runs(tmp_path: Path, dialect: str) -> None:
    file = tmp_path / "job.yaml"
    file.write_text(MANIFEST.replace("DIALECT", dialect), encoding="utf-8")
    for arguments, text in ((("run", file), None), (("run", "-"), file.read_text(encoding="utf-8"))):
        ran = sqlflow(*arguments, "--database", f"{dialect}://", text=text)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert "[3/3] SELECT" in ran.stdout
        assert "first 2 rows" in ran.stdout


@pytest.mark.parametrize(
    ("change", "arguments", "words"),
    [
        (("DIALECT", "postgres"), [], "the program's dialect is postgres, and the database is of the kind sqlite"),
        (("DIALECT", "sqlite"), ["--dialect", "sqlite"], "spec.dialect"),
        (("    SELECT x", "    SELECT 'x"), [], "job.yaml:12:"),
        (("    SELECT x FROM t;", "    SELECT x FROM t TO RUN team/image;"), [], "TO RUN needs CMD"),
        (("program: |", "program: >"), [], "program: |"),
        (("dataSource", "source"), [], "spec.dataSource: Field required"),
        (("kind: SQLFlowJob", "kind: ConfigMap"), [], "holds no SQLFlowJob"),
    ],
)
def test_a_manifest_that_cannot_run(tmp_path: Path, change: tuple[str, str], arguments: list[str], words: str) -> None:
    file = tmp_path / "job.yaml"
    file.write_text(MANIFEST.replace(*change).replace("DIALECT", "sqlite"), encoding="utf-8")
    ran = sqlflow("run", file, "--database", f"sqlite:///{tmp_path}/a.db", *arguments)
    assert ran.returncode == 2
    assert words in ran.stderr
    assert not (tmp_path / "a.db").exists()


@pytest.mark.parametrize(
    ("dialect", "url", "pair"),
    [
        ("snowflake", "postgresql://u@h/d", "postgres with postgresql://"),
        ("mysql", "sqlite://", "sqlite with sqlite://"),
        ("postgres", "mariadb://u@h/d", "mysql with mysql://"),
    ],
)
def test_the_dialect_must_be_the_databases(dialect: str, url: str, pair: str) -> None:
    ran = sqlflow("run", "-", "--database", url, "--dialect", dialect, text="SELECT 1")
    assert ran.returncode == 2
    assert f"the program's dialect is {dialect}" in ran.stderr
    assert pair in ran.stderr


def test_what_cannot_run_is_refused_before_the_first_statement(tmp_path: Path) -> None:
    text = "CREATE TABLE t (x int);\nSELECT * FROM t TO TRAIN nobody.Own LABEL x INTO m"
    ran = sqlflow("run", "-", "--database", f"sqlite:///{tmp_path}/a.db", text=text)
    assert ran.returncode == 2
    assert "error[unknown-estimator]: there is no estimator `nobody.Own`" in ran.stderr
    assert not (tmp_path / "a.db").exists()


def test_commands_of_images_run_only_where_that_is_said(tmp_path: Path) -> None:
    text = """CREATE TABLE t (x int);
    SELECT * FROM t TO RUN team/image CMD 'python3', '-c', 'import os; print(os.environ["SQLFLOW_TO_RUN_IMAGE"] * 2)'"""
    command = ("run", "-", "--database", f"sqlite:///{tmp_path}/a.db", "--verbose")
    ran = sqlflow(*command, text=text)
    assert ran.returncode == 2
    assert "statement 2 runs a command in the image team/image, which needs a cluster" in ran.stderr
    assert not (tmp_path / "a.db").exists()
    ran = sqlflow(*command, "--without-images", text=text)
    assert ran.returncode == 0, ran.stderr
    assert "team/imageteam/image" in ran.stdout


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
            [sys.executable, "-m", "sqlflow_cli", "run", str(program), "--database", "sqlite://"],
            stdout=stream,
        )
    try:
        wait_for(lambda: "1 row" in out.read_text(), "the first statement has ended")
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
