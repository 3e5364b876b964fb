"""Titles of statements: verb and object, one short line, no literal of the program."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlflow_codegen.language import parse_program
from sqlflow_codegen.language.dialects import DIALECTS
from sqlflow_codegen.language.titles import TITLE_LENGTH, sql_title

SECRET = "s3cret"

TITLES = [
    ("postgres", "CREATE TABLE mart.features AS SELECT 1", "CREATE TABLE mart.features"),
    ("postgres", 'CREATE TEMP TABLE IF NOT EXISTS "My T" (a int)', 'CREATE TABLE "My T"'),
    ("postgres", "CREATE OR REPLACE VIEW s . v AS SELECT 1", "CREATE VIEW s.v"),
    ("postgres", "CREATE UNIQUE INDEX CONCURRENTLY i ON s.t (a)", "CREATE INDEX i ON s.t"),
    ("postgres", "CREATE INDEX ON s.t (a)", "CREATE INDEX ON s.t"),
    ("postgres", "REFRESH MATERIALIZED VIEW CONCURRENTLY v", "REFRESH MATERIALIZED VIEW v"),
    ("postgres", 'DROP TABLE IF EXISTS a, b.c, "D" CASCADE', 'DROP TABLE a, b.c, "D"'),
    ("postgres", "DROP SCHEMA IF EXISTS s CASCADE", "DROP SCHEMA s"),
    ("postgres", "ALTER TABLE IF EXISTS ONLY s.t ADD COLUMN a int", "ALTER TABLE s.t"),
    ("postgres", "INSERT INTO t VALUES (1)", "INSERT INTO t"),
    ("postgres", "UPDATE ONLY t SET a = 1", "UPDATE t"),
    ("postgres", "DELETE FROM t WHERE a", "DELETE FROM t"),
    ("postgres", "TRUNCATE t", "TRUNCATE TABLE t"),
    ("postgres", "MERGE INTO t USING s ON true WHEN MATCHED THEN DELETE", "MERGE INTO t"),
    ("postgres", "SELECT EXTRACT(year FROM d), a IS DISTINCT FROM b FROM m.t JOIN u USING (a)", "SELECT … FROM m.t"),
    ("postgres", "((SELECT a FROM t) UNION SELECT 1)", "SELECT … FROM t"),
    ("postgres", "SELECT * FROM (SELECT 1) AS x", "SELECT … FROM (…)"),
    ("postgres", "SELECT * INTO TEMP n FROM o", "SELECT … INTO n"),
    ("postgres", "SELECT s.refresh(1)", "SELECT s.refresh(…)"),
    (
        "postgres",
        "SELECT '(', \"FROM x (\", from_x, xfrom, $$ FROM y $$ -- FROM c\n/* FROM b ( */ FROM t",
        "SELECT … FROM t",
    ),
    ("mysql", "SELECT a, 'it\\'s (' , `FROM z` # FROM c\nFROM t", "SELECT … FROM t"),
    ("sqlite", "SELECT [a (] FROM t", "SELECT … FROM t"),
    ("postgres", "SELECT DISTINCT ON (a) a, f(b FROM c) FROM t", "SELECT … FROM t"),
    ("postgres", "WITH x AS (SELECT ')' FROM y WHERE (a)) SELECT a FROM x", "WITH … SELECT … FROM x"),
    ("postgres", "SELECT 1", "SELECT"),
    ("postgres", "WITH x AS (DELETE FROM y RETURNING a) INSERT INTO z SELECT a FROM x", "WITH … INSERT INTO z"),
    ("postgres", "EXPLAIN (ANALYZE, COSTS off) SELECT 1 FROM t", "EXPLAIN SELECT … FROM t"),
    ("postgres", "GRANT SELECT ON ALL TABLES IN SCHEMA s TO bob", "GRANT SELECT ON ALL TABLES IN SCHEMA s"),
    ("postgres", "COMMENT ON COLUMN s.t.a IS 'x'", "COMMENT ON COLUMN s.t.a"),
    ("postgres", "CREATE /* a\nb */ TABLE -- TABLE x\n t (a int)", "CREATE TABLE t"),
    ("postgres", "VACUUM (ANALYZE) t", "VACUUM t"),
    ("postgres", "CALL s.p(1)", "CALL s.p(…)"),
    ("postgres", "ROLLBACK TO SAVEPOINT x", "ROLLBACK TO SAVEPOINT x"),
    ("postgres", "DO $$ BEGIN PERFORM 1; END $$", "DO"),
    ("postgres", "FOO bar", "FOO"),
    ("mysql", "CREATE DEFINER=`root`@`localhost` PROCEDURE p() SELECT 1", "CREATE PROCEDURE p"),
    ("mysql", "CREATE ALGORITHM=MERGE SQL SECURITY INVOKER VIEW v AS SELECT 1", "CREATE VIEW v"),
    ("mysql", "INSERT LOW_PRIORITY IGNORE `a b`.t VALUES (1)", "INSERT INTO `a b`.t"),
    ("mysql", "REPLACE INTO t VALUES (1)", "REPLACE INTO t"),
    ("mysql", "SHOW CREATE TABLE t", "SHOW CREATE TABLE t"),
    ("mysql", "SET @@session.sql_mode = ''", "SET @@session.sql_mode"),
    ("mysql", "/*!40101 CREATE TABLE t (a int) */", "CREATE TABLE t"),
    ("sqlite", "INSERT OR REPLACE INTO [a b] VALUES (1)", "INSERT INTO [a b]"),
    ("sqlite", "CREATE VIRTUAL TABLE v USING fts5(x)", "CREATE VIRTUAL TABLE v"),
    ("duckdb", "FROM t SELECT a", "FROM t"),
    ("duckdb", "DESCRIBE SELECT a FROM t", "DESCRIBE SELECT … FROM t"),
    ("hive", "INSERT OVERWRITE TABLE t PARTITION (a) SELECT 1", "INSERT OVERWRITE t"),
    ("hive", "LOAD DATA LOCAL INPATH '/x' OVERWRITE INTO TABLE t", "LOAD DATA … INTO TABLE t"),
    ("bigquery", "SELECT * FROM my-project.ds.t", "SELECT … FROM my-project.ds.t"),
    ("snowflake", "USE WAREHOUSE w", "USE WAREHOUSE w"),
    ("postgres", "SELECT 1 TO TRAIN xgboost.gbtree LABEL y INTO churn", "TO TRAIN xgboost.gbtree INTO churn"),
    ("postgres", "SELECT 1 TO PREDICT r.y USING m", "TO PREDICT r.y USING m"),
    ("postgres", "SELECT 1 TO EVALUATE m LABEL y INTO r", "TO EVALUATE m INTO r"),
    ("postgres", "SELECT 1 TO EVALUATE m LABEL y", "TO EVALUATE m"),
]


@pytest.mark.parametrize(("dialect", "text", "title"), TITLES)
def test_a_title_names_verb_and_object(dialect: str, text: str, title: str) -> None:
    assert parse_program(text, dialect).statement(1).title == title


WITH_SECRETS = [
    ("postgres", "CREATE USER ann PASSWORD 's3cret'", "CREATE USER ann"),
    ("postgres", "ALTER ROLE ann WITH ENCRYPTED PASSWORD 's3cret'", "ALTER ROLE ann"),
    ("postgres", "ALTER USER CURRENT_USER PASSWORD 's3cret'", "ALTER USER CURRENT_USER"),
    ("postgres", "CREATE USER MAPPING FOR ann SERVER s OPTIONS (password 's3cret')", "CREATE USER MAPPING FOR ann"),
    ("postgres", "CREATE SUBSCRIPTION s CONNECTION 'password=s3cret' PUBLICATION p", "CREATE SUBSCRIPTION s"),
    ("postgres", "CREATE USER ann PASSWORD $$s3cret$$", "CREATE USER ann"),
    ("postgres", "SELECT dblink('password=s3cret')", "SELECT dblink(…)"),
    ("mysql", "CREATE USER IF NOT EXISTS 'ann'@'%' IDENTIFIED BY 's3cret'", "CREATE USER 'ann'@'%'"),
    ("mysql", 'CREATE USER ann@localhost IDENTIFIED BY "s3cret"', "CREATE USER ann@localhost"),
    ("mysql", "SET PASSWORD FOR 'ann'@'%' = 's3cret'", "SET PASSWORD FOR 'ann'@'%'"),
    ("mysql", "SET PASSWORD = 's3cret'", "SET PASSWORD"),
    ("mysql", "ALTER USER USER() IDENTIFIED BY 's3cret'", "ALTER USER USER"),
    ("mysql", "ALTER USER IDENTIFIED BY 's3cret'", "ALTER USER"),
    ("mysql", "GRANT ALL PRIVILEGES ON db.* TO 'ann'@'%' IDENTIFIED BY 's3cret'", "GRANT … ON db.*"),
    ("mysql", "CREATE TABLE t (a int) CONNECTION='mysql://u:s3cret@h/d'", "CREATE TABLE t"),
    ("duckdb", "ATTACH 'postgres://u:s3cret@h/d' AS pg (TYPE postgres)", "ATTACH … AS pg"),
    ("duckdb", "CREATE PERSISTENT SECRET s (TYPE s3, SECRET 's3cret')", "CREATE SECRET s"),
    ("duckdb", "CREATE SECRET (TYPE s3, SECRET 's3cret')", "CREATE SECRET"),
    ("duckdb", "SELECT * FROM 's3://x?key=s3cret'", "SELECT … FROM '…'"),
    ("duckdb", 'SELECT * FROM "https://u:s3cret@h/x"', 'SELECT … FROM "https://…@h/x"'),
    ("duckdb", "SET s3_secret_access_key = 's3cret'", "SET s3_secret_access_key"),
    ("duckdb", "COPY t TO 's3://s3cret'", "COPY t TO …"),
    ("duckdb", "LOAD 's3cret'", "LOAD"),
    ("snowflake", "CREATE STAGE s CREDENTIALS=(AWS_SECRET_KEY='s3cret')", "CREATE STAGE s"),
]


@pytest.mark.parametrize(("dialect", "text", "title"), WITH_SECRETS)
def test_a_title_holds_no_secret(dialect: str, text: str, title: str) -> None:
    found = parse_program(text, dialect).statement(1).title
    assert found == title
    assert SECRET not in found


@pytest.mark.parametrize("name", ["n" * 200, "\u202e" + "x" * 5, "a\nb\x1b[31m", "é" * 90])
def test_a_title_is_one_short_line(name: str) -> None:
    title = parse_program(f'DROP TABLE "{name}"', "postgres").statement(1).title
    assert len(title) <= TITLE_LENGTH
    assert title.isprintable()
    assert title.startswith('DROP TABLE "')


_WORDS = ["CREATE", "TABLE", "USER", "SELECT", "FROM", "WITH", "AS", "GRANT", "ON", "SET", "PASSWORD", "INTO", "COPY"]
_MARKS = ["x", "(", ")", ".", "@", "*", ",", "'a'", "'", '"', "`", "[", "$$", "/*", "*/", "/*!", "--", "\n", "=", "é"]
_PIECES = st.sampled_from([*_WORDS, *_MARKS])


@given(st.sampled_from(sorted(DIALECTS)), st.lists(_PIECES, max_size=14))
def test_any_text_has_a_title(dialect: str, pieces: list[str]) -> None:
    title = sql_title(" ".join(pieces), dialect, "X")
    assert 0 < len(title) <= TITLE_LENGTH
    assert title.isprintable()
