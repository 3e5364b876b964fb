"""Names of result tables and of their columns, and the types of predictions."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from sqlflow_runtime.databases.driver import Database

from tests.databases.harness import Ran, connect, fail, succeed
from tests.databases.six_rows import DATA, PREDICT, SIX, TRAIN, rows

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
