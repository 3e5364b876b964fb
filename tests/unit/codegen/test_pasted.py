"""Programs pasted from scripts for the databases' own shells, and plain SQL that was meant to be a model statement."""

from __future__ import annotations

import pytest
from sqlflow_codegen.errors import Diagnostic, ProgramError
from sqlflow_codegen.language import parse_program

CYCLE = "WITH RECURSIVE w(a, b) AS (SELECT 1, 2 UNION ALL SELECT a, b FROM w) CYCLE a, b SET looped TO {} USING path"


def found(text: str, dialect: str = "postgres") -> list[Diagnostic]:
    try:
        return list(parse_program(text, dialect).warnings)
    except ProgramError as error:
        return list(error.diagnostics)


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        *[
            ("postgres", f"{CYCLE.format(v)} SELECT * FROM w")
            for v in ("true DEFAULT false", "true", "run", "'Y'", "1")
        ],
        ("postgres", f"{CYCLE.format('train DEFAULT trains')} SELECT * FROM w TO TRAIN xgboost.gbtree LABEL b INTO m"),
        ("postgres", "SELECT INTERVAL '1-2' YEAR TO MONTH, INTERVAL '1' DAY(3) TO MINUTE FROM t"),
        ("postgres", "SELECT INTERVAL '1' DAY TO SECOND(2)"),
        ("postgres", "SET search_path TO train"),
        ("postgres", "ALTER TABLE a RENAME TO train"),
        ("postgres", "ALTER TABLE a RENAME COLUMN x TO run"),
        ("postgres", "ALTER TABLE a SET SCHEMA train; ALTER ROLE r SET search_path TO train"),
        ("postgres", "GRANT SELECT ON a TO run"),
        ("postgres", "COPY a TO PROGRAM 'train'"),
        ("postgres", "COPY (SELECT * FROM a) TO '/tmp/train'"),
        ("postgres", "ROLLBACK TO SAVEPOINT train; ROLLBACK TO run"),
        ("postgres", "CREATE CAST (a AS b) WITH FUNCTION f(a); COMMENT ON TABLE a IS 'to train x into y'"),
        ("postgres", "CREATE RULE r AS ON INSERT TO train DO ALSO SELECT 1"),
        ("postgres", "CREATE TABLE c PARTITION OF p FOR VALUES FROM (1) TO (9)"),
        ("postgres", "CREATE POLICY p ON t TO train USING (true)"),
        ("mysql", "RENAME TABLE a TO train; ALTER TABLE a RENAME TO run"),
        ("mysql", "SELECT * FROM a FOR SYSTEM_TIME FROM '2000-01-01' TO trian(x)"),
        ("mysql", "CHANGE MASTER TO MASTER_HOST = 'x'; SELECT \\N"),
        ("duckdb", "COPY a TO 'train.csv'; EXPORT DATABASE 'd' (FORMAT csv)"),
        ("sqlite", "VACUUM INTO 'f'; ALTER TABLE a RENAME TO train; SAVEPOINT a; ROLLBACK TO a"),
        ("trino", "SELECT * FROM t MATCH_RECOGNIZE (AFTER MATCH SKIP TO LAST run PATTERN (run) DEFINE run AS true)"),
        ("postgres", "SELECT train run FROM a train JOIN b run USING (x) ORDER BY run"),
        ("postgres", "SELECT a AS train, b run FROM t run WHERE run.x > 1 GROUP BY train"),
        ("postgres", "SELECT count(*) run FROM run INTO train"),
        ("postgres", "SELECT 10\n/\n(2)"),
        ("postgres", "SELECT a AS\ngo\nFROM t"),
        ("postgres", "SELECT '\nGO\nSELECT 1'"),
    ],
)
def test_valid_sql_with_words_of_ours(dialect: str, text: str) -> None:
    assert found(text, dialect) == []


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("SELECT * FROM t TO TRIAN xgboost.gbtree LABEL y INTO m", "misspelled-keyword", "`TO TRAIN`"),
        ("SELECT * FROM t TO RUNN team/image:1", "misspelled-keyword", "`TO RUN`"),
        ("SELECT * FROM t TO MAXIMISE SUM(x) WITH variables='x' INTO p", "misspelled-keyword", "`TO MAXIMIZE`"),
        (f"{CYCLE.format('true')} SELECT * FROM w TO PREDCIT r.y USING m", "misspelled-keyword", "`TO PREDICT`"),
        ("SELECT * FROM iris TRAIN xgboost.gbtree WITH max_depth=3 LABEL y INTO m", "missing-to", "TO TRAIN estimator"),
        ("SELECT * FROM iris WHERE a > 1 TRAIN sklearn.svm.SVC LABEL y INTO m", "missing-to", "TO TRAIN estimator"),
        ('SELECT * FROM "i" train DNNClassifier INTO m', "missing-to", "TO TRAIN estimator"),
        ("SELECT * FROM iris PREDICT r.y USING m", "missing-to", "TO PREDICT table.column"),
        ("SELECT * FROM f(1) EVALUATE m LABEL y", "missing-to", "TO EVALUATE"),
        ("SELECT * FROM iris EXPLAIN m", "missing-to", "TO EXPLAIN"),
        ("SHOW MODEL m", "syntax-error", "SHOW MODELS"),
        ("DROP MODEL", "syntax-error", "DROP MODEL [IF EXISTS] model"),
        ("SHOW TRAIN", "syntax-error", "SHOW TRAIN model"),
    ],
)
def test_what_was_meant(text: str, code: str, hint: str) -> None:
    (only,) = found(text)
    assert only.code == code
    assert hint in only.hint


DUMP = r"""\restrict kZq9
SET client_encoding = 'UTF8';
CREATE TABLE track (id int, name text);
COPY public.track (id, name) FROM stdin;
1	Quartet "in C
2	it's; Rain
\.
SELECT 1;
\connect other
COPY track TO STDOUT WITH (FORMAT csv);
\unrestrict kZq9
"""


def test_pg_dumps_plain_format() -> None:
    shown = [(one.code, one.line, one.column) for one in found(DUMP)]
    assert shown == [
        ("client-command", 1, 1),
        ("client-data", 4, 1),
        ("client-command", 9, 1),
        ("client-data", 10, 1),
        ("client-command", 11, 1),
    ]
    hints = [one.hint for one in found(DUMP)]
    assert "pg_dump writes it for psql" in hints[0]
    assert "--inserts" in hints[1]
    assert "database URL" in hints[2]
    assert "Write a SELECT" in hints[3]


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE t (a int);\nCOPY t FROM stdin;\nSELECT 1;",
        "CREATE TABLE t (a int);\ncopy binary t (a) from stdin with binary;\n\x01\x02;'\n\\.\nSELECT 1;",
        "CREATE TABLE t (a int);\nCOPY t /* x */ FROM -- y\n STDIN (DELIMITER ';');\r\n1;'\r\n\\.\r\nSELECT 1;",
        "CREATE TABLE t (a int);\nCOPY t TO STDOUT;\nSELECT 1;",
    ],
)
def test_copy_from_the_client_is_refused_at_the_copy(text: str) -> None:
    (only,) = found(text)
    assert (only.code, only.statement, only.line, only.column) == ("client-data", 2, 2, 1)
    assert only.message == "COPY from or to the client cannot run in a program"


@pytest.mark.parametrize(
    "text",
    ["COPY t FROM '/f'", 'COPY t FROM "stdin"', "COPY (SELECT 'FROM STDIN') TO '/f'", "COPY t FROM PROGRAM 'stdin'"],
)
def test_copy_on_the_server_is_plain_sql(text: str) -> None:
    assert [one.severity for one in found(text)] in ([], ["warning"])


def test_load_data_of_the_client_is_refused() -> None:
    (only,) = found("LOAD DATA LOCAL INFILE 'f' INTO TABLE t", "mysql")
    assert only.code == "client-data"
    assert found("LOAD DATA INFILE 'f' INTO TABLE t", "mysql") == []
    assert found("LOAD DATA LOCAL INPATH 'f' INTO TABLE t", "hive") == []


MYSQL = [
    "source load_departments.dump ;", "\\. it's.sql", "tee /tmp/out", "notee", "pager less", "nopager", "status",
    "exit", "quit", "system ls 'x", "\\! ls", "prompt mysql>", "connect db host", "DELIMITER //", "go", "ego",
    "\\s", "\\u db", "\\W", "warnings;", "charset utf8", "rehash", "print",
]  # fmt: skip
PSQL = [
    "\\copy t FROM 'it.csv' csv", "\\i other.sql", "\\ir x.sql", "\\set ON_ERROR_STOP on", "\\c db", "\\echo it's",
    "\\d t", "\\timing", "\\q", "\\if :x", "exit", "quit", "\\x auto", "\\pset pager off", "\\encoding UTF8",
]  # fmt: skip


@pytest.mark.parametrize(
    ("dialect", "line"),
    [
        *[("mysql", line) for line in MYSQL],
        *[("postgres", line) for line in PSQL],
        *[("sqlite", line) for line in (".read 'f.sql'", ".mode csv", ".tables", ".import a b", ".exit", ".open f.db")],
        *[("duckdb", line) for line in (".open f.db", ".mode csv", ".read x.sql", ".timer on")],
        ("hive", "!connect jdbc:hive2://h"), ("hive", "source f.hql;"), ("snowflake", "!source f.sql"),
        ("trino", "quit"), ("spark", "exit;"),
    ],
)  # fmt: skip
def test_commands_of_shells(dialect: str, line: str) -> None:
    """Refused where it stands, to the end of its line: what follows is read as it would be without it."""
    shown = found(f"CREATE TABLE a (x int);\n{line}\nSELECT 'it''s';\nSELECT 2;", dialect)
    assert [(one.code, one.line, one.column) for one in shown] == [("client-command", 2, 1)]
    assert shown[0].hint


@pytest.mark.parametrize("mark", ["\\g", "\\G", "\\gx", "\\gset", "\\gexec", "\\g out.txt"])
@pytest.mark.parametrize("dialect", ["postgres", "mysql"])
def test_a_statement_that_ends_with_a_command(dialect: str, mark: str) -> None:
    shown = found(f"SET x = 1{mark}\nSELECT 1 {mark}\nINSERT INTO t VALUES (1){mark}\nSELECT 3;", dialect)
    assert [(one.code, one.line, one.column) for one in shown] == [
        ("client-command", 1, 10),
        ("client-command", 2, 10),
        ("client-command", 3, 25),
    ]
    assert {one.hint for one in shown} == {"End the statement with `;`."}


@pytest.mark.parametrize("separator", ["GO", "go", "  Go  ", "GO 5", "/"])
def test_separators_of_other_shells(separator: str) -> None:
    (only,) = found(f"CREATE TABLE a (x int)\n{separator}\nSELECT 1\n{separator}\n")
    assert (only.code, only.line, only.hint) == ("client-command", 2, "End the statement with `;`.")


def test_a_routine_between_delimiters() -> None:
    text = "DELIMITER $$\nCREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END $$\nDELIMITER ;\nCALL p();"
    (only,) = found(text, "mysql")
    assert (only.code, only.line) == ("client-command", 1)
    assert "end the routine with `;`" in only.hint
