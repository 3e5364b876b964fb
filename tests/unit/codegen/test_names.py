"""Names of tables: one reading of them in the language, in the graph and in a step."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlflow_codegen.graph.build import build_graph
from sqlflow_codegen.graph.data_objects import TABLE
from sqlflow_codegen.graph.naming import Names
from sqlflow_codegen.language import parse_program
from sqlflow_codegen.language.dialects import DATABASES, DIALECTS
from sqlflow_codegen.language.ir import PredictStatement
from sqlflow_codegen.language.names import parse_name, quote, quote_name, stored

from tests.hostile import HOSTILE_TEXTS

_PART = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12) | st.text(
    "aB.\"'`[]\\; $x-\n", min_size=1, max_size=8
)


@pytest.mark.parametrize("dialect", DIALECTS)
@given(parts=st.lists(_PART, min_size=1, max_size=3))
def test_what_is_quoted_is_read_back(dialect: str, parts: list[str]) -> None:
    text = quote_name(parts, dialect)
    assert parse_name(text, dialect) == tuple((part, True) for part in parts)
    (statement,) = parse_program(f"SELECT 1 AS a TO PREDICT {text}.y USING m", dialect)
    assert isinstance(statement, PredictStatement)
    assert [part.text for part in statement.result_path] == parts
    assert statement.result_column == "y"


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("text", HOSTILE_TEXTS.values(), ids=HOSTILE_TEXTS.keys())
def test_hostile_texts_as_names(dialect: str, text: str) -> None:
    assert parse_name(quote(text, dialect), dialect) == ((text, True),)


@pytest.mark.parametrize(
    ("dialect", "text", "parts"),
    [
        ("postgres", "a.B", [("a", False), ("B", False)]),
        ("postgres", '"a.b"."c""d"', [("a.b", True), ('c"d', True)]),
        ("postgres", "'a.b'.y", [("a.b", True), ("y", False)]),
        ("postgres", "`a.b`.y", [("a.b", True), ("y", False)]),
        ("postgres", "$$a.b$$.E'c\\td'", [("a.b", True), ("c\td", True)]),
        ("postgres", "my-table.y", [("my-table", True), ("y", False)]),
        ("sqlite", "[a.b].c", [("a.b", True), ("c", False)]),
        ("sqlite", "c.[a b]", [("c", False), ("a b", True)]),
        ("mysql", '"a\\"b".y', [('a"b', True), ("y", False)]),
        ("mysql", "`a``b`.y", [("a`b", True), ("y", False)]),
    ],
)
def test_parts(dialect: str, text: str, parts: list[tuple[str, bool]]) -> None:
    assert list(parse_name(text, dialect)) == parts


@pytest.mark.parametrize("text", ["", '"open', "a..b", 'x"; DROP TABLE t; --', "a b", '""', "1a", ".a"])
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"name|closed|empty|number"):
        parse_name(text, "postgres")


@pytest.mark.parametrize(
    ("dialect", "text", "kept"),
    [
        ("postgres", "Ab", "ab"),
        ("postgres", '"Ab"', "Ab"),
        ("postgres", "ÄB", "Äb"),
        ("postgres", "表" * 30, "表" * 21),
        ("postgres", "a-B", "a-B"),
        ("mysql", "Ab", "Ab"),
        ("duckdb", "Ab", "Ab"),
        ("sqlite", "Ab", "Ab"),
    ],
)
def test_how_a_database_keeps_it(dialect: str, text: str, kept: str) -> None:
    (part,) = parse_name(text, dialect)
    assert stored(part, dialect) == kept


@pytest.mark.parametrize(
    ("dialect", "target"),
    [
        ("postgres", "'a.b'.y"),
        ("postgres", "`a.b`.y"),
        ("postgres", '"a.b"."c.d".y'),
        ("sqlite", "[a.b].c"),
        ("sqlite", "x.[a.b].c"),
        ("mysql", '"a.b".y'),
        ("mysql", "`a``.b`.y"),
        ("duckdb", "'a.b'.\"y.z\""),
    ],
)
def test_the_graph_orders_by_the_table_that_the_step_writes(dialect: str, target: str) -> None:
    (statement,) = parse_program(f"SELECT 1 AS a TO PREDICT {target} USING m", dialect)
    assert isinstance(statement, PredictStatement)
    written = ".".join(quote(stored(part, dialect), dialect) for part in statement.result_path)
    found = build_graph(
        parse_program(f"SELECT 1 AS a TO PREDICT {target} USING m; SELECT a FROM {written}", dialect),
    )
    reads, writes = (
        {(each.schema, each.name) for each in resources if each.kind == TABLE}
        for resources in (found.effects[1].reads, found.effects[0].writes)
    )
    assert reads == writes == {_key(dialect, [part.text for part in statement.result_path])}
    assert [(edge.before, edge.after, edge.hazard) for edge in found.edges][:1] == [(1, 2, "RAW")]


def _key(dialect: str, parts: list[str]) -> tuple[str, str]:
    names = Names(dialect)
    folded = [names.key(names.fold((part, True))) for part in ["", *parts]]
    if dialect == "duckdb" and len(parts) == 3:  # `a.t` may be short for `a.main.t`
        return "", folded[-1]
    return folded[-2], folded[-1]


@pytest.mark.parametrize("dialect", DATABASES.values())
@given(parts=st.lists(_PART, min_size=1, max_size=3))
def test_the_graph_reads_any_name_as_the_step_writes_it(dialect: str, parts: list[str]) -> None:
    written = quote_name(parts, dialect)
    program = parse_program(f"SELECT 1 AS a TO PREDICT {written}.y USING m; SELECT a FROM {written}", dialect)
    found = build_graph(program)
    statement = program.statement(1)
    assert isinstance(statement, PredictStatement)
    assert [stored(part, dialect) for part in statement.result_path] == [
        stored((part, True), dialect) for part in parts
    ]
    if found.effects[1].understood:
        reads, writes = (
            {(each.schema, each.name) for each in resources if each.kind == TABLE}
            for resources in (found.effects[1].reads, found.effects[0].writes)
        )
        assert reads == writes == {_key(dialect, parts)}
    assert [(edge.before, edge.after) for edge in found.edges] == [(1, 2)]
