"""A SELECT as Arrow record batches: every type keeps its meaning, on the session's own connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.errors import RunError

from tests.databases.harness import connect, succeed


def read(database: Database, select: str) -> dict[str, list[Any]]:
    """Each column's values, all batches together."""
    with database.read_arrow(select) as stream:
        names = [column.name for column in stream.columns]
        found: list[list[Any]] = [[] for _ in names]
        for batch in stream.batches:
            assert batch.num_rows
            for values, array in zip(found, batch.columns, strict=True):
                values += array.to_pylist()
    return dict(zip(names, found, strict=True))


def test_numbers_and_nulls(database: Database) -> None:
    real = "DOUBLE PRECISION" if database.dialect == "postgres" else "DOUBLE"
    succeed(
        database,
        f"CREATE TABLE t (i INTEGER, b BIGINT, f {real}, s VARCHAR(9), s2 VARCHAR(9)); INSERT INTO t VALUES "
        "(1, 9007199254740993, 0.1, 'é', ''), (NULL, NULL, NULL, NULL, NULL), "
        "(-3, -9223372036854775808, -1e300, 'x''', 'y')",
    )
    assert read(database, "SELECT * FROM t") == {
        "i": [1, None, -3],
        "b": [9007199254740993, None, -9223372036854775808],
        "f": [0.1, None, -1e300],
        "s": ["é", None, "x'"],
        "s2": ["", None, "y"],
    }
    assert read(database, "SELECT i, f FROM t WHERE i IS NOT NULL") == {"i": [1, -3], "f": [0.1, -1e300]}


def test_no_rows(database: Database) -> None:
    succeed(database, "CREATE TABLE t (a INTEGER, b VARCHAR(9))")
    assert read(database, "SELECT * FROM t") == {"a": [], "b": []}


def test_more_rows_than_a_batch_holds(database: Database) -> None:
    succeed(database, "CREATE TABLE n (a INTEGER)")
    succeed(database, f"INSERT INTO n VALUES {', '.join(f'({number})' for number in range(200))}")
    found = read(database, "SELECT x.a * 200 + y.a AS v, CASE WHEN x.a > 3 THEN 'w' END AS w FROM n x, n y")
    assert sorted(found["v"]) == list(range(40_000))
    assert found["w"].count(None) == 800


def test_names_that_need_quoting(database: Database) -> None:
    quote = "`{}`" if database.dialect == "mysql" else '"{}"'
    names = ["a[b]", "x<y>", "größe", "with space", "per%cent", "%s", "select"]
    shown = ", ".join(f"{number} AS {quote.format(name)}" for number, name in enumerate(names))
    assert read(database, f"SELECT {shown}") == {name: [number] for number, name in enumerate(names)}


def test_two_columns_of_one_name(database: Database) -> None:
    with database.read_arrow("SELECT 1 AS a, 2 AS a") as stream:
        assert [column.name for column in stream.columns] == ["a", "a"]
        (batch,) = stream.batches
        assert [array.to_pylist() for array in batch.columns] == [[1], [2]]


def test_a_comment_at_the_end(database: Database) -> None:
    assert read(database, "SELECT 1 AS a -- the end") == {"a": [1]}


def test_temporary_tables_and_open_transactions_are_seen(database: Database) -> None:
    succeed(database, "CREATE TEMPORARY TABLE t (a INTEGER); INSERT INTO t VALUES (5)")
    assert read(database, "SELECT * FROM t") == {"a": [5]}
    succeed(database, "CREATE TABLE u (a INTEGER)")
    succeed(database, "BEGIN; INSERT INTO u VALUES (7)")
    assert read(database, "SELECT * FROM u") == {"a": [7]}
    succeed(database, "ROLLBACK")
    assert read(database, "SELECT * FROM u") == {"a": []}


def test_what_is_left_unread_does_not_stay(database: Database) -> None:
    succeed(database, "CREATE TABLE n (a INTEGER)")
    succeed(database, f"INSERT INTO n VALUES {', '.join(f'({number})' for number in range(300))}")
    with database.read_arrow("SELECT x.a FROM n x, n y, n z") as stream:
        assert next(stream.batches).num_rows
    assert read(database, "SELECT 1 AS a") == {"a": [1]}


def test_errors_keep_their_place(database: Database) -> None:
    with pytest.raises(RunError) as caught:
        read(database, "SELECT 1 AS a,\n nope FROM (SELECT 1 AS b) q")
    assert "nope" in caught.value.message
    if database.dialect in ("postgres", "duckdb"):
        assert caught.value.position == 16


@pytest.mark.database
@pytest.mark.parametrize("select", ["SELECT 1 / (n - 9000) AS a", "SELECT 1 / (n - 9000) AS a, 1.5 AS b"])
def test_an_error_after_many_rows(postgres: Database, select: str) -> None:
    with pytest.raises(RunError) as caught:
        read(postgres, f"{select} FROM generate_series(1, 100000) n")
    assert caught.value.message == "division by zero"
    assert caught.value.final
    assert read(postgres, "SELECT 1 AS a") == {"a": [1]}


@pytest.mark.database
def test_types_of_postgres(postgres: Database) -> None:
    succeed(postgres, "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN share AS float8")
    found = read(
        postgres,
        "SELECT 1::smallint AS i2, 4000000000::oid AS o, 1.1::real AS f4, 'NaN'::float8 AS nan, '-inf'::float8 AS inf, "
        "true AS t, '\\x00ff'::bytea AS y, 1.10::numeric AS d, 123456789012345678901234567890::numeric AS big, "
        "'NaN'::numeric AS dn, 'ab'::char(4) AS c, 'n'::name AS n, 'ok'::mood AS e, '[1]'::jsonb AS j, "
        "'2020-02-30 BC'::text AS x, date '2024-02-29' AS day, interval '1 year' AS iv, "
        "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid AS u, ARRAY[1, 2] AS ar, 0.5::share AS s, NULL AS nothing, "
        "inet '10.0.0.1' AS ip, timestamp '2024-02-29 01:02:03.5' AS ts",
    )
    assert found.pop("nan") != [found["inf"]]
    assert found == {
        "i2": [1], "o": [4000000000], "f4": [pytest.approx(1.1, abs=1e-7)], "inf": [float("-inf")], "t": [True],
        "y": [b"\x00\xff"], "d": ["1.10"], "big": ["123456789012345678901234567890"], "dn": ["NaN"], "c": ["ab  "],
        "n": ["n"], "e": ["ok"], "j": ["[1]"], "x": ["2020-02-30 BC"], "day": ["2024-02-29"], "iv": ["1 year"],
        "u": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"], "ar": ["{1,2}"], "s": [0.5], "nothing": [None],
        "ip": ["10.0.0.1"], "ts": ["2024-02-29 01:02:03.5"],
    }  # fmt: skip


@pytest.mark.database
@pytest.mark.parametrize("width", [1, 800, 1600])
def test_many_columns_with_holes(postgres: Database, width: int) -> None:
    shown = ", ".join(f"CASE WHEN (n + {c}) % 5 > 0 THEN n * {c} END AS c{c}" for c in range(width))
    found = read(postgres, f"SELECT {shown} FROM generate_series(1, 50) n")
    assert len(found) == width
    for c in (0, width // 2, width - 1):
        assert found[f"c{c}"] == [n * c if (n + c) % 5 else None for n in range(1, 51)]


@pytest.mark.database
def test_long_texts_between_short_ones(postgres: Database) -> None:
    found = read(
        postgres,
        "SELECT n, CASE WHEN n % 7 > 0 THEN repeat('é' || n, n * 40) END AS s, "
        "CASE WHEN n % 3 = 0 THEN '' ELSE 'x' END AS e FROM generate_series(1, 900) n",
    )
    assert found["s"] == [f"é{n}" * (n * 40) if n % 7 else None for n in range(1, 901)]
    assert found["e"] == ["x" if n % 3 else "" for n in range(1, 901)]


@pytest.mark.database
@pytest.mark.parametrize("select", ["VALUES (1), (2)", "TABLE t", "WITH w AS (SELECT 1) SELECT * FROM t FOR UPDATE"])
def test_other_forms_of_a_query(postgres: Database, select: str) -> None:
    succeed(postgres, "CREATE TABLE t (a) AS VALUES (1), (2)")
    assert [sorted(values) for values in read(postgres, select).values()] == [[1, 2]]


@pytest.fixture
def other(postgres_url: str) -> Iterator[Database]:
    with closing(connect(postgres_url)) as database:
        yield database


@pytest.mark.database
def test_a_lost_connection(postgres: Database, other: Database) -> None:
    """The server ends the session between two batches."""

    def read_on() -> None:
        with postgres.read_arrow("SELECT n FROM generate_series(1, 3000000) n") as stream:
            next(stream.batches)
            other.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE query LIKE 'COPY%'")
            list(stream.batches)

    with pytest.raises(RunError) as caught:
        read_on()
    assert caught.value.kind == "connection"
    assert not caught.value.final


@pytest.mark.database
def test_a_lost_connection_of_mysql(mysql: Database, mysql_url: str) -> None:
    def read_on() -> None:
        thread = mysql.execute("SELECT CONNECTION_ID()")[0][0]
        with closing(connect(mysql_url)) as other, mysql.read_arrow("SELECT seq FROM seq_1_to_30000000") as stream:
            next(stream.batches)
            other.execute(f"KILL {thread}")
            list(stream.batches)

    with pytest.raises(RunError) as caught:
        read_on()
    assert caught.value.kind == "connection"
    assert not caught.value.final


@pytest.mark.database
@pytest.mark.parametrize("length", [0, 250, 251, 65535, 65536, 70_000])
def test_lengths_of_mysql(mysql: Database, length: int) -> None:
    """Each has another number of bytes for its length."""
    found = read(mysql, f"SELECT seq, REPEAT('x', {length}) AS s, IF(seq % 2, 'é', NULL) AS e FROM seq_1_to_5")
    assert found == {"seq": [1, 2, 3, 4, 5], "s": ["x" * length] * 5, "e": ["é", None, "é", None, "é"]}


@pytest.mark.database
def test_a_row_of_mysql_in_several_packets(mysql: Database) -> None:
    found = read(mysql, "SELECT REPEAT('x', 9000000) AS a, 1 AS n, REPEAT('y', 9000000) AS b")
    assert (len(found["a"][0]), found["n"], len(found["b"][0])) == (9_000_000, [1], 9_000_000)


@pytest.mark.database
def test_zeros_before_a_number_of_mysql(mysql: Database) -> None:
    succeed(mysql, "CREATE TABLE t (a INT(5) ZEROFILL, b BIGINT(4) ZEROFILL); INSERT INTO t VALUES (0, 7), (12345, 0)")
    assert read(mysql, "SELECT * FROM t") == {"a": [0, 12345], "b": [7, 0]}


def test_types_of_duckdb(duckdb: Database) -> None:
    found = read(
        duckdb,
        "SELECT 170141183460469231731687303715884105727::hugeint AS h, 1.50::decimal(9, 2) AS d, "
        "'b'::ENUM('a', 'b') AS e, "
        "date '2024-02-29' AS day, interval '1 year' AS iv, [1, 2] AS l, 'ff'::blob AS y, true AS t, 3::utinyint AS u, "
        "18446744073709551615::ubigint AS ub, "
        "timestamp '2024-02-29 01:02:03' AS ts, 'nan'::float AS nan, 0.5::float AS f",
    )
    assert str(found.pop("nan")) == "[nan]"
    assert found == {
        "h": ["170141183460469231731687303715884105727"], "d": ["1.50"], "e": ["b"], "day": ["2024-02-29"],
        "iv": ["1 year"], "l": ["[1, 2]"], "y": [b"ff"], "t": [True], "u": [3], "ub": [18446744073709551615],
        "ts": ["2024-02-29 01:02:03"], "f": [0.5],
    }  # fmt: skip


def test_an_error_after_many_rows_in_duckdb(duckdb: Database) -> None:
    with pytest.raises(RunError, match="boom") as caught:
        read(duckdb, "SELECT error(CASE WHEN n > 45000 THEN 'boom' END) AS e FROM range(50000) x(n)")
    assert caught.value.final
    assert read(duckdb, "SELECT 1 AS a") == {"a": [1]}


def test_each_value_of_sqlite_keeps_its_own_type(sqlite: Database) -> None:
    succeed(
        sqlite,
        "CREATE TABLE t (a, b, c, d); INSERT INTO t VALUES (1, 1, 9007199254740993, x'00'), (2.5, 'x', 0.5, x'01')",
    )
    assert read(sqlite, "SELECT * FROM t") == {
        "a": [1.0, 2.5],
        "b": ["1", "x"],
        "c": ["9007199254740993", "0.5"],  # a float would not hold it
        "d": [b"\x00", b"\x01"],
    }


@pytest.mark.database
def test_types_of_mysql(mysql: Database) -> None:
    succeed(
        mysql,
        "CREATE TABLE t (t TINYINT(1), u BIGINT UNSIGNED, f FLOAT, d DECIMAL(40, 2), y YEAR, b BIT(8), j JSON, "
        "e ENUM('a', 'b'), z VARBINARY(9), day DATE, ts DATETIME, c CHAR(3), x TEXT); INSERT INTO t VALUES "
        "(1, 18446744073709551615, 1.1, 12345678901234567890123456789012345678.10, 1999, b'101', '[1]', 'b', x'00ff', "
        "'2024-02-29', '2024-02-29 01:02:03', 'ab', 'é'), "
        "(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
    )
    found = read(mysql, "SELECT * FROM t")
    assert all(values.pop() is None for values in found.values())
    assert found == {
        "t": [1], "u": [18446744073709551615], "f": [1.1], "d": ["12345678901234567890123456789012345678.10"],
        "y": [1999], "b": [b"\x05"], "j": ["[1]"], "e": ["b"], "z": [b"\x00\xff"], "day": ["2024-02-29"],
        "ts": ["2024-02-29 01:02:03"], "c": ["ab"], "x": ["é"],
    }  # fmt: skip
