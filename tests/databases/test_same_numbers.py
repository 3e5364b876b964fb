"""Predictions and metrics of a program are the library's own on the same matrix, to the last bit.

Each pair of an estimator and data goes the whole way: a table, TO TRAIN, TO PREDICT, TO EVALUATE. The same is done by
hand with scikit-learn, on the same rows in the same order. The data are those that scikit-learn brings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy.sparse import csr_matrix
from sklearn import (
    cluster,
    compose,
    datasets,
    decomposition,
    ensemble,
    linear_model,
    metrics,
    mixture,
    model_selection,
    multioutput,
    naive_bayes,
    neighbors,
    pipeline,
    preprocessing,
    svm,
    tree,
)
from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.ml.order import row_hashes

from tests.databases.harness import KINDS, succeed

Estimate = Callable[[], Any]


@dataclass(frozen=True)
class Pair:
    """One estimator on one table.

    Attributes:
        table: name of the data.
        train: after TO TRAIN, up to LABEL.
        by_hand: makes scikit-learn's estimator.
        metrics: names, each with what scikit-learn computes of truth, predictions and probabilities.
        label: False without LABEL.
        method: of the estimator that predicts.
        sparse: the features are one text of `index:value` pairs.
    """

    table: str
    train: str
    by_hand: Estimate
    metrics: dict[str, Callable[..., float]] = field(default_factory=dict)
    label: bool = True
    method: str = "predict"
    sparse: bool = False


def classes(**more: Callable[..., float]) -> dict[str, Callable[..., float]]:
    found: dict[str, Callable[..., float]] = {
        "accuracy_score": lambda truth, found, likely: float(metrics.accuracy_score(truth, found)),
        "f1_score": lambda truth, found, likely: float(
            metrics.f1_score(truth, found, average="macro" if len(set(truth)) > 2 else "binary", zero_division=0)
        ),
    }
    return found | more


NUMBERS: dict[str, Callable[..., float]] = {
    "mean_squared_error": lambda truth, found, likely: metrics.mean_squared_error(truth, found),
    "r2_score": lambda truth, found, likely: metrics.r2_score(truth, found),
    "mean_absolute_error": lambda truth, found, likely: metrics.mean_absolute_error(truth, found),
    "explained_variance_score": lambda truth, found, likely: metrics.explained_variance_score(truth, found),
}
LOG_LOSS: dict[str, Callable[..., float]] = {"log_loss": lambda truth, found, likely: metrics.log_loss(truth, likely)}
AREA: dict[str, Callable[..., float]] = {
    "roc_auc_score": lambda truth, found, likely: metrics.roc_auc_score(truth, likely[:, 1])
}

PAIRS = {
    "logistic regression": Pair(
        "iris",
        "sklearn.linear_model.LogisticRegression WITH C=0.5",
        lambda: linear_model.LogisticRegression(C=0.5, random_state=0),
        classes(**LOG_LOSS),
    ),
    "naive Bayes": Pair("wine", "sklearn.naive_bayes.GaussianNB", naive_bayes.GaussianNB, classes(**LOG_LOSS)),
    "support vectors": Pair(
        "cancer", "sklearn.svm.SVC WITH kernel=rbf, C=2", lambda: svm.SVC(C=2, random_state=0), classes()
    ),
    "decision tree": Pair(
        "wine",
        "sklearn.tree.DecisionTreeClassifier WITH max_depth=3",
        lambda: tree.DecisionTreeClassifier(max_depth=3, random_state=0),
        classes(**LOG_LOSS),
    ),
    "random forest": Pair(
        "cancer",
        "sklearn.ensemble.RandomForestClassifier WITH n_estimators=20",
        lambda: ensemble.RandomForestClassifier(20, random_state=0, n_jobs=1),
        classes(**AREA),
    ),
    "neighbours": Pair(
        "iris", "sklearn.neighbors.KNeighborsClassifier", neighbors.KNeighborsClassifier, classes(**LOG_LOSS)
    ),
    "ridge": Pair(
        "diabetes",
        "sklearn.linear_model.Ridge WITH alpha=0.1",
        lambda: linear_model.Ridge(0.1, random_state=0),
        NUMBERS,
    ),
    "gradient boosting": Pair(
        "diabetes",
        "sklearn.ensemble.GradientBoostingRegressor WITH n_estimators=20",
        lambda: ensemble.GradientBoostingRegressor(n_estimators=20, random_state=0),
        NUMBERS,
    ),
    "k-means": Pair(
        "iris",
        "sklearn.cluster.KMeans WITH n_clusters=3",
        lambda: cluster.KMeans(3, random_state=0),
        {"adjusted_rand_score": lambda truth, found, likely: metrics.adjusted_rand_score(truth, found)},
        label=False,
    ),
    "mixture": Pair(
        "iris",
        "sklearn.mixture.GaussianMixture WITH n_components=3",
        lambda: mixture.GaussianMixture(3, random_state=0),
        {"v_measure_score": lambda truth, found, likely: metrics.v_measure_score(truth, found)},
        label=False,
    ),
    "outliers": Pair("wine", "sklearn.svm.OneClassSVM WITH nu=0.2", lambda: svm.OneClassSVM(nu=0.2), label=False),
    "isolation": Pair(
        "cancer",
        "sklearn.ensemble.IsolationForest WITH n_estimators=20",
        lambda: ensemble.IsolationForest(n_estimators=20, random_state=0),
        label=False,
    ),
    "components": Pair(
        "wine",
        "sklearn.decomposition.PCA WITH n_components=2",
        lambda: decomposition.PCA(2, random_state=0),
        label=False,
        method="transform",
    ),
    "pipeline": Pair(
        "cancer",
        'sklearn.pipeline.Pipeline WITH steps="StandardScaler, LogisticRegression", logisticregression.C=0.5',
        lambda: pipeline.make_pipeline(
            preprocessing.StandardScaler(), linear_model.LogisticRegression(C=0.5, random_state=0)
        ),
        classes(**AREA),
    ),
    "search": Pair(
        "wine",
        "sklearn.model_selection.GridSearchCV WITH estimator=DecisionTreeClassifier, param_grid.max_depth=[1, 2, 5]",
        lambda: model_selection.GridSearchCV(tree.DecisionTreeClassifier(random_state=0), {"max_depth": [1, 2, 5]}),
        classes(),
    ),
    "votes": Pair(
        "iris",
        'sklearn.ensemble.VotingClassifier WITH estimators="GaussianNB, DecisionTreeClassifier", voting=soft',
        lambda: ensemble.VotingClassifier(
            [
                ("gaussiannb", naive_bayes.GaussianNB()),
                ("decisiontreeclassifier", tree.DecisionTreeClassifier(random_state=0)),
            ],
            voting="soft",
        ),
        classes(**LOG_LOSS),
    ),
    "scaled target": Pair(
        "diabetes",
        "sklearn.compose.TransformedTargetRegressor WITH regressor=Ridge, transformer=StandardScaler",
        lambda: compose.TransformedTargetRegressor(
            linear_model.Ridge(random_state=0), transformer=preprocessing.StandardScaler()
        ),
        NUMBERS,
    ),
    "several labels": Pair("linnerud", "sklearn.linear_model.LinearRegression", linear_model.LinearRegression, NUMBERS),
    "several estimators": Pair(
        "linnerud",
        "sklearn.multioutput.MultiOutputRegressor WITH estimator=DecisionTreeRegressor, estimator.max_depth=2",
        lambda: multioutput.MultiOutputRegressor(tree.DecisionTreeRegressor(max_depth=2, random_state=0)),
        NUMBERS,
    ),
    "sparse rows": Pair(
        "digits",
        "sklearn.naive_bayes.MultinomialNB",
        naive_bayes.MultinomialNB,
        classes(**LOG_LOSS),
        sparse=True,
    ),
    "sparse linear": Pair(
        "digits",
        "sklearn.linear_model.SGDClassifier",
        lambda: linear_model.SGDClassifier(random_state=0),
        classes(),
        sparse=True,
    ),
}

ELSEWHERE = ("logistic regression", "ridge", "pipeline", "several labels", "sparse rows")
"""Pairs that the other databases run too."""


@cache
def rows_of(table: str) -> tuple[Any, list[Any]]:
    """Features, and labels as a database keeps them."""
    loaders = {
        "iris": datasets.load_iris,
        "wine": datasets.load_wine,
        "cancer": datasets.load_breast_cancer,
        "diabetes": datasets.load_diabetes,
        "linnerud": datasets.load_linnerud,
        "digits": lambda: datasets.load_digits(n_class=4),
    }
    data = loaders[table]()
    if table == "linnerud":
        return data.data, [",".join(map(str, row)) for row in data.target.tolist()]
    if table == "diabetes":
        return data.data, data.target.tolist()
    return data.data, [int(one) for one in data.target]


def load(database: Database, pair: Pair) -> tuple[list[str], Any, list[Any], Any, list[Any]]:
    """Make the tables `train` and `test`; return the feature columns, and the rows of both with their labels."""
    features, labels = rows_of(pair.table)
    columns = ["kv"] if pair.sparse else [f"x{number}" for number in range(features.shape[1])]
    kind = "DOUBLE PRECISION" if database.dialect == "postgres" else "DOUBLE"
    label = {int: "INTEGER", float: kind, str: "VARCHAR(60)"}[type(labels[0])]
    defined = ["kv VARCHAR(2000)"] if pair.sparse else [f"{column} {kind}" for column in columns]
    parts = {"train": [row for row in range(len(labels)) if row % 4], "test": list(range(0, len(labels), 4))}
    for name, rows in parts.items():
        values = []
        for row in rows:
            cells = [repr(_text(features[row]))] if pair.sparse else map(repr, features[row].tolist())
            values.append(f"({', '.join([*cells, repr(labels[row])])})")
        succeed(database, f"CREATE TABLE {name} ({', '.join(defined)}, y {label})")
        succeed(database, f"INSERT INTO {name} VALUES {', '.join(values)}")
    train, test = parts["train"], parts["test"]
    return (
        columns,
        features[train],
        [labels[row] for row in train],
        features[test],
        [labels[row] for row in test],
    )


def _text(row: Any) -> str:
    return " ".join(f"{index}:{value:g}" for index, value in enumerate(row.tolist()) if value)


def target(labels: list[Any]) -> Any:
    if isinstance(labels[0], str):
        return np.array([[float(part) for part in text.split(",")] for text in labels])
    return np.array(labels)


def learned(pair: Pair, matrix: Any, labels: list[Any]) -> Any:
    """The estimator, trained by hand on the rows in the order in which a step trains."""
    rows = csr_matrix(matrix) if pair.sparse else np.ascontiguousarray(matrix)
    order = np.argsort(row_hashes(rows, [pa.array(labels)] if pair.label else []), kind="stable")
    estimator = pair.by_hand()
    return estimator.fit(rows[order], target(labels)[order]) if pair.label else estimator.fit(rows[order])


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        pytest.param(kind.values[0] if not isinstance(kind, str) else kind, name, marks=getattr(kind, "marks", ()))
        for kind in KINDS
        for name in (PAIRS if not isinstance(kind, str) and kind.values[0] == "postgres" else ELSEWHERE)
    ],
)
def test_the_numbers_are_the_librarys(request: pytest.FixtureRequest, kind: str, name: str) -> None:
    database: Database = request.getfixturevalue(kind)
    pair = PAIRS[name]
    columns, matrix, labels, new, truth = load(database, pair)
    listed = ", ".join(columns)
    clause = (" COLUMN SPARSE(kv, 64, ' ', int, ':', float)" if pair.sparse else "") + " LABEL y" * pair.label
    with_clause = "" if " WITH " in pair.train or not pair.sparse else " WITH validation.select=''"
    select = f"SELECT {listed}{', y' * pair.label} FROM"
    succeed(database, f"{select} train TO TRAIN {pair.train}{with_clause}{clause} INTO m;")
    succeed(database, f"SELECT {listed} FROM test TO PREDICT p.found USING m;")
    by_hand = learned(pair, matrix, labels)
    rows = csr_matrix(new) if pair.sparse else new
    expected = getattr(by_hand, pair.method)(rows)
    texts = [_text(row) for row in new] if pair.sparse else []
    keys = [(text,) for text in texts] if pair.sparse else [tuple(row) for row in new.tolist()]
    cells = expected.tolist()
    if pair.method != "transform":
        cells = [[",".join(map(str, one))] if isinstance(one, list) else [one] for one in cells]
    rest = len(cells[0])
    found = {row[:-rest]: list(row[-rest:]) for row in database.execute("SELECT * FROM p")}
    assert found == dict(zip(keys, cells, strict=True))
    if pair.metrics:
        check_metrics(database, pair, listed, (target(truth), expected, by_hand, rows))


def check_metrics(database: Database, pair: Pair, listed: str, by_hand: tuple[Any, Any, Any, Any]) -> None:
    """The metrics of the rows in `test` are what scikit-learn computes of truth, predictions, estimator and rows."""
    truth, found, estimator, rows = by_hand
    evaluate = f"SELECT {listed}, y FROM test TO EVALUATE m WITH validation.metrics='{','.join(pair.metrics)}'"
    values = succeed(database, f"{evaluate} LABEL y INTO e;").metrics
    likely = estimator.predict_proba(rows) if {"log_loss", "roc_auc_score"} & set(pair.metrics) else None
    assert {key: values[key] for key in pair.metrics} == {
        key: float(metric(truth, found, likely)) for key, metric in pair.metrics.items()
    }
