"""The tables of these examples, as SQL for any database: `python data.py > data.sql`.

The flowers are scikit-learn's copy of Fisher's iris. All other rows are made up here, in the shape of SQLFlow's own
examples and the same at every run: houses whose price is a known function of their columns, customers, lists of
numbers, texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

from sklearn.datasets import load_iris

Rows = Sequence[Sequence[Any]]
_FLOWER = "sepal_length FLOAT8, sepal_width FLOAT8, petal_length FLOAT8, petal_width FLOAT8, class INTEGER"
_HOUSE = ", ".join(f"f{number} FLOAT8" for number in range(1, 14)) + ", target FLOAT8"


def tables() -> Iterator[tuple[str, str, Rows]]:
    """Name, columns and rows of each table."""
    data, classes = load_iris(return_X_y=True)
    flowers = [[*map(float, row), int(kind)] for row, kind in zip(data, classes, strict=True)]
    test = [row for number, row in enumerate(flowers) if number % 15 == 7]
    train = [row for number, row in enumerate(flowers) if number % 15 != 7]
    yield "iris_train", _FLOWER, train
    yield "iris_test", _FLOWER, test
    yield "iris_gaps", _FLOWER, [_with_gaps(row, number) for number, row in enumerate(train) if row[4] < 2]
    houses = _houses(506)
    yield "housing_train", _HOUSE, houses[:404]
    yield "housing_test", _HOUSE, houses[404:]
    yield "churn", "customerid VARCHAR(20), gender INTEGER, tenure INTEGER, seniorcitizen INTEGER", _customers(82)
    yield "sparse_pairs", "c1 VARCHAR(60), label_col FLOAT8", [
        ["1:0.5 3:-1.5", 1.0], ["0:2.5 2:0.25", 0.0], ["1:1.5 10:0.75", 1.0],
    ]  # fmt: skip
    yield (
        "derivation",
        "c1 FLOAT8, c2 INTEGER, c3 VARCHAR(40), class INTEGER",
        [[0.5 * n, n % 3, f"{n},{n % 2},{n * n},{-n}", n % 2] for n in range(1, 6)],
    )
    yield (
        "sanity_check",
        ", ".join(f"f{n} INTEGER" for n in range(5)) + ", class INTEGER",
        [[*(int(n == on) for n in range(5)), on] for on in range(5)],
    )
    yield (
        "weighted_pairs",
        "feature VARCHAR(60), label_col INTEGER",
        [[f"{n}:{n / 10 + 0.1:.1f},{(n + 3) % 10}:0.5", n % 2] for n in range(10)],
    )
    yield from _texts()
    yield (
        "series",
        "a FLOAT8, b FLOAT8, c FLOAT8, next_two VARCHAR(60)",
        [[float(n), n + 1.0, n + 2.0, f"{n + 3},{n + 4}"] for n in range(40)],
    )
    yield from _plans()


def _with_gaps(row: Sequence[Any], number: int) -> list[Any]:
    return [row[0], None if number % 7 == 0 else row[1], None if number % 5 == 0 else row[2], *row[3:]]


def _houses(count: int) -> list[list[float]]:
    """The price rises by `f6` most of all, then by `f13`, then by `f8`; `f4` and the others hardly matter."""
    chance, rows = Random(13), []
    for _ in range(count):
        f = [round(chance.uniform(0, 10), 3) for _ in range(13)]
        f[3] = float(f[3] > 9)
        rows.append([*f, round(5 + 2.5 * f[5] + 1.2 * f[12] + 0.6 * f[7] + 0.05 * f[0], 3)])
    return rows


def _customers(count: int) -> list[list[Any]]:
    chance = Random(5)
    rows = []
    for number in range(count):
        gender, tenure = chance.randrange(2), chance.randrange(72)
        rows.append([f"{number:04}-{chance.choice('ABCDEF')}", gender, tenure, int(tenure > 40)])
    return rows


def _texts() -> Iterator[tuple[str, str, Rows]]:
    """Lists of numbers of words; every class has words of its own."""
    chance = Random(17)
    news = [
        [",".join(str(kind * 900 + chance.randrange(30)) for _ in range(6)), kind] for kind in range(17) for _ in "1234"
    ]
    yield "news", "news_title VARCHAR(80), class_id INTEGER", news
    reviews = [
        [",".join(str(kind * 15 + chance.randrange(15)) for _ in range(5 + number % 6)), kind]
        for number in range(60)
        for kind in (0, 1)
    ]
    yield "reviews", "words VARCHAR(80), label_col INTEGER", reviews


def _plans() -> Iterator[tuple[str, str, Rows]]:
    columns = "product VARCHAR(20), price INTEGER, materials_cost INTEGER, other_cost INTEGER, finishing INTEGER, "
    yield "woodcarving", columns + "carpentry INTEGER, max_num INTEGER", [
        ["soldier", 27, 10, 14, 2, 1, 40], ["train", 21, 9, 10, 1, 1, 10000],
    ]  # fmt: skip
    yield "plants", "plants VARCHAR(20), capacity INTEGER", [["plantA", 100], ["plantB", 90]]
    yield "markets", "markets VARCHAR(20), demand INTEGER", [["marketA", 130], ["marketB", 60]]
    yield "distances", "plants VARCHAR(20), markets VARCHAR(20), distance INTEGER", [
        ["plantA", "marketA", 140], ["plantA", "marketB", 210], ["plantB", "marketA", 300], ["plantB", "marketB", 90],
    ]  # fmt: skip


def script(names: Mapping[str, Any] | None = None) -> str:
    """The statements that make the tables: all of them, or those of these names."""
    parts = []
    for name, columns, rows in tables():
        if names is None or name in names:
            values = ",\n".join(f"({', '.join(map(_literal, row))})" for row in rows)
            parts += [f"DROP TABLE IF EXISTS {name};", f"CREATE TABLE {name} ({columns});"]
            parts += [f"INSERT INTO {name} VALUES\n{values};"]
    return "\n".join(parts) + "\n"


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    return f"'{value}'" if isinstance(value, str) else repr(value)


if __name__ == "__main__":
    print(script(), end="")
