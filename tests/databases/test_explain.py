"""TO EXPLAIN on real databases: tables of SHAP values, and that they are the libraries' own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xgboost
from sqlflow_runtime.databases.driver import Database
from sqlflow_runtime.ml.trained_model import TrainedModel, load
from sqlflow_runtime.model_store import open_model_store

from tests.databases.explain_data import TRAIN_WEIGHTED, WEIGHTS, load_weighted
from tests.databases.harness import fail, succeed

FEATURES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
LISTED = ", ".join(FEATURES)
TRAIN = f"""
SELECT {LISTED}, class FROM train TO TRAIN {{}} LABEL class INTO m;
"""
SOFTMAX = 'xgboost.gbtree WITH objective="multi:softmax", num_class=3, train.num_boost_round=20'
LOGISTIC = f"""
SELECT {LISTED}, class FROM train WHERE class < 2
TO TRAIN xgboost.gbtree WITH objective="binary:logistic" LABEL class INTO m;
"""


def model_of(database: Database, name: str = "m") -> TrainedModel:
    return load(open_model_store(database), name, 0)[0]


def table(database: Database, select: str) -> np.ndarray:
    return np.array(database.execute(select), dtype=float)


def test_the_order_of_the_weights(database: Database) -> None:
    """Mean absolute SHAP values rank columns as the label is made of them; made data, so that the order is known."""
    load_weighted(database)
    ran = succeed(database, TRAIN_WEIGHTED + "SELECT * FROM weighted TO EXPLAIN weights INTO why; SELECT * FROM why;")
    assert ran.of("columns")[0]["names"] == ["id", *WEIGHTS], "rows keep what identifies them; the label is left out"
    assert ran.of("statement_finished", 2)[0]["rows"] == 256
    means = database.execute("SELECT " + ", ".join(f"avg(abs({name}))" for name in WEIGHTS) + " FROM why")[0]
    assert list(means) == sorted(means, reverse=True)
    # Each column is 0 to 3, so the mean distance from its mean is 1; a weight of 8 moves the label by 8 on average.
    assert [float(mean) for mean in means] == pytest.approx(list(WEIGHTS.values()), rel=0.1)


def test_values_and_base_value_add_up_to_the_margin(iris: Database) -> None:
    succeed(iris, TRAIN.format(SOFTMAX))
    for number in range(3):
        succeed(
            iris,
            f"SELECT * FROM test TO EXPLAIN m WITH explain.class={number}, explain.base_value=true INTO why{number};",
        )
    model: Any = model_of(iris).fitted
    rows = table(iris, f"SELECT {LISTED} FROM test ORDER BY {LISTED}")
    margins = model.booster.predict(xgboost.DMatrix(rows.astype(np.float32)), output_margin=True)
    for number in range(3):
        sums = table(iris, f"SELECT {' + '.join(FEATURES)} + base_value FROM why{number}")[:, 0]
        assert sorted(sums) == pytest.approx(sorted(margins[:, number].tolist()), abs=1e-4)


def test_the_class_that_is_predicted(iris: Database) -> None:
    """Without explain.class each row has the values of the class that TO PREDICT gives, and says which."""
    text = TRAIN.format(SOFTMAX) + (
        "SELECT * FROM test TO EXPLAIN m INTO why;"
        "SELECT * FROM test TO PREDICT predicted.class USING m;"
        "SELECT * FROM why;"
        "SELECT class, count(*) FROM why GROUP BY class ORDER BY class;"
        "SELECT class, count(*) FROM predicted GROUP BY class ORDER BY class;"
    )
    ran = succeed(iris, text)
    columns = ran.of("columns")[0]
    assert columns["names"] == ["species", *FEATURES, "class"]
    assert ran.rows(5) == ran.rows(6)
    assert sum(row[1] for row in ran.rows(5)) == 30
    assert "log-odds of the class that the model predicts for the row" in ran.logged


def test_two_classes(iris: Database) -> None:
    """The values are those of the second class; those of the first one have the other sign."""
    text = LOGISTIC + (
        "SELECT * FROM test TO EXPLAIN m INTO second; SELECT * FROM test TO EXPLAIN m WITH explain.class=0 INTO one;"
        "SELECT * FROM second;"
    )
    ran = succeed(iris, text)
    assert ran.of("columns")[0]["names"] == ["species", *FEATURES]
    second, first = (sorted(table(iris, f"SELECT petal_length FROM {name}")[:, 0]) for name in ("second", "one"))
    assert second == pytest.approx([-value for value in reversed(first)])
    petals = table(iris, "SELECT petal_length FROM second WHERE species = 'setosa'")
    assert (petals < 0).all(), "short petals speak against the second class"


def test_the_numbers_of_xgboost(iris_sqlite: Database) -> None:
    """To the last bit those of pred_contribs on the same matrix."""
    load_weighted(iris_sqlite)
    succeed(iris_sqlite, TRAIN_WEIGHTED + "SELECT * FROM weighted TO EXPLAIN weights INTO why;")
    model: Any = model_of(iris_sqlite, "weights").fitted
    rows = table(iris_sqlite, f"SELECT {', '.join(WEIGHTS)} FROM weighted ORDER BY id").astype(np.float32)
    own = model.booster.predict(xgboost.DMatrix(rows), pred_contribs=True)[:, :-1].astype(float)
    written = table(iris_sqlite, f"SELECT {', '.join(WEIGHTS)} FROM why ORDER BY id")
    assert np.array_equal(written, own)


@pytest.mark.parametrize(
    ("estimator", "method"),
    [
        ("sklearn.ensemble.RandomForestClassifier WITH n_estimators=8", "predict_proba"),
        ("sklearn.ensemble.HistGradientBoostingClassifier WITH max_iter=5", "decision_function"),
        ("sklearn.linear_model.LogisticRegression", "decision_function"),
        ("sklearn.neighbors.KNeighborsClassifier", "predict_proba"),
        ("sklearn.ensemble.GradientBoostingClassifier WITH n_estimators=3", "predict_proba"),
    ],
)
def test_other_models_add_up(iris_sqlite: Database, estimator: str, method: str) -> None:
    text = TRAIN.format(estimator) + (
        "SELECT rowid AS id, * FROM test TO EXPLAIN m WITH explain.class=1, explain.base_value=true INTO why;"
    )
    succeed(iris_sqlite, text)
    rows = table(iris_sqlite, f"SELECT {LISTED} FROM test ORDER BY rowid")
    expected = getattr(model_of(iris_sqlite).fitted.estimator, method)(rows)[:, 1]  # type: ignore[attr-defined]
    sums = table(iris_sqlite, f"SELECT {' + '.join(FEATURES)} + base_value FROM why ORDER BY id")[:, 0]
    assert sums.tolist() == pytest.approx(expected.tolist(), abs=1e-9)


def test_the_numbers_of_shap(iris_sqlite: Database) -> None:
    import shap

    succeed(
        iris_sqlite,
        TRAIN.format("sklearn.ensemble.ExtraTreesClassifier WITH n_estimators=8")
        + "SELECT rowid AS id, * FROM test TO EXPLAIN m WITH explain.class=2 INTO why;",
    )
    rows = table(iris_sqlite, f"SELECT {LISTED} FROM test ORDER BY rowid")
    forest = model_of(iris_sqlite).fitted.estimator  # type: ignore[attr-defined]
    own = shap.TreeExplainer(forest, feature_perturbation="tree_path_dependent").shap_values(rows)[:, :, 2]
    assert np.array_equal(table(iris_sqlite, f"SELECT {LISTED} FROM why ORDER BY id"), own)


def test_kernel_explainer_is_exact_for_few_columns(iris_sqlite: Database) -> None:
    """It tries every coalition of four columns, so it gives what shap's exact explainer gives."""
    import shap

    succeed(
        iris_sqlite,
        TRAIN.format("sklearn.neighbors.KNeighborsClassifier")
        + "SELECT rowid AS id, * FROM test LIMIT 5 TO EXPLAIN m WITH explain.class=1 USING KernelExplainer INTO why;",
    )
    model = model_of(iris_sqlite)
    rows = table(iris_sqlite, f"SELECT {LISTED} FROM test ORDER BY rowid LIMIT 5")
    masker = shap.maskers.Independent(np.array(model.background), max_samples=1000)
    predict = model.fitted.estimator.predict_proba  # type: ignore[attr-defined]
    own = shap.ExactExplainer(predict, masker)(rows).values[:, :, 1]
    assert table(iris_sqlite, f"SELECT {LISTED} FROM why ORDER BY id").tolist() == [
        pytest.approx(row, abs=1e-8) for row in own.tolist()
    ]


def test_one_row_differs_from_the_background(iris_sqlite: Database) -> None:
    """The background are rows of the training: a SELECT of one row explains it."""
    text = TRAIN.format("sklearn.neighbors.KNeighborsClassifier") + (
        "SELECT * FROM test WHERE class = 0 LIMIT 1 TO EXPLAIN m INTO why; SELECT petal_length, class FROM why"
    )
    ((length, found),) = succeed(iris_sqlite, text).rows(3)
    assert found == 0
    assert length > 0.2


def test_importances_of_xgboost(iris: Database) -> None:
    text = TRAIN.format(SOFTMAX) + (
        "SELECT * FROM test TO EXPLAIN m USING XGBoostExplainer INTO importances; SELECT * FROM importances;"
    )
    ran = succeed(iris, text)
    assert ran.of("columns")[0]["names"] == ["feature", "fscore", "gain"]
    booster = model_of(iris).fitted.booster  # type: ignore[attr-defined]
    splits, gain = booster.get_score(importance_type="weight"), booster.get_score(importance_type="gain")
    found = {row[0]: row[1:] for row in ran.rows(3)}
    assert set(found) == set(FEATURES)
    for number, name in enumerate(FEATURES):
        assert found[name] == [splits.get(f"f{number}", 0), pytest.approx(gain.get(f"f{number}", 0))]


def test_columns_of_several_matrix_columns_are_summed(iris_sqlite: Database) -> None:
    text = f"""
    SELECT {LISTED}, class FROM train
    TO TRAIN {SOFTMAX} COLUMN INDICATOR(BUCKET(petal_length, [2, 4, 5])) LABEL class INTO m;
    SELECT * FROM test TO EXPLAIN m WITH explain.class=0, explain.base_value=true INTO why;
    SELECT * FROM test TO EXPLAIN m USING XGBoostExplainer INTO importances;
    SELECT * FROM why;
    """
    ran = succeed(iris_sqlite, text)
    assert ran.of("columns")[0]["names"] == ["species", *FEATURES, "base_value"]
    model = model_of(iris_sqlite)
    assert sum(feature.width for feature in model.features) == 7
    assert table(iris_sqlite, "SELECT count(*) FROM importances")[0, 0] == 4
    assert (table(iris_sqlite, "SELECT petal_length FROM why WHERE species = 'setosa'") > 0).all()


HOSTILE = ["a[b]", "x<y", "Größe", 'say "hi"', "it's", "sum(a)", "日本"]


def test_names_that_need_quotes(database: Database) -> None:
    mark = "`" if database.dialect == "mysql" else '"'
    quoted = [mark + name.replace(mark, mark * 2) + mark for name in HOSTILE]
    columns = ", ".join(f"{name} INTEGER" for name in quoted)
    rows = ", ".join(str((*((number * step) % 7 for step in range(1, 8)), number % 2)) for number in range(20))
    succeed(database, f"CREATE TABLE odd ({columns}, y INTEGER); INSERT INTO odd VALUES {rows};")
    text = (
        "SELECT * FROM odd TO TRAIN xgboost.gbtree LABEL y INTO m; SELECT * FROM odd TO EXPLAIN m INTO why;"
        "SELECT * FROM why; SELECT * FROM odd TO EXPLAIN m USING XGBoostExplainer INTO i; SELECT feature FROM i;"
    )
    ran = succeed(database, text)
    assert ran.of("columns", 3)[0]["names"] == HOSTILE
    assert {row[0] for row in ran.rows(5)} == set(HOSTILE)


def test_the_label_under_another_name(iris_sqlite: Database) -> None:
    text = TRAIN.format(SOFTMAX) + (
        f"SELECT {LISTED}, class AS truth FROM test TO EXPLAIN m WITH label_col='truth' INTO why; SELECT * FROM why;"
    )
    assert succeed(iris_sqlite, text).of("columns")[0]["names"] == [*FEATURES, "class"]


@pytest.mark.parametrize(
    ("statement", "message", "hint"),
    [
        (
            "SELECT sepal_length FROM test TO EXPLAIN m INTO w",
            "the SELECT lacks sepal_width",
            "Select the same columns",
        ),
        ("SELECT sepal_length FROM test TO EXPLAIN m", "the SELECT lacks sepal_width", "Select the same columns"),
        ("SELECT * FROM test TO EXPLAIN m WITH explain.class=7 INTO w", "the model has no class 7", "0, 1, 2"),
        ("SELECT * FROM test TO EXPLAIN m WITH label_col='nix' INTO w", "label_col nix is not a column", "returns"),
        ("SELECT * FROM test TO EXPLAIN m WITH label_col='nix'", "label_col nix is not a column", "returns"),
        ("SELECT * FROM test WHERE class > 7 TO EXPLAIN m", "the SELECT returns no rows", "WHERE"),
        ("SELECT * FROM test TO EXPLAIN m USING LinearExplainer", "xgboost.gbtree is none", "Leave USING out"),
        (
            "SELECT t.*, 1 AS base_value FROM test t TO EXPLAIN m WITH explain.base_value=true INTO w",
            "two columns base_value",
            "another name",
        ),
        ("SELECT * FROM test TO EXPLAIN nobody", "there is no model nobody", ""),
        ("SELECT * FROM nowhere TO EXPLAIN m INTO w", "nowhere", ""),
    ],
)
def test_errors(iris_sqlite: Database, statement: str, message: str, hint: str) -> None:
    succeed(iris_sqlite, TRAIN.format(SOFTMAX))
    error = fail(iris_sqlite, statement)
    assert message in error.message
    assert hint in error.hint
    assert iris_sqlite.execute("SELECT count(*) FROM sqlite_master WHERE name = 'w'") == [(0,)]


def test_no_rows_make_an_empty_table(iris: Database) -> None:
    text = TRAIN.format(SOFTMAX) + "SELECT * FROM test WHERE class > 7 TO EXPLAIN m INTO why; SELECT * FROM why"
    ran = succeed(iris, text)
    assert ran.rows(3) == []
    assert ran.of("columns")[0]["names"] == ["species", *FEATURES, "class"]


def test_a_model_without_background_rows_says_what_to_do(
    iris_sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As older versions stored it."""
    monkeypatch.setattr("sqlflow_runtime.ml.train.background_of", lambda data: ())
    succeed(iris_sqlite, TRAIN.format("sklearn.neighbors.KNeighborsClassifier"))
    error = fail(iris_sqlite, "SELECT * FROM test TO EXPLAIN m INTO why")
    assert (error.kind, error.hint) == ("model", "Train it again.")


@pytest.mark.parametrize(
    ("estimator", "words", "columns"),
    [
        ("sklearn.cluster.KMeans WITH n_clusters=3", "share of predictions of the class that", 6),
        ("sklearn.svm.OneClassSVM", "explains score", 5),
        ("sklearn.ensemble.IsolationForest WITH n_estimators=5", "TreeExplainer explains score", 5),
    ],
)
def test_models_without_a_label(iris_sqlite: Database, estimator: str, words: str, columns: int) -> None:
    text = (
        f"SELECT {LISTED} FROM train TO TRAIN {estimator} INTO m;"
        f"SELECT species, {LISTED} FROM test TO EXPLAIN m INTO why; SELECT * FROM why;"
    )
    ran = succeed(iris_sqlite, text)
    assert ran.of("columns")[0]["names"] == ["species", *FEATURES, "cluster"][:columns]
    assert words in ran.logged
    assert len(ran.rows(3)) == 30


def test_what_gives_several_numbers_has_no_explanation(iris_sqlite: Database) -> None:
    succeed(iris_sqlite, f"SELECT {LISTED} FROM train TO TRAIN sklearn.decomposition.PCA WITH n_components=2 INTO m;")
    error = fail(iris_sqlite, f"SELECT {LISTED} FROM test TO EXPLAIN m INTO why")
    assert "gives 2 values for each row cannot be explained" in error.message


def test_crossed_and_sparse_columns(iris_sqlite: Database) -> None:
    """What CROSS makes of two columns belongs to none of them; absent keys of a sparse text are missing, not 0."""
    rows = [(f"0:{n % 3 + 1} {n % 4 + 1}:0.0", n % 2, n % 3, n % 4 // 2) for n in range(60)]
    text = f"""
    CREATE TABLE kv (k TEXT, a INTEGER, b INTEGER, y INTEGER);
    INSERT INTO kv VALUES {", ".join(map(str, rows))};
    SELECT * FROM kv TO TRAIN xgboost.gbtree WITH objective="binary:logistic", max_depth=3
    COLUMN SPARSE(k, 9, " ", "int", ":", "float"), INDICATOR(CROSS([a, b], 20)) LABEL y INTO sparse;
    SELECT rowid AS id, * FROM kv TO EXPLAIN sparse WITH explain.base_value=true INTO why;
    SELECT * FROM kv TO EXPLAIN sparse;
    SELECT * FROM why;
    SELECT rowid AS id, * FROM kv TO PREDICT found.p WITH predict.extra_outputs="score" USING sparse;
    """
    ran = succeed(iris_sqlite, text)
    names = ran.of("columns", 6)[0]["names"]
    assert names[0] == "id"
    assert "k" in names
    assert "a x b" in names
    assert "y" not in names
    columns = " + ".join(f'"{name}"' for name in names[1:])
    sums = table(iris_sqlite, f"SELECT {columns} FROM why ORDER BY id")[:, 0]
    margins = table(iris_sqlite, "SELECT score FROM found ORDER BY id")[:, 0]
    assert len(set(margins.round(3).tolist())) > 1, "the model has learned"
    assert sums.tolist() == pytest.approx(margins.tolist(), abs=1e-5)


@pytest.mark.parametrize(
    "train",
    [
        "lightgbm.LGBMClassifier WITH n_estimators=5",
        'xgboost.dart WITH objective="multi:softprob", rate_drop=0.5',
    ],
)
def test_other_boosters_add_up(iris_sqlite: Database, train: str) -> None:
    """Three classes, each with the margin that TO PREDICT gives as its score."""
    text = TRAIN.format(train) + (
        "SELECT rowid AS id, * FROM test TO PREDICT found.p WITH predict.extra_outputs='score' USING m;"
        + "".join(
            f"SELECT rowid AS id, * FROM test TO EXPLAIN m WITH explain.class={number}, explain.base_value=true "
            f"INTO why{number};"
            for number in range(3)
        )
    )
    succeed(iris_sqlite, text)
    for number in range(3):
        margins = table(iris_sqlite, f"SELECT score_{number} FROM found ORDER BY id")[:, 0]
        sums = table(iris_sqlite, f"SELECT {' + '.join(FEATURES)} + base_value FROM why{number} ORDER BY id")[:, 0]
        assert sums.tolist() == pytest.approx(margins.tolist(), abs=1e-5)


def test_text_columns_and_categories_that_are_new(iris_sqlite: Database) -> None:
    text = """
    CREATE TABLE shop (town TEXT, size REAL, price REAL);
    INSERT INTO shop VALUES ('a', 1, 10), ('b', 1, 20), ('a', 2, 12), ('b', 2, 22), ('a', 3, 14), ('b', 3, 24);
    SELECT * FROM shop TO TRAIN xgboost.gbtree WITH objective="reg:squarederror", min_child_weight=0 LABEL price INTO m;
    SELECT town, size FROM shop UNION ALL SELECT 'new', 1 TO EXPLAIN m INTO why;
    SELECT town, size FROM why;
    SELECT town, size FROM shop UNION ALL SELECT 'new', 1 TO EXPLAIN m;
    """
    ran = succeed(iris_sqlite, text)
    towns = [row[0] for row in ran.rows(5)]
    assert min(towns[1:6:2]) > 0 > max(towns[:6:2]), "town b is dearer"
    warnings = [record["message"] for record in ran.of("log") if record["level"] == "warning"]
    assert len([one for one in warnings if "town" in one]) == 2, "the new town is a missing value, which both say"


def test_boosted_trees_of_tensorflow(iris: Database) -> None:
    """SQLFlow's table for them: for each column the mean absolute contribution, and its share of all gain."""
    text = TRAIN.format("BoostedTreesClassifier WITH model.n_classes=3, model.n_trees=5") + (
        "SELECT * FROM test TO EXPLAIN m INTO means; SELECT * FROM means;"
        "SELECT * FROM test TO EXPLAIN m USING TreeExplainer INTO why;"
    )
    ran = succeed(iris, text)
    assert ran.of("columns")[0]["names"] == ["feature", "dfc", "gain"]
    assert ran.of("statement_finished", 2)[0]["rows"] == 30
    means = {row[0]: row[1] for row in ran.rows(3)}
    assert sum(row[2] for row in ran.rows(3)) == pytest.approx(1)
    for name in FEATURES:
        assert means[name] == pytest.approx(float(iris.execute(f"SELECT avg(abs({name})) FROM why")[0][0]))
