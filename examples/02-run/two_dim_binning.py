"""Sorts the rows of a query into bins of two columns: the program that `TO RUN` starts.

    two_dim_binning.py --columns=width,weight --bin_method=bucket,log_bucket --bin_num=4,3

Reads SQLFLOW_TO_RUN_SELECT and writes the three tables of SQLFLOW_TO_RUN_INTO: the bins of either column
(`bin`, `low`, `high`, `n` rows), and those of each pair of bins (`bin1`, `bin2`, `n`).
"""

from __future__ import annotations

import argparse
import math
import os
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from importlib import import_module
from typing import Any
from urllib.parse import unquote, urlsplit


def connect(url: str) -> tuple[Any, str]:
    """Return a connection by Python's DB-API, and its mark for a parameter."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return sqlite3.connect(url.removeprefix("sqlite:///")), "?"
    if parts.scheme == "mysql":
        account = {"user": unquote(parts.username or ""), "password": unquote(parts.password or "")}
        where = {"host": parts.hostname, "port": parts.port or 3306, "database": parts.path[1:]}
        return import_module("pymysql").connect(**account, **where), "%s"
    return import_module("psycopg").connect(url), "%s"


def edges(values: Sequence[float], method: str, count: int) -> list[float]:
    """Return the `count + 1` bounds of bins of equal width: of the values, or of their logarithms."""
    low, high = min(values), max(values)
    if method == "log_bucket":
        low, high = math.log(low), math.log(high)
    bounds = [low + (high - low) * number / count for number in range(count + 1)]
    return [math.exp(bound) for bound in bounds] if method == "log_bucket" else bounds


def bin_of(value: float, bounds: Sequence[float]) -> int:
    """Return the number of a value's bin, from 0; the last bin has its upper bound too."""
    above = [number for number, bound in enumerate(bounds[1:-1], 1) if value >= bound]
    return max(above, default=0)


def write(cursor: Any, mark: str, table: str, columns: str, rows: Sequence[Sequence[float]]) -> None:
    """Replace a table."""
    cursor.execute(f"DROP TABLE IF EXISTS {table}")
    cursor.execute(f"CREATE TABLE {table} ({columns})")
    marks = ", ".join([mark] * len(rows[0]))
    cursor.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)


def _words(text: str) -> list[str]:
    return text.split(",")


def main() -> None:
    """Read, sort into bins, write."""
    parser = argparse.ArgumentParser()
    for name in ("columns", "bin_method", "bin_num"):
        parser.add_argument(f"--{name}", type=_words, required=True)
    given = parser.parse_args()
    tables = os.environ["SQLFLOW_TO_RUN_INTO"].split(",")
    connection, mark = connect(os.environ["SQLFLOW_DATABASE_URL"])
    with closing(connection), closing(connection.cursor()) as cursor:
        cursor.execute(os.environ["SQLFLOW_TO_RUN_SELECT"])
        names = [column[0] for column in cursor.description]
        rows = cursor.fetchall()
        bins = []
        for table, name, method, count in zip(tables, given.columns, given.bin_method, given.bin_num, strict=False):
            values = [float(row[names.index(name)]) for row in rows]
            bounds = edges(values, method, int(count))
            bins.append([bin_of(value, bounds) for value in values])
            sizes = Counter(bins[-1])
            lines = [(n, round(low, 6), round(bounds[n + 1], 6), sizes[n]) for n, low in enumerate(bounds[:-1])]
            write(cursor, mark, table, "bin INTEGER, low DOUBLE PRECISION, high DOUBLE PRECISION, n INTEGER", lines)
        pairs = sorted((*pair, size) for pair, size in Counter(zip(*bins, strict=True)).items())
        write(cursor, mark, tables[2], "bin1 INTEGER, bin2 INTEGER, n INTEGER", pairs)
        connection.commit()
    print(f"{len(rows)} rows in {len(pairs)} pairs of bins")


if __name__ == "__main__":
    main()
