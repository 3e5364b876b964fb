"""Estimators made of others: what a program may write, and what is said about the rest before anything runs."""

from __future__ import annotations

import pytest
from sqlflow_codegen.catalogue import composed, find_estimator
from sqlflow_codegen.errors import ProgramError
from sqlflow_codegen.language import parse_program
from sqlflow_codegen.language.ir import TrainStatement

PROGRAM = "SELECT a FROM t TO TRAIN {} LABEL y INTO m;"


def train(text: str) -> TrainStatement:
    (statement,) = parse_program(PROGRAM.format(text))
    assert isinstance(statement, TrainStatement)
    return statement


@pytest.mark.parametrize(
    "text",
    [
        'sklearn.ensemble.BaggingClassifier WITH estimator="sklearn.svm.SVC", estimator.C=2.0, n_estimators=3',
        "sklearn.ensemble.BaggingClassifier WITH n_estimators=3",
        'sklearn.Pipeline WITH steps="StandardScaler, SVC", svc.C=2, standardscaler.with_mean=false',
        'sklearn.Pipeline WITH steps="sklearn.preprocessing.StandardScaler, PCA", pca.n_components=2',
        "sklearn.GridSearchCV WITH estimator=SVC, param_grid.C=[0.1, 1], param_grid.kernel=[rbf, linear], cv=3",
        'sklearn.GridSearchCV WITH estimator=Pipeline, estimator.steps="PCA, SVC", param_grid.svc.C=[0.1, 1]',
        'sklearn.VotingClassifier WITH estimators="SVC, GaussianNB, SVC", svc-1.C=3, svc-2.C=1',
        'sklearn.StackingRegressor WITH estimators="Ridge, SVR", final_estimator=LinearRegression, ridge.alpha=2',
        "sklearn.GradientBoostingRegressor WITH init=zero",
        "sklearn.GradientBoostingRegressor WITH init=Ridge, init.alpha=2",
        "sklearn.TransformedTargetRegressor WITH regressor=Ridge, transformer=StandardScaler",
        "sklearn.LinearDiscriminantAnalysis WITH solver=lsqr, covariance_estimator=LedoitWolf",
    ],
)
def test_what_can_be_written(text: str) -> None:
    assert parse_program(PROGRAM.format(text)).warnings == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sklearn.BaggingClassifier WITH estimator=SVC, estimator.kernl=rbf", "Did you mean `estimator.kernel`?"),
        ("sklearn.BaggingClassifier WITH estimator.C=2", "unknown attribute `estimator.C`"),
        ("sklearn.BaggingClassifier WITH estimator=SVR", "names sklearn.svm.SVR, which is no classifier"),
        ("sklearn.BaggingClassifier WITH estimator=Nothing", "names Nothing, which is no estimator of scikit-learn"),
        ("sklearn.BaggingClassifier WITH estimator=''", "names nothing, which is no estimator"),
        ('sklearn.BaggingClassifier WITH estimator="xgboost.gbtree"', "is no estimator of scikit-learn"),
        ("sklearn.BaggingClassifier WITH estimator=DBSCAN", "names DBSCAN, which cannot be used: it groups the rows"),
        ("sklearn.BaggingClassifier WITH estimator=SVC, estimator.C=-2", "must be float (0, inf), not -2"),
        ('sklearn.Pipeline WITH steps="SVC, StandardScaler"', "names sklearn.svm.SVC, which is no transformer"),
        ("sklearn.Pipeline", 'steps="StandardScaler, SVC"'),
        ("sklearn.GridSearchCV WITH param_grid.C=[1]", "attribute `estimator` of"),
        ("sklearn.GridSearchCV WITH estimator=SVC", "Write param_grid.NAME=[value, value]"),
        ("sklearn.GridSearchCV WITH estimator=SVC, param_grid.C=[1, -1]", "lists -1"),
        ("sklearn.GridSearchCV WITH estimator=SVC, param_grid.C=[]", "lists nothing"),
        ("sklearn.GridSearchCV WITH estimator=SVC, param_grid.kernl=[rbf]", "Did you mean `param_grid.kernel`?"),
        ("sklearn.GridSearchCV WITH estimator=SVC, param_grid.C=1", "must be list, not 1"),
        (
            "sklearn.Pipeline WITH steps=LocalOutlierFactor",
            "attribute `localoutlierfactor.novelty` of sklearn.pipeline.Pipeline must be true",
        ),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(ProgramError) as caught:
        parse_program(PROGRAM.format(text))
    assert any(message in str(one) for one in caught.value.diagnostics), caught.value.diagnostics


BY_COLUMN = 'sklearn.Pipeline WITH steps="ColumnTransformer, SVC", columntransformer.transformers="{}" {}'


def test_transformers_of_columns() -> None:
    clauses = "COLUMN a FOR standardscaler COLUMN b, c FOR minmaxscaler"
    assert parse_program(PROGRAM.format(BY_COLUMN.format("StandardScaler, MinMaxScaler", clauses))).warnings == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            BY_COLUMN.format("StandardScaler, MinMaxScaler", "COLUMN a FOR standardscaler"),
            "has a transformer `minmaxscaler` without columns",
        ),
        (
            BY_COLUMN.format("StandardScaler, PCA", "COLUMN a FOR standardscaler COLUMN b FOR pca COLUMN c FOR svc"),
            "has no transformer `svc`",
        ),
        (BY_COLUMN.format("StandardScaler", "COLUMN a FOR standardscaler"), "a ColumnTransformer of one transformer"),
        (
            'sklearn.Pipeline WITH steps="PCA, ColumnTransformer", columntransformer.transformers="Normalizer, PCA"',
            "has a ColumnTransformer that does not get the columns of the SELECT",
        ),
        (
            "sklearn.BaggingClassifier WITH estimator=Pipeline, estimator.steps='ColumnTransformer, SVC', "
            "estimator.columntransformer.transformers='Normalizer, PCA'",
            "has a ColumnTransformer that does not get the columns of the SELECT",
        ),
    ],
)
def test_transformers_without_columns_of_their_own(text: str, message: str) -> None:
    with pytest.raises(ProgramError) as caught:
        parse_program(PROGRAM.format(text))
    assert any(message in str(one) for one in caught.value.diagnostics), caught.value.diagnostics


def test_estimators_inside_estimators_have_an_end() -> None:
    names = [f"{'estimator.' * depth}estimator=BaggingClassifier" for depth in range(8)]
    with pytest.raises(ProgramError, match="nests more than 5 estimators"):
        parse_program(PROGRAM.format(f"sklearn.BaggingClassifier WITH {', '.join(names)}"))


@pytest.mark.parametrize(
    ("text", "task", "supervised", "sparse"),
    [
        ('sklearn.Pipeline WITH steps="StandardScaler, SVC"', "classifier", True, False),
        ('sklearn.Pipeline WITH steps="MaxAbsScaler, Ridge"', "regressor", True, True),
        ('sklearn.Pipeline WITH steps="MaxAbsScaler, KMeans"', "cluster", False, True),
        ('sklearn.Pipeline WITH steps="SelectKBest, KMeans"', "cluster", True, True),
        ("sklearn.GridSearchCV WITH estimator=Ridge, param_grid.alpha=[1, 2]", "regressor", True, True),
        ("sklearn.RFE WITH estimator=LogisticRegression", "classifier", True, True),
        ("sklearn.SelectFromModel WITH estimator=Lasso", "transformer", True, True),
        ('sklearn.FeatureUnion WITH transformer_list="PCA, StandardScaler"', "transformer", False, False),
    ],
)
def test_what_the_parts_decide(text: str, task: str, supervised: bool, sparse: bool) -> None:
    statement = train(text)
    estimator = find_estimator(statement.estimator.text)
    assert estimator is not None
    found = composed(estimator, statement.attributes).estimator
    assert (found.task, found.supervised, "sparse" in found.tags) == (task, supervised, sparse)


def test_an_unsupervised_pipeline_needs_no_label() -> None:
    text = 'SELECT a FROM t TO TRAIN sklearn.Pipeline WITH steps="{}" INTO m;'
    assert parse_program(text.format("StandardScaler, KMeans")).warnings == ()
    with pytest.raises(ProgramError, match="needs a LABEL"):
        parse_program(text.format("StandardScaler, SVC"))
