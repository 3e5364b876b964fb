"""Tables in the shape of SQLFlow's examples, made by a seeded generator: not the data sets of those names."""

from __future__ import annotations

import numpy as np
from sqlflow_runtime.databases.driver import Database

from tests.databases.harness import succeed

HOUSE_COLUMNS = tuple(f"f{number}" for number in range(1, 14))
BOSTON_COLUMNS = ("crim", "zn", "indus", "chas", "nox", "rm", "age", "dis", "rad", "tax", "ptratio", "b", "lstat")


def _double(database: Database) -> str:
    return "DOUBLE PRECISION" if database.dialect == "postgres" else "DOUBLE"


def _rows(count: int) -> list[list[float]]:
    """13 features, and a price between 5 and 50 that follows four of them with a little noise."""
    chance = np.random.default_rng(3)
    features = chance.random((count, 13))
    price = 27 + 12 * (features[:, 5] - 0.5) - 9 * features[:, 12] + 6 * np.sin(4 * features[:, 0])
    price += 3 * (features[:, 8] > 0.5) + chance.normal(0, 0.2, count)
    return [[round(float(one), 4) for one in (*row, value)] for row, value in zip(features, price, strict=True)]


def load_housing(database: Database) -> None:
    """Make `housing_train` (404 rows) and `housing_test` (102 rows) with `f1` to `f13` and `target`."""
    rows = _rows(506)
    columns = ", ".join(f"{name} {_double(database)}" for name in (*HOUSE_COLUMNS, "target"))
    for table, part in (("housing_train", rows[:404]), ("housing_test", rows[404:])):
        values = ", ".join(f"({', '.join(map(str, row))})" for row in part)
        succeed(database, f"CREATE TABLE {table} ({columns}); INSERT INTO {table} VALUES {values};")


def load_boston(database: Database) -> None:
    """Make `boston_train` (300 rows): the columns of that name, `rad` and `tax` NULL in every third row, and `medv`."""
    columns = ", ".join(f"{name} {_double(database)}" for name in (*BOSTON_COLUMNS, "medv"))
    lines = []
    for number, row in enumerate(_rows(300)):
        shown = ["NULL" if number % 3 == 0 and place in (8, 9) else str(one) for place, one in enumerate(row)]
        lines.append(f"({', '.join(shown)})")
    succeed(database, f"CREATE TABLE boston_train ({columns}); INSERT INTO boston_train VALUES {', '.join(lines)};")


def load_churn(database: Database) -> None:
    """Make `churn_train` (82 rows) and `churn_test` (10): texts, numbers, and `seniorcitizen`, 0 or 1."""
    chance = np.random.default_rng(5)
    lines = []
    for number in range(92):
        gender, tenure, charges = int(chance.integers(0, 2)), int(chance.integers(0, 72)), float(chance.random() * 100)
        senior = int(charges > 60) if gender else int(tenure > 40)
        lines.append(f"('{number:04}-XYZ', {gender}, {tenure}, {charges:.2f}, {senior})")
    for table, part in (("churn_train", lines[:82]), ("churn_test", lines[82:])):
        columns = f"customerid VARCHAR(20), gender INTEGER, tenure INTEGER, charges {_double(database)}, "
        text = f"CREATE TABLE {table} ({columns} seniorcitizen INTEGER); INSERT INTO {table} VALUES {', '.join(part)};"
        succeed(database, text)
