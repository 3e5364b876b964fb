"""Bodies of routines, triggers and scripts: their `;` end no statement."""

from __future__ import annotations

import pytest
from sqlflow_codegen.language import parse_program


def texts(program: str, dialect: str) -> list[str]:
    return [statement.text for statement in parse_program(program, dialect)]


BODIES = {
    "postgres": [
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END",
        "CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC SELECT CASE WHEN a THEN 1 ELSE 2 END; SELECT 2; END",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1; SELECT 2; $$",
        "CREATE FUNCTION f() RETURNS int RETURN 1",
        "CREATE RULE r AS ON INSERT TO t DO ALSO (INSERT INTO a VALUES (1); INSERT INTO b VALUES (2))",
        "BEGIN",
        "END",
        "BEGIN TRANSACTION",
        'CREATE TABLE "begin" (a int)',
    ],
    "sqlite": [
        "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE b SET c = 1; DELETE FROM d; END",
        "CREATE TEMP TRIGGER t BEFORE UPDATE OF x ON a WHEN CASE WHEN 1 THEN 1 END "
        "BEGIN SELECT CASE 1 WHEN 1 THEN 2 END; END",
        "BEGIN",
        "BEGIN IMMEDIATE TRANSACTION",
        "END",
        "CREATE TABLE t (a, b)",
    ],
    "mysql": [
        "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END",
        "CREATE DEFINER = `me`@'%' PROCEDURE IF NOT EXISTS p(IN a INT) COMMENT 'x;' "
        "BEGIN IF a THEN SELECT 1; END IF; END",
        "CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN IF(1, 2, 3)",
        "CREATE FUNCTION f() RETURNS SET('a','b') READS SQL DATA BEGIN RETURN 'a'; END",
        "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET NEW.b = 1",
        "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW IF NEW.b THEN SET NEW.c = 1; SET NEW.d = 2; END IF",
        "CREATE PROCEDURE p() lbl: LOOP SELECT 1; IF @a THEN LEAVE lbl; END IF; END LOOP lbl",
        "CREATE PROCEDURE p() BEGIN CASE @a WHEN 1 THEN BEGIN END; ELSE SELECT 2; END CASE; SELECT 3; END",
        "CREATE PROCEDURE p() BEGIN WHILE @a DO SET @a = CASE WHEN @b THEN 1 END; END WHILE; SELECT 1; END",
        "CREATE PROCEDURE p() BEGIN REPEAT SET @a = 1; UNTIL @a END REPEAT; SELECT REPEAT('x', 3); END",
        "CREATE PROCEDURE p() BEGIN SELECT a FROM t ORDER BY CASE WHEN a THEN 1 END FOR UPDATE; SELECT 2; END",
        "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN DELETE FROM a; DELETE FROM b; END",
        "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM a",
        "BEGIN NOT ATOMIC SELECT 1; SELECT 2; END",
        "BEGIN",
        "CREATE TABLE t (a INT)",
    ],
    "trino": [
        "CREATE FUNCTION f(a bigint) RETURNS bigint BEGIN DECLARE b bigint; SET b = 1; RETURN b; END",
        "CREATE FUNCTION f(a bigint) RETURNS bigint RETURN a + 1",
    ],
    "bigquery": [
        "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END",
        "BEGIN SELECT 1; EXCEPTION WHEN ERROR THEN SELECT 2; END",
        "BEGIN",
        "BEGIN TRANSACTION",
        "IF a THEN SELECT 1; ELSEIF b THEN SELECT 2; END IF",
        "WHILE a DO SELECT 1; SET a = FALSE; END WHILE",
        "FOR x IN (SELECT 1) DO SELECT 2; END FOR",
        "LOOP SELECT 1; BREAK; END LOOP",
        "DECLARE x INT64",
    ],
    "snowflake": [
        "CREATE PROCEDURE p() RETURNS INT LANGUAGE SQL AS BEGIN LET x := 1; RETURN x; END",
        "CREATE PROCEDURE p() RETURNS INT AS DECLARE x INT; BEGIN x := 1; RETURN x; END",
        "DECLARE x INT; y INT; BEGIN SELECT 1; END",
        "BEGIN LET x := 1; IF (x = 1) THEN RETURN 2; END IF; END",
        "BEGIN BEGIN TRANSACTION; SELECT 1; COMMIT; END",
        "BEGIN TRANSACTION",
        "BEGIN WORK",
        "BEGIN",
        "CREATE TASK t AS BEGIN SELECT 1; SELECT 2; END",
    ],
    "spark": [
        "BEGIN DECLARE x INT; SELECT 1; END",
        "CREATE PROCEDURE p() LANGUAGE SQL AS BEGIN SELECT 1; SELECT 2; END",
    ],
}


@pytest.mark.parametrize(("dialect", "text"), [(dialect, text) for dialect in BODIES for text in BODIES[dialect]])
def test_bodies_are_one_statement(dialect: str, text: str) -> None:
    assert texts(f"{text}; SELECT 'after'", dialect) == [text, "SELECT 'after'"]
