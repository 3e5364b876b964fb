"""The columns of a statement in PostgreSQL, by the protocol's Parse and Describe: nothing is executed."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import generators
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.types.string import TextLoader

from sqlflow_runtime.databases.rows import Column

_KINDS = {
    16: "bool", 20: "int", 21: "int", 23: "int", 26: "int", 700: "float", 701: "float", 1700: "decimal",
    18: "string", 19: "string", 25: "string", 705: "string", 1042: "string", 1043: "string", 17: "bytes",
    1082: "date", 1083: "time", 1266: "time", 1114: "timestamp", 1184: "timestamp", 1186: "interval",
    114: "json", 3802: "json",
}  # fmt: skip
"""Types by their fixed object identifier (pg_type.dat)."""

_NATIVE = ("bool", "int", "float", "string", "bytes")
"""Kinds that arrive as Python values. The others stay as the database writes them, so nothing is lost: a date of
4713 BC, a numeric of a thousand digits, a type of an extension."""

_TYPE_NAMES = """
SELECT format_type(t.oid, NULLIF(t.mod, -1)) FROM unnest(%s::oid[], %s::int[]) WITH ORDINALITY t (oid, mod, n)
 ORDER BY n"""


def describe(connection: psycopg.Connection[Any], sql: str) -> tuple[Column, ...]:
    """The columns of a statement; none if it returns no rows. Types of ours arrive as text from then on."""
    try:
        return _describe(connection, sql)
    except psycopg.errors.InvalidSqlStatementName:
        if connection.info.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
            raise
    # A connection pooler sent the two messages to two servers; inside a transaction it cannot.
    with connection.transaction(force_rollback=True):
        return _describe(connection, sql)


def _describe(connection: psycopg.Connection[Any], sql: str) -> tuple[Column, ...]:
    connection.pgconn.send_prepare(b"", sql.encode())
    _result(connection)
    connection.pgconn.send_describe_prepared(b"")
    result = _result(connection)
    numbers = range(result.nfields)
    oids = [result.ftype(i) for i in numbers]
    kinds = [_KINDS.get(oid, "other") for oid in oids]
    for oid, kind in zip(oids, kinds, strict=True):
        if kind not in _NATIVE:
            connection.adapters.register_loader(oid, TextLoader)
    modifiers = [result.fmod(i) for i in numbers]
    types = [name for (name,) in connection.execute(_TYPE_NAMES, (oids, modifiers))] if oids else []
    names = [(result.fname(i) or b"").decode() for i in numbers]
    return tuple(map(Column, names, types, kinds))


def _result(connection: psycopg.Connection[Any]) -> Any:
    results = connection.wait(generators.execute(connection.pgconn))
    if results[-1].status != ExecStatus.COMMAND_OK:
        raise psycopg.errors.error_from_result(results[-1], encoding="utf-8")
    return results[-1]
