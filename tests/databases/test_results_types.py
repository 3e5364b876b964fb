"""Every type of PostgreSQL goes through TO PREDICT unchanged, with its NULLs."""

from __future__ import annotations

import pytest
from sqlflow_runtime.databases.driver import Database

from tests.databases.harness import succeed

pytestmark = pytest.mark.database

TYPES = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE pair AS (x INTEGER, y TEXT);
CREATE DOMAIN positive AS INTEGER CHECK (value > 0);
CREATE TABLE typed (
  n BIGINT, a DOUBLE PRECISION, y INTEGER, i2 SMALLINT, r REAL, b BOOLEAN, num NUMERIC, num52 NUMERIC(5, 2), t TEXT,
  vc VARCHAR(7), c CHAR(5), by BYTEA, d DATE, ts TIMESTAMP, tz TIMESTAMPTZ(3), iv INTERVAL, u UUID, j JSON, jb JSONB,
  ip INET, ints INTEGER[], texts TEXT[], m mood, p pair, dom positive, bits BIT(3), rng INT4RANGE, cash MONEY, x XML,
  o OID
);
INSERT INTO typed SELECT
  n, n, n % 2, n, n / 3.0, n % 3 = 0, n * 12345678901234567890.123456789, n / 7.0, 'é' || n,
  'v' || n, 'c', decode('00ff5c0a09', 'hex'), DATE '0044-03-15 BC' + n,
  TIMESTAMP '2024-02-29 01:02:03.000004' + n * INTERVAL '1 day',
  TIMESTAMPTZ '2024-02-29 01:02:03.004+05' + n * INTERVAL '1 hour', make_interval(months => n, secs => n / 3.0),
  md5(n::text)::uuid, '{ "k":  1 }', '{"k": [1, null]}',
  '10.0.0.1/24', ARRAY[n, NULL], ARRAY['a,b', '"', NULL], 'ok', ('(' || n || ',"x,y")')::pair, n, B'101',
  int4range(1, n + 1), n::money, '<a>&lt;</a>', n
  FROM generate_series(1, 40) AS s(n);
INSERT INTO typed (n, a, y) VALUES (41, 41, 1), (42, NULL, 0);
INSERT INTO typed (n, a, y, r, num, t, by, d, ts)
  VALUES (43, 43, 1, '-Infinity', 'NaN', '', '', 'infinity', '-infinity');
"""
TRAIN = (
    "SELECT a, y FROM typed WHERE n <= 40 "
    "TO TRAIN sklearn.ensemble.HistGradientBoostingClassifier WITH min_samples_leaf=1 LABEL y INTO m;"
)


@pytest.mark.parametrize("columns", ["*", "n, a", "jb, y, a, num, n", "a, tz, n"])
def test_kept_columns_are_the_same(postgres: Database, columns: str) -> None:
    succeed(postgres, TYPES + TRAIN)
    select = f"SELECT {columns} FROM typed"
    ran = succeed(postgres, f"{select} ORDER BY n TO PREDICT predicted.class USING m; SELECT count(*) FROM predicted")
    assert ran.rows(2) == [[43]]
    kept = [column for column in postgres.describe(select) if column.name != "y"]
    made = postgres.describe("SELECT * FROM predicted")
    assert made[:-1] == tuple(kept)
    assert made[-1].type == "integer"
    # Some types have no equality: a row's text has all digits, and every quote.
    shown = ", ".join(column.name for column in kept)
    of = "SELECT row({})::text FROM ({}) AS q ORDER BY n"
    before = postgres.execute(of.format(shown, select))
    assert postgres.execute(of.format(shown, "SELECT * FROM predicted")) == before
    right = "SELECT count(*) FROM predicted p JOIN typed t USING (n) WHERE t.y = p.class AND n <= 40"
    assert postgres.execute(right) == [(40,)]


def test_types_without_a_binary_form(postgres: Database) -> None:
    """They travel as text; so do those beside them that are neither numbers nor text."""
    succeed(postgres, TYPES + TRAIN)
    select = (
        "SELECT n, a, 'tester=r/tester'::aclitem AS acl, ARRAY['tester=w/tester'::aclitem] AS acls, jb, tz, by, "
        "CASE WHEN n > 1 THEN num END AS num FROM typed WHERE n <= 3"
    )
    succeed(postgres, f"{select} TO PREDICT predicted.class USING m")
    shown = "SELECT q::text FROM ({}) AS q ORDER BY n"
    assert postgres.describe("SELECT * FROM predicted")[:-1] == postgres.describe(select)
    assert postgres.execute(shown.format("SELECT n, a, acl, acls, jb, tz, by, num FROM predicted")) == postgres.execute(
        shown.format(select)
    )


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("date", ("2024-02-29", "0044-03-15 BC")),
        ("uuid", ("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "00000000-0000-0000-0000-000000000000")),
        ("mood", ("sad", "ok")),
        ("numeric(5,2)", ("1.50", "-7.25")),
        ("numeric", ("1", "2")),
        ("smallint", ("-3", "7")),
        ("varchar(3)", ("é", "xyz")),
        ("char(4)", ("a", "bcd")),
        ("boolean", ("true", "false")),
        ("real", ("0.1", "2.5")),
        ("timestamptz", ("2024-02-29 01:02:03.000004+00", "infinity")),
        ("inet", ("10.0.0.1/24", "::1")),
        ("aclitem", ("tester=r/tester", "tester=w/tester")),
        ("jsonb", ('{"k": 1}', "[]")),
        ("integer[]", ("{1,NULL}", "{}")),
    ],
)
def test_predictions_have_the_labels_type(postgres: Database, kind: str, values: tuple[str, str]) -> None:
    cases = " ".join(f"WHEN {number} THEN '{value}'" for number, value in enumerate(values))
    rows = f"SELECT n AS a, (CASE n % 2 {cases} END)::{kind} AS y FROM generate_series(1, 20) AS s(n)"
    table = f"CREATE TABLE l AS {rows};"
    train = "SELECT * FROM l TO TRAIN sklearn.tree.DecisionTreeClassifier LABEL y INTO ml;"
    succeed(postgres, TYPES + table + train + "SELECT * FROM l TO PREDICT predicted.class USING ml")
    (of_label,) = postgres.describe("SELECT y FROM l")
    assert postgres.describe("SELECT class FROM predicted")[0].type == of_label.type
    equal = "class = y" if kind == "numeric" else "class::text = y::text"  # 1.0 for 1, which is the same number
    right = f"SELECT count(*) FROM predicted JOIN l USING (a) WHERE {equal}"
    assert postgres.execute(right) == [(20,)]
