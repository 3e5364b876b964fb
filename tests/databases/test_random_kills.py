"""A step that is killed anywhere while it writes, and tried again, leaves exactly what one clean run leaves.

The real `sqlflow-step`, in a process of its own, speaks to the database through a proxy, which kills it with SIGKILL at
a random point of what it sends: between two messages or in the middle of one. Then the step is tried again, as an
engine does it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlflow_codegen.graph import plan_steps
from sqlflow_codegen.language import parse_program
from sqlflow_codegen.manifests import own_arguments
from sqlflow_codegen.ranges import format_ranges
from sqlflow_runtime.databases.driver import Database

from tests.databases.harness import connect, step_command, succeed
from tests.support.examples import chance, scaled
from tests.support.proxy import Proxy
from tests.support.zygote import Zygote

KILLS = scaled(1)
"""Kills of each kind of statement on each database."""

pytestmark = [pytest.mark.database, pytest.mark.random, pytest.mark.timeout(300 + 60 * KILLS)]

DATA = """
CREATE TABLE d AS SELECT n AS id, n / 7.0 AS a, n % 3 AS y, {text} AS t FROM ({numbers}) AS s;
CREATE TABLE t (a INTEGER); CREATE TABLE counter (n INTEGER); INSERT INTO counter VALUES (0);
CREATE TABLE goods AS SELECT 'a' AS good, 3 AS price, 2 AS hours UNION ALL SELECT 'b', 5, 4;
SELECT a, y FROM d TO TRAIN xgboost.gbtree WITH train.num_boost_round=2 LABEL y INTO m;
SELECT * FROM d WHERE id < 500 TO PREDICT pr.y USING m;
"""
"""With a result that is there already: PREDICT INTO another table makes one, INTO this one replaces its rows."""
NUMBERS = {
    "postgres": "SELECT n FROM generate_series(1, 3000) AS g(n)",
    "mysql": "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 900) SELECT n FROM c",
}
TEXT = {"postgres": "repeat(n::text, 20)", "mysql": "repeat(n, 20)"}
KINDS = {
    "plain": "INSERT INTO t VALUES (1); UPDATE counter SET n = n + 1; INSERT INTO t SELECT id FROM d WHERE id < 100; "
    "DELETE FROM t WHERE a = 50; UPDATE counter SET n = n + 10; CREATE TABLE made (a INTEGER); "
    "INSERT INTO made SELECT n FROM counter",
    "train": "SELECT a, y FROM d TO TRAIN xgboost.gbtree WITH train.num_boost_round=5 LABEL y INTO trained",
    "predict": "SELECT * FROM d TO PREDICT pr.y USING m",
    "predict a new table": "SELECT * FROM d TO PREDICT made.y USING m",
    "evaluate": "SELECT a, y FROM d TO EVALUATE m LABEL y INTO made",
    "explain": "SELECT a, y FROM d WHERE id <= 300 TO EXPLAIN m INTO made",
    "optimize": "SELECT * FROM goods TO MAXIMIZE SUM(price * amount) CONSTRAINT SUM(hours * amount) <= 9 "
    "WITH variables='amount(good)', var_type='NonNegativeIntegers' INTO made",
}


@pytest.fixture(params=["postgres", "mysql"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"{request.param}_url"))


@contextmanager
def fresh(url: str, dialect: str) -> Iterator[Database]:
    """A database with the data, and nothing else."""
    with closing(connect(url)) as database:
        if dialect == "postgres":
            database.execute("DROP SCHEMA public CASCADE")
            database.execute("CREATE SCHEMA public")
        else:
            database.execute("DROP DATABASE test")
            database.execute("CREATE DATABASE test CHARACTER SET utf8mb4")
            database.execute("USE test")
        succeed(database, DATA.format(numbers=NUMBERS[dialect], text=TEXT[dialect]))
        yield database


def contents(url: str) -> dict[str, Any]:
    """All tables but the notes about steps: columns and rows."""
    with closing(connect(url)) as database:
        tables = [name for name in database.tables() if name not in ("sqlflow_ledger", "sqlflow_steps")]
        found = {}
        for name in tables:
            shown = {
                "sqlflow_models": "name, version, size, sha256",
                "sqlflow_model_blocks": "name, version, block, md5(content)",
            }.get(name, "*")
            rows = sorted(database.execute(f"SELECT {shown} FROM {name}"), key=repr)
            found[name] = (database.describe(f"SELECT * FROM {name}"), rows)
        return found


class Steps:
    """Starts one step again and again."""

    def __init__(self, zygote: Zygote, folder: Path, text: str, dialect: str) -> None:
        (step,) = plan_steps(parse_program(text, dialect))
        own = [part for name, value in own_arguments(step).items() for part in (f"--{name}", value)]
        options = ["--statements", format_ranges(step.statements), "--retries", "3", *own]
        command = step_command(folder, text, *options, dialect=dialect)
        self._zygote, self._folder = zygote, folder
        self._arguments = command[command.index("--program") :]

    def run(self, url: str, proxy: Proxy | None = None) -> tuple[int, str]:
        """Run the step to its end; returns its exit code and output."""
        env = {"SQLFLOW_DATABASE_URL": proxy.url if proxy else url, "SQLFLOW_RUN": "r"}
        env["SQLFLOW_TERMINATION_LOG"] = str(self._folder / "termination-log")
        begun = proxy.serve if proxy else (lambda _pid: None)
        try:
            return self._zygote.run(self._arguments, env, self._folder / "output", begun)
        finally:
            if proxy is not None:
                proxy.close()


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with closing(Zygote()) as process:
        yield process


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_step_that_is_tried_again(zygote: Zygote, tmp_path: Path, url: str, kind: str) -> None:
    dialect = "postgres" if url.startswith("postgres") else "mysql"
    steps = Steps(zygote, tmp_path, KINDS[kind], dialect)
    with fresh(url, dialect):
        pass
    whole = Proxy(url)
    code, output = steps.run(url, whole)
    assert code == 0, output
    expected = contents(url)
    choices = chance(f"{kind} {dialect}")
    for _ in range(KILLS):
        kill(steps, url, dialect, whole.sent, expected, choices)


def kill(steps: Steps, url: str, dialect: str, pieces: int, expected: dict[str, Any], choices: random.Random) -> None:
    """Kill a step at a random piece, try again until it is done, and compare."""
    with fresh(url, dialect):
        pass
    at, share = choices.randrange(pieces), choices.choice([0.0, 1.0, choices.random()])
    where = f"killed at piece {at} of {pieces}, of which the server got {share:.2f}"
    proxy = Proxy(url, at, share)
    code, output = steps.run(url, proxy)
    assert (code, proxy.struck) == (-9, True), f"{where}: {output}"
    for _ in range(3):
        code, output = steps.run(url)
        if code not in (3, 4):
            break
    assert code == 0, f"{where}: {output}"
    assert contents(url) == expected, where
    print(where)
