"""Conservative, Lineage, Sequential: what waits for what."""

from __future__ import annotations

import pytest
from sqlflow_codegen.graph import Ordering

from tests.unit.graph.helpers import CONSERVATIVE, LINEAGE, SEQUENTIAL, before, graph, groups, pairs

NEW = "CREATE TABLE {0} (id int, v int)"


def edges(text: str, dialect: str = "postgres", ordering=CONSERVATIVE) -> list[tuple[int, int, str, str]]:  # type: ignore[no-untyped-def]
    return [(e.before, e.after, e.hazard, e.on) for e in graph(text, dialect, ordering).edges]


def test_the_three_hazards() -> None:
    text = f"{NEW.format('a')}; SELECT * FROM a; INSERT INTO a VALUES (1); UPDATE a SET v = 1; SELECT * FROM a"
    assert edges(text) == [
        (1, 2, "RAW", "a"),
        (2, 3, "WAR", "a"),
        (3, 4, "RAW", "a"),
        (3, 4, "WAW", "a"),
        (4, 5, "RAW", "a"),
    ]


def test_edges_that_follow_from_others_are_left_out() -> None:
    text = f"{NEW.format('a')}; {NEW.format('b')}; INSERT INTO b SELECT * FROM a; SELECT * FROM a JOIN b USING (id)"
    assert pairs(graph(text)) == [(1, 3), (2, 3), (3, 4)]


# -- relations that existed before


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO a VALUES (1); SELECT * FROM b",
        "SELECT * FROM b; INSERT INTO a VALUES (1)",
        "UPDATE a SET x = 1; UPDATE b SET x = 2",
        "CREATE TABLE IF NOT EXISTS a (x int); SELECT * FROM b",
        "CREATE OR REPLACE VIEW a AS SELECT 1; SELECT * FROM b",
        "DROP TABLE a; SELECT * FROM b",
        "SELECT nextval('a'); SELECT * FROM b",
    ],
)
def test_an_existing_relation_may_be_a_view_over_another(text: str) -> None:
    assert pairs(graph(text)) == [(1, 2)]
    assert pairs(graph(text, ordering=LINEAGE)) == []


def test_such_an_edge_says_so() -> None:
    assert edges("INSERT INTO a VALUES (1); SELECT * FROM b") == [(1, 2, "RAW", "*")]
    assert edges("INSERT INTO a VALUES (1); SELECT * FROM a") == [(1, 2, "RAW", "a")]


def test_reads_of_existing_relations_do_not_wait_for_each_other() -> None:
    assert pairs(graph("SELECT * FROM a; SELECT * FROM b; CREATE TABLE c AS SELECT * FROM a")) == []


def test_new_relations_are_what_their_names_say() -> None:
    text = f"{NEW.format('a')}; {NEW.format('b')}; INSERT INTO a VALUES (1); SELECT * FROM b; SELECT * FROM existing"
    assert pairs(graph(text)) == [(1, 3), (2, 4)]


NOT_NEW = [
    ("sqlite", "DROP TABLE IF EXISTS n; CREATE TABLE n (x int)"),
    ("duckdb", "DROP SCHEMA s CASCADE; CREATE SCHEMA s; CREATE TABLE s.n (x int)"),
    ("postgres", "BEGIN; DROP TABLE n; CREATE TABLE n (x int); ROLLBACK"),
    ("postgres", "DROP TABLE n; DROP TRIGGER t ON e; CREATE TABLE IF NOT EXISTS n (x int)"),
    ("mysql", "DROP TABLE IF EXISTS n; CREATE TABLE IF NOT EXISTS n (x int)"),
    ("postgres", "CREATE TABLE IF NOT EXISTS n (x int)"),
    ("postgres", "CREATE TABLE n (x int); CALL p()"),
    ("postgres", "CREATE TABLE n (x int); ALTER TABLE e ADD FOREIGN KEY (x) REFERENCES n"),
    ("postgres", "CREATE TABLE n (x int REFERENCES e)"),
    ("postgres", "CREATE TABLE n (x int); CREATE OR REPLACE VIEW v AS SELECT * FROM n"),
    ("postgres", "ALTER TABLE e RENAME TO n"),
    ("mysql", "CREATE OR REPLACE TABLE n (x int)"),
    ("mysql", "CREATE TABLE n (x int) ENGINE=FEDERATED CONNECTION='c'"),
    ("hive", "CREATE EXTERNAL TABLE n (x int) LOCATION '/d'"),
    ("spark", "CREATE TABLE n USING csv OPTIONS (path '/d')"),
    ("trino", "CREATE TABLE n (x int) WITH (external_location = 's3://d')"),
    ("sqlite", "CREATE VIRTUAL TABLE n USING fts5 (x, content='e')"),
]


@pytest.mark.parametrize(("dialect", "text"), NOT_NEW)
def test_what_is_not_surely_new_counts_as_existing(dialect: str, text: str) -> None:
    name = "s.n" if "s.n" in text else "n"
    found = graph(f"{text}; INSERT INTO {name} VALUES (1); SELECT * FROM other", dialect)
    last = len(found.effects)
    assert before(found, last - 1, last)


def test_a_table_of_another_case_is_another_where_case_counts() -> None:
    """MySQL's rule depends on its machine: T may be t, and it may be a view that existed before."""
    text = "CREATE TABLE T (x int); INSERT INTO e VALUES (1); SELECT * FROM t"
    assert pairs(graph(text, "mysql")) == [(1, 3), (2, 3)]


def test_a_trigger_ends_the_trust_in_names() -> None:
    text = "CREATE TRIGGER g AFTER INSERT ON a FOR EACH ROW EXECUTE FUNCTION f(); TRUNCATE a; TABLE b"
    assert before(graph(text, ordering=LINEAGE), 2, 3)
    assert not before(graph(text.split("; ", 1)[1], ordering=LINEAGE), 1, 2)


def test_models_are_exact() -> None:
    train = "SELECT * FROM e TO TRAIN a.B LABEL y INTO {0}"
    text = f"{train.format('m')}; {train.format('n')}; SHOW TRAIN m; SHOW TRAIN n; {train.format('M')}"
    assert edges(text) == [(1, 3, "RAW", "m"), (2, 4, "RAW", "n"), (3, 5, "WAR", "m")]


def test_result_tables_are_existing_relations() -> None:
    text = """SELECT * FROM e TO TRAIN a.B LABEL y INTO m; SELECT * FROM e TO PREDICT r.y USING m;
    SELECT * FROM e TO PREDICT s.y USING m;"""
    assert pairs(graph(text)) == [(1, 2), (2, 3)]
    assert pairs(graph(text, ordering=LINEAGE)) == [(1, 2), (1, 3)]


# -- barriers


ALONE = [
    ("postgres", "CALL p()"),
    ("postgres", "DO $$ BEGIN END $$"),
    ("postgres", "GRANT SELECT ON a TO u"),
    ("postgres", "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'"),
    ("postgres", "CREATE TYPE t AS ENUM ('a')"),
    ("postgres", "SELECT f(x) FROM a"),
    ("postgres", "SELECT s.lower(x) FROM a"),
    ("postgres", "SELECT * FROM s.unnest(x)"),
    ("postgres", "SELECT nextval(x) FROM a"),
    ("postgres", "EXPLAIN ANALYZE DELETE FROM a"),
    ("postgres", "SOMETHING quite new"),
    ("postgres", "SELECT FROM WHERE"),
    ("postgres", "SELECT /* a /* b */ c */ 1"),
    ("postgres", 'SELECT * FROM U&"\\0061"'),
    ("postgres", "DROP SCHEMA a CASCADE"),
    ("duckdb", "DROP TABLE a CASCADE"),
    ("postgres", "TRUNCATE a CASCADE"),
    ("postgres", "DROP INDEX i"),
    ("postgres", "CREATE TABLE a AS SELECT f(1)"),
    ("postgres", "ALTER TABLE a ALTER COLUMN x TYPE int USING f(x)"),
    ("mysql", "SELECT f(x) FROM a"),
    ("mysql", "SELECT 1 /*! , 2 */"),
    ("mysql", "SELECT * INTO OUTFILE '/f' FROM a"),
    ("mysql", "LOAD DATA INFILE 'f' INTO TABLE b (@x) SET y = f(@x)"),
    ("mysql", "SET GLOBAL x = 1"),
    ("mysql", "SET @@global.x = 1"),
    ("sqlite", "VACUUM"),
    ("sqlite", "PRAGMA user_version = 3"),
    ("duckdb", "SELECT * FROM query('SELECT 1')"),
    ("bigquery", "BEGIN"),
    ("bigquery", "CALL p()"),
    ("hive", "MSCK REPAIR TABLE a"),
    ("snowflake", "EXECUTE IMMEDIATE 'x'"),
]


@pytest.mark.parametrize(("dialect", "statement"), ALONE)
def test_what_is_not_understood_runs_alone_and_warns(dialect: str, statement: str) -> None:
    found = graph(f"SELECT 1 FROM x; {statement}; SELECT 2 FROM y", dialect)
    assert pairs(found) == [(1, 2), (2, 3)]
    (warning,) = (each for each in found.warnings if each.statement == 2)
    assert warning.severity == "warning"
    assert warning.line == 1
    assert warning.column == 18


QUIET = [
    ("postgres", "SELECT * FROM information_schema.tables"),
    ("postgres", "SELECT pg_table_size('a')"),
    ("postgres", "SELECT * FROM pg_class"),
    ("postgres", "SELECT * FROM sqlflow_models"),
    ("postgres", "EXPLAIN SELECT 1"),
    ("postgres", "CREATE SCHEMA s"),
    ("mysql", "SHOW TABLES"),
    ("sqlite", "SELECT * FROM sqlite_master"),
    ("sqlite", "PRAGMA table_info(a)"),
    ("sqlite", "ALTER TABLE a RENAME TO b"),
    ("duckdb", "SELECT * FROM duckdb_tables()"),
    ("bigquery", "SELECT * FROM `d.events_*`"),
    ("bigquery", "SELECT * FROM d.INFORMATION_SCHEMA.TABLES"),
]


@pytest.mark.parametrize(("dialect", "statement"), QUIET)
def test_what_looks_at_everything_runs_alone_without_a_warning(dialect: str, statement: str) -> None:
    found = graph(f"SELECT 1 FROM x; {statement}; SELECT 2 FROM y", dialect)
    assert pairs(found) == [(1, 2), (2, 3)]
    assert found.warnings == ()


HARMLESS = [
    ("postgres", "SELECT lower(x), now(), random(), gen_random_uuid(), pg_catalog.upper(x), pg_typeof(x) FROM a"),
    ("postgres", "SELECT count(*) FILTER (WHERE x > 1) OVER w, json_build_object('a', x) FROM a WINDOW w AS ()"),
    ("mysql", "SELECT concat(x, 'a'), uuid(), inet_aton(x), find_in_set(x, 'a') FROM a"),
    ("sqlite", "SELECT anything(x) FROM a"),
    ("duckdb", "SELECT list_transform([1], lambda x: x + 1)"),
]


@pytest.mark.parametrize(("dialect", "statement"), HARMLESS)
def test_functions_that_write_nothing_wait_for_nothing(dialect: str, statement: str) -> None:
    assert pairs(graph(f"SELECT 1 FROM x; {statement}; SELECT 2 FROM y", dialect)) == []


def test_lineage_trusts_functions_that_the_program_did_not_create() -> None:
    assert pairs(graph("SELECT 1 FROM x; SELECT f(1) FROM y", ordering=LINEAGE)) == []
    create = "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'"
    assert pairs(graph(f"{create}; SELECT 1 FROM x; SELECT f()", ordering=LINEAGE)) == [(1, 2), (2, 3)]


def test_reading_a_view_that_calls_an_unknown_function_is_a_barrier() -> None:
    text = "CREATE VIEW v AS SELECT f(1) FROM a; CREATE TABLE b (x int); SELECT * FROM v; SELECT * FROM b"
    assert pairs(graph(text)) == [(1, 3), (2, 3), (3, 4)]


def test_inserting_into_a_table_whose_default_calls_an_unknown_function_is_a_barrier() -> None:
    text = "CREATE TABLE b (x int); CREATE TABLE a (x int DEFAULT f()); INSERT INTO a VALUES (1); SELECT * FROM b"
    assert pairs(graph(text)) == [(1, 3), (2, 3), (3, 4)]


def test_a_run_without_tables_is_a_barrier() -> None:
    found = graph("SELECT 1 FROM x; SELECT * FROM a TO RUN org/image:1; SELECT 2 FROM y")
    assert pairs(found) == [(1, 2), (2, 3)]
    assert "INTO" in found.warnings[0].hint


# -- program order


def test_sequential_keeps_the_order_of_the_program() -> None:
    text = "SELECT 1; SELECT 2; SELECT * FROM a TO TRAIN a.B LABEL y INTO m; SELECT 3; SELECT 4"
    found = graph(text, ordering=SEQUENTIAL)
    assert pairs(found) == [(1, 2), (2, 3), (3, 4), (4, 5)]
    assert groups(found) == [(1, 2), (3,), (4, 5)]
    assert [step.after for step in found.steps] == [(), ("s1-sql",), ("s3-train",)]


TRIGGERS = [
    ("sqlite", "CREATE TRIGGER x AFTER INSERT ON t BEGIN INSERT INTO log VALUES (1); END"),
    ("mysql", "CREATE TRIGGER x AFTER INSERT ON t FOR EACH ROW INSERT INTO log VALUES (1)"),
    (
        "postgres",
        "CREATE OR REPLACE FUNCTION f() RETURNS trigger AS 'BEGIN INSERT INTO log VALUES (1); END' LANGUAGE plpgsql",
    ),
    ("postgres", "DO 'BEGIN CREATE TRIGGER x AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); END'"),
    ("postgres", "CREATE RULE x AS ON INSERT TO t DO ALSO INSERT INTO log VALUES (1)"),
]


@pytest.mark.parametrize("ordering", [CONSERVATIVE, LINEAGE])
@pytest.mark.parametrize(("dialect", "trigger"), TRIGGERS)
def test_a_trigger_may_write_to_a_table_that_is_created_later(dialect: str, trigger: str, ordering: Ordering) -> None:
    found = graph(
        f"{trigger}; CREATE TABLE log (n int); INSERT INTO t VALUES (1); SELECT * FROM log", dialect, ordering
    )
    assert pairs(found) == [(1, 2), (2, 3), (3, 4)]


UNREADABLE_TIES = [
    "CREATE VIEW v WITH (what ever) AS SELECT * FROM t FROB",
    "CREATE MATERIALIZED VIEW v AS SELECT * FROM t WITH NO DATA",
    "ALTER TABLE v ATTACH PARTITION t FOR VALUES IN (1)",
    "DO 'BEGIN CREATE VIEW v AS SELECT * FROM t; END'",
]


@pytest.mark.parametrize("statement", UNREADABLE_TIES)
def test_names_are_not_trusted_where_something_unread_ties_them(statement: str) -> None:
    found = graph(f"CREATE TABLE t (x int); {statement}; INSERT INTO t VALUES (1); SELECT * FROM v", ordering=LINEAGE)
    assert found.warnings != ()
    assert pairs(found) == [(1, 2), (2, 3), (3, 4)]


NAMED_BY_TEXT = [
    ("duckdb", "SELECT * FROM query('FROM t')"),
    ("duckdb", "SELECT * FROM query_table('t')"),
    ("snowflake", "SELECT * FROM TABLE('t')"),
    ("snowflake", "SELECT * FROM TABLE($name)"),
    ("snowflake", "SELECT * FROM IDENTIFIER('t')"),
    ("spark", "SELECT * FROM IDENTIFIER('t')"),
    ("trino", "SELECT * FROM TABLE(exclude_columns(input => TABLE(t), columns => DESCRIPTOR(x)))"),
    ("trino", "SELECT * FROM TABLE(system.query(query => 'SELECT * FROM t'))"),
    ("postgres", "SELECT query_to_xml('SELECT * FROM t', true, true, '')"),
    ("postgres", "SELECT 't'::regclass"),
    ("postgres", "SELECT x::regclass FROM u"),
    ("postgres", "SELECT * FROM u TO RUN i/x CMD 'a.py', '--table=t' INTO o"),
]


@pytest.mark.parametrize("ordering", [CONSERVATIVE, LINEAGE])
@pytest.mark.parametrize(("dialect", "reader"), NAMED_BY_TEXT)
def test_relations_that_arguments_name_are_waited_for(dialect: str, reader: str, ordering: Ordering) -> None:
    assert pairs(graph(f"CREATE TABLE t AS SELECT 1 AS x; {reader}", dialect, ordering)) == [(1, 2)]


def test_table_functions_of_snowflake_that_name_nothing_run_side_by_side() -> None:
    text = "CREATE TABLE t AS SELECT 1 AS x; SELECT * FROM TABLE(GENERATOR(ROWCOUNT => 5)); SELECT 1 FROM u"
    assert pairs(graph(text, "snowflake", LINEAGE)) == []


def test_a_stream_of_snowflake_follows_its_table() -> None:
    text = "CREATE TABLE t (x int); CREATE STREAM s ON TABLE t; INSERT INTO t VALUES (1); SELECT * FROM s"
    assert before(graph(text, "snowflake", LINEAGE), 3, 4)
