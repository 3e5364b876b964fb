"""From a COLUMN function to the features that it makes, or to the drafts of those that the data decide."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlflow_codegen.language.columns import FUNCTIONS
from sqlflow_codegen.language.ir import ColumnCall, ColumnName
from sqlflow_codegen.language.suggest import did_you_mean

from sqlflow_runtime.databases.rows import NUMERIC_KINDS, Column
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml import derivation
from sqlflow_runtime.ml.derivation import Draft
from sqlflow_runtime.ml.features import (
    Bucket,
    CategoryHash,
    CategoryId,
    Cross,
    Dense,
    Embedding,
    Feature,
    Indicator,
    Numeric,
    PlainKey,
    SequenceIds,
    Sparse,
)

_FIELDS = ("DENSE", "SPARSE")

Named = Callable[[ColumnName], list[Column]]
"""The selected columns of that name, or all whose whole name the regular expression matches."""


@dataclass(frozen=True, slots=True)
class Field:
    """DENSE or SPARSE inside another function, or a plain name: how the text of a column is to be read.

    Attributes:
        column: the selected column.
        size: the product of the shape; None if the program does not say.
        shape: as written; empty for a vector.
        delimiter: between entries; None if the program does not say.
        pair: between key and value; "" if the program does not say.
        sparse: it is SPARSE.
        text: its type is `string`.
    """

    column: Column
    size: int | None = None
    shape: tuple[int, ...] = ()
    delimiter: str | None = None
    pair: str = ""
    sparse: bool = False
    text: bool = False

    @property
    def several(self) -> bool:
        """True if a value lists several entries, as the program says."""
        return self.sparse or (self.size or 1) > 1


@dataclass(frozen=True, slots=True)
class Functions:
    """Makes features of COLUMN functions for one target.

    Attributes:
        named: finds columns.
        target: of the features.
    """

    named: Named
    target: str

    def features(self, call: ColumnCall) -> list[Feature | Draft]:
        """One feature or draft for each column that the function's argument names.

        Raises:
            RunError: kind `data` or `estimator`, with the place in the COLUMN clause.
        """
        if call.name not in FUNCTIONS:
            guess = did_you_mean(call.name, FUNCTIONS)
            raise RunError("estimator", f"there is no column function {call.name}", guess, place=call.span.start)
        match call.name:
            case "CROSS":
                return [self._cross(call)]
            case "INDICATOR":
                return [self._around(call, inner, self._indicator) for inner in self._inner(call)]
            case "EMBEDDING":
                return [self._around(call, inner, self._embedding(call)) for inner in self._inner(call)]
            case "WEIGHTED_CATEGORY":
                return [self._around(call, inner, self._weighted(call)) for inner in self._inner(call)]
        made = {
            "BUCKET": self._bucket,
            "CATEGORY_HASH": self._category,
            "CATEGORY_ID": self._category,
            "DENSE": self._dense,
            "SEQ_CATEGORY_ID": self._sequence,
            "SPARSE": self._sparse,
        }[call.name]
        argument = call if call.name in _FIELDS else call.args[0]
        return [made(call, field) for field in self._fields(argument)]

    # -- functions of one field

    def _bucket(self, call: ColumnCall, field: Field) -> Feature:
        (boundaries,) = call.args[1:]
        assert isinstance(boundaries, tuple)
        return Bucket(field.column.name, tuple(map(_float, boundaries)), target=self.target)

    def _dense(self, call: ColumnCall, field: Field) -> Feature | Draft:
        name = field.column.name
        if field.text:
            return self._draft(call, name, derivation.category(None, ",", self.target))
        if field.size is not None and field.size > 1:
            return Dense(name, field.size, field.delimiter or ",", field.shape, target=self.target)
        if field.size == 1 or field.column.kind in NUMERIC_KINDS:
            return Numeric(name, target=self.target)
        return self._draft(call, name, derivation.dense(self.target), field.delimiter)

    def _sparse(self, call: ColumnCall, field: Field) -> Feature | Draft:
        return self._entries(call, field, field.size)

    def _entries(
        self, call: ColumnCall, field: Field, size: int | None, *, hashed: bool = False, weighted: bool = True
    ) -> Feature | Draft:
        """Several numbered entries in one value. Without a delimiter or a size the data decide."""
        name, delimiter = field.column.name, field.delimiter or ","
        if size is not None and field.delimiter is not None:
            return Sparse(name, size, delimiter, field.pair, hashed, weighted, target=self.target)
        if field.pair:
            raise _wrong(call, "needs a size where it has a delimiter between key and value")
        decide = derivation.sparse(size, delimiter, self.target, hashed=hashed, weighted=weighted)
        return self._draft(call, name, decide, delimiter)

    def _category(self, call: ColumnCall, field: Field) -> Feature | Draft:
        name, size = field.column.name, _size(call.args[1])
        hashed = call.name == "CATEGORY_HASH"
        if field.several:
            return self._entries(call, field, size, hashed=hashed, weighted=False)
        if hashed:
            return CategoryHash(name, size, target=self.target)
        if field.column.kind in NUMERIC_KINDS:
            return CategoryId(name, size, target=self.target)
        delimiter = _delimiter(call) or ","
        return self._draft(call, name, derivation.category(size, delimiter, self.target), delimiter)

    def _sequence(self, call: ColumnCall, field: Field) -> Feature | Draft:
        name, size = field.column.name, _size(call.args[1])
        delimiter = _delimiter(call) or field.delimiter or ","
        if field.size is not None and not field.sparse:
            return SequenceIds(name, size, field.size, delimiter, target=self.target)
        return self._draft(call, name, derivation.sequence(size, delimiter, False, self.target), delimiter)

    # -- functions of another function

    def _inner(self, call: ColumnCall) -> list[Feature | Draft]:
        """The categories that INDICATOR and the like are made of."""
        first = call.args[0]
        if isinstance(first, ColumnCall) and first.name not in _FIELDS:
            return self.features(first)
        return [self._inner_field(call, field) for field in self._fields(first)]

    def _inner_field(self, call: ColumnCall, field: Field) -> Feature | Draft:
        """A plain column, or SPARSE or DENSE, whose size is the number of categories."""
        if field.several:
            return self._entries(call, field, field.size)
        delimiter = field.delimiter or ","
        return self._draft(call, field.column.name, derivation.category(None, delimiter, self.target), delimiter)

    def _around(self, call: ColumnCall, inner: Feature | Draft, made: Callable[[Any], Feature]) -> Feature | Draft:
        """The feature that is made of an inner one, which the data may have to decide first."""
        if isinstance(inner, Draft):
            decide = inner.decide
            return Draft(inner.column, lambda profile: made(decide(profile)), inner.delimiter, call.span.start)
        return made(inner)

    def _indicator(self, of: Any) -> Feature:
        return Indicator(of, target=self.target)

    def _embedding(self, call: ColumnCall) -> Callable[[Any], Feature]:
        given: tuple[Any, ...] = (*call.args[1:], *("sum", "")[len(call.args) - 2 :])
        dimension, combiner, initializer = given
        return lambda of: Embedding(of, dimension, combiner, initializer, target=self.target)

    def _weighted(self, call: ColumnCall) -> Callable[[Any], Feature]:
        def made(of: Any) -> Feature:
            if isinstance(of, Sparse) and of.pair:
                return replace(of, weighted=True)
            raise _wrong(call, 'needs key:value text: SPARSE(column, size, ",", "int", ":", "float")')

        return made

    def _cross(self, call: ColumnCall) -> Feature:
        keys, size = call.args
        assert isinstance(keys, tuple)
        return Cross(tuple(self._key(call, key) for key in keys), _size(size), target=self.target)

    def _key(self, call: ColumnCall, key: Any) -> Feature:
        if isinstance(key, ColumnCall) and key.name == "BUCKET":
            (field,) = self._one(call, self._fields(key.args[0]))
            return self._bucket(key, field)
        (field,) = self._one(call, self._fields(key))
        if field.several:
            raise _wrong(call, f"takes keys of one value; {field.column.name} lists several")
        return Numeric(field.column.name) if isinstance(key, ColumnCall) else PlainKey(field.column.name)

    def _one(self, call: ColumnCall, fields: list[Field]) -> list[Field]:
        if len(fields) > 1:
            raise _wrong(call, "takes keys that are one column each")
        return fields

    # -- arguments

    def _draft(self, call: ColumnCall, column: str, decide: derivation.Open, delimiter: str | None = None) -> Draft:
        return Draft(column, decide, delimiter or ",", call.span.start)

    def _fields(self, argument: Any) -> list[Field]:
        if isinstance(argument, ColumnName):
            return [Field(column) for column in self.named(argument)]
        assert isinstance(argument, ColumnCall)
        name, *rest = argument.args
        assert isinstance(name, ColumnName)
        given: Sequence[Any] = (*rest, None, None, None, None, None)[:5]
        shape, delimiter, kind, pair, _ = given
        dimensions = () if shape is None or isinstance(shape, str) else shape if isinstance(shape, tuple) else (shape,)
        size = math.prod(dimensions) if dimensions else None
        sparse = argument.name == "SPARSE"
        return [
            Field(
                column, size, dimensions if len(dimensions) > 1 else (), delimiter or None, pair or "", sparse,
                kind == "string",
            )
            for column in self.named(name)
        ]  # fmt: skip


def _size(value: Any) -> int:
    assert isinstance(value, int)
    return value


def _float(value: Any) -> float:
    return float(value)


def _delimiter(call: ColumnCall) -> str | None:
    """The third argument of CATEGORY_ID and SEQ_CATEGORY_ID, which SQLFlow's programs give as `COMMA`."""
    third = call.args[2] if len(call.args) > 2 else None
    if isinstance(third, str) and third:
        return "," if third.upper() == "COMMA" else third
    return None


def _wrong(call: ColumnCall, what: str) -> RunError:
    return RunError("estimator", f"{call.name} {what}", place=call.span.start)
