"""The pictures of one EXPLAIN: which there are, of which rows and classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlflow_codegen.catalogue import STATEMENT_ATTRIBUTES, to_python
from sqlflow_codegen.catalogue.explainers import PICTURE, PLOT_TYPE
from sqlflow_codegen.language.ir import ExplainStatement

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml import plots
from sqlflow_runtime.ml.explain_table import Explanation
from sqlflow_runtime.ml.row_sample import RowSample
from sqlflow_runtime.ml.shap_values import ShapValues
from sqlflow_runtime.ml.trained_model import Matrix
from sqlflow_runtime.step_context import StepContext

_ONE_ROW = ("force", "waterfall")
"""Pictures of one row each."""
_ROWS = 5
"""The most rows of which each gets a picture of its own."""
_CLASSES = 10
"""The most classes of which each gets a picture of its own."""
_DECISIONS = 200
"""Lines of a decision plot."""


def row_sample(explanation: Explanation) -> RowSample:
    """A sample of as many rows as the statement's pictures show."""
    match _plot_type(explanation):
        case "force" | "waterfall":
            return RowSample(_ROWS, first=True)
        case "decision":
            return RowSample(min(_DECISIONS, explanation.explainer.picture_rows))
    return RowSample(explanation.explainer.picture_rows)


def show_pictures(explanation: Explanation, sample: RowSample, model: str) -> None:
    """Draw and record the pictures of the sampled rows; `model` is how titles call it."""
    if not sample.count:
        raise RunError("data", "the SELECT returns no rows: there is nothing to draw", "Check its WHERE.")
    log = explanation.context.recorder.log
    rows = sample.rows()
    found = explanation.explainer.explain(rows)
    if rows.shape[0] < sample.count:
        chosen = "the first" if _plot_type(explanation) in _ONE_ROW else "a random choice of"
        log("info", f"pictures show {chosen} {rows.shape[0]} of {sample.count} rows")
    for picture in _pictures(explanation, rows, found, model):
        explanation.context.check_stopped()
        _record(explanation.context, explanation.statement, picture)


def show_importances(
    context: StepContext, statement: ExplainStatement, gains: Sequence[tuple[str, float]], model: str
) -> None:
    """Draw and record XGBoost's own picture of importances."""
    options = _options(statement)
    limit = int(options.get("max_display", plots.DEFAULT_DISPLAY))
    title = options.get("title") or f"{model}: mean gain of a split"
    _record(context, statement, plots.Importances(title, gains[:limit]))


def _pictures(explanation: Explanation, rows: Matrix, found: ShapValues, model: str) -> Iterator[plots.Picture]:
    kind, chosen, unit = _plot_type(explanation), explanation.chosen, explanation.explainer.unit
    shown = plots.Table(explanation.groups.names, explanation.groups.shown(rows), _options(explanation.statement))
    seen = f" ({rows.shape[0]} row{'s' if rows.shape[0] > 1 else ''})"
    if kind in _ONE_ROW:
        yield from _rows(explanation, rows, found, shown, model)
    elif chosen.varies and kind == "bar":
        names = [str(name) for name in chosen.names]
        yield plots.Bars(
            f"{model}: contributions to the {unit} of each class{seen}",
            shown,
            [chosen.values(found, at)[0] for at in range(len(names))],
            names,
        )
    else:
        positions = range(len(chosen.names)) if chosen.varies else [chosen.position]
        if len(positions) > _CLASSES:
            words = f"pictures show the first {_CLASSES} of {len(positions)} classes; explain.class names another"
            explanation.context.recorder.log("warning", words)
        for position in positions[:_CLASSES]:
            values, base = chosen.values(found, position)
            title = f"{model}: contributions to the {unit}{_of_class(explanation, position)}{seen}"
            yield plots.Summary(title, shown, kind, values, float(base.mean()))


def _rows(
    explanation: Explanation, rows: Matrix, found: ShapValues, shown: plots.Table, model: str
) -> Iterator[plots.Picture]:
    """A picture for each row, of the row's own class."""
    chosen = explanation.chosen
    predicted = explanation.predicted(rows)
    values, base = chosen.row_values(found, predicted)
    for number in range(rows.shape[0]):
        position = int(predicted[number]) if chosen.varies else chosen.position
        what = f"{explanation.explainer.unit}{_of_class(explanation, position)}"
        title = f"{model}, row {number + 1}: contributions to the {what}"
        yield plots.OneRow(title, shown, _plot_type(explanation), number, values[number], float(base[number]))


def _of_class(explanation: Explanation, position: int | None) -> str:
    names = explanation.chosen.names
    what = "class" if explanation.model.classes else "cluster"
    return f" of {what} {names[position]}" if names and position is not None else ""


def _plot_type(explanation: Explanation) -> str:
    """The type that the statement names; else bars for several classes, else dots."""
    named = next((str(one.value) for one in explanation.statement.attributes if one.name == PLOT_TYPE), "")
    return named or ("bar" if explanation.chosen.varies else "dot")


def _options(statement: ExplainStatement) -> dict[str, Any]:
    rules = STATEMENT_ATTRIBUTES["explain"]
    return {
        one.name.removeprefix(PICTURE): to_python(rules[one.name], one.value)
        for one in statement.attributes
        if one.name.startswith(PICTURE) and one.name != PLOT_TYPE
    }


def _record(context: StepContext, statement: ExplainStatement, picture: plots.Picture) -> None:
    try:
        data = plots.draw(picture, context.recorder.log)
    except (ValueError, TypeError, IndexError, KeyError, AssertionError) as error:
        place = next((one.span.start for one in statement.attributes if one.name.startswith(PICTURE)), None)
        what = f"the picture cannot be drawn with these attributes: {error}"
        raise RunError("estimator", what, "See the attributes of shap's plots.", place=place) from error
    context.recorder.image("image/png", data, picture.title)
