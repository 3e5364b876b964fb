"""The splitter against PostgreSQL, MariaDB and DuckDB: each gets whole programs and says how many statements it saw."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import duckdb
import psycopg
import pymysql
import pytest
from pymysql.constants import CLIENT
from sqlflow_codegen.errors import ProgramError
from sqlflow_codegen.language import parse_program
from sqlflow_codegen.language.ir import TrainStatement

from tests.support.examples import chance, scaled
from tests.support.servers import MariaServer, Server
from tests.unit.codegen.test_bodies import BODIES

pytestmark = [pytest.mark.random, pytest.mark.timeout(120 * scaled(1))]
COUNT = scaled(1500)
BODY = [
    "a",
    ";",
    "''",
    "\\",
    "\\'",
    "\\\\",
    "--",
    "-- ",
    "/*",
    "*/",
    "$$",
    "$t$",
    "\n",
    '"',
    '""',
    "#",
    "`",
    "``",
    "é",
    " ",
]
LITERALS = {
    "postgres": [
        ("'", "'"),
        ("E'", "'"),
        ("e'", "'"),
        ("$$", "$$"),
        ("$t$", "$t$"),
        ('1 AS "', '"'),
        ("U&'", "'"),
        ("N'", "'"),
    ],
    "mysql": [
        ("'", "'"),
        ('"', '"'),
        ("1 AS `", "`"),
        ("N'", "'"),
        ("_utf8mb4'", "'"),
        ("/*! '", "' */"),
        ("/*!50000 '", "'*/"),
    ],
    "duckdb": [("'", "'"), ("E'", "'"), ("$$", "$$"), ("$t$", "$t$"), ('1 AS "', '"')],
}
BETWEEN = [
    " ",
    " ",
    "\n",
    "/* ; */",
    "-- ;\n",
    "--;\n",
    "/* /* ; */ */",
    "# ;\n",
    "\t",
    "/**/",
    "\r\n",
    "/* ' */",
    "-- '\n",
]

Oracle = Callable[[str], "int | None"]
"""How many statements the database saw in a program; None if it refused it."""


def generate(choose: random.Random, dialect: str) -> str:
    """A program of SELECTs of literals with whatever may confuse a splitter in and between them."""
    statements = []
    for _ in range(choose.randrange(1, 4)):
        literals = []
        for _ in range(choose.randrange(1, 3)):
            start, end = choose.choice(LITERALS[dialect])
            literals.append(start + "".join(choose.choices(BODY, k=choose.randrange(5))) + end)
        comma = choose.choice(BETWEEN) + "," + choose.choice(BETWEEN)
        statements.append("SELECT" + choose.choice(BETWEEN) + comma.join(literals) + choose.choice(BETWEEN))
    return ";".join([*statements, "\nSELECT 1"])  # the last is not empty: databases count such differently


def compare(dialect: str, oracle: Oracle) -> None:
    """Programs that the database takes have as many statements for us; most of them are such programs."""
    choose = chance(f"oracle {dialect}")
    taken = 0
    for _ in range(COUNT):
        text = generate(choose, dialect)
        expected = oracle(text)
        if expected is None:
            continue
        taken += 1
        try:
            found = len(parse_program(text, dialect))
        except ProgramError as error:
            raise AssertionError(f"{text!r}: {error}") from error
        assert found == expected, repr(text)
    assert taken > COUNT // 8


Reader = Callable[[str], "str | None"]
"""The text that the database reads in a literal; None if it refuses it."""

CONTENT = [
    "a",
    "''",
    "\\'",
    "\\\\",
    "\\n",
    "\\t",
    "\\b",
    "\\r",
    "\\f",
    "\\0",
    "\\Z",
    "\\%",
    "\\_",
    "\\q",
    "\\101",
    "\\x41",
    "\\x4",
]
CONTENT += ["\\u00e9", "\\U0001F600", '"', '""', "é", "😀", "\n", "$", "\\"]
TEXTS = {
    "postgres": [("'", "'"), ("E'", "'"), ("e'", "'"), ("$$", "$$"), ("$t$", "$t$")],
    "mysql": [("'", "'"), ('"', '"')],
    "duckdb": [("'", "'"), ("E'", "'"), ("$$", "$$")],
}


def compare_texts(dialect: str, read: Reader) -> None:
    """Literals that the database reads mean the same in a WITH clause."""
    choose = chance(f"texts {dialect}")
    taken = 0
    for _ in range(COUNT):
        start, end = choose.choice(TEXTS[dialect])
        content = [piece for piece in CONTENT if piece != end and not (piece == "$" and end[0] == "$")]
        literal = start + "".join(choose.choices(content, k=choose.randrange(5))) + end
        expected = read(literal)
        if expected is None or "\x00" in expected:
            continue
        taken += 1
        try:
            (statement,) = parse_program(f"SELECT 1 TO TRAIN image/Own WITH a = {literal} INTO m", dialect)
        except ProgramError as error:
            raise AssertionError(f"{literal!r}: {error}") from error
        assert isinstance(statement, TrainStatement)
        assert statement.attributes[0].value == expected, literal
    assert taken > COUNT // 8


@pytest.fixture
def postgres(postgres_server: Server, postgres_url: str) -> Iterator[tuple[Oracle, Reader]]:
    with postgres_server.connect() as connection:

        def count(text: str) -> int | None:
            connection.pgconn.send_query(text.encode())
            results = []
            while (result := connection.pgconn.get_result()) is not None:
                results.append(result.status)
            failed = psycopg.pq.ExecStatus.FATAL_ERROR in results
            return None if failed else sum(status != psycopg.pq.ExecStatus.EMPTY_QUERY for status in results)

        def read(literal: str) -> str | None:
            try:
                row = connection.execute(f"SELECT {literal}::text".encode()).fetchone()
            except psycopg.Error:
                return None
            return str(row[0]) if row else None

        yield count, read


@pytest.fixture
def mariadb(maria_server: MariaServer, mysql_url: str) -> Iterator[tuple[Oracle, Reader]]:
    with maria_server.connect(charset="utf8mb4", client_flag=CLIENT.MULTI_STATEMENTS) as connection:

        def count(text: str) -> int | None:
            with connection.cursor() as cursor:
                try:
                    cursor.execute(text)
                    number = 1
                    while cursor.nextset():
                        number += 1
                except pymysql.err.Error:
                    return None
                return number

        def read(literal: str) -> str | None:
            with connection.cursor() as cursor:
                try:
                    cursor.execute(f"SELECT {literal}")
                    row = cursor.fetchone()
                except pymysql.err.Error:
                    return None
            return str(row[0]) if row else None

        yield count, read


@pytest.mark.database
def test_postgres_sees_the_same_statements(postgres: tuple[Oracle, Reader]) -> None:
    compare("postgres", postgres[0])


@pytest.mark.database
def test_mariadb_sees_the_same_statements(mariadb: tuple[Oracle, Reader]) -> None:
    compare("mysql", mariadb[0])


@pytest.mark.database
def test_postgres_reads_the_same_texts(postgres: tuple[Oracle, Reader]) -> None:
    compare_texts("postgres", postgres[1])


@pytest.mark.database
def test_mariadb_reads_the_same_texts(mariadb: tuple[Oracle, Reader]) -> None:
    compare_texts("mysql", mariadb[1])


@pytest.mark.database
def test_postgres_takes_bodies_for_one_statement(postgres: tuple[Oracle, Reader]) -> None:
    count, _ = postgres
    count("CREATE TABLE t (a int)")
    bodies = [text for text in BODIES["postgres"] if text.startswith("CREATE") and "BEGIN" in text]
    counts = [count(f"BEGIN; {text.replace(' WHEN a ', ' WHEN true ')}; ROLLBACK") for text in bodies]
    assert counts == [3] * len(bodies)


@pytest.mark.database
def test_mariadb_takes_bodies_for_one_statement(mariadb: tuple[Oracle, Reader]) -> None:
    count, _ = mariadb
    count("USE test")
    count("CREATE TABLE a (a int, b int, c int, d int)")
    bodies = [text for text in BODIES["mysql"] if text.startswith("CREATE ") and "DEFINER" not in text]
    drops = [("PROCEDURE", "p"), ("FUNCTION", "f"), ("TRIGGER", "t"), ("EVENT", "e"), ("TABLE", "t")]
    counts = []
    for text in bodies:
        for kind, name in drops:
            count(f"DROP {kind} IF EXISTS {name}")
        counts.append((count(f"{text}; SELECT 1"), text))
    assert counts == [(2, text) for text in bodies]


def test_duckdb_sees_the_same_statements() -> None:
    def count(text: str) -> int | None:
        try:
            return len(duckdb.extract_statements(text))
        except duckdb.Error:
            return None

    compare("duckdb", count)


def test_duckdb_reads_the_same_texts() -> None:
    connection = duckdb.connect()

    def read(literal: str) -> str | None:
        try:
            row = connection.execute(f"SELECT {literal}").fetchone()
        except duckdb.Error:
            return None
        return str(row[0]) if row else None

    compare_texts("duckdb", read)
    connection.close()
