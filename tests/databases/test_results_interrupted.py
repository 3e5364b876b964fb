"""The database fails in the middle of TO PREDICT: a clear error, after which another attempt helps; nothing is lost."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from sqlflow_codegen.contract import EXIT_DATABASE_UNREACHABLE
from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.errors import exit_code

from tests.databases.harness import connect, run_program, step_command, step_env, succeed
from tests.databases.six_rows import DATA, PREDICT, SIX, TRAIN, rows
from tests.support.proxy import Proxy

pytestmark = pytest.mark.database

FULL = {
    "postgres": (
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN IF NEW.id = 5 THEN RAISE 'could not extend file' USING ERRCODE = 'disk_full'; END IF; "
        "RETURN NEW; END $$;"
        "CREATE TRIGGER f BEFORE INSERT ON pr FOR EACH ROW EXECUTE FUNCTION full_disk()"
    ),
    "mysql": (
        "CREATE TRIGGER f BEFORE INSERT ON pr FOR EACH ROW "
        "BEGIN IF NEW.id = 5 THEN SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1021, MESSAGE_TEXT = 'Disk full'; "
        "END IF; END"
    ),
}
"""A trigger that fails with the server's own error for a full disk, at one row."""


@pytest.mark.parametrize("kind", ["postgres", "mysql"])
def test_the_servers_disk_is_full(request: pytest.FixtureRequest, kind: str) -> None:
    database = six_rows(request, kind)
    succeed(database, PREDICT + FULL[kind])
    failure = run_program(database, PREDICT).failure
    assert failure is not None
    assert (failure.kind, exit_code(failure)) == ("database", 4), failure.message
    assert "disk is full" in failure.hint
    assert rows(database) == SIX
    succeed(database, "DROP TRIGGER f ON pr" if kind == "postgres" else "DROP TRIGGER f")
    succeed(database, PREDICT)
    assert rows(database) == SIX


@pytest.mark.parametrize("kind", ["postgres", "mysql"])
@pytest.mark.parametrize("part", [0.4, 0.7, 0.9])
def test_the_connection_is_lost(request: pytest.FixtureRequest, tmp_path: Path, kind: str, part: float) -> None:
    """At several places of the way to the last commit: while the model is read, the rows, and the result is written."""
    database = six_rows(request, kind)
    succeed(database, PREDICT + "INSERT INTO d VALUES (7, 10.5, 1)")
    url: str = request.getfixturevalue(f"{kind}_url")
    command = step_command(tmp_path, "SELECT * FROM d TO PREDICT made.y USING m", "--statements", "1", dialect=kind)
    whole = Proxy(url)
    assert whole.run(command, step_env(tmp_path, whole.url))[0] == 0
    command = step_command(tmp_path, PREDICT, "--statements", "1", dialect=kind)
    cut = Proxy(url, int(whole.sent * part), 0.5, kills=False)
    code, output = cut.run(command, step_env(tmp_path, cut.url))
    assert (code, cut.struck) == (EXIT_DATABASE_UNREACHABLE, True), output
    assert '"kind":"connection"' in output
    with closing(connect(url)) as after:
        assert rows(after) == SIX, "the old rows"
        succeed(after, PREDICT)
        assert len(rows(after)) == 7


def six_rows(request: pytest.FixtureRequest, kind: str) -> Database:
    """The table `d` and a model `m` that knows its rows."""
    database: Database = request.getfixturevalue(kind)
    double = "DOUBLE PRECISION" if kind == "postgres" else "DOUBLE"
    succeed(database, DATA.format(double=double) + TRAIN)
    return database
