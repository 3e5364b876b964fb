"""Programs as plain JSON data, for golden files.

Every object is a mapping with its `type`; a statement's type is its kind. A span is `[start, end, line, column]`.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from sqlflow_codegen.language import ir


def to_json(program: ir.Program) -> dict[str, Any]:
    return {
        "version": 2,
        "dialect": program.dialect,
        "text": program.text,
        "statements": _encode(program.statements),
        "warnings": _encode(program.warnings),
    }


def _encode(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    if isinstance(value, ir.Span):
        return [value.start, value.end, value.line, value.column]
    if is_dataclass(value):
        encoded = {one.name: _encode(getattr(value, one.name)) for one in fields(value)}
        return {"type": getattr(value, "kind", type(value).__name__), **encoded}
    return value
