"""Checks of EXPLAIN before a run: explainers that fit, attributes of the picture that is drawn."""

from __future__ import annotations

import pytest
from sqlflow_codegen.errors import Diagnostic, ProgramError
from sqlflow_codegen.language import parse_program

TREES = "SELECT a, y FROM t TO TRAIN xgboost.gbtree LABEL y INTO m;"
LINEAR = "SELECT a, y FROM t TO TRAIN sklearn.linear_model.Ridge LABEL y INTO m;"
FOREST = "SELECT a, y FROM t TO TRAIN sklearn.ensemble.RandomForestClassifier LABEL y INTO m;"


def errors(clause: str, train: str = TREES) -> list[Diagnostic]:
    try:
        parse_program(f"{train}\nSELECT a FROM t TO EXPLAIN m {clause}")
    except ProgramError as error:
        return [one for one in error.diagnostics if one.severity == "error"]
    return []


@pytest.mark.parametrize(
    "clause",
    [
        "",
        "INTO w",
        "WITH summary.plot_type='bar', summary.alpha=1, summary.sort=True USING TreeExplainer",
        "WITH summary.plot_type='decision', summary.link='logit', label_col='y', explain.class='a'",
        "WITH summary.plot_type='force', summary.text_rotation=30, summary.figsize=[10, 3]",
        "WITH summary.plot_type='waterfall', summary.max_display=5",
        "WITH explain.base_value=true, result.replace=true INTO w",
        "WITH summary.max_display=5, summary.plot_type='bar' USING XGBoostExplainer INTO w",
        "USING PermutationExplainer",
        "USING KernelExplainer",
    ],
)
def test_statements_that_are_right(clause: str) -> None:
    assert errors(clause) == []


@pytest.mark.parametrize(
    ("clause", "code", "column", "hint"),
    [
        ("WITH labelcol='y'", "unknown-attribute", 35, "Did you mean `label_col`?"),
        ("WITH summary.plottype='bar'", "unknown-attribute", 35, "Did you mean `summary.plot_type`?"),
        ("WITH summary.plot_type='bars'", "attribute-out-of-range", 53, "Did you mean `bar`?"),
        ("WITH summary.max_display=0", "attribute-out-of-range", 55, ""),
        ("WITH summary.sort='yes'", "attribute-wrong-type", 48, ""),
        ("WITH summary.link='logit'", "attribute-conflict", 35, "It belongs to decision, force."),
        (
            "WITH summary.plot_type='force', summary.sort=true",
            "attribute-conflict",
            62,
            "It belongs to bar, dot, violin, ",
        ),
        ("WITH explain.base_value=true", "attribute-conflict", 35, "Add INTO table."),
        ("WITH explain.class=1 USING XGBoostExplainer INTO w", "attribute-conflict", 35, "Leave it out"),
        ("WITH summary.plot_type='dot' USING XGBoostExplainer INTO w", "attribute-conflict", 53, "Leave USING out"),
        ("WITH summary.alpha=1 USING XGBoostExplainer INTO w", "attribute-conflict", 35, "It belongs to bar"),
        ("USING XGBoostExplainer", "missing-clause", 36, "Write USING XGBoostExplainer INTO table."),
        ("USING LinearExplainer", "unfit-explainer", 36, "Leave USING out"),
    ],
)
def test_statements_that_are_wrong(clause: str, code: str, column: int, hint: str) -> None:
    (error,) = errors(clause)
    assert (error.code, error.line, error.column) == (code, 2, column)
    assert error.hint.startswith(hint)


@pytest.mark.parametrize(
    ("train", "explainer", "message"),
    [
        (LINEAR, "TreeExplainer", "TreeExplainer explains trees, and sklearn.linear_model.Ridge has none"),
        (LINEAR, "XGBoostExplainer INTO w", "XGBoostExplainer explains trees of XGBoost, and sklearn"),
        (FOREST, "XGBoostExplainer INTO w", "XGBoostExplainer explains trees of XGBoost, and sklearn"),
        (FOREST, "LinearExplainer", "LinearExplainer explains linear models, and sklearn"),
        (TREES.replace("gbtree", "gblinear"), "TreeExplainer", "TreeExplainer explains trees, and xgboost.gblinear"),
    ],
)
def test_explainers_that_do_not_fit_the_model(train: str, explainer: str, message: str) -> None:
    (error,) = errors(f"USING {explainer}", train)
    assert error.code == "unfit-explainer"
    assert error.message.startswith(message)


@pytest.mark.parametrize(
    ("train", "explainer"),
    [
        (LINEAR, "LinearExplainer"),
        (FOREST, "TreeExplainer"),
        (TREES.replace("gbtree", "dart"), "TreeExplainer"),
        (TREES.replace("gbtree", "gblinear"), "LinearExplainer"),
        ("SELECT a FROM t TO TRAIN sklearn.ensemble.IsolationForest INTO m;", "TreeExplainer"),
        ("", "LinearExplainer"),
    ],
)
def test_explainers_that_fit_or_of_a_model_that_nobody_knows_yet(train: str, explainer: str) -> None:
    assert errors(f"USING {explainer}", train or "SELECT 1;") == []
