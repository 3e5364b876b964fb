"""Checks of EXPLAIN: its explainer, and the attributes of its picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlflow_codegen.catalogue import Estimator
from sqlflow_codegen.catalogue.explainers import (
    EXPLAIN_BASE,
    EXPLAIN_CLASS,
    EXPLAINERS,
    IMPORTANCE_PLOT,
    PICTURE,
    PLOT_TYPE,
    PLOTS,
    XGBOOST_EXPLAINER,
    misfit,
)
from sqlflow_codegen.language import ir
from sqlflow_codegen.language.source import Problem
from sqlflow_codegen.language.suggest import did_you_mean


def check_explain(statement: ir.ExplainStatement, trained: Mapping[str, Estimator | None]) -> Iterator[Problem]:
    """One EXPLAIN; `trained` are the models that the program trains before it."""
    importances = statement.explainer is not None and statement.explainer.text == XGBOOST_EXPLAINER
    if statement.explainer is not None:
        yield from _explainer(statement, statement.explainer, trained.get(statement.model.text))
    yield from _without_effect(statement, importances=importances)
    if importances:
        yield from _picture(statement, "bar", IMPORTANCE_PLOT, XGBOOST_EXPLAINER)
        return
    plot = next((one.value for one in statement.attributes if one.name == PLOT_TYPE), "dot")
    if isinstance(plot, str) and plot in PLOTS:
        yield from _picture(statement, plot, PLOTS[plot], f"plot_type `{plot}`")


def _explainer(statement: ir.ExplainStatement, explainer: ir.Name, estimator: Estimator | None) -> Iterator[Problem]:
    name, place = explainer.text, explainer.span.start
    if name not in EXPLAINERS:
        hint = did_you_mean(name, EXPLAINERS) or f"Explainers are {', '.join(EXPLAINERS)}."
        yield Problem("unknown-explainer", f"unknown explainer `{explainer}`: SHAP chooses one", place, hint, "warning")
    if name == XGBOOST_EXPLAINER and statement.into is None:
        message = "XGBoostExplainer needs INTO: its result is a table"
        yield Problem("missing-clause", message, place, "Write USING XGBoostExplainer INTO table.")
    if estimator is not None and (reason := misfit(name, estimator)):
        hint = "Leave USING out: the explainer that fits the model is chosen."
        yield Problem("unfit-explainer", reason, place, hint)


def _without_effect(statement: ir.ExplainStatement, *, importances: bool) -> Iterator[Problem]:
    """Attributes of the table or of SHAP values where there are none."""
    for one in statement.attributes:
        if one.name == EXPLAIN_BASE and one.value is True and statement.into is None:
            message, hint = f"`{EXPLAIN_BASE}` adds a column to a table, but there is no INTO", "Add INTO table."
            yield Problem("attribute-conflict", message, one.span.start, hint)
        elif importances and one.name in (EXPLAIN_BASE, EXPLAIN_CLASS):
            message = f"`{one.name}` belongs to SHAP values, and XGBoostExplainer gives importances"
            yield Problem("attribute-conflict", message, one.span.start, "Leave it out, or leave USING out.")


def _picture(statement: ir.ExplainStatement, plot: str, rules: Mapping[str, str], owner: str) -> Iterator[Problem]:
    """Attributes of other pictures than the one that is drawn."""
    known = {name for attributes in PLOTS.values() for name in attributes}
    for one in statement.attributes:
        name = one.name.removeprefix(PICTURE)
        if one.name == PLOT_TYPE and one.value in PLOTS and one.value != plot:
            message = f"{owner} draws a `{plot}` only"
            yield Problem("attribute-conflict", message, one.value_span.start, "Leave USING out, or the plot_type.")
        elif one.name.startswith(PICTURE) and name in known and name not in rules:
            takes = [kind for kind, attributes in PLOTS.items() if name in attributes]
            message = f"`{one.name}` is no attribute of {owner}"
            yield Problem("attribute-conflict", message, one.span.start, f"It belongs to {', '.join(takes)}.")
