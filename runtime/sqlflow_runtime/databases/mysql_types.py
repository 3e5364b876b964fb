"""Types of MySQL and MariaDB: their names and kinds."""

from __future__ import annotations

from typing import Any

from pymysql.constants import FIELD_TYPE

from sqlflow_runtime.databases.rows import Column

_BINARY = 63
"""Number of the character set that binary columns have."""
_TYPES = {
    FIELD_TYPE.TINY: ("tinyint", "int"), FIELD_TYPE.SHORT: ("smallint", "int"), FIELD_TYPE.INT24: ("mediumint", "int"),
    FIELD_TYPE.LONG: ("int", "int"), FIELD_TYPE.LONGLONG: ("bigint", "int"), FIELD_TYPE.YEAR: ("year", "int"),
    FIELD_TYPE.FLOAT: ("float", "float"), FIELD_TYPE.DOUBLE: ("double", "float"),
    FIELD_TYPE.DECIMAL: ("decimal", "decimal"), FIELD_TYPE.NEWDECIMAL: ("decimal", "decimal"),
    FIELD_TYPE.DATE: ("date", "date"), FIELD_TYPE.NEWDATE: ("date", "date"), FIELD_TYPE.TIME: ("time", "time"),
    FIELD_TYPE.DATETIME: ("datetime", "timestamp"), FIELD_TYPE.TIMESTAMP: ("timestamp", "timestamp"),
    FIELD_TYPE.JSON: ("json", "json"), FIELD_TYPE.BIT: ("bit", "bytes"), FIELD_TYPE.GEOMETRY: ("geometry", "bytes"),
}  # fmt: skip
_KINDS = {
    "int": "int", "bigint": "int", "tinyint": "int", "smallint": "int", "mediumint": "int", "year": "int",
    "float": "float", "double": "float", "decimal": "decimal", "date": "date", "time": "time", "datetime": "timestamp",
    "timestamp": "timestamp", "json": "json", "bit": "bytes", "geometry": "bytes", "binary": "bytes",
    "varbinary": "bytes", "blob": "bytes", "tinyblob": "bytes", "mediumblob": "bytes", "longblob": "bytes",
    "point": "bytes", "polygon": "bytes", "linestring": "bytes",
}  # fmt: skip


def columns_of_cursor(cursor: Any) -> tuple[Column, ...]:
    """The columns of a result."""
    return tuple(_column(field) for field in cursor._result.fields)


def _column(field: Any) -> Column:
    if field.type_code in _TYPES:
        name, kind = _TYPES[field.type_code]
        return Column(field.name, name, kind)
    return Column(field.name, "blob", "bytes") if field.charsetnr == _BINARY else Column(field.name, "text", "string")


def kind_of(type_name: str) -> str:
    """The kind of a column, by its type as SHOW COLUMNS has it."""
    return _KINDS.get(type_name.partition("(")[0].partition(" ")[0].lower(), "string")
