"""Result tables that are not replaced, because somebody may need what is in them."""

from __future__ import annotations

from contextlib import closing

import pytest
from sqlflow_runtime.databases.driver import Database

from tests.databases.harness import connect, fail, succeed
from tests.databases.six_rows import DATA, PREDICT, ROWS, SIX, TRAIN, rows


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
