"""TO RUN: the command as a process of the step, on real databases."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.step_context import StepContext

from tests.databases import harness
from tests.databases.harness import Ran, run_program, run_step, step_command, step_env
from tests.support.waiting import wait_for

ODD = ["it's", '"{{workflow.name}}"', "$(HOME) $$(X) `id`", "a\\nb", "ünïcödé 🎉", "", "--flag=x y", "%s"]
PRINT = (
    "import json, os, sys; print(json.dumps([sys.argv[1:], {k: v for k, v in os.environ.items() if 'TO_RUN' in k}]))"
)


def listed(words: list[str]) -> str:
    """The words as texts of CMD."""
    return ", ".join("'" + word.replace("'", "''") + "'" for word in words)


@pytest.fixture(autouse=True)
def commands_may_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the step's own container they may."""

    def context(*args: Any, **fields: Any) -> StepContext:
        return StepContext(*args, runs_commands=True, **fields)

    monkeypatch.setattr(harness, "StepContext", context)


def run_of(database: Database, command: list[str], into: str = "", select: str = "SELECT 1") -> Ran:
    tables = f"INTO {into}" if into else ""
    return run_program(database, f"{select} TO RUN team/image:1 CMD {listed(command)} {tables}")


def logged(folder: Path, url: str, text: str, dialect: str, *arguments: str, **env: str) -> tuple[int, list[str]]:
    ended = run_step(folder, url, text, *arguments, dialect=dialect, **env)
    return ended.code, [record["message"] for record in ended.of("log")]


def test_arguments_and_environment_byte_for_byte(tmp_path: Path) -> None:
    """What a shell, Kubernetes, Argo or Tekton would replace arrives as it is."""
    words = [word for word in ODD if "\\" not in word]
    select = "SELECT '{{x}} $(params.y)' AS it"
    text = f"{select}\nTO RUN hub:5000/team/image:1.0 CMD {listed([sys.executable, '-c', PRINT, *words])}"
    code, lines = logged(tmp_path, f"sqlite:///{tmp_path}/a.db", text, "sqlite", "--statements", "1")
    assert code == 0
    arguments, variables = json.loads(next(line for line in lines if line.startswith("[[")))
    assert arguments == words
    assert variables == {
        "SQLFLOW_TO_RUN_SELECT": select,
        "SQLFLOW_TO_RUN_INTO": "",
        "SQLFLOW_TO_RUN_IMAGE": "hub:5000/team/image:1.0",
    }


WRITER = """
import os, sqlite3, sys
base = sqlite3.connect(os.environ["SQLFLOW_DATABASE_URL"].removeprefix("sqlite:///"))
rows = base.execute(os.environ["SQLFLOW_TO_RUN_SELECT"]).fetchall()
for number, table in enumerate(os.environ["SQLFLOW_TO_RUN_INTO"].split(",")):
    base.execute(f"CREATE TABLE {table} (a)")
    base.executemany(f"INSERT INTO {table} VALUES (?)", rows[number:])
base.commit()
print("written", file=sys.stderr)
"""


def test_tables_are_counted(tmp_path: Path) -> None:
    (tmp_path / "write_them.py").write_text(WRITER)
    text = """CREATE TABLE t AS SELECT 1 AS a UNION SELECT 2 UNION SELECT 3;
    SELECT a FROM t TO RUN team/image:1 CMD 'write_them.py' INTO one, "Two";
    SELECT * FROM "Two";"""
    env = {"PYTHONPATH": str(tmp_path), "SQLFLOW_RUN": "run"}
    done = run_step(tmp_path, f"sqlite:///{tmp_path}/a.db", text, "--statements", "1-3", dialect="sqlite", **env)
    assert done.code == 0, done.stdout
    (finished,) = [record for record in done.of("statement_finished") if record["statement"] == 2]
    assert finished["rows"] == 5
    assert {"one has 3 rows", '"Two" has 2 rows', "written"} <= {r["message"] for r in done.of("log")}


@pytest.mark.parametrize(
    ("command", "kind", "words"),
    [
        (["no-such-program"], "usage", "there is no program no-such-program that can be executed"),
        ([sys.executable, "-c", "raise SystemExit(3)"], "command", "ended with exit code 3"),
        ([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"], "memory", "was killed"),
        ([sys.executable, "-c", "import os; os.kill(os.getpid(), 6)"], "command", "was ended by SIGABRT"),
    ],
)
def test_a_command_that_fails(sqlite: Database, command: list[str], kind: str, words: str) -> None:
    ran = run_of(sqlite, command)
    assert ran.error is not None
    assert (ran.error.kind, ran.error.statement, ran.error.column) == (kind, 1, 17)
    assert words in ran.error.message
    assert ran.failure is not None
    assert ran.failure.final is (kind == "usage"), "another attempt may help, but not where there is no program"


def test_a_table_that_was_not_written(database: Database) -> None:
    database.execute("CREATE TABLE one (a INTEGER)")
    ran = run_of(database, [sys.executable, "-c", "print('hello')"], "one, two")
    assert ran.error is not None
    assert ran.error.kind == "data"
    assert ran.error.message.startswith("the command has ended well, but two cannot be read: ")


def test_counting_on_each_database(database: Database) -> None:
    database.execute("CREATE TABLE one (a INTEGER)")
    database.execute("INSERT INTO one VALUES (1), (2)")
    ran = run_of(database, [sys.executable, "-c", ""], "one")
    assert ran.of("statement_finished")[0]["rows"] == 2


NO_LIBRARIES = """import sys
for name in ("numpy", "pyarrow", "pandas", "sqlglot"):
    sys.modules[name] = None"""


@pytest.mark.parametrize("kind", ["postgres", "mysql"])
@pytest.mark.database
def test_it_needs_no_library_that_the_portable_copy_lacks(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    text = f"SET @a = 1; SELECT 1 TO RUN image CMD {listed(['true'])} INTO one"
    text = text if kind == "mysql" else text.replace("SET @a = 1", "SET search_path TO public")
    url = request.getfixturevalue(f"{kind}_url")
    with closing(harness.connect(url)) as database:
        database.execute("CREATE TABLE one (a INTEGER)")
    done = run_step(
        tmp_path, url, text, "--statements", "2", "--session", "1", dialect=kind, before=NO_LIBRARIES, SQLFLOW_RUN="r"
    )
    assert done.code == 0, done.stdout + done.stderr
    assert done.of("statement_finished")[0]["rows"] == 0


def test_a_select_that_is_too_long_for_a_process(sqlite: Database) -> None:
    ran = run_of(sqlite, ["true"], select=f"SELECT '{'x' * 140_000}'")
    assert ran.error is not None
    assert ran.error.message.startswith("the text for SQLFLOW_TO_RUN_SELECT is longer than")


@pytest.mark.parametrize("program", ["binning.py", "{folder}/binning.py"])
def test_a_python_file_or_module(tmp_path: Path, program: str) -> None:
    (tmp_path / "binning.py").write_text("import sys; print('arguments', *sys.argv[1:])")
    text = f"SELECT 1 TO RUN team/image:1 CMD {listed([program.format(folder=tmp_path), '--bins=3'])}"
    code, lines = logged(tmp_path, "sqlite://", text, "sqlite", "--statements", "1", PYTHONPATH=str(tmp_path))
    assert code == 0
    assert "arguments --bins=3" in lines


def test_an_image_without_python(sqlite: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    ran = run_of(sqlite, ["binning.py"])
    assert ran.error is not None
    assert ran.error.message == "there is no Python in the image for binning.py"


SLEEPER = "import os, sys, time; print('pid', os.getpid(), flush=True); time.sleep(600)"


def test_sigterm_ends_the_command(tmp_path: Path) -> None:
    """And the process that it started; the claim says that it may have done a part."""
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEPER!r}])"
    text = f"SELECT 1 TO RUN team/image:1 CMD {listed([sys.executable, '-c', script])}"
    url = f"sqlite:///{tmp_path}/a.db"
    command = step_command(tmp_path, text, "--statements", "1", "--resumable", dialect="sqlite")
    env = step_env(tmp_path, url, SQLFLOW_RUN="run")
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True, encoding="utf-8") as step:
        assert step.stdout is not None
        started = next(json.loads(line)["message"] for line in step.stdout if '"pid ' in line)
        step.send_signal(signal.SIGTERM)
        records = [json.loads(line) for line in step.stdout]
        assert step.wait(60) == 143
    assert [r["kind"] for r in records if r["type"] == "error"] == ["stopped"]
    wait_for(lambda: not Path(f"/proc/{started.split()[1]}").exists(), "the command's own process ends too")
    again = run_step(tmp_path, url, text, "--statements", "1", "--resumable", dialect="sqlite", SQLFLOW_RUN="run")
    assert again.code == 5, "a run without retries never runs the command twice"


SECOND_TIME = """import pathlib, sys
file = pathlib.Path(sys.argv[1])
count = len(file.read_text()) if file.exists() else 0
file.write_text('x' * (count + 1))
sys.exit(count < 1)"""


def test_a_retry_runs_a_failed_command_again_and_a_done_one_not(tmp_path: Path) -> None:
    text = f"SELECT 1 TO RUN team/image:1 CMD {listed([sys.executable, '-c', SECOND_TIME, f'{tmp_path}/n'])}"
    url = f"sqlite:///{tmp_path}/a.db"
    codes = [
        run_step(tmp_path, url, text, "--statements", "1", "--retries", "3", dialect="sqlite", SQLFLOW_RUN="r").code
        for _ in range(3)
    ]
    assert codes == [4, 0, 0]
    assert (tmp_path / "n").read_text() == "xx"
