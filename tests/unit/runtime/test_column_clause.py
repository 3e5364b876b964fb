"""COLUMN clauses and the data of the columns: which features they make together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sqlflow_codegen.catalogue import find_estimator
from sqlflow_codegen.language import parse_program
from sqlflow_codegen.language.ir import TrainStatement
from sqlflow_runtime.databases.rows import Column
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.column_clause import plan_features
from sqlflow_runtime.ml.encoder import Encoder
from sqlflow_runtime.ml.features import (
    Bucket,
    CategoryHash,
    CategoryId,
    Cross,
    Dense,
    Embedding,
    Feature,
    Indicator,
    Numeric,
    PlainKey,
    SequenceIds,
    Sparse,
    Vocabulary,
)
from sqlflow_runtime.ml.text_columns import AS_CATEGORY, TextColumns, text_columns

LABEL = Column("class", "int", "int")
KINDS = {"petal_length": "float", "petal_width": "float", "day": "date"}
LISTS = ["1,2", None, "0, 7"]
PAIRS = ["1:0.5 3:-1.5", "2:1", None]
WORDS = ["red", "green", None, "red"]
NUMBERS = ["1", "2.5", None]


def planned(
    clause: str,
    data: dict[str, list[Any]] | None = None,
    *,
    kinds: dict[str, str] | None = None,
    text: TextColumns = AS_CATEGORY,
    known: tuple[Feature, ...] = (),
    lines: list[str] | None = None,
) -> tuple[Feature, ...]:
    """The features of a SELECT of those columns; a column without a kind is text."""
    (statement,) = parse_program(f"SELECT 1 TO TRAIN image/Own {clause and 'COLUMN ' + clause} LABEL class INTO m")
    assert isinstance(statement, TrainStatement)
    data = data or {"petal_length": [1.0], "petal_width": [2.0]}
    types = KINDS | (kinds or {})
    columns = [Column(name, types.get(name, "text"), types.get(name, "string")) for name in data]
    plan = plan_features((*columns, LABEL), statement.columns, LABEL, text, known)
    rows = pa.RecordBatch.from_pydict({name: pa.array(values) for name, values in data.items()})
    half = rows.num_rows // 2
    found = plan.features(
        lambda: [rows.slice(0, half), rows.slice(half)],
        lambda _level, line: (lines if lines is not None else []).append(line),
    )
    encoder = Encoder(columns, found, np.float64)
    encoder.collect(rows)
    plan.check(encoder, lambda _level, _line: None)
    return found


@pytest.mark.parametrize(
    ("clause", "first"),
    [
        ("petal_length", Numeric("petal_length")),
        ("PETAL_LENGTH", Numeric("petal_length")),
        ("*", Numeric("petal_length")),
        ('"petal_.*"', Numeric("petal_length")),
        ("DENSE(petal_length)", Numeric("petal_length")),
        ("DENSE(petal_length, 1)", Numeric("petal_length")),
        ("BUCKET(petal_length, [1, 2])", Bucket("petal_length", (1.0, 2.0))),
        ("BUCKET(DENSE(petal_length), [1, 2])", Bucket("petal_length", (1.0, 2.0))),
        ("CATEGORY_ID(petal_length, 7)", CategoryId("petal_length", 7)),
        ("CATEGORY_HASH(petal_length, 7)", CategoryHash("petal_length", 7)),
        ("INDICATOR(CATEGORY_ID(petal_length, 7))", Indicator(CategoryId("petal_length", 7))),
        ("INDICATOR(BUCKET(petal_length, [1]))", Indicator(Bucket("petal_length", (1.0,)))),
        ("INDICATOR(petal_length)", Indicator(Vocabulary("petal_length", ("1",)))),
        ("EMBEDDING(CATEGORY_ID(petal_length, 7), 8, mean)", Embedding(CategoryId("petal_length", 7), 8, "mean")),
        ("*, BUCKET(petal_length, [1])", Bucket("petal_length", (1.0,))),
        ("BUCKET(petal_length, [1]), *", Bucket("petal_length", (1.0,))),
    ],
)
def test_numeric_columns(clause: str, first: Feature) -> None:
    assert planned(clause) == (first, Numeric("petal_width"))


@pytest.mark.parametrize(
    ("clause", "values", "feature"),
    [
        ("", WORDS, Vocabulary("c", ("green", "red"))),
        ("c", WORDS, Vocabulary("c", ("green", "red"))),
        ("", LISTS, Dense("c", 2)),
        ("", NUMBERS, Numeric("c")),
        ("", ["010", "9", None], Vocabulary("c", ("9", "010"))),
        ("", ["1", "b", "c"], Vocabulary("c", ("1", "b", "c"))),
        ("DENSE(c)", LISTS, Dense("c", 2)),
        ("DENSE(c, none, ';')", ["1;2"], Dense("c", 2, ";")),
        ("DENSE(c, 2, COMMA)", LISTS, Dense("c", 2)),
        ("DENSE(c, [1, 2])", LISTS, Dense("c", 2, shape=(1, 2))),
        ("DENSE(c)", NUMBERS, Numeric("c")),
        ("DENSE(c, 1, COMMA, string)", NUMBERS, Vocabulary("c", ("1", "2.5"))),
        ("SPARSE(c)", PAIRS, Sparse("c", 4, " ", ":")),
        ("SPARSE(c, 11)", PAIRS, Sparse("c", 11, " ", ":")),
        ("SPARSE(c)", [*LISTS, "3", ""], Sparse("c", 8)),
        ("SPARSE(c, 9, COMMA)", LISTS, Sparse("c", 9)),
        ('SPARSE(c, 9, ",", "int", ":", "float")', ["1:2,3:4"], Sparse("c", 9, ",", ":")),
        ("INDICATOR(c)", WORDS, Indicator(Vocabulary("c", ("green", "red")))),
        ("INDICATOR(c)", LISTS, Indicator(Sparse("c", 8))),
        ("INDICATOR(SPARSE(c))", LISTS, Indicator(Sparse("c", 8))),
        ("INDICATOR(SPARSE(c, 20, COMMA))", LISTS, Indicator(Sparse("c", 20))),
        ("CATEGORY_ID(c, 2)", WORDS, Vocabulary("c", ("green", "red"))),
        ("CATEGORY_ID(c, 2)", ["0", "1"], CategoryId("c", 2)),
        ("INDICATOR(CATEGORY_ID(c, 8))", LISTS, Indicator(Sparse("c", 8, weighted=False))),
        ("CATEGORY_ID(SPARSE(c, 8, COMMA), 8)", LISTS, Sparse("c", 8, weighted=False)),
        ("CATEGORY_HASH(c, 8)", LISTS, CategoryHash("c", 8)),
        ("CATEGORY_HASH(SPARSE(c), 8)", ["a,b", "c"], Sparse("c", 8, hashed=True, weighted=False)),
        ("WEIGHTED_CATEGORY(CATEGORY_HASH(SPARSE(c, 8, ',', int, ':', float), 8))", ["a:1"],
         Sparse("c", 8, ",", ":", hashed=True)),
        ("WEIGHTED_CATEGORY(CATEGORY_ID(SPARSE(c), 8))", PAIRS, Sparse("c", 8, " ", ":")),
        ("EMBEDDING(c, 8)", WORDS, Embedding(Vocabulary("c", ("green", "red")), 8)),
        ("EMBEDDING(c, 8)", LISTS, Embedding(Sparse("c", 8), 8)),
        ("EMBEDDING(SPARSE(c, 4, ' ', int, ':'), 8, sqrtn, zeros)", PAIRS,
         Embedding(Sparse("c", 4, " ", ":"), 8, "sqrtn", "zeros")),
        ("EMBEDDING(CATEGORY_ID(SPARSE(c,8,COMMA),8),16,mean)", LISTS,
         Embedding(Sparse("c", 8, weighted=False), 16, "mean")),
        ("SEQ_CATEGORY_ID(c, 8)", ["1,2,3", "4"], SequenceIds("c", 8, 3)),
        ("EMBEDDING(SEQ_CATEGORY_ID(c, 8, ' '), 4)", ["1 2", "4"], Embedding(SequenceIds("c", 8, 2, " "), 4)),
        ("SEQ_CATEGORY_ID(DENSE(c, 5, COMMA), 8)", ["1,2"], SequenceIds("c", 8, 5)),
    ],
)  # fmt: skip
def test_text_columns(clause: str, values: list[Any], feature: Feature) -> None:
    assert planned(clause, {"c": values}) == (feature,)


@pytest.mark.parametrize(
    ("clause", "values", "words", "hint"),
    [
        ("", ["1", "2", "x"], "holds numbers, such as '1', but in 1 of 3 rows something else, such as 'x'", "Correct"),
        ("", ["1,2", "3,4,5"], "lists 2 numbers in some rows and 3 in others", "SPARSE(c)"),
        ("", ["1,2", "3"], "lists 1 number in some rows and 2 in others", "SPARSE(c)"),
        ("", PAIRS, "lists key:value pairs: '1:0.5 3:-1.5'", "Write COLUMN SPARSE(c)."),
        ("", [None, None], "NULL in every row", "Leave it out"),
        ("DENSE(c)", WORDS, "holds no numbers, as DENSE needs: 'red'", "CATEGORY_HASH(c, 100)"),
        ("DENSE(c, 3)", LISTS, "holds 2 numbers where DENSE says 3: '1,2', and 1 more such value", "as many numbers"),
        ("SPARSE(c)", WORDS, "lists neither indices", "SPARSE(column, size"),
        ("SPARSE(c)", ["1,2.5"], "an index that is no whole number", "DENSE"),
        ("SPARSE(c)", ["", None, ""], "has no entry", "Leave it out"),
        ("SPARSE(c, 5)", LISTS, "holds index 7, beyond the last one, 4", "Make the size in COLUMN larger"),
        ("CATEGORY_ID(c, 1)", WORDS, "has 2 different values where a category may have 1", "CATEGORY_HASH(c, 1)"),
        ("CATEGORY_ID(c, 2)", ["0", "2"], "no category from 0 to 1", "CATEGORY_HASH(c, 2)"),
        ("INDICATOR(c)", [str(one) for one in range(10_001)], "has more than 10000 different values", "CATEGORY_HASH"),
        ("WEIGHTED_CATEGORY(CATEGORY_ID(SPARSE(c), 9))", LISTS, "WEIGHTED_CATEGORY needs key:value text", ""),
    ],
)
def test_data_that_fit_no_feature(clause: str, values: list[Any], words: str, hint: str) -> None:
    with pytest.raises(RunError) as caught:
        planned(clause, {"c": values})
    assert words in caught.value.message
    assert hint in caught.value.hint
    assert (caught.value.place is None) == (not clause)


def test_columns_keep_the_order_of_the_select() -> None:
    assert planned("BUCKET(petal_width, [1]), petal_length") == (Numeric("petal_length"), Bucket("petal_width", (1.0,)))


def test_one_column_may_have_several_features() -> None:
    found = planned("BUCKET(petal_length, [1]), petal_length, INDICATOR(CATEGORY_HASH(petal_length, 3))")
    assert found == (
        Numeric("petal_length"), Bucket("petal_length", (1.0,)), Indicator(CategoryHash("petal_length", 3)),
        Numeric("petal_width"),
    )  # fmt: skip


def test_crosses_come_last_and_their_keys_are_no_features_of_their_own() -> None:
    data = {"a": ["x", "y"], "b": [1.0, 2.0], "c": [3.0, 4.0]}
    found = planned("CROSS([a, BUCKET(b, [1])], 9), c", data, kinds={"b": "float", "c": "float"})
    assert found == (Numeric("c"), Cross((PlainKey("a"), Bucket("b", (1.0,))), 9))


def test_several_targets_choose_their_columns() -> None:
    data = {"a": [1.0], "b": [2.0], "c": ["x"]}
    kinds = {"a": "float", "b": "float"}
    found = planned("a, b FOR linear COLUMN b, INDICATOR(c) FOR deep", data, kinds=kinds)
    assert found == (
        Numeric("a", target="linear"), Numeric("b", target="linear"),
        Numeric("b", target="deep"), Indicator(Vocabulary("c", ("x",), target="deep"), target="deep"),
    )  # fmt: skip
    assert [one.columns[0] for one in planned("a FOR linear COLUMN * FOR deep", data, kinds=kinds)] == ["a", *"abc"]


def test_one_target_does_not_choose() -> None:
    found = planned("petal_length FOR deep")
    assert found == (Numeric("petal_length", target="deep"), Numeric("petal_width", target="deep"))


def test_log_records_say_what_the_data_decided() -> None:
    lines: list[str] = []
    planned("", {"a": WORDS, "b": ["1,2"] * 4, "c": ["1"] * 4}, lines=lines)
    assert lines == ["column a is taken as a category with 2 values", "column b is taken as DENSE of 2 numbers"]


def test_text_for_estimators_of_numbers() -> None:
    with pytest.raises(RunError) as caught:
        planned("", {"a": WORDS, "b": WORDS, "c": [*NUMBERS, None]}, text=TextColumns("", estimator="sklearn.svm.SVC"))
    assert caught.value.message == "sklearn.svm.SVC takes numbers only, but a, b are text"
    assert "INDICATOR(a), INDICATOR(b)" in caught.value.hint
    found = planned("INDICATOR(a), CATEGORY_ID(b, 2)", {"a": WORDS, "b": WORDS}, text=TextColumns(""))
    assert [one.form for one in found] == ["indicator", "vocabulary"]


def test_text_for_neural_networks() -> None:
    (found,) = planned("", {"a": WORDS}, text=TextColumns("embedding"))
    assert found == Embedding(Vocabulary("a", ("green", "red")), 128, "sum")


def test_more_categories_than_the_estimator_takes() -> None:
    with pytest.raises(RunError, match="column a has 2 categories, but it takes 1"):
        planned("", {"a": WORDS}, text=TextColumns("category", 1, "it"))


@pytest.mark.parametrize(
    ("estimator", "parameters", "form"),
    [
        ("xgboost.gbtree", {"booster": "gbtree"}, "category"),
        ("xgboost.gblinear", {"booster": "gblinear"}, ""),
        ("XGBClassifier", {"tree_method": "exact"}, ""),
        ("sklearn.svm.SVC", {}, ""),
        ("sklearn.ensemble.HistGradientBoostingClassifier", {}, "category"),
    ],
)
def test_text_columns_of_estimators(estimator: str, parameters: dict[str, Any], form: str) -> None:
    known = find_estimator(estimator)
    assert known is not None
    assert text_columns(known, parameters).form == form


def test_going_on_from_a_model_keeps_its_categories() -> None:
    before = (Vocabulary("a", ("blue", "red")),)
    assert planned("", {"a": WORDS}, known=before) == before
    assert planned("", {"a": NUMBERS}, known=before) == (Numeric("a"),)


@pytest.mark.parametrize(
    ("clause", "words"),
    [
        ("petal", "petal is not a column"),
        ('"x.*"', "x.* is not a column"),
        ("BUCKET(nope, [1])", "nope is not a column"),
        ("CROSS([petal_length, DENSE(petal_width, 3)], 9)", "petal_width lists several"),
        ("CROSS([petal_length, 'petal.*'], 9)", "one column each"),
        ("SPARSE(petal_width, none, ',', int, ':')", "needs a size"),
    ],
)
def test_what_is_wrong_with_a_clause(clause: str, words: str) -> None:
    with pytest.raises(RunError) as caught:
        planned(clause)
    assert words in caught.value.message
    assert caught.value.place is not None


def test_a_date_is_no_number() -> None:
    with pytest.raises(RunError, match="column day is of type date") as caught:
        planned("", {"petal_length": [1.0], "day": ["2024-01-01"]})
    assert "EXTRACT(EPOCH FROM day)" in caught.value.hint
