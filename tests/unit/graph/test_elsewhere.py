"""What a definition reads is read by whoever reads through it: files, tables of other servers, names that moved."""

from __future__ import annotations

import pytest
from sqlflow_codegen.graph.data_objects import ANY_FILE
from sqlflow_codegen.graph.files import file_resource
from sqlflow_codegen.graph.ordering import Ordering

from tests.unit.graph.helpers import CONSERVATIVE, LINEAGE, before, graph

FOREIGN = "CREATE FOREIGN TABLE ft (a int) SERVER fs OPTIONS (filename '/tmp/f.csv')"
RENAME = "CREATE SCHEMA s; CREATE TABLE s.t (a int); CREATE VIEW pv AS SELECT * FROM s.t;"

ORDERED = [
    # a file behind a view, a foreign table, a virtual table, an external table
    ("duckdb", "CREATE VIEW v AS SELECT * FROM '/tmp/v.csv'; COPY a TO '/tmp/v.csv';"
     " CREATE TABLE y AS SELECT * FROM v"),
    ("duckdb", "CREATE VIEW v AS SELECT * FROM read_csv('v.csv'); CREATE TABLE y AS SELECT * FROM v;"
     " COPY a TO '/tmp/v.csv'"),
    ("duckdb", "CREATE VIEW v AS FROM read_parquet(['u.parquet', 'v.parquet']); COPY a TO 'v.parquet';"
     " SELECT * FROM v"),
    ("duckdb", "CREATE VIEW v AS SELECT * FROM '/tmp/*.csv'; COPY a TO '/tmp/v.csv'; SELECT * FROM v"),
    ("duckdb", "CREATE VIEW v AS SELECT * FROM read_json(getvariable('f')); COPY a TO 'v.json'; SELECT * FROM v"),
    ("duckdb", "CREATE VIEW v AS SELECT * FROM 'v.csv'; CREATE VIEW w AS SELECT * FROM v; COPY a TO 'v.csv';"
     " SELECT * FROM w"),
    ("duckdb", "CREATE TEMP VIEW v AS SELECT * FROM 'v.csv'; COPY a TO 'v.csv'; SELECT * FROM v"),
    ("duckdb", "CREATE VIEW v AS SELECT * FROM 'v.csv'; ALTER VIEW v RENAME TO w; COPY a TO 'v.csv'; SELECT * FROM w"),
    ("duckdb", "CREATE VIEW v AS SELECT * FROM 'v.csv'; COPY a TO 'out' (PARTITION_BY (x)); SELECT * FROM v"),
    ("duckdb", "CREATE VIEW v AS SELECT * FROM sqlite_scan('f.db', 't'); COPY a TO 'f.db'; SELECT * FROM v"),
    ("postgres", f"{FOREIGN}; COPY (SELECT 2) TO '/tmp/f.csv'; CREATE TABLE y AS SELECT * FROM ft"),
    ("postgres", f"{FOREIGN}; CREATE VIEW v AS SELECT * FROM ft; COPY (SELECT 2) TO '/tmp/f.csv'; SELECT * FROM v"),
    ("postgres", f"{FOREIGN}; CREATE MATERIALIZED VIEW v AS SELECT * FROM ft; COPY x TO '/tmp/f.csv';"
     f" REFRESH MATERIALIZED VIEW v"),
    ("postgres", f"{FOREIGN}; ALTER FOREIGN TABLE ft OPTIONS (SET filename '/tmp/g.csv');"
     f" COPY x TO '/tmp/g.csv'; SELECT * FROM ft"),
    ("postgres", "CREATE VIEW v AS SELECT pg_read_file('/tmp/f.csv') AS f; COPY x TO '/tmp/f.csv'; SELECT * FROM v"),
    ("postgres", "CREATE VIEW v AS SELECT lo_import('/tmp/f.csv') AS f; COPY x TO '/tmp/f.csv'; SELECT * FROM v"),
    ("sqlite", "CREATE VIRTUAL TABLE v USING csv(filename='v.csv'); SELECT writefile('v.csv', 'a'); SELECT * FROM v"),
    ("spark", "CREATE TABLE v USING csv LOCATION 's3://b/v'; CREATE TABLE w USING csv LOCATION 's3://b/v';"
     " INSERT INTO v SELECT 1; SELECT * FROM w"),
    ("spark", "CREATE TABLE v USING csv OPTIONS (path '/v'); INSERT OVERWRITE DIRECTORY '/v' SELECT 1;"
     " SELECT * FROM v"),
    ("spark", "CREATE VIEW v AS SELECT * FROM csv.`/v/a.csv`; INSERT OVERWRITE DIRECTORY '/v' SELECT 1;"
     " SELECT * FROM v"),
    ("hive", "CREATE EXTERNAL TABLE v (a int) LOCATION '/v'; LOAD DATA INPATH '/v/f.csv' INTO TABLE w;"
     " SELECT * FROM w"),
    ("hive", "CREATE TABLE v (a int); LOAD DATA INPATH '/f.csv' INTO TABLE v; LOAD DATA INPATH '/f.csv' INTO TABLE w"),
    ("mysql", "CREATE TABLE v (a int) ENGINE=CONNECT TABLE_TYPE=CSV FILE_NAME='v.csv'; INSERT INTO v VALUES (1);"
     " LOAD DATA INFILE '/v.csv' INTO TABLE w"),
    ("trino", "CREATE TABLE v (a int) WITH (external_location = 's3://b/v');"
     " CREATE TABLE w (a int) WITH (external_location = 's3://b/v'); INSERT INTO v VALUES (1); SELECT * FROM w"),
    # a macro or function that reads a file
    ("duckdb", "CREATE MACRO f() AS TABLE SELECT * FROM 'v.csv'; COPY a TO 'v.csv'; SELECT * FROM f()"),
    ("duckdb", "CREATE MACRO f(p) AS TABLE SELECT * FROM read_csv(p); COPY a TO 'v.csv'; SELECT * FROM f('v.csv')"),
    ("duckdb", "CREATE MACRO g() AS (SELECT count(*) FROM 'v.csv'); CREATE VIEW v AS SELECT g();"
     "COPY a TO 'v.csv'; SELECT * FROM v"),
    ("duckdb", "CREATE VIEW w AS SELECT * FROM 'v.csv'; CREATE MACRO g() AS (SELECT count(*) FROM w);"
     "COPY a TO 'v.csv'; SELECT g()"),
    ("postgres", "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT pg_read_file('/tmp/v.csv') $$;"
     "CREATE VIEW v AS SELECT f(); COPY a TO '/tmp/v.csv'; SELECT * FROM v"),
    ("postgres", f"{FOREIGN}; CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM ft $$;"
     "COPY a TO '/tmp/f.csv'; SELECT f()"),
    ("postgres", "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM s.t $$;"
     "ALTER SCHEMA s RENAME TO s2; INSERT INTO s2.t VALUES (1); SELECT f()"),
    # a table of another server, or of another name
    ("postgres", "CREATE FOREIGN TABLE ft (a int) SERVER s OPTIONS (schema_name 'public', table_name 't');"
     " CREATE TABLE t (a int); INSERT INTO t VALUES (1); SELECT * FROM ft"),
    ("postgres", "CREATE FOREIGN TABLE f.t (a int) SERVER s; CREATE TABLE t (a int); INSERT INTO f.t VALUES (1);"
     " SELECT * FROM t"),
    ("postgres", "CREATE TABLE t (a int); INSERT INTO t VALUES (1);"
     " SELECT * FROM dblink('', 'SELECT a FROM t') AS x(a int)"),
    ("mysql", "CREATE TABLE f (a int) ENGINE=FEDERATED CONNECTION='mysql://u@h/db/t'; CREATE TABLE t (a int);"
     " INSERT INTO t VALUES (1); SELECT * FROM f"),
    ("mysql", "CREATE TABLE f (a int) ENGINE=CONNECT TABLE_TYPE=MYSQL TABNAME='t'; CREATE TABLE t (a int);"
     " INSERT INTO t VALUES (1); SELECT * FROM f"),
    ("mysql", "CREATE TABLE f (a int) ENGINE=MERGE UNION=(t, u); INSERT INTO t VALUES (1); SELECT * FROM f"),
    ("mysql", "CREATE TABLE f (a int) ENGINE=SPIDER; INSERT INTO t VALUES (1); SELECT * FROM f"),
    ("duckdb", "ATTACH 'x' AS p (TYPE postgres); CREATE TABLE p.t (a int); INSERT INTO p.t VALUES (1);"
     " SELECT * FROM postgres_scan('x', 'public', 't')"),
    # another name of one database file
    ("sqlite", "ATTACH 'f' AS b; ATTACH 'f' AS c; CREATE TABLE b.t (a); INSERT INTO b.t VALUES (1); SELECT * FROM c.t"),
    ("sqlite", "CREATE TABLE main.t (a); ATTACH 'f' AS b; INSERT INTO b.t VALUES (1); SELECT * FROM main.t"),
    ("sqlite", "ATTACH 'f' AS b; CREATE TABLE t (a); CREATE VIEW v AS SELECT * FROM t; INSERT INTO t VALUES (1);"
     " SELECT * FROM b.v"),
    ("duckdb", "ATTACH 'f' AS b; ATTACH 'l' AS c; CREATE TABLE b.t (a int); INSERT INTO b.t VALUES (1);"
     " SELECT * FROM c.main.t"),
    # external content of a virtual table
    ("sqlite", "CREATE TABLE d (a); CREATE VIRTUAL TABLE v USING fts5(a, content='d', content_rowid='rowid');"
     " INSERT INTO d VALUES (1); SELECT * FROM v"),
    ("sqlite", 'CREATE TABLE d (a); CREATE VIRTUAL TABLE v USING fts4(content="d", a); INSERT INTO d VALUES (1);'
     ' SELECT * FROM v'),
    ("sqlite", "CREATE VIRTUAL TABLE v USING fts5(a); CREATE VIRTUAL TABLE w USING fts5vocab('v', 'row');"
     " INSERT INTO v VALUES (1); SELECT * FROM w"),
    ("sqlite", "CREATE VIRTUAL TABLE v USING fts5(a); INSERT INTO v VALUES (1); SELECT * FROM v_content"),
    # a name that moved
    ("postgres", f"{RENAME} ALTER SCHEMA s RENAME TO s2; INSERT INTO s2.t VALUES (2); SELECT * FROM pv"),
    ("postgres", f"{RENAME} ALTER SCHEMA s RENAME TO s2; SELECT * FROM pv; INSERT INTO s2.t VALUES (2)"),
    ("postgres", f"{RENAME} CALL swap(); INSERT INTO other VALUES (2); SELECT * FROM pv"),
    ("postgres", f"{RENAME} DO $$ BEGIN EXECUTE f(); END $$; INSERT INTO other VALUES (2); SELECT * FROM pv"),
    ("trino", f"{RENAME} ALTER SCHEMA s RENAME TO s2; INSERT INTO s2.t VALUES (2); SELECT * FROM pv"),
    ("snowflake", f"{RENAME} ALTER DATABASE d SWAP WITH e; INSERT INTO e.s.t VALUES (2); SELECT * FROM d.s.t"),
    ("snowflake", "CREATE VIEW v AS SELECT * FROM d.s.t; ALTER DATABASE d RENAME TO e;"
     " INSERT INTO e.s.t VALUES (2); SELECT * FROM v"),
    ("postgres", "CREATE SYNONYM v FOR t; INSERT INTO t VALUES (1); SELECT * FROM v"),
    ("postgres", "IMPORT FOREIGN SCHEMA public FROM SERVER s INTO f; INSERT INTO t VALUES (1); SELECT * FROM f.t"),
    ("hive", "ALTER TABLE v EXCHANGE PARTITION (a = 1) WITH TABLE w; INSERT INTO w VALUES (1); SELECT * FROM v"),
]  # fmt: skip


@pytest.mark.parametrize("ordering", [CONSERVATIVE, LINEAGE])
@pytest.mark.parametrize(("dialect", "text"), ORDERED)
def test_the_last_statement_waits_for_the_one_before_it(dialect: str, text: str, ordering: Ordering) -> None:
    found = graph(text, dialect, ordering, fusion=False)
    assert before(found, len(found.effects) - 1, len(found.effects))


APART = [
    ("duckdb", "CREATE VIEW v AS SELECT * FROM 'v.csv'; COPY (SELECT 1) TO 'w.csv'; SELECT * FROM v"),
    ("duckdb", "COPY (SELECT 1) TO '/a/v.csv'; COPY (SELECT 1) TO '/b/v.csv'"),
    ("duckdb", "COPY (SELECT 1) TO 'a/v.csv'; SELECT * FROM read_csv('b/v.csv')"),
    ("postgres", "COPY (SELECT 1) TO '/tmp/a.csv'; COPY (SELECT 1) TO '/tmp/b.csv'"),
    ("postgres", f"{FOREIGN}; COPY (SELECT 1) TO '/tmp/g.csv'; SELECT * FROM ft"),
    ("postgres", f"{RENAME} CREATE TABLE n (a int); ALTER SCHEMA s RENAME TO s2; INSERT INTO n VALUES (1);"
     f" SELECT * FROM pv"),
    ("postgres", f"{RENAME} CALL swap(); CREATE TABLE n (a int); SELECT * FROM pv"),
    ("postgres", f"{RENAME} CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1';"
     f" INSERT INTO o VALUES (1); SELECT * FROM pv"),
    ("sqlite", "ATTACH 'f' AS b; ATTACH 'g' AS c; INSERT INTO b.t VALUES (1); SELECT * FROM c.u"),
    ("spark", "CREATE TABLE v USING csv LOCATION 's3://b/v'; CREATE TABLE w USING csv LOCATION 's3://b/w';"
     " INSERT INTO v SELECT 1; SELECT * FROM w"),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "text"), APART)
def test_what_reads_something_else_does_not_wait(dialect: str, text: str) -> None:
    found = graph(text, dialect, LINEAGE, fusion=False)
    assert not before(found, len(found.effects) - 1, len(found.effects))


def test_a_view_waits_for_the_file_that_it_is_made_from() -> None:
    found = graph("COPY (SELECT 1 a) TO '/tmp/v.csv'; CREATE VIEW v AS SELECT * FROM '/tmp/v.csv'", "duckdb", LINEAGE)
    assert before(found, 1, 2)


EXISTING = [
    ("postgres", "COPY (SELECT 2) TO '/tmp/f.csv'; CREATE TABLE y AS SELECT * FROM ft"),
    ("postgres", "CREATE TABLE y AS SELECT * FROM ft; COPY (SELECT 2) TO '/tmp/f.csv'"),
    ("duckdb", "COPY (SELECT 2) TO 'f.csv'; SELECT * FROM v"),
    ("duckdb", "COPY (SELECT 2) TO 'f.csv'; SELECT * FROM v TO TRAIN a.B LABEL y INTO m"),
]


@pytest.mark.parametrize(("dialect", "text"), EXISTING)
def test_what_existed_before_may_be_over_a_file(dialect: str, text: str) -> None:
    assert before(graph(text, dialect, CONSERVATIVE, fusion=False), 1, 2)
    assert not before(graph(text, dialect, LINEAGE, fusion=False), 1, 2)


def test_names_that_moved_say_so() -> None:
    found = graph(
        f"{RENAME} ALTER SCHEMA s RENAME TO s2; INSERT INTO s2.t VALUES (2); SELECT * FROM pv", ordering=LINEAGE
    )
    assert [(edge.hazard, edge.on) for edge in found.edges if edge.after == 6] == [("RAW", "*")]


def test_exports_of_existing_tables_do_not_wait_for_each_other() -> None:
    text = "COPY a TO '/tmp/a.csv'; COPY b TO '/tmp/b.csv'; SELECT * FROM a"
    found = graph(text, "postgres", CONSERVATIVE, fusion=False)
    assert not before(found, 1, 2)
    assert before(found, 2, 3)


@pytest.mark.parametrize(
    ("path", "folder", "name"),
    [
        ("/tmp/a.csv", "/tmp", "a.csv"),
        ("/tmp//x/./A.csv", "/tmp/x", "a.csv"),
        ("file:///tmp/a.csv", "/tmp", "a.csv"),
        ("a.csv", "./", "a.csv"),
        ("./x/a.csv", "./x", "a.csv"),
        ("s3://bucket/x/a.parquet", "s3://bucket/x", "a.parquet"),
        (r"C:\x\a.csv", "c:/x", "a.csv"),
    ],
)
def test_names_of_files(path: str, folder: str, name: str) -> None:
    found = file_resource(path)
    assert (found.schema, found.name) == (folder, name)


@pytest.mark.parametrize(
    "path", ["", "x/*.csv", "folder", "x/", "../a.csv", "~/a.csv", "$HOME/a.csv", "a.csv?x=1", "@stage/x.csv/"]
)
def test_names_that_may_be_any_file(path: str) -> None:
    assert file_resource(path) == ANY_FILE
