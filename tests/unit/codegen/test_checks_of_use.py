"""What is said of PREDICT's outputs and EVALUATE's metrics before anything runs."""

from __future__ import annotations

import pytest
from sqlflow_codegen.errors import ProgramError
from sqlflow_codegen.language import parse_program

EVALUATE = "SELECT a, y FROM t TO TRAIN {} INTO m; SELECT a, y FROM t TO EVALUATE m WITH {} LABEL y;"
PREDICT = "SELECT a, y FROM t TO TRAIN sklearn.SVC LABEL y INTO m; SELECT a FROM t TO PREDICT r.y WITH {} USING {};"


def said(program: str) -> list[str]:
    try:
        return [f"{one.severity}: {one.message} {one.hint}".strip() for one in parse_program(program).warnings]
    except ProgramError as failure:
        return [f"{one.severity}: {one.message} {one.hint}".strip() for one in failure.diagnostics]


@pytest.mark.parametrize(
    ("estimator", "attributes"),
    [
        ("sklearn.SVC LABEL y", "validation.metrics='f1_score, Accuracy', f1_score.average=micro"),
        ("sklearn.SVC LABEL y", "validation.metrics='precision_score', precision_score.pos_label=yes"),
        ("sklearn.Ridge LABEL y", "validation.metrics='mean_pinball_loss', mean_pinball_loss.alpha=0.9"),
        ("sklearn.KMeans", "validation.metrics='silhouette_score, adjusted_rand_score'"),
        ("sklearn.OneClassSVM", "validation.metrics='roc_auc_score'"),
        ("xgboost.XGBRegressor WITH objective='binary:logistic' LABEL y", "validation.metrics='f1_score'"),
        ('sklearn.Pipeline WITH steps="StandardScaler, Ridge" LABEL y', "validation.metrics='r2_score'"),
    ],
)
def test_metrics_that_fit(estimator: str, attributes: str) -> None:
    assert said(EVALUATE.format(estimator, attributes)) == []


@pytest.mark.parametrize(
    ("estimator", "attributes", "message"),
    [
        ("sklearn.SVC LABEL y", "validation.metrics='f1_scor'", "error: unknown metric `f1_scor` Did you mean `f1_sc"),
        ("sklearn.SVC LABEL y", "validation.metrics='r2_score'", "error: the metric `r2_score` does not fit a classif"),
        ("sklearn.Ridge LABEL y", "validation.metrics='AUC'", "error: the metric `AUC` does not fit a regression"),
        ("sklearn.KMeans", "validation.metrics='f1_score'", "error: the metric `f1_score` does not fit a clustering"),
        ("sklearn.PCA", "validation.metrics='f1_score'", "error: `m` gives numbers of its own: there is nothing"),
        (
            'sklearn.Pipeline WITH steps="StandardScaler, Ridge" LABEL y',
            "validation.metrics='f1_score'",
            "error: the metric `f1_score` does not fit a regression model",
        ),
        (
            "sklearn.SVC LABEL y",
            "validation.metrics='f1_score', f1_score.avrage=micro",
            "error: unknown attribute `f1_score.avrage` of TO EVALUATE Did you mean `f1_score.average`?",
        ),
        (
            "sklearn.SVC LABEL y",
            "validation.metrics='f1_score', f1_score.average=midi",
            "error: attribute `f1_score.average` of TO EVALUATE must be one of binary",
        ),
        (
            "sklearn.SVC LABEL y",
            "validation.metrics='accuracy_score', f1_score.average=micro",
            "warning: `validation.metrics` does not name f1_score: the attribute `f1_score.average` has no effect",
        ),
        ("sklearn.SVC LABEL y", "validation.stepz=2", "warning: unknown attribute `validation.stepz` of TO EVALUATE"),
    ],
)
def test_metrics_that_do_not(estimator: str, attributes: str, message: str) -> None:
    (found,) = said(EVALUATE.format(estimator, attributes))
    assert found.startswith(message)


def test_outputs() -> None:
    assert said(PREDICT.format("predict.extra_outputs='probability, score'", "m")) == []
    (found,) = said(PREDICT.format("predict.extra_outputs='probabilty'", "m"))
    assert found == "error: unknown output `probabilty` Did you mean `probability`?"
    (found,) = said(PREDICT.format("predict.extra_outputs='attention'", "other"))
    assert found == "warning: unknown output `attention` There are probability, score."
