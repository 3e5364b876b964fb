"""Checks of PREDICT and EVALUATE: outputs and metrics that exist, and that the model's estimator can give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlflow_codegen.catalogue import (
    EXTRA_OUTPUTS,
    PREDICTION_OUTPUTS,
    STATEMENT_ATTRIBUTES,
    VALIDATION_METRICS,
    Estimator,
)
from sqlflow_codegen.catalogue.metrics import (
    DEFAULTS,
    FAMILIES,
    fitting_metrics,
    metric_attributes,
    metrics,
    named_metrics,
)
from sqlflow_codegen.language import ir
from sqlflow_codegen.language.checks.attributes import check_attributes
from sqlflow_codegen.language.source import Problem
from sqlflow_codegen.language.suggest import did_you_mean

Trained = Mapping[str, Estimator | None]
"""The models that the program trains before a statement, with their estimators; None for one that nobody knows."""

_TASKS = {
    "classifier": "classification",
    "cluster": "clustering",
    "mixture": "clustering",
    "outlier": "outlier",
    "regressor": "regression",
}
"""Task of an estimator of scikit-learn -> task of its models. Elsewhere an objective or the label decides."""


def check_predict(statement: ir.PredictStatement, trained: Trained) -> Iterator[Problem]:
    """The extra outputs of one PREDICT. A model that nobody knows may give others."""
    severity = "error" if trained.get(statement.using.text) is not None else "warning"
    for attribute in statement.attributes:
        if attribute.name != EXTRA_OUTPUTS or not isinstance(attribute.value, str):
            continue
        for name in named_metrics(attribute.value):
            if name not in PREDICTION_OUTPUTS:
                hint = did_you_mean(name, PREDICTION_OUTPUTS) or f"There are {', '.join(PREDICTION_OUTPUTS)}."
                yield Problem("unknown-output", f"unknown output `{name}`", attribute.value_span.start, hint, severity)


def check_evaluate(statement: ir.EvaluateStatement, trained: Trained) -> Iterator[Problem]:
    """Attributes and metrics of one EVALUATE."""
    estimator = trained.get(statement.model.text)
    task = _TASKS.get(estimator.task, "") if estimator is not None and estimator.library == "sklearn" else ""
    if estimator is not None and estimator.task in ("transformer", "density", "distance"):
        message = f"`{statement.model}` gives numbers of its own: there is nothing to compare them with"
        hint = "Query the table that TO PREDICT writes."
        yield Problem("nothing-to-compare", message, statement.model.span.start, hint)
        return
    named = list(DEFAULTS.get(task, ()))
    for attribute in statement.attributes:
        if attribute.name == VALIDATION_METRICS and isinstance(attribute.value, str):
            named = named_metrics(attribute.value) or named
            families = FAMILIES.get(task, ())
            if estimator is not None and task == "classification" and {"multi_label", "multi_output"} & estimator.tags:
                families += FAMILIES["multilabel"]
            yield from _metrics(attribute, named, task, families, known=estimator is not None)
    yield from _attributes(statement, named)


def _metrics(
    attribute: ir.Attribute, names: list[str], task: str, families: tuple[str, ...], *, known: bool
) -> Iterator[Problem]:
    place = attribute.value_span.start
    for name in names:
        metric = metrics().get(name)
        if metric is None:
            hint = did_you_mean(name, metrics()) or f"Metrics are {', '.join(fitting_metrics(task) or metrics())}."
            yield Problem("unknown-metric", f"unknown metric `{name}`", place, hint, "error" if known else "warning")
        elif task and metric.family not in families:
            message = f"the metric `{name}` does not fit a {task} model"
            yield Problem("unfit-metric", message, place, f"There are {', '.join(fitting_metrics(task))}.")


def _attributes(statement: ir.EvaluateStatement, named: list[str]) -> Iterator[Problem]:
    """Unknown attributes, as warnings; wrong ones of a metric are errors, for SQLFlow had none."""
    own = [one for one in statement.attributes if one.name.partition(".")[0] in metrics()]
    rest = [one for one in statement.attributes if one not in own]
    yield from check_attributes(rest, STATEMENT_ATTRIBUTES["evaluate"], statement.clause, severity="warning")
    yield from check_attributes(own, metric_attributes(), statement.clause)
    for attribute in own:
        name = attribute.name.partition(".")[0]
        if named and name not in named:
            message = f"`{VALIDATION_METRICS}` does not name {name}: the attribute `{attribute.name}` has no effect"
            yield Problem("no-effect", message, attribute.span.start, "", "warning")
