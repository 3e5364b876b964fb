"""What a step that is tried again runs again although it is done: what only shapes its session."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest
from sqlflow_codegen.errors import ProgramError
from sqlflow_codegen.graph import settings, trust
from sqlflow_codegen.graph.ordering import Ordering
from sqlflow_codegen.graph.settings import Settings
from sqlflow_codegen.graph.transactions import Transactions
from sqlflow_codegen.language.dialects import DIALECTS

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


ALL = frozenset(DIALECTS)
NO_SERVER = ALL - {"mysql"}  # where SET GLOBAL and the like have no server's variable to set
KINDS = [
    # state of the session, and nothing else
    *((text, ALL) for text in (
        "SET x = 1", "SET @x = 1", "SET SESSION x = 1", "SET ROLE r", "SET VARIABLE x = 1",
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "SET @x = (SELECT max(a) FROM t)", "UNSET x", "USE d",
        "USE ROLE r", "PRAGMA foreign_keys = 1", "PRAGMA threads = 2", "ATTACH 'f' AS b", "ATTACH ':memory:' AS b",
        "DETACH b", "ADD JAR f", "ALTER SESSION SET x = 1", "CREATE TEMPORARY FUNCTION f() AS 1",
        "CREATE TEMPORARY TABLE n (a INT)", "CREATE TEMP TABLE n AS SELECT * FROM t",
        "CREATE TEMPORARY VIEW v AS SELECT * FROM t", "PREPARE p AS SELECT 1", "PREPARE p FROM 'SELECT 1'",
        "DEALLOCATE p", "DEALLOCATE PREPARE p", "FETCH c", "MOVE c", "CLOSE c", "OPEN c", "HANDLER t OPEN",
        "DISCARD ALL", "CACHE TABLE t", "UNCACHE TABLE t", "LISTEN x", "UNLISTEN x",
    )),
    # so in some dialects
    ("SET GLOBAL x = 1", NO_SERVER),
    ("SET PERSIST x = 1", NO_SERVER),
    ("SET LOCAL x = 1", ALL - {"postgres"}),
    ("RESET x", NO_SERVER),
    ("RESET ALL", NO_SERVER),
    ("LOAD 'f'", NO_SERVER),
    ("PRAGMA user_version = 3", {"duckdb"}),
    ("INSTALL f", {"duckdb"}),
    ("FORCE INSTALL f", {"duckdb"}),
    ("CREATE SECRET s (TYPE s3)", {"duckdb"}),
    ("DECLARE c CURSOR FOR SELECT 1", ALL - {"snowflake"}),
    ("DECLARE x INT64", ALL - {"snowflake"}),
    ("SELECT 1 INTO @x", ALL - {"duckdb", "snowflake"}),
    ("LOCK TABLES t WRITE", ALL - {"postgres"}),
    ("UNLOCK TABLES", ALL - {"postgres"}),
    # data, definitions, whatever else outlives the session
    *((text, frozenset[str]()) for text in (
        "SET PASSWORD = 'x'", "LOAD DATA INFILE 'f' INTO TABLE t", "LOAD DATA INPATH 'f' INTO TABLE t",
        "ALTER TABLE t ADD COLUMN b INT", "ALTER ROLE r SET x = 1", "CREATE PERSISTENT SECRET s (TYPE s3)",
        "CREATE TABLE n (a INT)", "CREATE VIEW v AS SELECT * FROM t", "CREATE INDEX i ON t (a)", "CREATE SCHEMA s",
        "CREATE SEQUENCE q", "CREATE FUNCTION f() RETURNS INT RETURN 1",
        "CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()", "DROP TABLE t", "DROP VIEW v",
        "DROP SCHEMA s", "RENAME TABLE t TO u", "TRUNCATE TABLE t", "COMMENT ON TABLE t IS 'x'",
        "INSERT INTO t VALUES (1)", "INSERT INTO t SELECT * FROM u", "REPLACE INTO t VALUES (1)", "UPDATE t SET a = 1",
        "DELETE FROM t", "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN UPDATE SET a = 2", "COPY t FROM 'f'",
        "COPY t TO 'f'", "SELECT * FROM t", "SELECT * INTO n FROM t", "WITH c AS (SELECT 1) SELECT * FROM c",
        "VALUES (1)", "TABLE t", "CALL p()", "DO 'BEGIN END'", "EXECUTE p", "EXECUTE IMMEDIATE 'SELECT 1'",
        "XA START 'x'", "PREPARE TRANSACTION 'x'", "COMMIT PREPARED 'x'", "ROLLBACK PREPARED 'x'", "NOTIFY x",
        "SHOW TABLES", "DESCRIBE t", "EXPLAIN SELECT 1", "EXPLAIN ANALYZE DELETE FROM t", "ANALYZE t",
        "ANALYZE TABLE t", "REFRESH MATERIALIZED VIEW v", "REFRESH TABLE t", "GRANT SELECT ON t TO r",
        "REVOKE SELECT ON t FROM r", "VACUUM", "CHECKPOINT", "REINDEX TABLE t", "CLUSTER t", "FLUSH TABLES",
        "OPTIMIZE TABLE t", "CHECK TABLE t", "REPAIR TABLE t", "KILL 5", "SECURITY LABEL ON TABLE t IS 'x'", "HELP",
        "UNLOAD ('x') TO 'f'", "EXPORT DATABASE 'f'", "IMPORT DATABASE 'f'",
    )),
    # a transaction in which nothing shapes the session
    *((text, frozenset[str]()) for text in (
        "BEGIN", "START TRANSACTION", "COMMIT", "END", "ROLLBACK", "ROLLBACK TO s", "ABORT", "SAVEPOINT s", "RELEASE s",
    )),
]  # fmt: skip
"""Statements of every kind, and the dialects in which a retry repeats them."""
NO_PROGRAM = {("DECLARE c CURSOR FOR SELECT 1", "snowflake"), ("DECLARE x INT64", "snowflake")}
"""The beginning of a block that the program does not end."""


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(("text", "repeated"), KINDS, ids=lambda value: value if isinstance(value, str) else "")
def test_every_kind_of_statement_in_every_dialect(text: str, repeated: Collection[str], dialect: str) -> None:
    if (text, dialect) in NO_PROGRAM:
        with pytest.raises(ProgramError):
            graph(text, dialect, SEQUENTIAL)
        return
    found = graph(f"{text}; INSERT INTO later VALUES (1)", dialect, SEQUENTIAL)
    (step,) = found.steps
    assert step.repeat == ((1,) if dialect in repeated else ())
    if step.repeat:
        assert not found.effects[0].writes


def test_no_verb_that_the_graph_knows_is_left_out() -> None:
    assignments: Any = None
    known = {
        *Settings("postgres", assignments)._by_verb,
        *Transactions("postgres")._by_verb,
        *settings._KEPT,
        *settings._STICKY,
        *settings._ALONE,
        *trust._ROWS_ONLY,
    }
    assert known <= {text.split()[0] for text, _ in KINDS}


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
