"""Where statements end, in each dialect's own way to write quotes, comments and bodies."""

from __future__ import annotations

import pytest
from sqlflow_codegen.errors import ProgramError
from sqlflow_codegen.language import DIALECTS, parse_program

ALL = DIALECTS
POSTGRES_LIKE = ("postgres", "duckdb")
BACKSLASH = ("mysql", "hive", "spark", "bigquery", "snowflake")
NO_BACKSLASH = ("postgres", "duckdb", "sqlite", "trino")


def texts(program: str, dialect: str) -> list[str]:
    return [statement.text for statement in parse_program(program, dialect)]


def errors(program: str, dialect: str = "postgres") -> list[str]:
    with pytest.raises(ProgramError) as caught:
        parse_program(program, dialect)
    return [
        f"{one.code} {one.statement} {one.line}:{one.column}"
        for one in caught.value.diagnostics
        if one.severity == "error"
    ]


@pytest.mark.parametrize("dialect", ALL)
@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("", []),
        (" \r\n\t;;; ;-- nothing\n", []),
        ("\ufeffSELECT 1;", ["SELECT 1"]),
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT 1; SELECT 2", ["SELECT 1", "SELECT 2"]),
        ("SELECT 1;\r\nSELECT 2;\rSELECT 3;\n", ["SELECT 1", "SELECT 2", "SELECT 3"]),
        ("-- a; b\nSELECT 1 -- c; d\n;", ["SELECT 1"]),
        ("/* a; b */ SELECT /* c; */ 1 /* d; */;", ["SELECT /* c; */ 1"]),
        ("SELECT 'a;b'; SELECT ';'", ["SELECT 'a;b'", "SELECT ';'"]),
        ("SELECT '-- no comment'; SELECT 2", ["SELECT '-- no comment'", "SELECT 2"]),
        ("SELECT '/*'; SELECT '*/'", ["SELECT '/*'", "SELECT '*/'"]),
        ('SELECT ";"; SELECT 2', ['SELECT ";"', "SELECT 2"]),
        ("SELECT 'naïve 😀 中文;'; SELECT 2", ["SELECT 'naïve 😀 中文;'", "SELECT 2"]),
        ("SELECT 1 - -1; SELECT 2 / 3", ["SELECT 1 - -1", "SELECT 2 / 3"]),
        ("-- it's an apostrophe\nSELECT 1", ["SELECT 1"]),
        ("/* it's \" one */ SELECT 1", ["SELECT 1"]),
    ],
)
def test_common_to_all_dialects(dialect: str, program: str, expected: list[str]) -> None:
    assert texts(program, dialect) == expected


@pytest.mark.parametrize("dialect", [*NO_BACKSLASH, "mysql", "hive", "spark", "snowflake"])
def test_doubled_quotes(dialect: str) -> None:
    assert texts("SELECT 'it''s; ' ; SELECT 2", dialect) == ["SELECT 'it''s; '", "SELECT 2"]


@pytest.mark.parametrize("dialect", BACKSLASH)
def test_backslash_escapes_a_quote(dialect: str) -> None:
    assert texts(r"SELECT 'it\'s; \\'; SELECT 2", dialect) == [r"SELECT 'it\'s; \\'", "SELECT 2"]


@pytest.mark.parametrize("dialect", NO_BACKSLASH)
def test_backslash_is_an_ordinary_character(dialect: str) -> None:
    assert texts("SELECT 'C:\\'; SELECT 2", dialect) == ["SELECT 'C:\\'", "SELECT 2"]


@pytest.mark.parametrize("dialect", ["mysql", "hive", "spark", "bigquery"])
def test_double_quotes_hold_strings_with_backslashes(dialect: str) -> None:
    assert texts(r'SELECT "a\";b"; SELECT 2', dialect) == [r'SELECT "a\";b"', "SELECT 2"]


@pytest.mark.parametrize("dialect", ["postgres", "duckdb", "sqlite", "trino", "snowflake"])
def test_double_quotes_hold_names_without_backslashes(dialect: str) -> None:
    assert texts('SELECT "a\\"; SELECT "b"";"', dialect) == ['SELECT "a\\"', 'SELECT "b"";"']


@pytest.mark.parametrize("dialect", ["mysql", "sqlite", "duckdb", "hive", "spark", "trino"])
def test_backticks(dialect: str) -> None:
    assert texts("SELECT `a;``'b`; SELECT 2", dialect) == ["SELECT `a;``'b`", "SELECT 2"]


@pytest.mark.parametrize("dialect", POSTGRES_LIKE)
@pytest.mark.parametrize(
    "text",
    [
        r"SELECT E'it\'s; '",
        r"SELECT e'\\'",
        r"SELECT name'\'",
        r"SELECT 1e'\'",
        r"SELECT U&'\0061;', x'00', B'1'",
        "SELECT $$a;'b$$",
        "SELECT $tag$a;$$b;$tag$",
        "SELECT $été$a;$été$",
        "SELECT a$b$c, ';', d$b$e",
        "SELECT $1, ';', $2",
        "SELECT 1 /* a /* nested; */ still; */ + 1",
    ],
)
def test_postgres(dialect: str, text: str) -> None:
    assert texts(f"{text}; SELECT 2", dialect) == [text, "SELECT 2"]


def test_postgres_strings_go_on_behind_a_line_end() -> None:
    assert texts("SELECT E'a\\''\n  'b\\'; c'; SELECT 2", "postgres") == ["SELECT E'a\\''\n  'b\\'; c'", "SELECT 2"]


@pytest.mark.parametrize("dialect", ["mysql", "sqlite", "hive", "trino", "bigquery", "snowflake"])
def test_block_comments_do_not_nest(dialect: str) -> None:
    assert texts("SELECT 1 /* /* */; SELECT 2 -- */", dialect) == ["SELECT 1", "SELECT 2"]


@pytest.mark.parametrize("dialect", ["postgres", "duckdb", "spark"])
def test_block_comments_nest(dialect: str) -> None:
    assert texts("SELECT 1 /* /* */; SELECT 2 */; SELECT 3", dialect) == ["SELECT 1", "SELECT 3"]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1--1, ';'",
        "SELECT 'a' # comment; '\n + 1",
        "SELECT 1 -- comment; '\n + 1",
        "SELECT 1 --\tcomment; '\n + 1",
        "SELECT 1 --\n + 1",
        "/*!40101 SET NAMES utf8; */",
        "/*! SELECT '*/; ' */",
        "/*M!100100 SELECT 1; */",
        "/*! SELECT 1 -- */ ; \n */",
        "/*! SELECT 1 /* */ ; */",
        "SELECT /*! STRAIGHT_JOIN */ 1",
        "SELECT a$$b FROM t",
        "SELECT `$$`",
        "SELECT N'a;', _utf8'b;', x'00'",
    ],
)
def test_mysql(text: str) -> None:
    assert texts(f"{text}; SELECT 2", "mysql") == [text, "SELECT 2"]


def test_mysql_comment_goes_over_a_lone_carriage_return() -> None:
    assert texts("SELECT 1 -- a;\rb;\n; SELECT 2", "mysql") == ["SELECT 1", "SELECT 2"]


def test_postgres_comment_ends_at_a_lone_carriage_return() -> None:
    assert texts("SELECT 1 -- a;\r+ 2; SELECT 3", "postgres") == ["SELECT 1 -- a;\r+ 2", "SELECT 3"]


def test_sqlite_brackets() -> None:
    assert texts("SELECT [a;'b]; SELECT 2", "sqlite") == ["SELECT [a;'b]", "SELECT 2"]


def test_sqlite_brackets_are_lists_in_a_clause() -> None:
    program = "SELECT 1 TO TRAIN my_image/m WITH a=[\"]\", ';'] INTO m; SELECT 2"
    statement, other = parse_program(program, "sqlite")
    assert other.text == "SELECT 2"
    assert statement.attributes[0].value == ("]", ";")  # type: ignore[attr-defined]


@pytest.mark.parametrize("dialect", ["postgres", "duckdb", "bigquery", "spark"])
def test_brackets_are_arrays_elsewhere(dialect: str) -> None:
    assert texts("SELECT a[1], '['; SELECT 2", dialect) == ["SELECT a[1], '['", "SELECT 2"]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT '''a;'b''c;'''",
        'SELECT """a;"b""c;"""',
        "SELECT '''a\n;'''",
        r"SELECT r'a\';'",
        r"SELECT rb'a\';', BR'\\'",
        r"SELECT '''a\''';'''",
        "SELECT 1 # comment; '\n + 1",
        r"SELECT `a\`;b`",
        "SELECT ''",
        'SELECT ""',
    ],
)
def test_bigquery(text: str) -> None:
    assert texts(f"{text}; SELECT 2", "bigquery") == [text, "SELECT 2"]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT $$a;'b$$",
        "SELECT 1 // comment; '\n + 1",
        "PUT file:///tmp/data.csv @stage",
        "SELECT $1, ';', t.$2 FROM @stage",
    ],
)
def test_snowflake(text: str) -> None:
    assert texts(f"{text}; SELECT 2", "snowflake") == [text, "SELECT 2"]


def test_spark_raw_string_has_no_escapes() -> None:
    assert texts(r"SELECT r'a\'; SELECT R'\'", "spark") == [r"SELECT r'a\'", r"SELECT R'\'"]


def test_trino_dollar_quotes() -> None:
    assert texts("SELECT $$a;b$$; SELECT 2", "trino") == ["SELECT $$a;b$$", "SELECT 2"]


@pytest.mark.parametrize(
    ("dialect", "program", "expected"),
    [
        ("postgres", "SELECT 1; SELECT 'abc", ["unterminated-quote 2 1:18"]),
        ("postgres", 'SELECT "abc', ["unterminated-quote 1 1:8"]),
        ("postgres", "SELECT $a$ b", ["unterminated-dollar-quote 1 1:8"]),
        ("postgres", "SELECT 1 /* /* */", ["unterminated-comment 1 1:10"]),
        ("postgres", "/* never closed", ["unterminated-comment 1 1:1"]),
        ("sqlite", "SELECT [a", ["unterminated-bracket 1 1:8"]),
        ("mysql", "SELECT `a", ["unterminated-quote 1 1:8"]),
        ("mysql", "/*! SELECT 1", ["unterminated-comment 1 1:1"]),
        ("bigquery", "SELECT 'a\n';", ["unterminated-quote 1 1:8"]),
        ("bigquery", "SELECT '''a'", ["unterminated-quote 1 1:8"]),
        ("sqlite", "SELECT 1; CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1;", ["unterminated-block 2 1:46"]),
        ("postgres", "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2", ["unterminated-block 1 1:36"]),
    ],
)
def test_what_is_never_closed(dialect: str, program: str, expected: list[str]) -> None:
    assert errors(program, dialect) == expected


def test_errors_behind_an_unclosed_quote_are_found_too() -> None:
    program = "SELECT 'abc; SELECT 1 TO TRIAN m INTO x;\nSELECT 2 TO TRAIN m;"
    assert errors(program) == ["unterminated-quote 1 1:8", "misspelled-keyword 2 1:26", "missing-clause 3 2:20"]


@pytest.mark.parametrize(
    ("dialect", "text"), [("postgres", "SELECT $x{}$;"), ("postgres", "SELECT /* {};"), ("bigquery", "SELECT 'x{};")]
)
@pytest.mark.parametrize(("unclosed", "found"), [(15, 15), (16, 16), (17, 16), (400, 16)])
def test_behind_sixteen_unclosed_quotes_nothing_more_is_looked_for(
    dialect: str, text: str, unclosed: int, found: int
) -> None:
    """Each costs a scan to the end of the text: a megabyte of them would take hours."""
    program = "\n".join(text.format(number) for number in range(unclosed))
    assert len(errors(program, dialect)) == found


@pytest.mark.parametrize(("character", "what"), [("\x00", "NUL"), ("\udfff", "surrogate")])
def test_characters_that_no_database_takes(character: str, what: str) -> None:
    with pytest.raises(ProgramError, match=what) as caught:
        parse_program(f"SELECT 1;\nSELECT 'a{character}'; SELECT 3")
    assert [(d.code, d.statement, d.line, d.column) for d in caught.value.diagnostics] == [
        ("invalid-character", 2, 2, 10)
    ]


def test_such_characters_in_comments_are_found_too() -> None:
    with pytest.raises(ProgramError) as caught:
        parse_program("SELECT 1;\n-- a\x00")
    assert [(d.code, d.statement, d.line, d.column) for d in caught.value.diagnostics] == [
        ("invalid-character", 0, 2, 5)
    ]


@pytest.mark.parametrize(
    ("program", "places"),
    [
        ("SELECT 1;\nSELECT 2", ["1:1", "2:1"]),
        ("SELECT 1;\r\n  SELECT 2", ["1:1", "2:3"]),
        ("SELECT 1;\r\rSELECT 2", ["1:1", "3:1"]),
        ("\ufeffSELECT 1; /* 😀 */ SELECT 2", ["1:2", "1:20"]),
        ("SELECT '\u2028\x85\x0c'; SELECT 2", ["1:1", "1:15"]),
    ],
)
def test_places(program: str, places: list[str]) -> None:
    assert [str(statement.span) for statement in parse_program(program)] == places


@pytest.mark.parametrize("dialect", ALL)
def test_spans_are_slices(dialect: str) -> None:
    program = "/* x */ SELECT 1 ; -- y\r\nINSERT INTO t VALUES ('a;b') ;;SELECT 2 TO TRAIN my_image/m INTO k"
    for statement in parse_program(program, dialect):
        assert program[statement.span.start : statement.span.end] == statement.text


@pytest.mark.parametrize(
    ("text", "verb"),
    [
        ("select 1", "SELECT"),
        ("((SELECT 1))", "SELECT"),
        ("( /* a */ with x as (select 1) select * from x)", "WITH"),
        ("insert into t values (1)", "INSERT"),
        ("?", ""),
        ("1", ""),
    ],
)
def test_verbs(text: str, verb: str) -> None:
    (statement,) = parse_program(text)
    assert statement.verb == verb  # type: ignore[attr-defined]
