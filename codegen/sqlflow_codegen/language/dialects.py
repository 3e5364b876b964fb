"""The SQL dialects that a program may be written in, by sqlglot's names, and the names that people use for them."""

from __future__ import annotations

from types import MappingProxyType

from sqlflow_codegen.errors import SQLFlowError
from sqlflow_codegen.language.suggest import did_you_mean

DIALECTS = ("postgres", "mysql", "sqlite", "duckdb", "hive", "trino", "spark", "bigquery", "snowflake")
"""Canonical names: sqlglot knows each of them by the same name."""

DEFAULT_DIALECT = "postgres"

MODELS_OF_THEIR_OWN = frozenset({"bigquery", "snowflake"})
"""Dialects whose databases have models: SHOW MODELS and DROP MODEL are theirs."""

DATABASES = MappingProxyType({"postgresql": "postgres", "mysql": "mysql", "sqlite": "sqlite", "duckdb": "duckdb"})
"""Databases that steps can use, by the scheme of their URLs -> the dialect of their programs."""

_OTHER_NAMES = {
    "postgres": "postgresql pg pgsql cockroachdb greenplum",
    "mysql": "mariadb tidb",
    "sqlite": "sqlite3",
    "hive": "maxcompute odps alisa",
    "trino": "presto athena",
    "spark": "sparksql databricks",
}
_ALIASES = MappingProxyType({alias: name for name, aliases in _OTHER_NAMES.items() for alias in aliases.split()})


def normalize_dialect(name: str) -> str:
    """Return the canonical dialect of that name, in any case; SQLAlchemy's `postgresql+psycopg` works too.

    Raises:
        SQLFlowError: no such dialect; the message lists those that exist.
    """
    wanted = name.strip().lower().partition("+")[0]
    canonical = _ALIASES.get(wanted, wanted)
    if canonical in DIALECTS:
        return canonical
    hint = did_you_mean(wanted, (*DIALECTS, *_ALIASES))
    known = ", ".join(DIALECTS)
    raise SQLFlowError(f"unknown SQL dialect `{name}`; known are {known}." + (f" {hint}" if hint else ""))
