"""One build that runs every night, in the ways in which people write that everything is made again."""

from __future__ import annotations

import re
from pathlib import Path

_BUILD = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
_CREATE = re.compile(r"^CREATE (TABLE|VIEW) (\S+)", re.MULTILINE)


def _with_schema() -> str:
    """The schema is made again; what only the build itself reads is dropped at its end."""
    build, select = _BUILD.split("\nSELECT * FROM")
    drops = "".join(f"\nDROP TABLE {name};" for _, name in _CREATE.findall(build) if ".int_" in name)
    return f"DROP SCHEMA IF EXISTS mart CASCADE;\nCREATE SCHEMA mart;\n{build}{drops}\nSELECT * FROM{select}"


def _with_drops() -> str:
    """A DROP for every table and view, in the order of their dependencies."""
    drops = [f"DROP {kind} IF EXISTS {name};\n" for kind, name in reversed(_CREATE.findall(_BUILD))]
    return "".join(drops) + _BUILD


def _interleaved() -> str:
    """Each table is dropped just before it is made again."""
    return _CREATE.sub(r"DROP \1 IF EXISTS \2 CASCADE;\n\g<0>", _BUILD)


def _in_mysql() -> str:
    """With drops, in the words of MySQL and MariaDB."""
    text = _with_drops().replace(" text,", " varchar(200),").replace("ordered_at::date", "date(ordered_at)")
    return re.sub(r"COMMENT ON TABLE (\S+) IS", r"ALTER TABLE \1 COMMENT =", text)


def _in_duckdb() -> str:
    """Everything is replaced."""
    build = re.sub(r"^CREATE INDEX .*\n", "", _BUILD, flags=re.MULTILINE)
    return "CREATE SCHEMA IF NOT EXISTS mart;\n" + _CREATE.sub(r"CREATE OR REPLACE \1 \2", build)


NIGHTLY_BUILDS = {
    "postgres_schema": _with_schema(),
    "postgres_tables": _with_drops(),
    "postgres_interleaved": _interleaved(),
    "mysql": _in_mysql(),
    "duckdb": _in_duckdb(),
}
"""By dialect, and way: the program."""
