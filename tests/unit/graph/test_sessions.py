"""What a session carries: settings are replayed, the rest keeps its statements together."""

from __future__ import annotations

import pytest
from sqlflow_codegen.graph.ordering import Ordering
from sqlflow_codegen.graph.steps import Step

from tests.unit.graph.helpers import CONSERVATIVE, LINEAGE, SEQUENTIAL, before, graph, groups

TRAIN = "SELECT * FROM a TO TRAIN a.B LABEL y INTO {0}"


def steps(text: str, dialect: str = "postgres") -> tuple[Step, ...]:
    return graph(text, dialect, LINEAGE).steps


def replayed(text: str, dialect: str) -> dict[int, tuple[int, ...]]:
    """For every step, by its last statement, the settings that are replayed."""
    return {step.statements[-1]: step.session for step in steps(text, dialect)}


SETTINGS = [
    ("mysql", "USE b"),
    ("mysql", "SET SESSION sql_mode = 'ANSI'"),
    ("mysql", "SET sql_mode = concat(@@sql_mode, ',ANSI')"),
    ("mysql", "SET NAMES utf8mb4"),
    ("mysql", "SET @x = 5"),
    ("mysql", "SET a = 1, b = DEFAULT"),
    ("mysql", "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"),
    ("postgres", "SET search_path = x, y"),
    ("postgres", "SET TIME ZONE 'UTC'"),
    ("postgres", "SET statement_timeout TO '5s'"),
    ("postgres", "SET ROLE r"),
    ("postgres", "SET SESSION AUTHORIZATION r"),
    ("postgres", "RESET ALL"),
    ("sqlite", "PRAGMA foreign_keys = ON"),
    ("sqlite", "PRAGMA main.cache_size = 4"),
    ("sqlite", "ATTACH 'f' AS b"),
    ("duckdb", "SET VARIABLE x = 5"),
    ("duckdb", "LOAD httpfs"),
    ("duckdb", "FORCE INSTALL httpfs FROM core"),
    ("duckdb", "PRAGMA add_parquet_key('k', 'v')"),
    ("duckdb", "CREATE SECRET s (TYPE s3, KEY_ID 'x')"),
    ("duckdb", "CREATE OR REPLACE TEMPORARY SECRET s (TYPE s3)"),
    ("duckdb", "CREATE PERSISTENT SECRET IF NOT EXISTS s (TYPE s3)"),
    ("duckdb", "CREATE TEMP MACRO f(x) AS x + 1"),
    ("duckdb", "PRAGMA threads = 2"),
    ("hive", "SET hive.exec.dynamic.partition=true"),
    ("hive", "ADD JAR f.jar"),
    ("hive", "CREATE TEMPORARY FUNCTION f AS 'c.D'"),
    ("spark", "SET spark.x = y"),
    ("trino", "SET SESSION x = 1"),
    ("snowflake", "ALTER SESSION SET x = 1"),
    ("snowflake", "USE ROLE r"),
    ("snowflake", "SET x = 5"),
]


@pytest.mark.parametrize(("dialect", "setting"), SETTINGS)
def test_a_setting_is_replayed_in_every_later_step(dialect: str, setting: str) -> None:
    text = f"{TRAIN.format('m')}; {setting}; {TRAIN.format('n')}; {TRAIN.format('o')}"
    found = graph(text, dialect, LINEAGE)
    assert [effects.setting for effects in found.effects] == [False, True, False, False]
    assert groups(found) == [(1,), (2, 3), (4,)]
    assert [step.session for step in found.steps] == [(), (), (2,)]
    assert [step.repeat for step in found.steps] == [(), (2,), ()]
    assert found.warnings == ()


def test_a_later_setting_replaces_an_earlier_one() -> None:
    text = "USE a; SELECT 1 FROM t; SET x = 1; USE b; SET x = 2; SELECT 1 FROM u; SELECT 1 FROM v"
    assert replayed(text, "mysql") == {2: (), 6: (), 7: (4, 5)}


def test_what_builds_on_settings_keeps_those_before_it() -> None:
    text = "SET x = 'a'; SET x = concat(@@x, 'b'); SET x = concat(@@x, 'c'); SELECT 1 FROM t; SELECT 1 FROM u"
    assert replayed(text, "mysql") == {4: (), 5: (1, 2, 3)}


def test_a_setting_between_the_statements_of_a_step_is_replayed_between_them() -> None:
    text = "USE a; CREATE TABLE t (x int); USE b; SELECT 1 FROM z; INSERT INTO a.t SELECT x FROM y"
    found = graph(text, "mysql", LINEAGE)
    assert [(step.statements, step.session) for step in found.steps] == [((1, 2, 5), (3,)), ((3, 4), ())]


def test_settings_at_the_end_join_the_last_step() -> None:
    assert groups(graph("SELECT 1; USE a", "mysql")) == [(1, 2)]


def test_nothing_but_settings_is_one_step() -> None:
    found = graph("USE a; SET x = 1", "mysql")
    assert [(step.name, step.statements) for step in found.steps] == [("s1-sql", (1, 2))]


def test_a_schema_that_is_gone_is_not_entered() -> None:
    text = "CREATE DATABASE d; USE d; CREATE TABLE t (x int); DROP DATABASE d; SELECT 1 FROM e.u; SELECT 2 FROM e.v"
    assert all(2 not in step.session for step in steps(text, "mysql") if step.statements[0] > 4)


def test_statements_wait_for_the_schema_that_they_enter() -> None:
    found = graph("CREATE DATABASE d; USE d; SELECT 1; SELECT 2", "mysql")
    assert {(edge.before, edge.after) for edge in found.edges} == {(1, 3), (1, 4)}


# -- what cannot be replayed

TOGETHER = [
    ("postgres", "CREATE TEMP TABLE x AS SELECT 1 AS y; SELECT * FROM a; SELECT * FROM x", (1, 3)),
    ("postgres", "SELECT 1 AS y INTO TEMP x; SELECT * FROM a; INSERT INTO x VALUES (2)", (1, 3)),
    ("postgres", "CREATE TEMP VIEW x AS SELECT 1 AS y; SELECT * FROM a; SELECT * FROM x", (1, 3)),
    ("postgres", "CREATE TEMP TABLE x (y int); CREATE VIEW v AS SELECT * FROM x; SELECT * FROM v", (1, 2, 3)),
    ("postgres", "CREATE TABLE pg_temp.x (y int); SELECT * FROM a; SELECT * FROM pg_temp.x", (1, 3)),
    ("mysql", "CREATE TEMPORARY TABLE x (y int); SELECT * FROM a; DROP TEMPORARY TABLE x", (1, 3)),
    ("mysql", "CREATE TEMPORARY TABLE x (y int); ALTER TABLE x RENAME TO z; SELECT * FROM z", (1, 2, 3)),
    ("mysql", "SET @x = (SELECT count(*) FROM b); SELECT * FROM a; SELECT @x", (1, 3)),
    ("mysql", "SELECT count(*) INTO @x FROM b; SELECT * FROM a; SELECT @x", (1, 3)),
    ("mysql", "SELECT @x := 1; SELECT * FROM a; SELECT @X", (1, 3)),
    ("mysql", "CALL p(@x); SELECT * FROM a; SELECT @x", (1, 2, 3)),
    ("mysql", "LOAD DATA INFILE 'f' INTO TABLE b (@x) SET y = trim(@x); SELECT * FROM a; SELECT @x", (1, 3)),
    ("mysql", "INSERT INTO b VALUES (1); SELECT * FROM a; SELECT last_insert_id()", (1, 2, 3)),
    ("mysql", "SELECT * FROM a; UPDATE b SET x = 1; SELECT row_count()", (2, 3)),
    ("sqlite", "INSERT INTO b VALUES (1); SELECT * FROM a; SELECT changes()", (1, 2, 3)),
    ("postgres", "BEGIN; SELECT * FROM a; COMMIT", (1, 2, 3)),
    ("postgres", "START TRANSACTION; SELECT * FROM a; END", (1, 2, 3)),
    ("sqlite", "BEGIN IMMEDIATE; SELECT * FROM a; ROLLBACK", (1, 2, 3)),
    ("postgres", "BEGIN; SAVEPOINT s; SELECT * FROM a; ROLLBACK TO s; SELECT * FROM b; COMMIT", (1, 2, 3, 4, 5, 6)),
    ("postgres", "BEGIN; COMMIT AND CHAIN; SELECT * FROM b; ROLLBACK", (1, 2, 3, 4)),
    ("postgres", "BEGIN; SELECT * FROM a", (1, 2)),
    ("mysql", "SET autocommit = 0; SELECT * FROM a; SELECT * FROM b", (1, 2, 3)),
    ("postgres", "PREPARE p AS SELECT 1; SELECT * FROM a; EXECUTE p", (1, 2, 3)),
    ("postgres", "SELECT set_config('x.y', 'z', false); SELECT * FROM a", (1, 2)),
    ("postgres", "BEGIN; CREATE TEMP TABLE x ON COMMIT DROP AS SELECT 1 AS y; COMMIT; SELECT * FROM x", (1, 2, 3)),
    ("postgres", "SET TRANSACTION READ ONLY; SELECT * FROM a", (1, 2)),
    ("mysql", "LOCK TABLES a WRITE; SELECT * FROM a; UNLOCK TABLES", (1, 2, 3)),
    ("duckdb", "SET VARIABLE x = (SELECT 1); SELECT * FROM a", (1, 2)),
    ("bigquery", "DECLARE x INT64; SELECT * FROM a", (1, 2)),
    ("postgres", "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT pg_temp.f()", (1, 2)),
    ("postgres", "CREATE TYPE pg_temp.x AS (a int); SELECT NULL::pg_temp.x", (1, 2)),
    ("postgres", "SELECT dblink_connect('c', 'dbname=x'); SELECT * FROM dblink('c', 'SELECT 1') AS x(a int)", (1, 2)),
    ("postgres", "SET seed = 0.5; SELECT random()", (1, 2)),
    ("mysql", "SET insert_id = 5; INSERT INTO a VALUES (NULL)", (1, 2)),
    ("duckdb", "CREATE PERSISTENT SECRET s (TYPE s3); SELECT * FROM a", (1, 2)),
    ("sqlite", "ATTACH ':memory:' AS m; SELECT * FROM a; CREATE TABLE m.x (y); SELECT * FROM m.x", (1, 3, 4)),
    ("sqlite", "ATTACH 'file:z?mode=memory' AS m; SELECT * FROM a; CREATE TABLE m.x AS SELECT 1;"
     " SELECT * FROM x", (1, 3, 4)),
    ("sqlite", "ATTACH '' AS m; PRAGMA m.cache_size = 1; CREATE INDEX m.i ON x (y)", (1, 2, 3)),
    ("sqlite", "ATTACH ':memory:' AS m; CREATE TABLE m.x (y); SELECT * FROM a; DROP TABLE m.x; DETACH m", (1, 2, 4, 5)),
    ("sqlite", "ATTACH ':memory:' AS m; CREATE TABLE m.x (y);"
     " SELECT * FROM m.x TO TRAIN a.B LABEL y INTO n", (1, 2, 3)),
    ("duckdb", "ATTACH ':memory:' AS m; SELECT * FROM a; CREATE TABLE m.x (y int); SELECT * FROM m.main.x", (1, 3, 4)),
    ("duckdb", "ATTACH ':memory:'; SELECT * FROM a; CREATE SCHEMA memory.s; DROP TABLE memory.s.x", (1, 3, 4)),
    ("duckdb", "ATTACH ':memory:n' AS m; USE m; CREATE TABLE x (y int); SELECT * FROM x", (1, 2, 3, 4)),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "text", "together"), TOGETHER)
def test_what_shares_a_session_shares_a_step(dialect: str, text: str, together: tuple[int, ...]) -> None:
    found = graph(text, dialect, LINEAGE, fusion=False)
    assert together in groups(found)


APART = [
    ("postgres", "CREATE TEMP TABLE x (y int); DROP TABLE x; SELECT * FROM x"),
    ("mysql", "USE a; CREATE TEMPORARY TABLE x (y int); USE b; SELECT * FROM x"),
    ("postgres", "CREATE TEMP TABLE x (y int); SELECT * FROM public.x"),
    ("sqlite", "BEGIN; COMMIT; SELECT * FROM a"),
    ("mysql", "SET @x = 5; SELECT 1 FROM a; SELECT @x"),
    ("sqlite", "ATTACH 'f' AS b; CREATE TABLE b.x (y); SELECT * FROM b.x"),
    ("duckdb", "ATTACH ':memory:' AS m; CREATE TABLE m.x (y int); SELECT * FROM x"),
]


@pytest.mark.parametrize(("dialect", "text"), APART)
def test_what_shares_nothing_does_not(dialect: str, text: str) -> None:
    found = graph(text, dialect, LINEAGE, fusion=False)
    (step,) = (step for step in found.steps if len(found.effects) in step.statements)
    assert all(found.effects[n - 1].setting for n in step.statements[:-1])


def test_a_rollback_may_bring_a_temporary_table_back() -> None:
    text = "CREATE TEMP TABLE x (y int); BEGIN; DROP TABLE x; ROLLBACK; SELECT * FROM x"
    found = graph(text, fusion=False)
    assert groups(found) == [(1, 2, 3, 4, 5)]
    assert found.effects[-1].shown_reads == ("x",)  # the permanent one, if the temporary one is gone


def test_a_temporary_table_between_others_takes_them_along() -> None:
    """The second statement waits for the first, the third for the second: one session for all."""
    text = """CREATE TEMP TABLE x AS SELECT 1 AS y; INSERT INTO t SELECT * FROM x;
    SELECT * FROM t TO TRAIN a.B LABEL y INTO m; SELECT * FROM x TO PREDICT r.y USING m; SELECT 1 FROM other;"""
    found = graph(text, ordering=LINEAGE)
    assert [(step.name, step.statements) for step in found.steps] == [("s1-train", (1, 2, 3, 4)), ("s5-sql", (5,))]


def test_statements_of_a_temporary_table_are_repeated_by_a_retry() -> None:
    text = "CREATE TEMP TABLE x (y int); INSERT INTO x VALUES (1); INSERT INTO t SELECT * FROM x; SELECT * FROM x"
    (step,) = graph(text).steps
    assert step.repeat == (1, 2)


def test_code_of_triggers_sees_temporary_tables() -> None:
    found = graph("CREATE TEMP TABLE x (y int); INSERT INTO t VALUES (1)", fusion=False)
    assert groups(found) == [(1, 2)]
    assert groups(graph("CREATE TEMP TABLE x (y int); INSERT INTO t VALUES (1)", "sqlite", fusion=False)) == [
        (1,),
        (2,),
    ]


def test_a_view_of_duckdb_sees_temporary_tables() -> None:
    text = "CREATE TEMP TABLE x AS SELECT 1; SELECT * FROM v"
    assert groups(graph(text, "duckdb", fusion=False)) == [(1, 2)]


@pytest.mark.parametrize("ordering", [CONSERVATIVE, LINEAGE])
def test_a_macro_of_duckdb_sees_temporary_tables(ordering: Ordering) -> None:
    text = "CREATE TEMP TABLE x AS SELECT 1; CREATE MACRO f(y) AS y + (SELECT count(*) FROM x); SELECT f(1)"
    assert groups(graph(text, "duckdb", ordering, fusion=False)) == [(1, 2, 3)]


def test_program_order_is_not_enough_where_a_view_sees_temporary_tables() -> None:
    """A view that existed before the program may be over a name that is a temporary table now."""
    text = f"CREATE TEMP TABLE x AS SELECT 1; {TRAIN.format('m')}; SELECT * FROM v"
    assert groups(graph(text, "duckdb", SEQUENTIAL, fusion=False)) == [(1, 2, 3)]


def test_in_program_order_only_what_may_change_the_session_is_worth_a_warning() -> None:
    text = "SELECT tax(1); VACUUM; FROB x;"
    assert [each.statement for each in graph(text).warnings] == [1, 2, 3]
    assert [each.statement for each in graph(text, ordering=SEQUENTIAL).warnings] == [3]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE /*!32302 TEMPORARY */ TABLE x (y int)",
        "/*!40101 SET NAMES utf8mb4 */",
        "/*M!100100 USE other */",
        "SET /*!50000 sql_mode = */ ''",
    ],
)
def test_a_comment_that_the_server_executes_may_change_the_session(statement: str) -> None:
    text = f"{statement}; {TRAIN.format('m')}; SELECT 1"
    assert groups(graph(text, "mysql", LINEAGE, fusion=False)) == [(1, 2, 3)]
    harmless = f"SELECT 1 /*! , 2 */; {TRAIN.format('m')}; SELECT 1"
    assert groups(graph(harmless, "mysql", LINEAGE, fusion=False)) == [(1,), (2,), (3,)]


def test_a_trigger_made_by_a_comment_that_the_server_executes() -> None:
    text = """CREATE /*!50017 DEFINER=x*/
    /*!50003 TRIGGER tr AFTER INSERT ON t FOR EACH ROW INSERT INTO log VALUES (1)*/;
    CREATE TABLE log (n int); INSERT INTO t VALUES (1); SELECT * FROM log"""
    assert before(graph(text, "mysql", LINEAGE), 3, 4)
