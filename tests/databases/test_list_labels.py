"""Labels that list several classes: one at each place, or any number of them; from a table and back."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from sklearn import metrics
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier
from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.labels import Label
from sqlflow_runtime.ml.list_labels import ListLabel, list_label
from sqlflow_runtime.ml.trained_model import restore

from tests.databases.harness import fail, load_model, succeed

SIZES = [(1, 1), (2, 1), (3, 2), (4, 2), (5, 1), (6, 2), (7, 3), (8, 3), (9, 1), (10, 3)]


@pytest.fixture
def goods(database: Database) -> Database:
    """A table of goods on each kind of database."""
    load_goods(database)
    return database


@pytest.fixture
def goods_sqlite(sqlite: Database) -> Database:
    """The same on the database that starts fastest."""
    load_goods(sqlite)
    return sqlite


def load_goods(database: Database) -> None:
    """Ten goods: two numbers, a text with a class at each of two places, and one with a set of classes."""
    rows = [
        f"({a}, {b}, '{'small' if a < 5 else 'large'},{'abc'[b - 1]}', "
        f"'{','.join(name for name, there in (('cheap', a < 7), ('red', b == 1), ('used', a % 2)) if there)}')"
        for a, b in SIZES
    ]
    succeed(
        database,
        "CREATE TABLE goods (a INTEGER, b INTEGER, kinds VARCHAR(40), tags VARCHAR(40));"
        f"INSERT INTO goods VALUES {', '.join(rows)}",
    )


MATRIX = np.array(SIZES, dtype=np.float64)
KINDS = [["small" if a < 5 else "large", "abc"[b - 1]] for a, b in SIZES]
TAGS = [[int(a < 7), int(b == 1), a % 2] for a, b in SIZES]


def test_a_class_at_each_place(goods: Database) -> None:
    train = (
        "SELECT a, b, kinds FROM goods TO TRAIN sklearn.multioutput.MultiOutputClassifier "
        "WITH estimator=DecisionTreeClassifier, estimator.max_depth=1 LABEL kinds INTO m;"
    )
    succeed(goods, train + "SELECT a, b FROM goods TO PREDICT p.kinds USING m;")
    tree = DecisionTreeClassifier(max_depth=1, random_state=0)
    expected = MultiOutputClassifier(tree).fit(MATRIX, KINDS).predict(MATRIX).tolist()
    found = {(a, b): kinds for a, b, kinds in goods.execute("SELECT a, b, kinds FROM p")}
    assert found == {size: ",".join(kinds) for size, kinds in zip(SIZES, expected, strict=True)}
    ran = succeed(goods, "SELECT a, b, kinds FROM goods TO EVALUATE m LABEL kinds")
    right = sum(one == other for one, other in zip(KINDS, expected, strict=True)) / len(KINDS)
    assert ran.metrics == {"loss": pytest.approx(1 - right), "accuracy_score": right}
    assert 0 < right < 1


def test_a_set_of_classes(goods: Database) -> None:
    train = (
        "SELECT a, b, tags FROM goods TO TRAIN sklearn.neighbors.KNeighborsClassifier "
        "WITH n_neighbors=3, train.multi_label=true LABEL tags INTO m;"
    )
    predict = "SELECT a, b FROM goods TO PREDICT p.tags WITH predict.extra_outputs='probability' USING m;"
    succeed(goods, train + predict)
    by_hand = KNeighborsClassifier(3).fit(MATRIX, TAGS)
    expected = by_hand.predict(MATRIX)
    names = ("cheap", "red", "used")
    likely = [part[:, 1].tolist() for part in by_hand.predict_proba(MATRIX)]
    columns = ", ".join(f"probability_{name}" for name in names)
    found = {row[:2]: row[2:] for row in goods.execute(f"SELECT a, b, tags, {columns} FROM p")}
    texts = [",".join(name for name, has in zip(names, row, strict=True) if has) for row in expected]
    assert found == dict(zip(SIZES, zip(texts, *likely, strict=True), strict=True))
    named = "accuracy_score,f1_score,label_ranking_loss,roc_auc_score,TruePositives"
    ran = succeed(goods, f"SELECT a, b, tags FROM goods TO EVALUATE m WITH validation.metrics='{named}' LABEL tags")
    scores = np.column_stack(likely)
    assert ran.metrics == {
        "loss": pytest.approx(1 - metrics.accuracy_score(TAGS, expected)),
        "accuracy_score": metrics.accuracy_score(TAGS, expected),
        "f1_score": metrics.f1_score(TAGS, expected, average="macro"),
        "label_ranking_loss": metrics.label_ranking_loss(np.array(TAGS), scores),
        "roc_auc_score": metrics.roc_auc_score(TAGS, scores),
        "TruePositives": float((np.array(TAGS) & expected).sum()),
    }


@pytest.mark.parametrize(
    ("label", "estimator", "message"),
    [
        ("a", "MultiOutputClassifier WITH estimator=SVC", "the label a is one value, and the estimator learns several"),
        ("tags", "MultiOutputClassifier WITH estimator=SVC", "the label tags lists"),
        ("a", "KNeighborsClassifier WITH train.multi_label=true", "the label a is one value, and the estimator learns"),
    ],
)
def test_labels_that_list_nothing_of_the_kind(goods_sqlite: Database, label: str, estimator: str, message: str) -> None:
    select = f"SELECT b, {label} FROM goods TO TRAIN sklearn.{estimator} LABEL {label} INTO m"
    assert fail(goods_sqlite, select).message.startswith(message)


def test_a_class_that_no_row_of_the_training_has(goods_sqlite: Database) -> None:
    train = "TO TRAIN sklearn.tree.DecisionTreeClassifier WITH train.multi_output=true LABEL kinds INTO m;"
    succeed(goods_sqlite, f"SELECT a, b, kinds FROM goods WHERE b < 3 {train}")
    ran = succeed(goods_sqlite, "SELECT a, b, kinds FROM goods WHERE b > 2 TO EVALUATE m LABEL kinds")
    assert ran.metrics["accuracy_score"] == 0


def test_a_set_has_its_classes_in_one_order() -> None:
    label = list_label(Label("y", "string"), pa.array(["b,a", "", "c"]), is_set=True)
    assert label.parts == (("a", "b", "c"),)
    encoded = label.encode(pa.array(["a, b", "", "c"]))
    assert encoded.tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 1]]
    assert label.decode(encoded) == ["a,b", "", "c"]
    with pytest.raises(RunError, match="lists d, which no training row has"):
        label.encode(pa.array(["d"]))


def test_a_place_without_a_class() -> None:
    label = ListLabel("y", "string", (), (("a", "b"), ("c",)))
    assert label.encode(pa.array(["b,c", "x,c"])).tolist() == [[1, 0], [-1, 0]]
    with pytest.raises(RunError, match="lists 1 classes in one row and 2 in another"):
        label.encode(pa.array(["b"]))


@pytest.mark.parametrize("parts", [[], [[]], [["a", "a"]], [[1]], "ab", [["a"], ["b"]]])
def test_stored_labels_that_were_changed(goods_sqlite: Database, parts: object) -> None:
    train = "TO TRAIN sklearn.KNeighborsClassifier WITH train.multi_label=true LABEL tags INTO m;"
    succeed(goods_sqlite, f"SELECT a, b, tags FROM goods {train}")
    stored = load_model(goods_sqlite, "m")
    changed = json.loads(json.dumps(stored.metadata))
    changed["label"]["parts"] = parts
    with pytest.raises(ValueError, match=r"its label lists no classes|not different texts|its parts is"):
        restore(changed, stored.content)
