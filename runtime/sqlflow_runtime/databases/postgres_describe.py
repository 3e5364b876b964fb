"""The columns of a statement in PostgreSQL, by the protocol's Parse and Describe: nothing is executed."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import generators
from psycopg.abc import PQGen
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult
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


_STANDARD_NAMES = {
    16: "boolean", 20: "bigint", 21: "smallint", 23: "integer", 700: "real", 701: "double precision",
    1043: "character varying", 1114: "timestamp without time zone", 1184: "timestamp with time zone", 1700: "numeric",
}  # fmt: skip
"""Names by `format_type` of types without a modifier, whatever the search path: words of SQL's own grammar."""


def describe(connection: psycopg.Connection[Any], sql: str) -> tuple[Column, ...]:
    """The columns of a statement; none if it returns no rows. Types of ours arrive as text from then on."""
    result = connection.wait(_described(connection.pgconn, sql.encode()))
    numbers = range(result.nfields)
    oids = [result.ftype(i) for i in numbers]
    kinds = [_KINDS.get(oid, "other") for oid in oids]
    for oid, kind in zip(oids, kinds, strict=True):
        if kind not in _NATIVE:
            connection.adapters.register_loader(oid, TextLoader)
    types = _type_names(connection, oids, [result.fmod(i) for i in numbers])
    names = [(result.fname(i) or b"").decode() for i in numbers]
    return tuple(map(Column, names, types, kinds))


def changed(connection: psycopg.Connection[Any], sql: str) -> int:
    """Execute an INSERT, UPDATE or DELETE without RETURNING, in one round trip; returns the number of rows.

    By the protocol that takes one statement at a time.
    """
    connection.pgconn.send_query_params(sql.encode(), None)
    result: PGresult = connection.wait(generators.execute(connection.pgconn))[-1]
    if result.status != ExecStatus.COMMAND_OK:
        raise psycopg.errors.error_from_result(result, encoding="utf-8")
    return result.command_tuples or 0


def _described(pgconn: PGconn, sql: bytes) -> PQGen[PGresult]:
    """Parse and Describe in one message: one round trip, and no pooler can send them to two servers."""
    pgconn.enter_pipeline_mode()
    pgconn.send_prepare(b"", sql)
    pgconn.send_describe_prepared(b"")
    pgconn.pipeline_sync()
    yield from generators.send(pgconn)
    prepared = yield from generators.fetch_many(pgconn)
    described = yield from generators.fetch_many(pgconn)
    yield from generators.fetch_many(pgconn)
    pgconn.exit_pipeline_mode()
    for (result,) in (prepared, described):
        if result.status != ExecStatus.COMMAND_OK:
            raise psycopg.errors.error_from_result(result, encoding="utf-8")
    columns: PGresult = described[0]
    return columns


def _type_names(connection: psycopg.Connection[Any], oids: list[int], modifiers: list[int]) -> list[str]:
    standard = [_STANDARD_NAMES.get(oid, "") * (mod == -1) for oid, mod in zip(oids, modifiers, strict=True)]
    if all(standard):
        return standard
    return [name for (name,) in connection.execute(_TYPE_NAMES, (oids, modifiers))]
