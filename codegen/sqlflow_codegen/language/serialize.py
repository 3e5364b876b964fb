"""Programs as plain JSON data and back, without loss.

Every object is a mapping with its `type`; a statement's type is its kind. A span is `[start, end, line, column]`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from sqlflow_codegen.errors import Diagnostic, SQLFlowError
from sqlflow_codegen.language import ir

VERSION = 2

_T = TypeVar("_T")

_STATEMENTS = (
    ir.SqlStatement,
    ir.TrainStatement,
    ir.PredictStatement,
    ir.EvaluateStatement,
    ir.ExplainStatement,
    ir.RunStatement,
    ir.OptimizeStatement,
    ir.ShowTrainStatement,
)
_COLUMNS = (ir.ColumnName, ir.ColumnStar, ir.ColumnCall, ir.ColumnClause)
_EXPRESSIONS = (ir.Number, ir.Text, ir.Call, ir.Unary, ir.Binary, ir.Constraint)
_PARTS = (ir.Name, ir.Attribute, *_COLUMNS, *_EXPRESSIONS, Diagnostic)
_TYPES: Mapping[str, type] = MappingProxyType(
    {**{one.kind: one for one in _STATEMENTS}, **{one.__name__: one for one in _PARTS}}
)
_NAMES: Mapping[type, str] = MappingProxyType({value: key for key, value in _TYPES.items()})
_SPANS = frozenset({"span", "select_span", "value_span"})


def to_json(program: ir.Program) -> dict[str, Any]:
    """That program as JSON data."""
    return {
        "version": VERSION,
        "dialect": program.dialect,
        "text": program.text,
        "statements": _encode(program.statements),
        "warnings": _encode(program.warnings),
    }


def from_json(data: Mapping[str, Any]) -> ir.Program:
    """The program of `to_json`, equal to the one that it was made from.

    Raises:
        SQLFlowError: the data was not made by this version's `to_json`.
    """
    if data.get("version") != VERSION:
        raise SQLFlowError(f"a program as JSON has version {VERSION}, not {data.get('version')!r}")
    try:
        return ir.Program(
            data["text"],
            data["dialect"],
            _all_of(ir.Statement, data["statements"]),
            _all_of(Diagnostic, data["warnings"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SQLFlowError(f"the data is no program: {error!r}") from error


def _all_of(kind: type[_T], items: Any) -> tuple[_T, ...]:
    decoded = tuple(_decode(item) for item in items)
    if not all(isinstance(item, kind) for item in decoded):
        raise TypeError(f"not all are of type {kind.__name__}")
    return decoded


def _encode(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    if isinstance(value, ir.Span):
        return [value.start, value.end, value.line, value.column]
    if is_dataclass(value) and not isinstance(value, type):
        encoded = {one.name: _encode(getattr(value, one.name)) for one in fields(value)}
        return {"type": _NAMES[type(value)], **encoded}
    return value


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_decode(item) for item in value)
    if isinstance(value, Mapping):
        items = {key: _field(key, item) for key, item in value.items() if key != "type"}
        return _TYPES[value["type"]](**items)
    return value


def _field(key: str, item: Any) -> Any:
    if key in _SPANS:
        return ir.Span(*item)
    return tuple(ir.Part(*part) for part in item) if key == "path" else _decode(item)
