"""Settings that change where a quoted text ends: statements are cut as the database's own client cuts them."""

from __future__ import annotations

import pytest
from sqlflow_codegen.graph import Ordering, plan
from sqlflow_codegen.language import parse_program
from sqlflow_codegen.language.ir import TrainStatement


def cut(text: str, dialect: str) -> list[str]:
    return [statement.text for statement in parse_program(text, dialect)]


@pytest.mark.parametrize(
    "setting",
    [
        "SET sql_mode='NO_BACKSLASH_ESCAPES'",
        "set session SQL_MODE = 'STRICT_TRANS_TABLES, no_backslash_escapes'",
        "SET @@session.sql_mode := NO_BACKSLASH_ESCAPES",
        "SET @@SQL_MODE = 1048576",
        "SET @x = 1, NAMES = 2, LOCAL sql_mode = CONCAT_WS(',', @@sql_mode, 'NO_BACKSLASH_ESCAPES')",
        "SET @m = 'NO_BACKSLASH_ESCAPES'; SET sql_mode = @m",
        "SET sql_mode = (SELECT CONCAT(@@sql_mode, ',NO_BACKSLASH_ESCAPES'))",
        "/*!40101 SET @OLD=@@SQL_MODE, SQL_MODE='NO_BACKSLASH_ESCAPES' */",
    ],
)
def test_no_backslash_escapes(setting: str) -> None:
    assert cut(f"{setting}; SELECT 'c:\\'; SELECT \"d:\\\"; SELECT 2", "mysql")[-3:] == [
        "SELECT 'c:\\'",
        'SELECT "d:\\"',
        "SELECT 2",
    ]


@pytest.mark.parametrize(
    "setting",
    [
        "SET sql_mode=''",
        "SET GLOBAL sql_mode='NO_BACKSLASH_ESCAPES'",
        "SET PERSIST sql_mode='NO_BACKSLASH_ESCAPES'",
        "SET @@global.sql_mode='NO_BACKSLASH_ESCAPES'",
        "SET sql_mode='NO_BACKSLASH_ESCAPES'; SET sql_mode=DEFAULT",
        "SET @old=@@sql_mode, sql_mode='ORACLE,NO_BACKSLASH_ESCAPES'; SET sql_mode=@old",
        "SET @sql_mode='NO_BACKSLASH_ESCAPES'",
        "SET x = 'sql_mode=NO_BACKSLASH_ESCAPES'",
    ],
)
def test_backslashes_that_stay_escapes(setting: str) -> None:
    assert cut(f"{setting}; SELECT 'c\\'; d'; SELECT \"e\\\"; f\"", "mysql")[-2:] == [
        "SELECT 'c\\'; d'",
        'SELECT "e\\"; f"',
    ]


@pytest.mark.parametrize("mode", ["ANSI_QUOTES", "ANSI", "oracle", "MSSQL", "DB2", "POSTGRESQL", "MAXDB"])
def test_ansi_quotes(mode: str) -> None:
    text = f"SET sql_mode='{mode}'; SELECT 1 AS \"a\\\"; SELECT 'b\\'; c'"
    assert cut(text, "mysql")[1:] == ['SELECT 1 AS "a\\"', "SELECT 'b\\'; c'"]


def test_a_mode_that_only_the_server_knows_is_said() -> None:
    program = parse_program("SET sql_mode = f(@@sql_mode);\nSELECT 'a\\'; b'", "mysql")
    assert len(program) == 2
    assert [(one.code, one.line) for one in program.warnings] == [("unknown-mode", 1)]


@pytest.mark.parametrize(
    "setting",
    [
        "SET standard_conforming_strings = off",
        "SET SESSION standard_conforming_strings TO 'off'",
        "set standard_conforming_strings to FALSE",
        "SELECT pg_catalog.set_config('standard_conforming_strings', 'off', false)",
        "BEGIN; SET LOCAL standard_conforming_strings = 0",
        "BEGIN; SET standard_conforming_strings = off; COMMIT",
        "BEGIN; SAVEPOINT a; SET standard_conforming_strings = off; SAVEPOINT b; RESET ALL; ROLLBACK TO SAVEPOINT b",
    ],
)
def test_old_strings_of_postgres(setting: str) -> None:
    assert cut(f"{setting}; SELECT 'it\\'s; fine', \"a\\\"; SELECT 2", "postgres")[-2:] == [
        "SELECT 'it\\'s; fine', \"a\\\"",
        "SELECT 2",
    ]


@pytest.mark.parametrize(
    "setting",
    [
        "SET standard_conforming_strings = on",
        "SET backslash_quote = on",
        "SET LOCAL standard_conforming_strings = off",
        "SET standard_conforming_strings = off; RESET standard_conforming_strings",
        "SET standard_conforming_strings = off; DISCARD ALL",
        "BEGIN; SET standard_conforming_strings = off; ROLLBACK",
        "BEGIN; SET LOCAL standard_conforming_strings = off; COMMIT",
        "BEGIN; SAVEPOINT a; SET standard_conforming_strings = off; ROLLBACK TO a",
        "ALTER ROLE r SET standard_conforming_strings = off",
    ],
)
def test_strings_of_postgres_that_stay_standard(setting: str) -> None:
    assert cut(f"{setting}; SELECT 'c:\\'; SELECT 2", "postgres")[-2:] == ["SELECT 'c:\\'", "SELECT 2"]


def test_clauses_are_read_by_the_mode_too() -> None:
    text = "SET sql_mode='NO_BACKSLASH_ESCAPES'; SELECT 'a\\' FROM t TO TRAIN i/M WITH path='c:\\' LABEL y INTO m"
    statement = parse_program(text, "mysql").statement(2)
    assert isinstance(statement, TrainStatement)
    assert statement.attributes[0].value == "c:\\"


@pytest.mark.parametrize(
    ("dialect", "setting", "text"),
    [
        ("mysql", "SET sql_mode='NO_BACKSLASH_ESCAPES'", "SELECT 'a\\', b FROM secret WHERE c = 'x\\'"),
        ("mysql", "SET sql_mode='ANSI_QUOTES'", 'INSERT INTO x SELECT a FROM "secret"'),
        ("postgres", "SET standard_conforming_strings=off", "SELECT 'a\\' FROM x; \\'', b FROM secret"),
    ],
)
def test_the_graph_trusts_no_quotes_that_it_reads_otherwise(dialect: str, setting: str, text: str) -> None:
    """sqlglot would take `FROM secret` for a part of a text: such a statement waits for all before it."""
    program = parse_program(f"CREATE TABLE secret (b int); {setting}; {text}", dialect)
    planned = plan(program, Ordering.LINEAGE)
    assert [(one.code, one.statement) for one in planned.warnings] == [("not-understood", 3)]
    assert any((edge.before, edge.after) == (1, 3) for edge in planned.edges)


def test_titles_name_what_the_mode_makes_a_name() -> None:
    text = (
        "SET sql_mode='ANSI_QUOTES'; DROP TABLE \"a\"; SET sql_mode='NO_BACKSLASH_ESCAPES'; SELECT \"secret\\\" FROM b"
    )
    titles = [statement.title for statement in parse_program(text, "mysql")]
    assert titles[1] == 'DROP TABLE "a"'
    assert "secret" not in titles[3]
