"""Reads a SELECT, once, into a matrix of features and the label, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from sqlflow_codegen.language.ir import Attribute, Name

from sqlflow_runtime.arrow import pa
from sqlflow_runtime.databases.rows import Column
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.hints import explained
from sqlflow_runtime.ml.batch import Batch, Matrix
from sqlflow_runtime.ml.column_clause import check_distinct, require_column
from sqlflow_runtime.ml.encoder import Encoder
from sqlflow_runtime.ml.feature_plan import FeaturePlan, stored
from sqlflow_runtime.ml.features import Feature
from sqlflow_runtime.ml.labels import Label, LabelChecks, label_kind
from sqlflow_runtime.ml.ordered_rows import OrderedRows
from sqlflow_runtime.ml.roles import FIELDS, Roles, check_role, find_roles, role_values
from sqlflow_runtime.ml.spool import Spool
from sqlflow_runtime.step_context import StepContext

Plan = Callable[[tuple[Column, ...], Column | None], FeaturePlan]
"""Given the SELECT's columns and the label's, returns the features, which the rows may have to decide."""


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Rows to learn from, in an order that depends on the rows alone.

    Attributes:
        features: of the matrix, in its order.
        columns: of the SELECT.
        label: the label's column; None without a label.
        target: the label's name and kind, no classes yet; None without a label.
        rounded: columns with integers of which the estimator keeps fewer digits, to the number of rows.
    """

    features: tuple[Feature, ...]
    columns: tuple[Column, ...]
    label: Column | None
    target: Label | None
    rounded: Mapping[str, int] = field(default_factory=dict)
    _rows: OrderedRows

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def fingerprint(self) -> str:
        """The same text for the same rows, in whatever order they come; 64 bits in hexadecimal."""
        return self._rows.fingerprint

    def batches(self) -> Iterator[Batch]:
        """All rows, some of them in memory at a time; repeatable."""
        return self._rows.batches()

    @cached_property
    def matrix(self) -> Any:
        """All rows x columns of the matrix at once: an array, or a `scipy.sparse.csr_matrix`; NaN where NULL was."""
        batches = self.batches()
        first = next(batches).matrix
        if not isinstance(first, np.ndarray):
            from scipy.sparse import vstack

            return vstack([first, *(batch.matrix for batch in batches)], format="csr")
        found: Matrix = np.empty((len(self), first.shape[1]), dtype=first.dtype)
        at = 0
        for batch in self.batches():
            found[at : at + len(batch)] = batch.matrix
            at += len(batch)
        return found

    @property
    def head(self) -> Any:
        """The first rows of the matrix."""
        return next(self.batches()).matrix

    @property
    def labels(self) -> pa.Array:
        """The labels of all rows, of the label's kind; none without a label. Read from disk each time."""
        return _joined([batch.labels for batch in self.batches()])

    @property
    def weights(self) -> Matrix | None:
        """The weights of all rows; None unless the statement names a column for them."""
        return self._numbers("weights")

    @property
    def lower_bounds(self) -> Matrix | None:
        """The lower bounds of all rows' labels; None unless the statement names a column for them."""
        return self._numbers("lower_bounds")

    @property
    def upper_bounds(self) -> Matrix | None:
        """The upper bounds of all rows' labels, infinite where there is none; None without such a column."""
        return self._numbers("upper_bounds")

    @property
    def groups(self) -> pa.Array | None:
        """The group of each row; None unless the statement names a column for them."""
        found = [batch.groups for batch in self.batches()]
        return None if found[0] is None else _joined(found)

    def _numbers(self, name: str) -> Matrix | None:
        found = [getattr(batch, name) for batch in self.batches()]
        return None if found[0] is None else _joined(found).to_numpy(zero_copy_only=False)


def read_dataset(
    context: StepContext,
    select: str,
    label: Name | None,
    plan: Plan,
    dtype: type[np.floating[Any]],
    keeps: type[np.floating[Any]] | None = None,
    target: Label | None = None,
    attributes: Sequence[Attribute] = (),
) -> Dataset:
    """Read all rows of a select.

    Args:
        context: of the step; it may be stopped between batches.
        select: the SELECT, as the user wrote it.
        label: the label's column; None without a label.
        plan: given the SELECT's columns and the label's, returns the features.
        dtype: of the matrix.
        keeps: the estimator's own type, if that is narrower than `dtype`.
        target: the label as the rows to learn from have it; None if these are they.
        attributes: of the statement; those that name columns which are no features count.

    Raises:
        RunError: of the database, or kind `data`: no rows, no label, NULL in it, or a number that no model takes.
    """
    try:
        spool, column, planned, roles = spooled(context, select, label, plan, attributes)
    except RunError as failure:
        raise explained(context.database, failure) from failure
    with spool:
        if not len(spool):
            raise RunError("data", "the SELECT returns no rows", "Check its WHERE, and that the table is filled.")
        if column is not None and target is None:
            target = Label(column.name, label_kind(column, [array.type for array in _column(spool, column)]))
        features = planned.features(spool.batches, context.recorder.log)
        encoder = Encoder(spool.columns, features, dtype, keeps)
        rows = _ordered(context, spool, encoder, column, target, planned, roles)
    return Dataset(
        features=features,
        columns=spool.columns,
        label=column,
        target=target,
        rounded=encoder.extremes.rounded,
        _rows=rows,
    )


def stream_rows(
    context: StepContext,
    select: str,
    label: Name,
    target: Label,
    features: Sequence[Feature],
    dtype: type[np.floating[Any]],
) -> Generator[Batch]:
    """The rows of a select as they come, each once, in the database's order: to measure on. Close it.

    Raises:
        RunError: of the database, or kind `data`: no rows, no label, NULL in it, or a number that no model takes. Once
            a row has such a number or label, all rows are counted, and no more batches are returned.
    """
    rows = 0
    try:
        with context.database.read_arrow(select) as stream:
            check_distinct(stream.columns)
            column = require_column(stream.columns, label.text, "the label", label.span)
            planned, checks = stored(features)(stream.columns, column), LabelChecks(column)
            encoder = Encoder(stream.columns, features, dtype)
            for batch in stream.batches:
                context.check_stopped()
                rows += batch.num_rows
                raw = batch.column(stream.columns.index(column))
                checks.note(raw)
                matrix = encoder.collect(batch)
                if not checks.failed and not encoder.refused:
                    yield Batch(matrix, target.values(raw))
    except RunError as failure:
        raise explained(context.database, failure) from failure
    if not rows:
        raise RunError("data", "the SELECT returns no rows", "Check its WHERE, and that the table is filled.")
    checks.check()
    planned.check(encoder, context.recorder.log)


def spooled(
    context: StepContext, select: str, label: Name | None, plan: Plan, attributes: Sequence[Attribute] = ()
) -> tuple[Spool, Column | None, FeaturePlan, Roles]:
    """The rows of a select on local disk, the label's column, the plan of features, further roles; it runs once."""
    with context.database.read_arrow(select) as stream:
        columns = stream.columns
        check_distinct(columns)
        column = require_column(columns, label.text, "the label", label.span) if label is not None else None
        roles = find_roles(attributes, columns, column)
        planned = plan(tuple(one for one in columns if one not in roles.values()), column)
        spool = Spool(columns)
        for batch in stream.batches:
            context.check_stopped()
            spool.add(batch)
    return spool, column, planned, roles


def _ordered(
    context: StepContext,
    spool: Spool,
    encoder: Encoder,
    column: Column | None,
    target: Label | None,
    planned: FeaturePlan,
    roles: Roles,
) -> OrderedRows:
    """The rows of the matrix with their labels and what else belongs to them, sorted.

    Raises:
        RunError: kind `data`; a label, a number, a weight or a group that no model takes.
    """
    for name, role in roles.items():
        check_role(name, role, _column(spool, role))
    if column is not None:
        checks = LabelChecks(column)
        for values in _column(spool, column):
            checks.note(values)
        checks.check()
    size = encoder.width * np.dtype(encoder.dtype).itemsize * len(spool)
    rows = OrderedRows(encoder.width, size)
    for batch in spool.batches():
        context.check_stopped()
        raw = batch.column(spool.columns.index(column)) if column is not None else None
        labels = None if raw is None or target is None else target.values(raw)
        others = {
            FIELDS[name]: role_values(name, batch.column(spool.columns.index(role))) for name, role in roles.items()
        }
        rows.add(Batch(encoder.collect(batch), labels, **others))
    planned.check(encoder, context.recorder.log)
    rows.finish()
    return rows


def _column(spool: Spool, column: Column) -> list[pa.Array]:
    return spool.column(spool.columns.index(column))


def _joined(arrays: Sequence[pa.Array | None]) -> pa.Array:
    found = [array for array in arrays if array is not None]
    return pa.concat_arrays(found) if found else pa.nulls(0)
