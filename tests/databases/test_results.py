"""Result tables that are replaced: what lives on, and what readers and a killed step find."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlflow_runtime.databases.driver import Database

from tests.databases.harness import connect, fail, run_step, succeed
from tests.databases.six_rows import DATA, PREDICT, SIX, TRAIN, rows

# -- what a table has lives on where its columns stay


def test_views_and_keys_live_on(data: Database) -> None:
    succeed(data, PREDICT + "CREATE VIEW pv AS SELECT count(*) AS n FROM pr; CREATE UNIQUE INDEX pri ON pr (id)")
    succeed(data, "INSERT INTO d VALUES (7, 10.5, 1)")
    for _ in range(2):
        succeed(data, PREDICT)
    assert rows(data, "SELECT * FROM pv") == [[7]]
    failure = fail(data, "INSERT INTO pr VALUES (1, 1, 1)")
    assert failure.kind == "database", "the unique index is there"


def test_what_postgres_keeps_of_a_table(postgres: Database) -> None:
    """Case 01: GRANT, COMMENT, index and primary key were gone after the second run, and a view made it fail."""
    succeed(postgres, DATA.format(double="DOUBLE PRECISION") + TRAIN + PREDICT)
    succeed(
        postgres,
        "CREATE VIEW pv AS SELECT count(*) n, sum(y) s FROM pr; GRANT SELECT ON pr TO PUBLIC; ALTER TABLE pr ADD "
        "PRIMARY KEY (id); CREATE INDEX ON pr (a); COMMENT ON TABLE pr IS 'Ours'; COMMENT ON COLUMN pr.a IS 'An a'",
    )
    succeed(postgres, "INSERT INTO d VALUES (7, 10.5, 1);" + PREDICT + PREDICT)
    assert rows(postgres, "SELECT * FROM pv") == [[7, 4]]
    kept = (
        "SELECT relacl IS NOT NULL, obj_description(oid, 'pg_class'), col_description(oid, 2), "
        "(SELECT count(*) FROM pg_index WHERE indrelid = c.oid) FROM pg_class c WHERE relname = 'pr'"
    )
    assert rows(postgres, kept) == [[True, "Ours", "An a", 2]]


def test_what_mariadb_keeps_of_a_table(mysql: Database) -> None:
    succeed(mysql, DATA.format(double="DOUBLE") + TRAIN + PREDICT)
    succeed(mysql, "ALTER TABLE pr ADD PRIMARY KEY (id), ADD INDEX pa (a), COMMENT 'Ours'")
    succeed(mysql, "INSERT INTO d VALUES (7, 10.5, 1);" + PREDICT + PREDICT)
    assert rows(mysql, "SELECT count(*) FROM pr") == [[7]]
    assert rows(mysql, "SELECT table_comment FROM information_schema.tables WHERE table_name = 'pr'") == [["Ours"]]
    keys = "SELECT DISTINCT index_name FROM information_schema.statistics WHERE table_name = 'pr' ORDER BY 1"
    assert rows(mysql, keys) == [["pa"], ["PRIMARY"]]


def test_an_engine_without_transactions(mysql: Database) -> None:
    succeed(mysql, DATA.format(double="DOUBLE") + TRAIN + PREDICT)
    succeed(mysql, "ALTER TABLE pr ENGINE=MyISAM, ADD PRIMARY KEY (id); INSERT INTO d VALUES (7, 10.5, 1);" + PREDICT)
    made = rows(mysql, "SHOW CREATE TABLE pr")[0][1]
    assert "PRIMARY KEY" in str(made)
    assert "MyISAM" in str(made)
    assert rows(mysql, "SELECT count(*) FROM pr") == [[7]]


def test_a_key_that_the_new_rows_break_keeps_the_old_ones(data: Database) -> None:
    succeed(data, PREDICT + "CREATE UNIQUE INDEX pri ON pr (id); INSERT INTO d VALUES (6, 2, 0)")
    assert fail(data, PREDICT).kind == "database"
    assert rows(data) == SIX


def test_a_failure_while_rows_are_computed_keeps_the_old_ones(data: Database) -> None:
    succeed(data, PREDICT + "INSERT INTO d VALUES (7, NULL, 1)")
    succeed(data, "SELECT a, y FROM d WHERE a < 9 TO TRAIN sklearn.linear_model.LogisticRegression LABEL y INTO m")
    assert "NULL" in fail(data, PREDICT).message
    assert rows(data) == SIX
    assert data.execute("SELECT count(*) FROM pr") == [(6,)]


DIE = {
    "postgres": "from sqlflow_runtime.databases.postgres import Postgres as D\nD.copy_binary = lambda *_: os._exit(9)",
    "mysql": "from sqlflow_runtime.databases.mysql import MySQL as D\nword = 'INSERT INTO `', 'RENAME TABLE'",
    "sqlite": "from sqlflow_runtime.databases.sqlite import Sqlite as D\nword = 'INSERT INTO \"',",
    "duckdb": "from sqlflow_runtime.databases import duckdb_results\n"
    "duckdb_results.DuckDBResults.put = lambda *_: os._exit(9)",
}
"""Python that ends a step while a table is being written: old rows are deleted, new ones are not there yet."""
DIE_AT_WORD = (
    "\nrun = D.execute\nD.execute = lambda s, sql, *a: os._exit(9) if sql.startswith(word) else run(s, sql, *a)"
)


@pytest.mark.parametrize("columns", ["*", "id, a, 1 AS one, y"])
def test_a_killed_step_leaves_the_old_rows(
    data: Database, request: pytest.FixtureRequest, tmp_path: Path, columns: str
) -> None:
    kind = data.dialect
    succeed(data, PREDICT + "INSERT INTO d VALUES (7, 10.5, 1)")
    files = {"duckdb": f"duckdb:///{tmp_path}/test.duckdb", "sqlite": f"sqlite:///{tmp_path}/test.sqlite"}
    url = files.get(kind) or request.getfixturevalue(f"{kind}_url")
    if kind == "duckdb":
        data.close()
    before = "import os\n" + DIE[kind] + (DIE_AT_WORD if "word" in DIE[kind] else "")
    text = f"SELECT {columns} FROM d TO PREDICT pr.y USING m"
    done = run_step(tmp_path, url, text, "--statements", "1", dialect=kind, before=before)
    assert done.code == 9, done.stdout
    with closing(connect(url)) as after:
        assert rows(after) == SIX
        succeed(after, text + ";")
        assert len(rows(after)) == 7, "and the next run finds nothing in its way"


def test_readers_see_the_old_rows_or_the_new_ones(data: Database, request: pytest.FixtureRequest) -> None:
    if data.dialect in ("duckdb", "sqlite"):
        pytest.skip("one connection has the file, or a writer keeps readers waiting")
    url = request.getfixturevalue("postgres_url" if data.dialect == "postgres" else "mysql_url")
    succeed(data, PREDICT)
    done, seen = threading.Event(), set()

    def read() -> None:
        with closing(connect(url)) as other:
            while not done.is_set():
                seen.add(other.execute("SELECT count(*) FROM pr")[0][0])

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for _ in range(5):
            succeed(data, PREDICT)
    finally:
        done.set()
        reader.join()
    assert seen == {6}


def test_inside_a_transaction_that_is_rolled_back(data: Database) -> None:
    succeed(data, PREDICT + "INSERT INTO d VALUES (7, 10.5, 1)")
    succeed(data, "BEGIN;" + PREDICT + "SELECT count(*) FROM pr; ROLLBACK")
    assert rows(data) == SIX


# -- other columns


def test_other_columns_make_it_again(data: Database) -> None:
    succeed(data, PREDICT + "CREATE INDEX pri ON pr (id)")
    ran = succeed(data, "SELECT id, a, 1 AS one, y FROM d TO PREDICT pr.y USING m; SELECT * FROM pr ORDER BY id")
    assert ran.of("columns")[0]["names"] == ["id", "a", "one", "y"]
    assert len(ran.rows(2)) == 6
    assert "index pri" in ran.logged
    succeed(data, PREDICT)


def test_other_columns_under_a_view_of_postgres(postgres: Database) -> None:
    succeed(postgres, DATA.format(double="DOUBLE PRECISION") + TRAIN + PREDICT + "CREATE VIEW pv AS SELECT y FROM pr")
    failure = fail(postgres, "SELECT id, a, 1 AS one, y FROM d TO PREDICT pr.y USING m")
    assert (failure.kind, failure.line, failure.column) == ("usage", 1, 45)
    assert "view pv" in failure.message
    assert "DROP view pv" in failure.hint
    assert rows(postgres) == SIX


def test_foreign_keys_to_it(data: Database) -> None:
    if data.dialect == "sqlite":
        data.execute("PRAGMA foreign_keys = ON")
    succeed(data, PREDICT + "CREATE UNIQUE INDEX pri ON pr (id)")
    if data.dialect == "duckdb":
        succeed(data, "DROP INDEX pri; ALTER TABLE pr ADD PRIMARY KEY (id)")
    succeed(data, "CREATE TABLE child (id INTEGER, FOREIGN KEY (id) REFERENCES pr (id) {})".format(
        "" if data.dialect == "duckdb" else "ON DELETE CASCADE"
    ) + "; INSERT INTO child VALUES (1)")  # fmt: skip
    failure = fail(data, PREDICT)
    assert "child" in failure.message
    assert rows(data, "SELECT * FROM child") == [[1]]
