"""Features on random values: batches or all rows at once, sparse or dense, stored or not, they do the same."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sqlflow_runtime.databases.rows import Column
from sqlflow_runtime.ml.encoder import Encoder
from sqlflow_runtime.ml.features import (
    Bucket,
    CategoryHash,
    CategoryId,
    Cross,
    Dense,
    Embedding,
    Feature,
    Findings,
    Indicator,
    Numeric,
    PlainKey,
    SequenceIds,
    Sparse,
    Vocabulary,
    dump_feature,
    layout,
    load_feature,
)

sizes = st.integers(1, 50)
words = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
delimiters = st.sampled_from([",", ";", " ", "|", "||"])
numbers = st.none() | st.floats(-1e6, 1e6) | st.integers(-1000, 1000).map(float)
ids = st.none() | st.integers(0, 60)


def lists(delimiter: str, item: st.SearchStrategy[str], **options: Any) -> st.SearchStrategy[str | None]:
    return st.none() | st.lists(item, **options).map(delimiter.join)


index = st.integers(0, 60).map(str)
weight = st.integers(-8, 8).map(lambda number: str(number / 4))
pairs = st.tuples(index, weight).map(":".join)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Feature, dict[str, list[Any]]]:
    """A feature, and values of its columns that it takes."""
    size, delimiter, count = draw(sizes), draw(delimiters), draw(st.integers(0, 20))

    def some(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=count, max_size=count))

    length = draw(st.integers(2, 5))
    item = st.integers(-99, 99).map(str)
    bounds = tuple(sorted(draw(st.sets(st.integers(-50, 50).map(float), min_size=1, max_size=5))))
    known = tuple(sorted(draw(st.sets(words, min_size=1, max_size=9))))
    categories = [CategoryId("a", 61), Bucket("a", bounds), Vocabulary("b", known), CategoryHash("b", size)]
    columns = {
        "a": some(ids),
        "b": some(st.none() | words),
        "n": some(numbers),
        "dense": some(lists(delimiter, item, min_size=length, max_size=length)),
        "ids": some(lists(delimiter, index, max_size=5)),
        "pairs": some(lists(" ", pairs, max_size=5)),
    }
    category = draw(st.sampled_from(categories))
    sparse = draw(st.sampled_from([Sparse("ids", size, delimiter), Sparse("pairs", size, " ", ":")]))
    sequence = SequenceIds("ids", size, length, delimiter)
    choices = [
        category, sparse, sequence, Numeric("n"), Dense("dense", length, delimiter), Indicator(category),
        Indicator(sparse), Embedding(category, 3), Embedding(sequence, 3, "mean"),
        Cross((PlainKey("b"), Bucket("a", bounds), Numeric("n")), size), CategoryHash("n", size),
        Sparse("ids", size, delimiter, hashed=True, weighted=False),
    ]  # fmt: skip
    return draw(st.sampled_from(choices)), columns


def dense(block: Any) -> np.ndarray[Any, Any]:
    return np.asarray(block.toarray() if isinstance(block, csr_matrix) else block)


def batch(feature: Feature, columns: dict[str, list[Any]]) -> list[pa.Array]:
    kinds = {"a": pa.int64(), "n": pa.float64()}
    return [pa.array(columns[name], kinds.get(name, pa.string())) for name in feature.columns]


@given(cases(), st.integers(0, 20))
def test_batches_become_what_all_rows_become(case: tuple[Feature, dict[str, list[Any]]], at: int) -> None:
    feature, columns = case
    arrays = batch(feature, columns)
    whole, parts = Findings(), Findings()
    expected = dense(feature.transform(arrays, whole))
    first = dense(feature.transform([array[:at] for array in arrays], parts))
    second = dense(feature.transform([array[at:] for array in arrays], parts))
    assert expected.shape == (len(arrays[0]), feature.width)
    np.testing.assert_array_equal(np.concatenate([first, second]), expected)
    assert [line.partition(",")[0] for line in parts.lines] == [line.partition(",")[0] for line in whole.lines]


@given(cases())
def test_a_stored_feature_is_the_same(case: tuple[Feature, dict[str, list[Any]]]) -> None:
    feature, columns = case
    again = load_feature(json.loads(json.dumps(dump_feature(feature))))
    assert again == feature
    arrays = batch(feature, columns)
    found, expected = again.transform(arrays, Findings()), feature.transform(arrays, Findings())
    np.testing.assert_array_equal(dense(found), dense(expected))


@given(st.lists(st.dictionaries(st.integers(0, 12), st.integers(-8, 8).map(lambda n: n / 4), max_size=6), max_size=9))
def test_sparse_rows_are_what_a_loop_makes_of_them(rows: list[dict[int, float]]) -> None:
    expected = np.zeros((len(rows), 10))
    for number, row in enumerate(rows):
        for key, value in row.items():
            if key < 10:
                expected[number, key] += value
    text = pa.array([" ".join(f"{key}:{value}" for key, value in row.items()) for row in rows], pa.string())
    findings = Findings()
    found = Sparse("c", 10, " ", ":").transform([text], findings)
    np.testing.assert_array_equal(found.toarray(), expected)
    assert found.nnz == sum(key < 10 for row in rows for key in row), "a 0 that is written is an entry"
    assert bool(findings.lines) == any(key >= 10 for row in rows for key in row)


@given(st.lists(cases(), min_size=1, max_size=4), st.integers(0, 12))
def test_one_sparse_feature_changes_no_number(cases: list[tuple[Feature, dict[str, list[Any]]]], count: int) -> None:
    """The matrix beside a sparse feature holds what it held without, zeros and NaN as entries."""
    found = [(feature, columns) for feature, columns in cases if len(columns["a"]) >= count]
    if not found:
        return
    names = [(number, name) for number, (feature, _) in enumerate(found) for name in feature.columns]
    arrays = [array[:count] for feature, columns in found for array in batch(feature, columns)]
    rows = pa.RecordBatch.from_arrays(
        [*arrays, pa.array(["1"] * count)], [*(f"{number} {name}" for number, name in names), "s"]
    )
    columns = [Column(name, "", "") for name in rows.schema.names]
    features = [_renamed(feature, number) for number, (feature, _) in enumerate(found)]
    matrix = dense(Encoder(columns, features, np.float64).collect(rows))
    wider = Encoder(columns, [*features, Sparse("s", 3)], np.float64).collect(rows)
    assert isinstance(wider, csr_matrix)
    np.testing.assert_array_equal(wider.toarray()[:, : matrix.shape[1]], matrix)
    full = [one for one in layout(features) if not one.feature.sparse]
    entries = np.bincount(wider.indices, minlength=wider.shape[1])
    assert all((entries[one.start : one.stop] == count).all() for one in full)


def _renamed(feature: Feature, number: int) -> Feature:
    """The feature of the columns that have the number before their names."""

    def renamed(data: dict[str, Any]) -> dict[str, Any]:
        found = dict(data)
        if "column" in found:
            found["column"] = f"{number} {found['column']}"
        if "of" in found:
            found["of"] = renamed(found["of"])
        if "keys" in found:
            found["keys"] = [renamed(key) for key in found["keys"]]
        return found

    return load_feature(renamed(dump_feature(feature)))
