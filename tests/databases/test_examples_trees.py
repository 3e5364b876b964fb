"""SQLFlow's examples with boosted trees, on every database, with the outcomes that it documents or asserts.

The data are scikit-learn's iris flowers, and tables in the shape of the others (`made_tables`).
"""

from __future__ import annotations

import pytest
from sqlflow_runtime.databases.driver import Database

from tests.databases.harness import fail, load_model, succeed
from tests.databases.made_tables import load_boston, load_churn, load_housing

VALIDATION = 'validation.select="SELECT * FROM {}"'
IRIS = "SELECT sepal_length, sepal_width, petal_length, petal_width, class FROM train"
IRIS_TEST = "SELECT sepal_length, sepal_width, petal_length, petal_width, class FROM test"


@pytest.fixture
def housing(database: Database) -> Database:
    load_housing(database)
    return database


@pytest.fixture
def boston(database: Database) -> Database:
    load_boston(database)
    return database


@pytest.fixture
def churn(database: Database) -> Database:
    load_churn(database)
    return database


@pytest.mark.parametrize("objective", ["multi:softmax", "multi:softprob"])
def test_iris(iris: Database, objective: str) -> None:
    """Merror under 0.01 in training; PREDICT has the rows and the columns of the test table; EVALUATE two figures."""
    succeed(
        iris,
        f'{IRIS} TO TRAIN xgboost.gbtree WITH objective="{objective}", num_class=3, train.num_boost_round=20, '
        f'eval_metric=merror, validation.select="{IRIS_TEST}" LABEL class INTO m; '
        "SELECT sepal_length, sepal_width, petal_length, petal_width, class FROM test TO PREDICT p.class USING m; "
        "SELECT * FROM test TO EVALUATE m WITH validation.metrics=accuracy_score LABEL class INTO e;",
    )
    curve = load_model(iris, "m").metadata["curve"]
    assert curve["iteration"][-1] == 20
    assert curve["train-merror"][-1] < 0.01
    assert curve["validate-merror"][-1] < 0.1
    names = [column.name for column in iris.describe("SELECT * FROM p")]
    assert names == ["sepal_length", "sepal_width", "petal_length", "petal_width", "class"]
    assert iris.execute("SELECT count(*) FROM p")[0][0] == 30
    assert {one for (one,) in iris.execute("SELECT DISTINCT class FROM p")} == {0, 1, 2}
    assert [column.name for column in iris.describe("SELECT * FROM e")] == ["loss", "accuracy_score"]


def test_two_classes(iris: Database) -> None:
    succeed(
        iris,
        f'{IRIS} WHERE class < 2 TO TRAIN xgboost.gbtree WITH objective="binary:logistic" LABEL class INTO m; '
        "SELECT * FROM test WHERE class < 2 TO PREDICT p.class USING m;",
    )
    rows = iris.execute("SELECT species, class FROM p")
    assert {found for _, found in rows} == {0, 1}
    assert sum(found == (species == "versicolor") for species, found in rows) >= 19
    assert len(rows) == 20


@pytest.mark.parametrize(
    ("estimator", "rounds"),
    [('xgboost.gbtree WITH objective="reg:squarederror"', 30), ("lightgbm.gbdt WITH min_data_in_leaf=3, eta=0.2", 100)],
)
def test_housing(housing: Database, estimator: str, rounds: int) -> None:
    """Rmse at most 0.5 in training, validation no better; then EVALUATE and PREDICT."""
    metric = "metric" if "lightgbm" in estimator else "eval_metric"
    succeed(
        housing,
        f"SELECT * FROM housing_train TO TRAIN {estimator}, train.num_boost_round={rounds}, {metric}=rmse, "
        'validation.select="SELECT * FROM housing_test LIMIT 20" LABEL target INTO m; '
        "SELECT * FROM housing_test TO EVALUATE m "
        "WITH validation.metrics='mean_absolute_error,mean_squared_error' LABEL target INTO e; "
        "SELECT * FROM housing_test TO PREDICT p.target USING m;",
    )
    curve = load_model(housing, "m").metadata["curve"]
    assert 0 < curve["train-rmse"][-1] <= 0.5
    assert curve["validate-rmse"][-1] >= curve["train-rmse"][-1]
    [(loss, absolute, squared)] = housing.execute("SELECT * FROM e")
    assert loss == squared > absolute**2 > 0
    [(count, lowest, known)] = housing.execute("SELECT count(*), min(target), count(target) FROM p")
    assert (count, known) == (102, 102)
    assert lowest > 5


@pytest.mark.parametrize("estimator", ['xgboost.gbtree WITH objective="reg:squarederror"', "lightgbm.gbdt"])
def test_nulls_are_missing_values(boston: Database, estimator: str) -> None:
    """Rad and tax are NULL in a third of the rows; a NULL is not another number's place."""
    succeed(
        boston,
        f"SELECT * FROM boston_train TO TRAIN {estimator} LABEL medv INTO m; "
        "SELECT * FROM boston_train TO PREDICT p.medv USING m;",
    )
    [(count, known, lowest, highest)] = boston.execute("SELECT count(*), count(medv), min(medv), max(medv) FROM p")
    assert (count, known) == (300, 300)
    assert lowest < highest
    assert load_model(boston, "m").metadata["rows"] == 300


def test_buckets(iris: Database) -> None:
    succeed(
        iris,
        f"{IRIS} TO TRAIN xgboost.gbtree WITH objective='multi:softmax', num_class=3, train.num_boost_round=10 "
        "COLUMN BUCKET(petal_length, [0, 1, 2, 3, 4, 5]) LABEL class INTO m; "
        "SELECT * FROM test TO PREDICT p.class USING m; SELECT * FROM test TO EVALUATE m LABEL class",
    )
    assert iris.execute("SELECT count(*) FROM p")[0][0] == 30


HASHED = "CATEGORY_HASH(customerid, 10), CATEGORY_ID(gender, 2)"


@pytest.mark.parametrize("columns", [HASHED, f"INDICATOR({HASHED.replace('), ', ')), INDICATOR(')})"])
@pytest.mark.parametrize("estimator", ["xgboost.gbtree WITH objective='binary:logistic'", "LGBMClassifier"])
def test_churn(churn: Database, columns: str, estimator: str) -> None:
    """Train, go on under the same name and under a new one, predict, evaluate, show."""
    train = f"SELECT * FROM churn_train TO TRAIN {estimator} COLUMN {columns} LABEL seniorcitizen {{}} INTO {{}}"
    succeed(churn, train.format("", "m"))
    succeed(churn, train.format("USING m", "m"))
    succeed(churn, train.format("USING m", "n"))
    error = fail(churn, train.format("USING nothing", "n"))
    assert (error.kind, "nothing" in error.message) == ("model", True)
    ran = succeed(
        churn,
        "SELECT * FROM churn_test TO PREDICT p.seniorcitizen USING n; "
        "SELECT * FROM churn_train TO EVALUATE n WITH validation.metrics=accuracy_score LABEL seniorcitizen; "
        "SHOW TRAIN n;",
    )
    assert ran.metrics["accuracy_score"] > 0.85
    assert {one for (one,) in churn.execute("SELECT seniorcitizen FROM p")} <= {0, 1}
    [[model, statement]] = ran.rows(3)
    assert (model, "USING m" in statement) == ("n", True)


@pytest.mark.parametrize(
    "estimator", ["xgboost.gbtree WITH objective='binary:logistic'", "LGBMClassifier WITH min_data_in_leaf=1"]
)
@pytest.mark.parametrize("column", ["SPARSE(c1)", "SPARSE(c1, 11)"])
def test_sparse_pairs(database: Database, estimator: str, column: str) -> None:
    """Three rows of index:value; the label is left out of the result whatever the result is called."""
    create = "CREATE TABLE kv (c1 VARCHAR(40), label INTEGER)"
    values = "('0:0.5 2:-1.5 10:4', 1), ('1:2 10:-3', 0), ('2:1 5:7', 1)"
    options = ", " if "WITH" in estimator else " WITH "
    succeed(
        database,
        f"{create}; INSERT INTO kv VALUES {values}; SELECT * FROM kv TO TRAIN {estimator}{options}"
        f"train.num_boost_round=20 COLUMN {column} LABEL label INTO m; SELECT * FROM kv TO PREDICT p.found USING m;",
    )
    assert [one.name for one in database.describe("SELECT * FROM p")] == ["c1", "found"]
    assert len(database.execute("SELECT * FROM p")) == 3


def test_derived_features(database: Database) -> None:
    """A number, a list of four numbers in text: 100 rounds, eta 0.3, depth 5."""
    rows = [(number, f"{number},{number % 3},0.5,{number * 2}", int(number % 3 == 0)) for number in range(20)]
    ran = succeed(
        database,
        f"CREATE TABLE d (c1 INTEGER, c3 VARCHAR(40), class INTEGER); INSERT INTO d VALUES {str(rows)[1:-1]}; "
        "SELECT * FROM d TO TRAIN xgboost.gbtree WITH objective='binary:logistic', eta=0.3, max_depth=5, "
        "train.num_boost_round=100 COLUMN DENSE(c3, 4) LABEL class INTO m; "
        "SELECT * FROM d TO PREDICT p.class USING m; "
        "SELECT * FROM d TO EVALUATE m WITH validation.metrics='accuracy_score,f1_score' LABEL class;",
    )
    assert ran.metrics["accuracy_score"] == 1.0
    assert ran.metrics["f1_score"] == 1.0


@pytest.mark.parametrize("estimator", ["xgboost.gbtree", "lightgbm.gbdt"])
def test_no_rows(iris: Database, estimator: str) -> None:
    error = fail(iris, f"{IRIS} WHERE class > 99 TO TRAIN {estimator} LABEL class INTO m")
    assert (error.kind, error.message) == ("data", "the SELECT returns no rows")
