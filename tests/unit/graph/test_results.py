"""Result tables that a program must not replace, as far as its text shows that."""

from __future__ import annotations

import pytest
from sqlflow_codegen.errors import ProgramError
from sqlflow_codegen.graph import check_results, plan, plan_steps
from sqlflow_codegen.language import parse_program

from tests.unit.graph.helpers import graph

P = "SELECT * FROM f TO PREDICT {}.y USING m"
E = "SELECT * FROM f TO EVALUATE m LABEL y INTO {}"
X = "SELECT * FROM f TO EXPLAIN m INTO {}"
MAX = 'SELECT * FROM f TO MAXIMIZE SUM(a * x) WITH variables="x", var_type="Binary" INTO {}'

REFUSED = [
    ("postgres", P.format("f"), "replaces-input", 1),
    ("postgres", P.format("F"), "replaces-input", 1),
    ("mysql", P.format("f"), "replaces-input", 1),
    ("sqlite", P.format("[F]"), "replaces-input", 1),
    ("duckdb", P.format('"F"'), "replaces-input", 1),
    ("postgres", E.format("f"), "replaces-input", 1),
    ("postgres", X.format("f"), "replaces-input", 1),
    ("postgres", MAX.format("f"), "replaces-input", 1),
    ("postgres", "SELECT * FROM s.f TO PREDICT s.f.y USING m", "replaces-input", 1),
    ("postgres", "CREATE VIEW v AS SELECT * FROM t; SELECT * FROM v TO PREDICT t.y USING m", "replaces-input", 2),
    ("postgres", "SELECT * FROM a WHERE x IN (SELECT x FROM t) TO PREDICT t.y USING m", "replaces-input", 1),
    ("postgres", "WITH c AS (SELECT * FROM t) SELECT * FROM c TO PREDICT t.y USING m", "replaces-input", 1),
    ("postgres", "CREATE TABLE t (a int); " + P.format("t"), "replaces-table", 2),
    ("postgres", "CREATE TABLE IF NOT EXISTS s.t AS SELECT 1; " + P.format("s.t"), "replaces-table", 2),
    ("postgres", "CREATE UNLOGGED TABLE t (a int); " + E.format("t"), "replaces-table", 2),
    ("postgres", "CREATE OR REPLACE VIEW t AS SELECT 1; " + P.format("t"), "replaces-table", 2),
    ("postgres", "SELECT 1 AS a INTO t; " + P.format("t"), "replaces-table", 2),
    ("postgres", "INSERT INTO t VALUES (1); " + P.format("t"), "replaces-table", 2),
    ("postgres", "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a; " + X.format("t"), "replaces-table", 2),
    ("postgres", "COPY t FROM '/x'; " + MAX.format("t"), "replaces-table", 2),
    ("postgres", "DROP TABLE IF EXISTS t; CREATE TABLE t (a int); " + P.format("t"), "replaces-table", 3),
    ("mysql", "REPLACE INTO t VALUES (1); " + P.format("t"), "replaces-table", 2),
    ("mysql", "LOAD DATA INFILE 'x' INTO TABLE t; " + P.format("t"), "replaces-table", 2),
    ("mysql", "USE d; INSERT INTO t VALUES (1); " + P.format("d.t"), "replaces-table", 3),
    ("duckdb", "CREATE OR REPLACE TABLE t AS SELECT 1; " + P.format("t"), "replaces-table", 2),
    ("postgres", "CREATE SCHEMA mart; " + P.format("mart"), "invalid-target", 2),
    ("postgres", "SELECT * FROM mart.f TO PREDICT mart.p2 USING m", "invalid-target", 1),
    ("postgres", "SELECT * FROM Mart.f TO PREDICT mart.p2 WITH result.replace=true USING m", "invalid-target", 1),
    ("mysql", "CREATE DATABASE mart; " + P.format("mart"), "invalid-target", 2),
    ("sqlite", "ATTACH DATABASE 'x.db' AS iris; SELECT * FROM iris.f TO PREDICT iris.y USING m", "invalid-target", 2),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "text", "code", "statement"), REFUSED)
def test_what_is_refused(dialect: str, text: str, code: str, statement: int) -> None:
    program = parse_program(text, dialect)
    (error,) = check_results(program)
    assert (error.code, error.statement, error.severity) == (code, statement, "error")
    assert "result.replace=true" in error.hint or code == "invalid-target"
    for make in (plan, plan_steps):
        with pytest.raises(ProgramError) as raised:
            make(program)
        assert error in raised.value.diagnostics


LEAVE = P.replace("USING", "WITH result.replace=true USING")
ALLOWED = [
    ("postgres", P.format("t")),
    ("postgres", P.format("t") + ";" + P.format("t")),
    ("postgres", P.format("t") + "; CREATE VIEW v AS SELECT * FROM t; INSERT INTO f VALUES (1);" + P.format("t")),
    ("postgres", P.format("t") + "; CREATE INDEX i ON t (a); COMMENT ON TABLE t IS 'x'; GRANT SELECT ON t TO PUBLIC"),
    ("postgres", "CREATE INDEX i ON t (a); ALTER TABLE t ADD PRIMARY KEY (a); DELETE FROM t;" + P.format("t")),
    ("postgres", "CREATE TABLE t (a int); DROP TABLE t; " + P.format("t")),
    ("postgres", "CREATE TABLE child (id int REFERENCES t (id)); " + P.format("t")),
    ("postgres", "CREATE TABLE t (a int); " + P.format("s.t")),
    ("postgres", "CREATE TABLE s.t (a int); " + P.format("t")),
    ("postgres", 'CREATE TABLE "T" (a int); ' + P.format("t")),
    ("postgres", "SET search_path = a; CREATE TABLE t (a int); SET search_path = b; " + P.format("t")),
    ("postgres", "SELECT * FROM s.t TO PREDICT t.y USING m"),
    ("postgres", "CREATE TABLE t (a int); " + LEAVE.format("t")),
    ("postgres", LEAVE.format("f")),
    ("postgres", E.replace("LABEL", "WITH result.replace=true LABEL").format("f")),
    ("postgres", X.replace("INTO", "WITH result.replace=true INTO").format("f")),
    ("postgres", MAX.replace("WITH", "WITH result.replace=true,").format("f")),
    ("postgres", "SELECT * FROM f TO EVALUATE m LABEL y"),
    ("postgres", "CREATE SCHEMA mart; " + P.format("mart.p2")),
    ("postgres", "CREATE SCHEMA mart; " + E.format("mart")),
    ("postgres", P.format("result")),
]


@pytest.mark.parametrize(("dialect", "text"), ALLOWED)
def test_what_is_not(dialect: str, text: str) -> None:
    program = parse_program(text, dialect)
    assert check_results(program) == ()
    assert not program.warnings, "the attribute is known"
    plan(program)


def test_plain_programs_are_not_looked_at() -> None:
    assert check_results(parse_program("SELECT 1; CREATE TABLE t (a int)")) == ()


def test_the_place_is_the_targets() -> None:
    (error,) = graph("SELECT * FROM f\n  TO PREDICT f.y USING m").errors
    assert (error.line, error.column) == (2, 14)
