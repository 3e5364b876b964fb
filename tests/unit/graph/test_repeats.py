"""What a step that is tried again runs again although it is done: what only shapes its session."""

from __future__ import annotations

import pytest

from tests.unit.graph.helpers import SEQUENTIAL, graph

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
