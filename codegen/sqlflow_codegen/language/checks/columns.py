"""Checks of COLUMN clauses: patterns, and what an estimator can do with the features."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from types import MappingProxyType

from sqlflow_codegen.catalogue import Estimator
from sqlflow_codegen.catalogue.composites import transformers_of_columns
from sqlflow_codegen.language import ir
from sqlflow_codegen.language.columns import DENSE_INDICATORS
from sqlflow_codegen.language.source import Problem

_ONLY_NEURAL = MappingProxyType(
    {
        "EMBEDDING": "Use INDICATOR: one column of 0 and 1 for each category.",
        "SEQ_CATEGORY_ID": "Use INDICATOR(CATEGORY_ID(SPARSE(column, ..), size)), if the order does not matter.",
        "WEIGHTED_CATEGORY": "Write SPARSE(column, ..): its values count as they are.",
    }
)
"""Column functions that only neural networks take -> what to write for others."""

_PATTERN = re.compile(r"[*+?()\[\]{}|^$\\]")


def all_columns(statement: ir.TrainStatement) -> Iterator[ir.ColumnName | ir.ColumnCall]:
    """The columns and column functions of the COLUMN clauses, nested ones too, in their order."""
    pending: list[ir.ColumnArgument] = [clause.columns for clause in reversed(statement.columns)]
    while pending:
        argument = pending.pop()
        if isinstance(argument, tuple):
            pending += reversed(argument)
        elif isinstance(argument, (ir.ColumnName, ir.ColumnCall)):
            yield argument
            pending += reversed(argument.args) if isinstance(argument, ir.ColumnCall) else ()


def check_patterns(statement: ir.TrainStatement) -> Iterator[Problem]:
    """Quoted columns that look like regular expressions and are none can only be names."""
    for column in all_columns(statement):
        if not (isinstance(column, ir.ColumnName) and column.quoted and _PATTERN.search(column.text)):
            continue
        if error := _pattern_error(column.text):
            message = f"`{column.text[:60]}` is no regular expression: {error}"
            hint = "It can only be the name of one column."
            yield Problem("invalid-pattern", message, column.span.start, hint, "warning")


def _pattern_error(pattern: str) -> str:
    """The error of a regular expression; "" if it has none."""
    try:
        with warnings.catch_warnings():  # of sets that a later Python may read otherwise
            warnings.simplefilter("ignore", FutureWarning)
            re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return str(error)
    return ""


def check_columns(statement: ir.TrainStatement, estimator: Estimator) -> Iterator[Problem]:
    """Parts of the COLUMN clauses that the estimator cannot use."""
    try:
        transformers = transformers_of_columns(estimator)
    except ValueError as error:
        hint = "Let the pipeline begin with it."
        yield Problem("unsupported-column", f"{estimator.name} {error}", statement.estimator.span.start, hint)
        return
    if transformers is not None:
        yield from _targets(statement, estimator, transformers)
    elif "Combined" not in estimator.name:
        for clause in statement.columns[1:]:
            message = f"{estimator.name} takes one set of columns, not several"
            yield Problem("unsupported-column", message, clause.span.start, "List all columns in one COLUMN clause.")
    if estimator.library == "keras":
        return
    for column in all_columns(statement):
        if not isinstance(column, ir.ColumnCall):
            continue
        if column.name in _ONLY_NEURAL:
            message = f"{estimator.name} does not support {column.name}: only neural networks do"
            yield Problem("unsupported-column", message, column.span.start, _ONLY_NEURAL[column.name])
        elif _is_sparse(column) and not takes_sparse(estimator):
            message = f"{estimator.name} takes no sparse features, such as {column.name} makes here"
            hint = "Use DENSE or a smaller CATEGORY_HASH, or an estimator that takes them, such as xgboost.gbtree."
            yield Problem("unsupported-column", message, column.span.start, hint)


def _targets(statement: ir.TrainStatement, estimator: Estimator, names: tuple[str, ...]) -> Iterator[Problem]:
    """The COLUMN clauses of a ColumnTransformer: one for each of its transformers, and no other."""
    clauses = " ".join(f"COLUMN a, b FOR {name}" for name in names)
    if len(names) < 2:
        message = f"{estimator.name} has a ColumnTransformer of one transformer, which would take all columns"
        yield Problem("unsupported-column", message, statement.estimator.span.start, "Use the transformer itself.")
        return
    for clause in statement.columns:
        if clause.target not in names:
            message = f"{estimator.name} has no transformer `{clause.target}`"
            yield Problem("unsupported-column", message, clause.span.start, f"Write {clauses}.")
    for name in names:
        if name not in {clause.target for clause in statement.columns}:
            message = f"{estimator.name} has a transformer `{name}` without columns"
            yield Problem("unsupported-column", message, statement.estimator.span.start, f"Write {clauses}.")


def takes_sparse(estimator: Estimator) -> bool:
    """True if the estimator takes a sparse matrix."""
    return estimator.library != "sklearn" or "sparse" in estimator.tags


def _is_sparse(call: ir.ColumnCall) -> bool:
    """True if a function makes a sparse block whatever the data are."""
    if call.name == "SPARSE":
        return True
    inner = call.args[0]
    if call.name != "INDICATOR" or not isinstance(inner, ir.ColumnCall) or inner.name in ("DENSE", "SPARSE"):
        return False
    size = inner.args[1] if len(inner.args) > 1 else None
    return inner.name != "CATEGORY_ID" and isinstance(size, int) and size > DENSE_INDICATORS
