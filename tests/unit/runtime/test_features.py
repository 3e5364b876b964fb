"""Features: what each makes of a column's values, and its way into JSON and back."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy.sparse import csr_matrix
from sqlflow_runtime.databases.arrow_rows import array_of
from sqlflow_runtime.errors import RunError
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
    Slice,
    Sparse,
    Vocabulary,
    category_sizes,
    dump_feature,
    layout,
    load_feature,
    matrix_names,
)

NAN = float("nan")
OF = {"form": "category_id", "column": "a", "size": 1}


def sha(text: str, size: int) -> int:
    return int(hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(), 16) % size


@pytest.mark.parametrize(
    ("feature", "values", "matrix"),
    [
        (Numeric("a"), [1, None, "2.5", True], [[1], [NAN], [2.5], [1]]),
        (Dense("a", 2), ["1,2", " 3 , 4 ,", None], [[1, 2], [3, 4], [NAN, NAN]]),
        (Bucket("a", (1.0, 2.0)), [0, 1, 1.5, 2, 9, None], [[0], [1], [1], [2], [2], [NAN]]),
        (CategoryId("a", 3), [0, 2, None], [[0], [2], [NAN]]),
        (CategoryHash("a", 10), ["x", "é", None], [[sha("x", 10)], [sha("é", 10)], [NAN]]),
        (Indicator(CategoryId("a", 3)), [0, 2, None], [[1, 0, 0], [0, 0, 1], [0, 0, 0]]),
        (Indicator(Bucket("a", (1.0,))), [0, 5], [[1, 0], [0, 1]]),
        (Dense("a", 2, " "), ["1  2", "\t3 4 "], [[1, 2], [3, 4]]),
        (Dense("a", 2), ["[1, 2]", "{3,4}"], [[1, 2], [3, 4]]),
        (Dense("a", 4, shape=(2, 2)), ["1,2,3,4"], [[1, 2, 3, 4]]),
        (Vocabulary("a", ("x", "é")), ["é", None, "x", "new"], [[1], [NAN], [0], [NAN]]),
        (Vocabulary("a", ("3", "10")), [10, 3.0, None], [[1], [0], [NAN]]),
        (Indicator(Vocabulary("a", ("x", "y"))), ["y", "new", None], [[0, 1], [0, 0], [0, 0]]),
        (Sparse("a", 4), ["1,3", "0", "", None, "1, 1,"], [[0, 1, 0, 1], [1, 0, 0, 0], [0] * 4, [0] * 4, [0, 2, 0, 0]]),
        (Sparse("a", 4, " ", ":"), ["1:0.5  3:-1.5", "0:2"], [[0, 0.5, 0, -1.5], [2, 0, 0, 0]]),
        (Sparse("a", 3, ",", "=", weighted=False), ["1=0.5,2=7"], [[0, 1, 1]]),
        (Sparse("a", 3, ",", ":"), ["1,2:4"], [[0, 1, 4]]),
        (Indicator(Sparse("a", 3)), ["1,1", "0,2"], [[0, 1, 0], [1, 0, 1]]),
        (SequenceIds("a", 9, 3), ["1,2", "3", None, "4,5,6"], [[1, 2, NAN], [3, NAN, NAN], [NAN] * 3, [4, 5, 6]]),
        (Embedding(CategoryId("a", 3), 8), [2, None], [[2], [NAN]]),
        (Embedding(Sparse("a", 3), 8, "mean", "zeros"), ["0,2"], [[1, 0, 1]]),
    ],
)
def test_values_become_numbers(feature: Feature, values: list[Any], matrix: list[list[float]]) -> None:
    found = feature.transform([array_of(values)])
    assert found.shape == (len(values), feature.width)
    assert feature.sparse == isinstance(found, csr_matrix)
    found = found.toarray() if feature.sparse else found
    assert len(feature.names) == feature.width
    np.testing.assert_array_equal(found, np.array(matrix, dtype=float))
    assert load_feature(dump_feature(feature)) == feature


@pytest.mark.parametrize(
    ("feature", "value", "words"),
    [
        (Numeric("a"), "x", "'x', which is not a number"),
        (Dense("a", 2), "1,2,3", "3 numbers where DENSE says 2"),
        (Dense("a", 2), "1,x", "not a number"),
        (CategoryId("a", 3), 3, "no category from 0 to 2"),
        (CategoryId("a", 3), 0.5, "no category"),
        (Bucket("a", (1.0,)), "x", "not a number"),
        (Indicator(CategoryId("a", 3)), 7, "no category from 0 to 2"),
        (Sparse("a", 3), "1,x", "'x' among its entries, which is no whole number"),
        (Sparse("a", 3), "-1", "'-1' among its entries"),
        (Sparse("a", 3, " ", ":"), "1:x", "'x', which is not a number"),
        (SequenceIds("a", 3, 2), "1,x", "'x' among its entries"),
    ],
)
def test_values_that_do_not_fit(feature: Feature, value: Any, words: str) -> None:
    with pytest.raises(RunError, match=words) as caught:
        feature.transform([array_of([value])])
    assert caught.value.kind == "data"
    assert "column a" in caught.value.message


def test_a_databases_own_arrays_are_lists() -> None:
    array = pa.array([[1.5, 2.0], None, [3.0, 4.0]])
    np.testing.assert_array_equal(Dense("a", 2).transform([array]), [[1.5, 2], [NAN, NAN], [3, 4]])
    np.testing.assert_array_equal(Sparse("a", 3).transform([pa.array([[0, 2], None])]).toarray(), [[1, 0, 1], [0] * 3])


def test_a_cross_is_one_category_for_each_combination() -> None:
    cross = Cross((PlainKey("a"), Bucket("b", (1.0,)), Numeric("c")), 1000)
    arrays = [pa.array(["x", "y", "x", None, "x"]), pa.array([0, 0, 0.5, 1, 5]), pa.array(["7", "7", "7.0", "7", "7"])]
    found = cross.transform(arrays)[:, 0]
    assert found[0] == found[2] == sha("\x1fx\x1f0\x1f7", 1000)
    assert len(set(found[[0, 1, 4]].tolist())) == 3
    assert np.isnan(found[3])
    assert cross.columns == ("a", "b", "c")
    assert load_feature(dump_feature(cross)) == cross
    assert Indicator(cross).transform(arrays).sum() == 4


def test_wide_indicators_are_sparse() -> None:
    wide, narrow = Indicator(CategoryHash("a", 1001)), Indicator(CategoryHash("a", 1000))
    assert (wide.sparse, narrow.sparse) == (True, False)
    found = wide.transform([pa.array(["x", None])])
    assert (found[0, sha("x", 1001)], found.nnz) == (1, 1)


def test_what_is_left_out_is_counted() -> None:
    findings = Findings()
    Vocabulary("colour", ("red",)).transform([pa.array(["blue", "blue", None, "red"])], findings)
    Vocabulary("colour", ("red",)).transform([pa.array(["green"])], findings)
    Sparse("tags", 2).transform([pa.array(["0,5", "7"])], findings)
    SequenceIds("words", 9, 1).transform([pa.array(["1,2,3"])], findings)
    findings.check()
    assert findings.lines == [
        "column colour holds 'blue', which no training row has, and 2 more such values: they count as missing",
        "column tags holds index 5, beyond the last one, 1, and 1 more such value: they count as missing",
        "column words holds 3 categories in a row where the model takes 1: it counts as missing",
    ]
    with pytest.raises(RunError, match="column colour holds 'blue'"):
        findings.check_complete()


def test_bad_values_are_counted_over_all_batches() -> None:
    findings = Findings()
    for values in (["1", "x"], ["y", "2", "x"]):
        found = Numeric("a").transform([pa.array(values)], findings)
        assert np.isnan(found).sum() == values.count("x") + values.count("y")
    with pytest.raises(RunError) as caught:
        findings.check(lambda column: 17 if column == "a" else None)
    assert caught.value.message == "column a holds 'x', which is not a number, and 2 more such values"
    assert "CATEGORY_HASH(a, 100)" in caught.value.hint
    assert caught.value.place == 17


def test_the_layout_of_the_matrix() -> None:
    first, second, third = Numeric("a"), Indicator(Vocabulary("b", ("x", "y")), target="deep"), Vocabulary("c", ("z",))
    features = (first, second, third)
    assert layout(features) == (Slice(first, 0, 1), Slice(second, 1, 3), Slice(third, 3, 4))
    assert matrix_names(features) == ["a", "b=x", "b=y", "c"]
    assert category_sizes(features) == [0, 0, 0, 1]


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "numeric",
        {"form": "numeric"},
        {"form": "numeric", "column": 1},
        {"form": "numeric", "column": "a", "more": 1},
        {"form": "numeric", "column": "a", "target": ""},
        {"form": "nothing", "column": "a"},
        {"form": ["numeric"], "column": "a"},
        {"form": "key", "column": "a"},
        {"form": "category_id", "column": "a", "size": 0},
        {"form": "category_id", "column": "a", "size": True},
        {"form": "category_id", "column": "a", "size": 2.0},
        {"form": "dense", "column": "a", "size": 4, "delimiter": ""},
        {"form": "dense", "column": "a", "size": 4, "shape": [2, 3]},
        {"form": "dense", "column": "a", "size": 4, "shape": 4},
        {"form": "bucket", "column": "a", "boundaries": []},
        {"form": "bucket", "column": "a", "boundaries": [2, 1]},
        {"form": "bucket", "column": "a", "boundaries": ["1"]},
        {"form": "vocabulary", "column": "a", "values": ["x", "x"]},
        {"form": "vocabulary", "column": "a", "values": [1]},
        {"form": "vocabulary", "column": "a", "values": "xy"},
        {"form": "sparse", "column": "a", "size": 3, "hashed": 1},
        {"form": "indicator", "of": {"form": "numeric", "column": "a"}},
        {"form": "indicator", "of": {"form": "indicator", "of": OF}},
        {"form": "indicator", "of": None},
        {"form": "embedding", "of": OF, "dimension": 0},
        {"form": "embedding", "of": OF, "dimension": 2, "combiner": "max"},
        {"form": "cross", "keys": [{"form": "key", "column": "a"}], "size": 3},
        {"form": "cross", "keys": [{"form": "key", "column": "a"}, {"form": "cross"}], "size": 3},
    ],
)
def test_stored_features_that_are_none(data: Any) -> None:
    with pytest.raises(ValueError, match="features"):
        load_feature(data)


def test_features_of_older_models() -> None:
    """They had no target, and DENSE no shape."""
    assert load_feature({"form": "dense", "column": "a", "size": 2, "delimiter": ","}) == Dense("a", 2)
    of = {"form": "category_id", "column": "a", "size": 3}
    assert load_feature({"form": "indicator", "of": of}) == Indicator(CategoryId("a", 3))
