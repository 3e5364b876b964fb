"""What a step that is tried again runs again although it is done: what only shapes its session."""

from __future__ import annotations

import pytest
from sqlflow_codegen.graph.ordering import Ordering

from tests.unit.graph.helpers import CONSERVATIVE, LINEAGE, SEQUENTIAL, before, graph, groups

REPEATED = [
    ("postgres", "SET search_path = a; INSERT INTO t VALUES (1); RESET ALL", (1, 3)),
    ("postgres", "PREPARE p AS SELECT 1; EXECUTE p; DEALLOCATE p", (1, 3)),
    ("postgres", "LISTEN a; NOTIFY a; UNLISTEN a; DISCARD PLANS", (1, 3, 4)),
    ("postgres", "DECLARE c CURSOR WITH HOLD FOR SELECT 1; FETCH c; MOVE c; CLOSE c", (1, 2, 3, 4)),
    ("postgres", "LOAD 'auto_explain'; SELECT set_config('a.b', 'c', false); INSERT INTO t VALUES (1)", (1, 2)),
    ("postgres", "SELECT pg_advisory_lock(1); INSERT INTO t VALUES (1)", (1,)),
    ("postgres", "CREATE TEMP TABLE x AS SELECT * FROM pg_class; CREATE UNIQUE INDEX i ON x (oid);"
     " DROP INDEX i", (1, 2, 3)),
    ("postgres", "CREATE TEMP TABLE x (a int); WITH y AS (SELECT 1) INSERT INTO x SELECT * FROM y;"
     " DROP TABLE x", (1, 2, 3)),
    ("postgres", "CREATE TEMP TABLE x (a int); TRUNCATE x; COMMENT ON TABLE x IS 'y'; COPY x FROM '/f'", (1, 2, 3, 4)),
    ("postgres", "CREATE TEMP TABLE x (a int); DROP TABLE x CASCADE; DROP TABLE t CASCADE", (1, 2)),
    ("postgres", "SELECT 1 AS a INTO TEMP x; UPDATE x SET a = 2; INSERT INTO t SELECT * FROM x", (1, 2)),
    # A transaction is repeated with what it did to the session, if it did anything to it.
    ("postgres", "BEGIN; INSERT INTO t VALUES (1); COMMIT", ()),
    ("postgres", "BEGIN; SET LOCAL x.y = 1; SET CONSTRAINTS ALL DEFERRED; INSERT INTO t VALUES (1); COMMIT", ()),
    ("postgres", "BEGIN; SET x.y = 1; SET LOCAL x.z = 1; SAVEPOINT s; INSERT INTO t VALUES (1);"
     " COMMIT", (1, 2, 3, 4, 6)),
    ("postgres", "BEGIN; CREATE TEMP TABLE x (a int) ON COMMIT DROP; INSERT INTO x VALUES (1); COMMIT", (1, 2, 3, 4)),
    ("postgres", "BEGIN; CREATE TEMP TABLE x (a int); INSERT INTO t VALUES (1); ROLLBACK", (1, 2, 4)),
    ("postgres", "BEGIN; DECLARE c CURSOR FOR SELECT 1; FETCH c; CLOSE c; COMMIT", ()),
    ("postgres", "BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'p'; COMMIT PREPARED 'p'", ()),
    ("postgres", "BEGIN; SET x.y = 1; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'p'; ROLLBACK PREPARED 'p'", (2,)),
    ("postgres", "VACUUM t; GRANT SELECT ON t TO r; ALTER SYSTEM SET work_mem = '1MB'; NOTIFY a", ()),
    ("mysql", "LOAD DATA INFILE 'f' INTO TABLE t", ()),
    ("mysql", "LOAD DATA INFILE 'f' INTO TABLE t; SET @x = 1; USE d", (2, 3)),
    ("mysql", "CREATE TEMPORARY TABLE x (a int); LOAD DATA INFILE 'f' INTO TABLE x", (1, 2)),
    ("mysql", "CREATE TEMPORARY TABLE x (a int); CREATE INDEX i ON x (a); DROP INDEX i ON x;"
     " REPLACE INTO x VALUES (1)", (1, 2, 3, 4)),
    ("mysql", "SET @x = (SELECT count(*) FROM a); SELECT 1 INTO @y; INSERT INTO t VALUES (@x)", (1, 2)),
    ("mysql", "SET SESSION sql_mode = ''; SET GLOBAL sql_mode = ''; SET PERSIST x = 1; SET PASSWORD = 'x'", (1,)),
    ("mysql", "SET autocommit = 0; INSERT INTO t VALUES (1); COMMIT", (1,)),
    ("mysql", "PREPARE s FROM 'SELECT 1'; EXECUTE s; DEALLOCATE PREPARE s", (1, 3)),
    ("mysql", "LOCK TABLES a WRITE; INSERT INTO a VALUES (1); UNLOCK TABLES", (1, 3)),
    ("mysql", "SELECT get_lock('x', 1); INSERT INTO a VALUES (1)", (1,)),
    ("mysql", "HANDLER t OPEN; HANDLER t READ FIRST; INSERT INTO a VALUES (1)", (1, 2)),
    ("sqlite", "PRAGMA foreign_keys = ON; ATTACH 'f' AS b; PRAGMA user_version = 3; DETACH b", (1, 2, 4)),
    ("sqlite", "CREATE TEMP TABLE x (a); CREATE INDEX i ON x (a); REPLACE INTO x VALUES (1)", (1, 2, 3)),
    ("sqlite", "PRAGMA secure_delete = 1; PRAGMA journal_size_limit = 1; CREATE TEMP VIEW v AS SELECT 1", (1, 3)),
    ("sqlite", "ATTACH ':memory:' AS m; CREATE TABLE m.x (y); INSERT INTO m.x VALUES (1);"
     " INSERT INTO t SELECT * FROM m.x", (1, 2, 3)),
    ("duckdb", "SET threads = 2; ATTACH 'f' AS b; LOAD json; INSTALL json; DETACH b", (1, 2, 3, 4, 5)),
    ("duckdb", "SET VARIABLE x = (SELECT max(a) FROM t); CREATE TEMP MACRO f() AS 1; INSERT INTO t VALUES (1)", (1, 2)),
    ("duckdb", "PREPARE p AS SELECT 1; EXECUTE p; COPY t FROM 'f.csv'", (1,)),
    ("duckdb", "CREATE TEMP TABLE x (a int); COPY x FROM 'f.csv'; BEGIN; INSERT INTO x VALUES (1);"
     " COMMIT", (1, 2, 3, 4, 5)),
    ("spark", "CACHE TABLE t; UNCACHE TABLE t; SET x = 1; INSERT INTO t VALUES (1)", (1, 2, 3)),
    ("hive", "ADD JAR f.jar; LOAD DATA INPATH 'f' INTO TABLE t", (1,)),
    ("bigquery", "DECLARE x INT64; SET x = 5; INSERT INTO t VALUES (x)", (1, 2)),
    ("snowflake", "USE ROLE r; ALTER SESSION SET x = 1; SET y = 2; INSERT INTO t VALUES ($y)", (1, 2, 3)),
    ("trino", "SET SESSION x = 1; PREPARE p FROM SELECT 1; EXECUTE p; DEALLOCATE PREPARE p", (1, 2, 4)),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "text", "expected"), REPEATED)
def test_a_retry_repeats_what_only_shapes_the_session(dialect: str, text: str, expected: tuple[int, ...]) -> None:
    (step,) = graph(text, dialect, SEQUENTIAL).steps
    assert step.repeat == expected


LOST = [
    # what a statement leaves in the session besides what it changes
    ("mysql", "INSERT INTO t VALUES (1); INSERT INTO u VALUES (last_insert_id()); INSERT INTO u VALUES (2)", (2,)),
    ("mysql", "INSERT INTO t VALUES (1); SET @x = last_insert_id(); SELECT 1; INSERT INTO u VALUES (@x);"
     " SELECT 2", (2, 3, 4)),
    ("mysql", "SELECT 1; UPDATE t SET a = 1; INSERT INTO u VALUES (row_count()); SELECT 1", (3,)),
    ("mysql", "LOAD DATA INFILE 'f' INTO TABLE t (@x); INSERT INTO u VALUES (@x); SELECT 1", (2,)),
    ("postgres", "INSERT INTO t VALUES (1); SELECT currval('s'); SELECT 1", (2,)),
    ("sqlite", "INSERT INTO t VALUES (1); INSERT INTO u VALUES (last_insert_rowid())", (2,)),
    ("postgres", "CREATE TEMP TABLE x (a int); CALL p(); INSERT INTO t SELECT * FROM x; SELECT 1", (3,)),
    ("postgres", "CREATE TEMP TABLE x (a int); INSERT INTO x SELECT nextval('s'); INSERT INTO t SELECT * FROM x", (3,)),
    # what is repeated reads what was changed since
    ("postgres", "CREATE TEMP TABLE x AS SELECT * FROM t; INSERT INTO t SELECT * FROM x;"
     " INSERT INTO u SELECT * FROM x", (3,)),
    ("postgres", "CREATE TABLE t (a int); CREATE TABLE u (a int); CREATE TEMP TABLE x AS SELECT * FROM t;"
     "INSERT INTO u SELECT * FROM x; INSERT INTO u SELECT * FROM x; INSERT INTO t SELECT * FROM x;"
     " SELECT * FROM x", (7,)),
    ("mysql", "SET @x = (SELECT count(*) FROM t); INSERT INTO t VALUES (@x); INSERT INTO u VALUES (@x);"
     " SELECT 1", (3,)),
    ("duckdb", "SET VARIABLE x = (SELECT count(*) FROM t); INSERT INTO t VALUES (1); SELECT getvariable('x')", (3,)),
    ("sqlite", "ATTACH ':memory:' AS m; CREATE TABLE m.x AS SELECT * FROM t; DELETE FROM t;"
     " INSERT INTO u SELECT * FROM m.x", (4,)),
    # a new session is not like the old one
    ("postgres", "SELECT 1; ALTER ROLE me SET search_path = x; INSERT INTO t VALUES (1); SELECT 2", (3, 4)),
    ("mysql", "SET GLOBAL sql_mode = 'ANSI'; INSERT INTO t VALUES (1)", (2,)),
    # nothing is lost
    ("postgres", "BEGIN; CREATE TEMP TABLE x (a int) ON COMMIT DROP; INSERT INTO x SELECT * FROM t;"
     "INSERT INTO t SELECT * FROM x; COMMIT; INSERT INTO u VALUES (1)", ()),
    ("postgres", "CREATE TEMP TABLE x AS SELECT * FROM t; CREATE INDEX i ON x (a);"
     " INSERT INTO t SELECT * FROM x; SELECT 1", ()),
    ("postgres", "PREPARE p AS SELECT 1; EXECUTE p; INSERT INTO t VALUES (1); BEGIN;"
     " DECLARE c CURSOR FOR SELECT 1; COMMIT", ()),
    ("mysql", "SET @x = (SELECT count(*) FROM t); INSERT INTO t VALUES (@x); INSERT INTO u VALUES (2)", (3,)),
    ("mysql", "SET @x = 1; INSERT INTO t VALUES (@x); INSERT INTO t VALUES (@x)", ()),
    ("sqlite", "SELECT changes(); INSERT INTO t VALUES (1)", ()),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "text", "expected"), LOST)
def test_where_a_retry_cannot_go_on(dialect: str, text: str, expected: tuple[int, ...]) -> None:
    (step,) = graph(text, dialect, SEQUENTIAL).steps
    assert step.lost == expected


def test_names_are_enough_to_be_trusted_by_a_retry() -> None:
    text = "CREATE TEMP TABLE x AS SELECT * FROM t; INSERT INTO u SELECT * FROM x; INSERT INTO v SELECT * FROM x"
    assert [step.lost for step in graph(text, ordering=LINEAGE).steps] == [()]
    assert [step.lost for step in graph(text, ordering=CONSERVATIVE).steps] == [(3,)]  # u may be a view over t


LATER = [
    ("postgres", "ALTER ROLE current_user SET search_path = two"),
    ("postgres", "ALTER USER me RESET ALL"),
    ("postgres", "ALTER DATABASE d SET work_mem = '1MB'"),
    ("postgres", "ALTER SYSTEM SET work_mem = '1MB'"),
    ("postgres", "CREATE EVENT TRIGGER e ON login EXECUTE FUNCTION f()"),
    ("mysql", "SET GLOBAL sql_mode = 'ANSI_QUOTES'"),
    ("mysql", "SET @@global.sql_mode = ''"),
    ("mysql", "SET PERSIST sql_mode = ''"),
    ("mysql", "SET GLOBAL TRANSACTION READ ONLY"),
    ("mysql", "ALTER USER me DEFAULT ROLE r"),
    ("mysql", "SET DEFAULT ROLE r TO me"),
    ("mysql", "SET PASSWORD = 'x'"),
    ("snowflake", "ALTER USER me SET timezone = 'UTC'"),
    ("snowflake", "ALTER ACCOUNT SET timezone = 'UTC'"),
    ("bigquery", "ALTER PROJECT p SET OPTIONS (`region-us.default_time_zone` = 'UTC')"),
]


@pytest.mark.parametrize("ordering", [CONSERVATIVE, LINEAGE, SEQUENTIAL])
@pytest.mark.parametrize(("dialect", "setting"), LATER)
def test_no_session_begins_after_what_changes_later_sessions(dialect: str, setting: str, ordering: Ordering) -> None:
    text = f"SELECT * FROM a; SELECT * FROM b; {setting}; SELECT * FROM c; SELECT * FROM d TO TRAIN x.Y LABEL e INTO m"
    found = graph(text, dialect, ordering, fusion=False)
    assert groups(found)[-1] == (3, 4, 5)
    assert before(found, 1, 3)
    assert before(found, 2, 3)
    (warning,) = (each for each in found.warnings if each.statement == 3)
    assert "later" in warning.message or "not followed" in warning.message


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("mysql", "RESET MASTER"),
        ("mysql", "SET PERSIST_ONLY x = 1"),
        ("mysql", "LOAD XML INFILE 'f' INTO TABLE t"),
        ("mysql", "LOAD INDEX INTO CACHE t"),
        ("mysql", "INSTALL SONAME 'ha_connect'"),
        ("duckdb", "PRAGMA create_fts_index('t', 'id', 'text')"),
    ],
)
def test_what_changes_no_session_is_not_replayed(dialect: str, text: str) -> None:
    found = graph(f"{text}; SELECT * FROM a; SELECT * FROM b", dialect, LINEAGE, fusion=False)
    assert groups(found) == [(1,), (2,), (3,)]
    assert [step.session for step in found.steps] == [(), (), ()]
    assert [step.repeat for step in found.steps] == [(), (), ()]
