"""Result tables: which are replaced, which are refused, and what lives on when they are replaced."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlflow_runtime.databases.driver import Database

from tests.databases.harness import Ran, connect, fail, run_step, succeed

DATA = (
    "CREATE TABLE d (id INTEGER, a {double}, y INTEGER); INSERT INTO d VALUES (1, 1.5, 0), (2, 3, 1), (3, 4.5, 0), "
    "(4, 6, 1), (5, 7.5, 0), (6, 9, 1);"
)
TRAIN = "SELECT a, y FROM d TO TRAIN sklearn.tree.DecisionTreeClassifier LABEL y INTO m;"
PREDICT = "SELECT * FROM d TO PREDICT pr.y USING m;"
ROWS = "SELECT id, y FROM pr ORDER BY id"
SIX = [[1, 0], [2, 1], [3, 0], [4, 1], [5, 0], [6, 1]]


@pytest.fixture
def data(database: Database) -> Database:
    """A table `d` of six rows, and a model `m` that knows them."""
    double = "DOUBLE PRECISION" if database.dialect == "postgres" else "DOUBLE"
    succeed(database, DATA.format(double=double) + TRAIN)
    return database


def rows(database: Database, text: str = ROWS) -> list[list[object]]:
    return succeed(database, text).rows()


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
    "postgres": "from sqlflow_runtime.databases.postgres import Postgres\nPostgres.copy = lambda *_: os._exit(9)",
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


# -- what is not replaced


def test_true_labels_are_not_replaced(data: Database) -> None:
    before = rows(data, "SELECT * FROM d ORDER BY id")
    failure = fail(data, "SELECT * FROM d\nTO PREDICT d.y USING m")
    assert (failure.kind, failure.line, failure.column) == ("usage", 2, 12)
    assert "reads d" in failure.message
    assert "result.replace=true" in failure.hint
    failure = fail(data, "CREATE TABLE labels AS SELECT a, y FROM d; SELECT * FROM d TO PREDICT labels.y USING m")
    assert "not made by a result statement" in failure.message
    assert rows(data, "SELECT count(*) FROM labels") == [[6]]
    assert rows(data, "SELECT * FROM d ORDER BY id") == before


def test_what_it_reads_through_a_view(data: Database) -> None:
    succeed(data, PREDICT + "CREATE VIEW v AS SELECT id, a, y FROM pr; CREATE VIEW w AS SELECT * FROM v")
    failure = fail(data, "SELECT * FROM w TO PREDICT pr.y USING m")
    assert "reads pr" in failure.message
    assert "reads pr" in fail(data, "BEGIN; SELECT * FROM w TO PREDICT pr.y USING m").message
    succeed(data, "ROLLBACK" if data.dialect != "duckdb" else "SELECT 1")


NOT_UNDERSTOOD = [
    ("duckdb", "PIVOT pr ON y USING max(id) GROUP BY a"),
    ("mysql", "SELECT id, a, y FROM /*!50000 pr */"),
    ("postgres", "TABLE pr"),
    ("sqlite", "SELECT id, a, y FROM (pr)"),
]


@pytest.mark.parametrize(("kind", "select"), NOT_UNDERSTOOD)
def test_reading_in_ways_that_are_hard_to_see(request: pytest.FixtureRequest, kind: str, select: str) -> None:
    database: Database = request.getfixturevalue(kind)
    double = "DOUBLE PRECISION" if kind == "postgres" else "DOUBLE"
    succeed(database, DATA.format(double=double) + TRAIN + PREDICT)
    text = f"FROM ({select}) q" if kind == "duckdb" else select
    failure = fail(database, f"{text} TO PREDICT pr.z WITH result.replace=false USING m")
    assert "reads pr" in failure.message


def test_a_schema_that_is_not_there(data: Database) -> None:
    failure = fail(data, "SELECT * FROM d TO PREDICT nowhere.pr.y USING m")
    assert (failure.kind, failure.column) == ("usage", 28)
    assert "no schema nowhere" in failure.message


def test_with_leave_everything_is_replaced(data: Database) -> None:
    if data.dialect == "sqlite":
        succeed(data, "CREATE TABLE i AS SELECT id, a, y FROM d; CREATE INDEX ii ON i (id)")
        succeed(data, "SELECT * FROM d TO PREDICT i.y WITH result.replace=true USING m; SELECT * FROM i INDEXED BY ii")
    succeed(data, "CREATE TABLE x AS SELECT 1 AS one; SELECT * FROM d TO PREDICT x.y WITH result.replace=true USING m")
    assert rows(data, "SELECT count(*) FROM x") == [[6]]
    succeed(data, "SELECT * FROM d TO PREDICT x.y USING m"), "from now on it is a result"
    succeed(data, "SELECT * FROM d TO PREDICT d.y WITH result.replace=true USING m")
    assert rows(data, "SELECT id, y FROM d ORDER BY id") == SIX


def test_evaluations_are_guarded_too(data: Database) -> None:
    evaluate = "SELECT * FROM d TO EVALUATE m {} LABEL y INTO {};"
    succeed(data, evaluate.format("", "e") * 2 + "CREATE TABLE mine AS SELECT 1 AS loss")
    assert "not made" in fail(data, evaluate.format("", "mine")).message
    assert "reads d" in fail(data, evaluate.format("", "d")).message
    assert rows(data, "SELECT * FROM mine") == [[1]]
    succeed(data, evaluate.format("WITH result.replace=true", "mine"))
    assert rows(data, "SELECT * FROM mine") == rows(data, "SELECT * FROM e")
    if data.dialect == "mysql":
        assert data.results.find(("e",)).in_place  # type: ignore[union-attr]
    succeed(data, "CREATE VIEW ev AS SELECT loss FROM e;" + evaluate.format("", "e"))
    assert len(rows(data, "SELECT * FROM ev")) == 1
    succeed(data, "DROP VIEW ev")
    succeed(data, evaluate.format('WITH validation.metrics="f1_score"', "e"))
    assert succeed(data, "SELECT * FROM e").of("columns")[0]["names"] == ["loss", "f1_score"]


def test_nothing_is_read_before_a_refusal(data: Database) -> None:
    """The SELECT would fail at its first row."""
    bad = {"sqlite": "abs(CASE id WHEN 1 THEN 1 ELSE -9223372036854775808 END)", "mysql": "(SELECT 1 UNION SELECT 2)"}
    expression = bad.get(data.dialect, "CAST('x' || id AS INTEGER)")
    succeed(data, "CREATE TABLE mine AS SELECT 1 AS one")
    failure = fail(data, f"SELECT id, {expression} AS a FROM d TO PREDICT mine.y USING m")
    assert "not made by" in failure.message


def test_a_table_made_again_by_hand(data: Database) -> None:
    succeed(data, PREDICT + "DROP TABLE pr; CREATE TABLE pr AS SELECT id, a, y AS y FROM d WHERE id < 3")
    assert "not made" in fail(data, PREDICT).message
    assert len(rows(data)) == 2


def test_a_renamed_table_and_a_copy(data: Database) -> None:
    succeed(data, PREDICT + "ALTER TABLE pr RENAME TO kept; CREATE TABLE copied AS SELECT * FROM kept")
    for name in ("kept", "copied"):
        failure = fail(data, PREDICT.replace("pr.", f"{name}."))
        assert "was made as" in failure.message or "not made by" in failure.message
        assert len(rows(data, f"SELECT * FROM {name}")) == 6
    succeed(data, PREDICT)
    assert rows(data) == SIX


def test_a_copy_with_all_that_a_table_has(mysql: Database, postgres: Database) -> None:
    for database, like in ((mysql, "LIKE pr"), (postgres, "(LIKE pr INCLUDING ALL)")):
        double = "DOUBLE PRECISION" if database is postgres else "DOUBLE"
        succeed(database, DATA.format(double=double) + TRAIN + PREDICT)
        succeed(database, f"CREATE TABLE mine {like}; INSERT INTO mine SELECT * FROM pr")
        failure = fail(database, PREDICT.replace("pr.", "mine."))
        assert "renamed or copied" in failure.message
        assert len(rows(database, "SELECT * FROM mine")) == 6


def test_a_mark_survives_a_dump(postgres: Database, sqlite: Database) -> None:
    succeed(sqlite, DATA.format(double="DOUBLE") + TRAIN + PREDICT)
    script = "\n".join(sqlite._connection.iterdump())  # type: ignore[attr-defined]
    with closing(connect("sqlite://")) as other:
        other._connection.executescript(script)  # type: ignore[attr-defined]
        succeed(other, PREDICT)


def test_a_result_of_an_older_version(data: Database) -> None:
    """It has no mark. What must have been made by one is replaced, and its rows are kept aside."""
    old = {"postgres": "bigint", "duckdb": "BIGINT", "sqlite": "INTEGER", "mysql": "BIGINT"}[data.dialect]
    succeed(data, "CREATE TABLE pr AS SELECT id, a FROM d WHERE id < 3")
    succeed(data, f"ALTER TABLE pr ADD COLUMN y {old}; UPDATE pr SET y = 5; CREATE INDEX pri ON pr (id)")
    ran = succeed(data, PREDICT + ROWS)
    assert "pr_before_sqlflow" in ran.logged
    assert ran.rows(2) == SIX
    assert rows(data, "SELECT id, y FROM pr_before_sqlflow ORDER BY id") == [[1, 5], [2, 5]]
    ran = succeed(data, PREDICT)
    assert "older version" not in ran.logged, "only once"


def test_what_no_older_version_made(data: Database) -> None:
    old = {"postgres": "bigint", "duckdb": "BIGINT", "sqlite": "INTEGER", "mysql": "BIGINT"}[data.dialect]
    for number, column in enumerate((f"y {old} DEFAULT 3", f"yy {old}", "y VARCHAR(9)")):
        if data.dialect == "mysql" and "DEFAULT" in column:
            continue  # a table made from a SELECT has the defaults of the SELECT's columns there
        text = f"CREATE TABLE p{number} AS SELECT id, a FROM d; ALTER TABLE p{number} ADD COLUMN {column}"
        assert "not made by" in fail(data, f"{text}; SELECT * FROM d TO PREDICT p{number}.y USING m").message
    succeed(
        data,
        f"CREATE TABLE k AS SELECT id, a FROM d; ALTER TABLE k ADD COLUMN y {old}; CREATE UNIQUE INDEX ki ON k (id)",
    )
    assert "not made by" in fail(data, "SELECT * FROM d TO PREDICT k.y USING m").message


OTHERS = [
    ("postgres", "CREATE VIEW v AS SELECT * FROM d", "view"),
    ("postgres", "CREATE MATERIALIZED VIEW v AS SELECT * FROM d", "materialized view"),
    ("postgres", "CREATE TABLE v (LIKE d) PARTITION BY RANGE (id)", "partitioned table"),
    (
        "postgres",
        "CREATE TABLE w (LIKE d) PARTITION BY RANGE (id); CREATE TABLE v PARTITION OF w FOR VALUES FROM (1) TO (9)",
        "partition",
    ),
    ("postgres", "CREATE SEQUENCE v", "sequence"),
    ("postgres", "CREATE TABLE v (LIKE d); CREATE TABLE w () INHERITS (v)", "table of an inheritance"),
    ("mysql", "CREATE VIEW v AS SELECT * FROM d", "view"),
    ("mysql", "CREATE SEQUENCE v", "sequence"),
    ("mysql", "CREATE TEMPORARY TABLE v AS SELECT * FROM d", "temporary table"),
    ("mysql", "CREATE TABLE v (id INTEGER, a DOUBLE, y INTEGER) ENGINE=MRG_MyISAM", "table of the engine"),
    ("duckdb", "CREATE VIEW v AS SELECT * FROM d", "view"),
    ("sqlite", "CREATE VIEW v AS SELECT * FROM d", "view"),
    ("sqlite", "CREATE VIRTUAL TABLE v USING fts5(a, y)", "virtual table"),
]


@pytest.mark.parametrize(("kind", "text", "what"), OTHERS)
@pytest.mark.parametrize("leave", ["", "WITH result.replace=true"])
def test_what_is_no_table(request: pytest.FixtureRequest, kind: str, text: str, what: str, leave: str) -> None:
    """Case m3: on MariaDB a view was renamed away."""
    database: Database = request.getfixturevalue(kind)
    double = "DOUBLE PRECISION" if kind == "postgres" else "DOUBLE"
    succeed(database, DATA.format(double=double) + TRAIN + text)
    failure = fail(database, f"SELECT * FROM d TO PREDICT v.y {leave} USING m")
    assert failure.kind == "usage"
    assert f"v is a {what}" in failure.message


# -- names


def test_a_schema_is_no_table(data: Database) -> None:
    if data.dialect == "sqlite":
        succeed(data, "ATTACH DATABASE ':memory:' AS mart")
    elif data.dialect != "mysql":
        succeed(data, "CREATE SCHEMA mart")
    schema = "test" if data.dialect == "mysql" else "mart"
    failure = fail(data, f"SELECT * FROM d TO PREDICT {schema}.p2 USING m")
    assert (failure.kind, failure.column) == ("usage", 28)
    assert f"{schema} is a schema" in failure.message
    assert f"{schema}.p2.COLUMN" in failure.hint
    succeed(data, f"SELECT * FROM d TO PREDICT {schema}.p2.y USING m")
    assert len(rows(data, f"SELECT * FROM {schema}.p2")) == 6


def test_tables_whose_names_begin_alike(mysql: Database, mysql_url: str) -> None:
    """Case m1: both went through one building table, and January's got February's rows."""
    succeed(mysql, DATA.format(double="DOUBLE") + TRAIN)
    names = [f"{'predictions_of_the_year_' * 2}{month}" for month in ("january", "february", "march")]

    def predict(number: int) -> Ran:
        with closing(connect(mysql_url)) as database:
            where = f"SELECT d.*, {number} AS month FROM d"
            return succeed(database, f"{where} TO PREDICT {names[number]}.y USING m;" * 3)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(predict, range(3)))
    for number, name in enumerate(names):
        assert rows(mysql, f"SELECT DISTINCT month FROM {name}") == [[number]]


@pytest.mark.parametrize("kind", ["postgres", "mysql"])
def test_two_runs_of_one_target(request: pytest.FixtureRequest, kind: str) -> None:
    database: Database = request.getfixturevalue(kind)
    url = request.getfixturevalue(f"{kind}_url")
    double = "DOUBLE PRECISION" if kind == "postgres" else "DOUBLE"
    succeed(database, DATA.format(double=double) + TRAIN)

    def predict(number: int) -> None:
        with closing(connect(url)) as one:
            succeed(one, f"SELECT d.*, {number} AS run FROM d TO PREDICT pr.y USING m;" * 2, run=f"r{number}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(predict, range(4)))
    assert rows(database, "SELECT count(*), count(DISTINCT run) FROM pr") == [[6, 1]]


NAMES: list[tuple[str, Callable[[Database], bool]]] = [
    ("表" * 21, lambda _: True),
    ("😀" * 15, lambda database: database.dialect != "mysql"),
    ("é" * 31 + "x", lambda _: True),
    ("a.b\"c`d'e %s ? {{x}}", lambda _: True),
    ("SELECT", lambda _: True),
]


@pytest.mark.parametrize(("name", "possible"), NAMES)
def test_names_of_any_kind(data: Database, name: str, possible: Callable[[Database], bool]) -> None:
    """Case m4: 63 bytes on PostgreSQL never worked."""
    if not possible(data):
        pytest.skip("the database has no such names")
    from sqlflow_codegen.language.names import quote

    target = quote(name, data.dialect)
    for _ in range(2):
        succeed(data, f"SELECT * FROM d TO PREDICT {target}.{target} USING m")
    assert len(rows(data, f"SELECT {target} FROM {target}")) == 6
    succeed(data, f"SELECT * FROM d TO EVALUATE m WITH result.replace=true LABEL y INTO {target};" * 2)
    assert len(rows(data, f"SELECT loss FROM {target}")) == 1


def test_a_name_longer_than_the_database_takes(data: Database) -> None:
    name = "x" * 65
    if data.dialect == "mysql":
        assert "65 characters" in fail(data, PREDICT.replace("pr.", f"{name}.")).message
        return
    for _ in range(2):
        succeed(data, PREDICT.replace("pr.", f"{name}."))
    assert len(rows(data, f"SELECT * FROM {name}")) == 6


@pytest.mark.parametrize(
    "column", ["sqlflow_row", "s", "n", "t", "q", "c0", "a.c0", "sqlflow_stage", "sqlflow_added", "rowid"]
)
def test_columns_named_like_ours(data: Database, column: str) -> None:
    """Case m5: `sqlflow_row` met a column of the same name."""
    from sqlflow_codegen.language.names import quote

    name = quote(column, data.dialect)
    ran = succeed(
        data, f"SELECT id AS {name}, a, y FROM d TO PREDICT pr.y USING m; SELECT {name}, y FROM pr ORDER BY 1"
    )
    assert ran.rows(2) == SIX


# -- types


TYPES = {
    "postgres": [
        ("date", "'2024-01-01'", "'2024-02-29'"),
        ("uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12'"),
        ("smallint", "1", "2"),
        ("boolean", "TRUE", "FALSE"),
        ("mood", "'sad'", "'glad'"),
        ("timestamp with time zone", "'2024-01-01 00:00:00+00'", "'2024-01-01 00:00:00.5+00'"),
        ("character varying(5)", "'a'", "'b'"),
        ("inet", "'10.0.0.1'", "'10.0.0.2'"),
    ],
    "mysql": [
        ("date", "'2024-01-01'", "'2024-02-29'"),
        ("smallint(6)", "1", "2"),
        ("tinyint(1)", "1", "0"),
        ("enum('sad','glad')", "'sad'", "'glad'"),
        ("varchar(5) COLLATE utf8mb4_bin", "'a'", "'A'"),
        ("datetime(3)", "'2024-01-01 00:00:00.125'", "'2024-01-02 00:00:00.000'"),
        ("uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12'"),
    ],
    "duckdb": [
        ("DATE", "'2024-01-01'", "'2024-02-29'"),
        ("UUID", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12'"),
        ("SMALLINT", "1", "2"),
        ("BOOLEAN", "TRUE", "FALSE"),
        ("ENUM('sad', 'glad')", "'sad'", "'glad'"),
        ("TIMESTAMP", "'2024-01-01 00:00:00'", "'2024-01-01 00:00:00.5'"),
    ],
    "sqlite": [("INTEGER", "1", "2"), ("TEXT", "'2024-01-01'", "'2024-02-29'")],
}


@pytest.mark.parametrize(
    ("kind", "type_name", "one", "other"), [(k, *row) for k, each in TYPES.items() for row in each]
)
def test_predictions_have_the_labels_own_type(
    request: pytest.FixtureRequest, kind: str, type_name: str, one: str, other: str
) -> None:
    """Case m13: they came back as text or bigint, and matched no row of the source."""
    database: Database = request.getfixturevalue(kind)
    setup = "CREATE TYPE mood AS ENUM ('sad', 'glad');" if type_name == "mood" else ""
    values = ", ".join(f"({n}, {one if n % 2 else other})" for n in range(1, 9))
    ran = succeed(
        database,
        f"{setup} CREATE TABLE t (x INTEGER, y {type_name}); INSERT INTO t VALUES {values};"
        "SELECT x, y FROM t TO TRAIN sklearn.tree.DecisionTreeClassifier LABEL y INTO m;"
        "SELECT x, y FROM t TO PREDICT p.y USING m; SELECT x, y FROM t TO PREDICT p.y USING m;"
        "SELECT count(*) FROM t JOIN p ON t.x = p.x AND t.y = p.y",
    )
    assert ran.of("row")[-1]["values"] == [8]
    types = [dict(database.results.find((table,)).columns)["y"] for table in ("t", "p")]  # type: ignore[union-attr]
    assert types[0] == types[1]


def test_a_type_that_is_gone(postgres: Database) -> None:
    succeed(
        postgres,
        "CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE TABLE t (x int, y mood); "
        "INSERT INTO t VALUES (1, 'sad'), (2, 'glad'), (3, 'sad'), (4, 'glad');"
        "SELECT x, y FROM t TO TRAIN sklearn.tree.DecisionTreeClassifier LABEL y INTO m;"
        "ALTER TABLE t DROP COLUMN y; DROP TYPE mood",
    )
    ran = succeed(postgres, "SELECT x FROM t TO PREDICT p.y USING m; SELECT y FROM p ORDER BY x")
    assert ran.rows(2) == [["sad"], ["glad"], ["sad"], ["glad"]]
    assert "no type mood" in ran.logged


def test_two_columns_of_one_name_in_an_evaluation(data: Database) -> None:
    failure = fail(data, "SELECT a, a + 1 AS a, y FROM d TO EVALUATE m LABEL y")
    assert "two columns named a" in failure.message or "Duplicate column name" in failure.message
