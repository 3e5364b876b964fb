"""`sqlflow-step` as a process: records on stdout, exit codes, termination message, stop, output of libraries."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest
from sqlflow_codegen.contract import parse_record

from tests.databases.harness import read_outcome, run_step, step_command, step_env
from tests.support.servers import PASSWORD, Server
from tests.support.waiting import wait_for

MEMORY = "sqlite://"


def test_records_and_exit_code(tmp_path: Path) -> None:
    done = run_step(tmp_path, MEMORY, "SELECT 1 AS a; SELECT 'x' AS b", "--statements", "1-2", dialect="sqlite")
    assert (done.code, done.stderr) == (0, "")
    kinds = [record["type"] for record in done.records]
    assert kinds == [*["statement_started", "columns", "row", "statement_finished"] * 2, "end"]
    assert [record["n"] for record in done.records] == list(range(1, 10))
    assert all(parse_record(line) for line in done.stdout.splitlines())
    assert done.outcome is not None
    assert done.outcome.finished == (1, 2)


def test_only_the_statements_named(tmp_path: Path) -> None:
    done = run_step(tmp_path, MEMORY, "SELECT 1; SELECT 2; SELECT 3", "--statements", "3,1", dialect="sqlite")
    assert [record["values"] for record in done.of("row")] == [[3], [1]]


def test_a_failure_goes_to_the_termination_message(tmp_path: Path) -> None:
    done = run_step(tmp_path, MEMORY, "SELECT 1;\nSELECT * FROM nope", "--statements", "1-2", dialect="sqlite")
    assert done.code == 1
    assert done.outcome is not None
    error = done.outcome.error
    assert error is not None
    assert (error.statement, error.line, error.column, error.kind) == (2, 2, 15, "database")
    assert done.outcome.finished == (1,)
    assert done.of("error")[0]["message"] == error.message == "no such table: nope"


@pytest.mark.parametrize(
    ("arguments", "text", "url", "words"),
    [
        (["--statements", "9"], "SELECT 1", MEMORY, "no statement 9"),
        (["--statements", "x"], "SELECT 1", MEMORY, "names no statements"),
        (["--statements", "1"], "SELECT 1; SELECT 'open", MEMORY, "quote"),
        (["--statements", "1"], "SELECT 1", "", "SQLFLOW_DATABASE_URL is not set"),
        (["--statements", "1"], "SELECT 1", "mysql://u:p@tcp(h:1)/db", "SQLFlow's old form"),
        (["--statements", "1", "--ledger"], "SELECT 1", MEMORY, "SQLFLOW_RUN is not set"),
    ],
)
def test_bad_usage(tmp_path: Path, arguments: list[str], text: str, url: str, words: str) -> None:
    done = run_step(tmp_path, url, text, *arguments, dialect="sqlite", SQLFLOW_RUN="")
    assert done.code == 2
    (error,) = done.of("error")
    assert error["kind"] == "usage"
    assert words in error["message"]


def test_an_unknown_argument_is_bad_usage(tmp_path: Path) -> None:
    assert run_step(tmp_path, MEMORY, "SELECT 1", "--nonsense").code == 2


def test_an_unknown_dialect_is_bad_usage(tmp_path: Path) -> None:
    done = run_step(tmp_path, MEMORY, "SELECT 1", "--statements", "1", dialect="klingon")
    assert done.code == 2
    assert "klingon" in done.of("error")[0]["message"]


def test_an_unreachable_database(tmp_path: Path) -> None:
    url = "postgresql://u:canary-secret@127.0.0.1:1/db"
    done = run_step(tmp_path, url, "SELECT 1", "--statements", "1")
    assert done.code == 3
    assert done.outcome is not None
    assert done.outcome.error is not None
    assert done.outcome.error.kind == "connection"
    assert "secretRef" in done.outcome.error.hint
    assert "canary" not in done.stdout + done.stderr


@pytest.mark.database
def test_the_password_appears_nowhere(tmp_path: Path, postgres_server: Server) -> None:
    good = postgres_server.url()
    quoted = good.split(":")[2].split("@")[0]
    text = f"DO $$ BEGIN RAISE NOTICE '{PASSWORD} and {quoted}'; END $$;\nSELECT \"{PASSWORD}\""
    prints = f"import os; os.environ['X'] = '1'; print({good!r})"
    outputs = [
        run_step(tmp_path, good, text, "--statements", "1-2", before="import atexit"),
        run_step(tmp_path, postgres_server.url(user="other"), "SELECT 1", "--statements", "1"),
        run_step(tmp_path, postgres_server.url("nope"), "SELECT 1", "--statements", "1"),
        run_step(tmp_path, good, "SELECT 1", "--statements", "1", before=_print_when_running(prints)),
    ]
    assert [done.code for done in outputs] == [1, 3, 3, 0]
    for done in outputs:
        words = done.stdout + done.stderr + (tmp_path / "termination-log").read_text()
        assert PASSWORD not in words
        assert quoted not in words
    assert "***" in outputs[3].stdout


def _print_when_running(code: str) -> str:
    """Python that makes a step execute `code` where a library would print."""
    return (
        "import sqlflow_runtime.plain as plain\n_run = plain.run\n"
        f"def run(session, statement):\n    exec({code!r})\n    return _run(session, statement)\nplain.run = run\n"
    )


def test_whatever_is_printed_becomes_log_records(tmp_path: Path) -> None:
    code = (
        "import ctypes, os, subprocess, sys, warnings\n"
        "print('from python')\n"
        "sys.stderr.write('to stderr')\n"
        "warnings.warn('a warning')\n"
        "os.write(1, b'raw \\xff bytes')\n"
        "ctypes.CDLL(None).puts(b'from C')\n"
        "subprocess.run(['echo', 'from a child'])\n"
        'print(\'{"type": "error"}\')\n'
    )
    done = run_step(
        tmp_path, MEMORY, "SELECT 1", "--statements", "1", dialect="sqlite", before=_print_when_running(code)
    )
    assert (done.code, done.stderr) == (0, "")
    logs = done.of("log")
    words = "\n".join(record["message"] for record in logs)
    for part in (
        "from python",
        "to stderr",
        "a warning",
        "raw \ufffd bytes",
        "from C",
        "from a child",
        '{"type": "error"}',
    ):
        assert part in words
    assert {record["statement"] for record in logs} == {1}
    assert [record["type"] for record in done.records[-2:]] == ["statement_finished", "end"], (
        "logs of a statement come before its end"
    )


def test_a_flood_of_output_is_bounded(tmp_path: Path) -> None:
    code = "for _ in range(40000):\n    print('x' * 100)"
    done = run_step(
        tmp_path, MEMORY, "SELECT 1", "--statements", "1", dialect="sqlite", before=_print_when_running(code)
    )
    assert done.code == 0
    assert len(done.stdout) < 3_000_000
    assert "further lines are not shown" in done.of("log")[-1]["message"]


def test_a_statement_that_may_run_again_is_marked(tmp_path: Path) -> None:
    text = "BEGIN; CREATE TABLE t (a INT); SELECT 1; COMMIT; SELECT 2"
    done = run_step(tmp_path, MEMORY, text, "--statements", "1-5", dialect="sqlite")
    assert [record.get("open", False) for record in done.of("statement_finished")] == [True, True, True, False, False]


def test_the_last_record_is_the_end_however_the_step_ends(tmp_path: Path) -> None:
    code = "import atexit, os; atexit.register(lambda: os.write(1, b'too late'))"
    for text, number, expected in (("SELECT 1", "1", 0), ("SELECT * FROM nope", "1", 1), ("SELECT 1", "9", 2)):
        done = run_step(tmp_path, MEMORY, text, "--statements", number, dialect="sqlite", before=code)
        assert done.code == expected
        records = [record for line in done.stdout.splitlines() if (record := parse_record(line))]
        assert [record["type"] for record in records].index("end") == len(records) - 1
        assert records[-1]["n"] == len(records)


def test_a_fault_of_our_own_is_told(tmp_path: Path) -> None:
    done = run_step(
        tmp_path, MEMORY, "SELECT 1", "--statements", "1", dialect="sqlite", before=_print_when_running("1/0")
    )
    assert done.code == 4
    assert done.of("error")[0]["kind"] == "internal"
    assert "ZeroDivisionError" in done.of("error")[0]["message"]
    assert any("Traceback" in record["message"] for record in done.of("log"))


def test_out_of_memory_is_told(tmp_path: Path) -> None:
    done = run_step(
        tmp_path,
        MEMORY,
        "SELECT 1",
        "--statements",
        "1",
        dialect="sqlite",
        before=_print_when_running("raise MemoryError"),
    )
    assert done.code == 4
    assert done.outcome is not None
    assert done.outcome.error is not None
    assert (done.outcome.error.kind, done.outcome.error.statement) == ("memory", 1)


@pytest.mark.database
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_statement_in_the_database(
    tmp_path: Path, postgres_server: Server, number: signal.Signals
) -> None:
    command = step_command(tmp_path, "SELECT 1;\nSELECT pg_sleep(600) AS canary_sleep", "--statements", "1-2")
    running = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE query LIKE '%canary_sleep' AND state = 'active' AND pid <> pg_backend_pid()"
    )
    with postgres_server.connect() as admin:
        process = subprocess.Popen(
            command, env=step_env(tmp_path, postgres_server.url()), stdout=subprocess.PIPE, encoding="utf-8"
        )
        try:
            wait_for(lambda: admin.execute(running.encode()).fetchone() == (1,), "the statement runs")
            process.send_signal(number)
            stdout, _ = process.communicate(timeout=20)
        finally:
            process.kill()
        assert process.returncode == 143
        assert admin.execute(running.encode()).fetchone() == (0,)
    outcome = read_outcome(tmp_path)
    assert outcome is not None
    assert outcome.error is not None
    assert (outcome.error.kind, outcome.error.statement, outcome.error.line) == ("stopped", 2, 2)
    assert outcome.finished == (1,)
    assert '"kind":"stopped"' in stdout


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_a_signal_interrupts_a_library_in_this_process(tmp_path: Path, kind: str) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i > 0) SELECT max(i % 7) FROM n"
    command = step_command(tmp_path, endless, "--statements", "1", dialect=kind)
    process = subprocess.Popen(command, env=step_env(tmp_path, f"{kind}://"), stdout=subprocess.PIPE, encoding="utf-8")
    try:
        assert process.stdout is not None
        assert "statement_started" in process.stdout.readline()
        process.terminate()
        stdout, _ = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 143
    assert '"kind":"stopped"' in stdout


BIG = (
    *("numpy", "pandas", "pyarrow", "scipy", "sklearn", "skops", "xgboost", "lightgbm", "keras", "jax", "shap"),
    *("matplotlib", "highspy", "fsspec", "sqlglot", "sqlalchemy", "tenacity", "typer", "adbc_driver_manager"),
)
"""Libraries that plain SQL does not need."""
CHECKED_BEFORE = (
    *("language.checks", "language.ir", "language.model_parser", "language.lexer", "catalogue", "graph"),
    *("databases.result_writers", "databases.result_tables"),
)
"""Modules of ours that only model statements need; a step of a program of plain SQL begins without them."""


def imported(folder: Path, url: str, text: str, dialect: str) -> list[str]:
    """The modules that a step has imported at its end, which has executed the first statement of a program."""
    after = "import atexit, sys; print_at = sys.stderr; atexit.register(lambda: print(*sys.modules, file=print_at))"
    ran = run_step(folder, url, text, "--statements", "1", dialect=dialect, before=after)
    assert ran.code == 0, ran.stdout
    return ran.stderr.split()


@pytest.mark.parametrize(
    "kind", [*(pytest.param(kind, marks=pytest.mark.database) for kind in ("postgres", "mysql")), "sqlite", "duckdb"]
)
def test_a_plain_sql_step_imports_no_big_library(request: pytest.FixtureRequest, tmp_path: Path, kind: str) -> None:
    served = kind in ("postgres", "mysql")
    url = request.getfixturevalue(f"{kind}_url") if served else f"{kind}:///{tmp_path}/db"
    before = imported(tmp_path, url, "SELECT 1; SELECT * FROM t TO TRAIN xgboost.gbtree LABEL a INTO m", kind)
    assert "sqlflow_runtime.plain" in before
    assert sorted(set(BIG) & set(before)) == []
    alone = imported(tmp_path, url, "SELECT 1; SELECT 2", kind)
    own = [name.partition(".")[2] for name in alone if name.startswith(("sqlflow_codegen.", "sqlflow_runtime."))]
    assert sorted(set(CHECKED_BEFORE) & set(own)) == []


def test_a_library_that_does_not_return_is_left(tmp_path: Path) -> None:
    before = (
        "import sqlflow_runtime.step as step, sqlflow_runtime.stop as stop\n"
        "step.Stop = lambda give_up: stop.Stop(give_up, grace=0.5)\n"
    )
    code = "import time\nprint('now it hangs', flush=True)\nwhile True: time.sleep(1)"
    command = step_command(
        tmp_path, "SELECT 1", "--statements", "1", dialect="sqlite", before=before + _print_when_running(code)
    )
    process = subprocess.Popen(command, env=step_env(tmp_path, MEMORY), stdout=subprocess.PIPE, encoding="utf-8")
    try:
        assert process.stdout is not None
        while "now it hangs" not in process.stdout.readline():
            pass
        process.terminate()
        stdout, _ = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 143
    outcome = read_outcome(tmp_path)
    assert outcome is not None
    assert outcome.error is not None
    assert (outcome.error.kind, outcome.error.statement, outcome.error.title) == ("stopped", 1, "SELECT")
    assert '"kind":"stopped"' in stdout
