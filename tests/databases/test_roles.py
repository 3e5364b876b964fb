"""Columns that are no features: weights of rows, groups to rank, bounds of times."""

from __future__ import annotations

import pytest
from sqlflow_runtime.databases.driver import Database

from tests.databases.harness import fail, succeed
from tests.databases.ranked_pages import load_pages

PREDICT = "SELECT id, a, b FROM pages TO PREDICT p.y USING m; SELECT y FROM p ORDER BY id"
RANKERS = (
    "XGBRanker WITH objective='rank:ndcg', eval_metric=['ndcg@3', ndcg]",
    "lightgbm.LGBMRanker WITH metric=[ndcg, map], eval_at=[3], min_data_in_leaf=2",
    "lightgbm.gbdt WITH objective=rank_xendcg, min_data_in_leaf=2",
)


@pytest.fixture
def pages(database: Database) -> Database:
    load_pages(database)
    return database


@pytest.fixture
def pages_sqlite(sqlite: Database) -> Database:
    load_pages(sqlite)
    return sqlite


def predicted(database: Database, train: str) -> list[float]:
    return [
        y
        for (y,) in succeed(
            database,
            f"{train}; {PREDICT}",
        ).rows(3)
    ]


@pytest.mark.parametrize("estimator", RANKERS)
def test_rows_are_ranked_within_their_groups(pages: Database, estimator: str) -> None:
    """On every database; groups may be texts."""
    validation = "validation.select='SELECT a, b, query, relevance FROM pages WHERE query > 8'"
    train = f"SELECT a, b, query, relevance FROM pages TO TRAIN {estimator}, train.group=query, {validation} "
    ran = succeed(pages, f"{train} LABEL relevance INTO m")
    assert "ranked as one group" not in ran.logged
    values = ran.of("progress")[-1]["values"]
    assert any("ndcg" in name for name in values)
    assert all(value > 0.7 for value in values.values())
    best, worst = (pages.execute(f"SELECT a, b FROM pages ORDER BY a {way}, b LIMIT 1")[0] for way in ("DESC", "ASC"))
    grid = f"SELECT {best[0]} AS a, {best[1]} AS b UNION ALL SELECT {worst[0]}, {worst[1]} TO PREDICT p.y USING m"
    rows = succeed(pages, f"{grid}; SELECT y FROM p ORDER BY a DESC").rows(2)
    assert rows[0][0] > rows[1][0]
    assert [one.name for one in pages.describe("SELECT * FROM p")] == ["a", "b", "y"]


def test_groups_of_texts_are_those_of_numbers(pages_sqlite: Database) -> None:
    train = "SELECT a, b, {} AS g, relevance FROM pages TO TRAIN XGBRanker WITH train.group=g LABEL relevance INTO m"
    by_number = predicted(pages_sqlite, train.format("query + 10"))
    assert predicted(pages_sqlite, train.format("'q' || (query + 10)")) == by_number
    one_group = predicted(pages_sqlite, train.format("1"))
    assert one_group != by_number


@pytest.mark.parametrize(
    "estimator",
    [
        "xgboost.gbtree WITH objective='reg:squarederror'",
        "xgboost.gblinear WITH objective='reg:squarederror'",
        "lightgbm.gbdt WITH objective=regression",
    ],
)
def test_a_weight_of_nought_leaves_a_row_out(pages_sqlite: Database, estimator: str) -> None:
    """Rows that weigh nothing change no prediction, whatever their label."""
    train = "SELECT a, b, {}, CASE weight WHEN 0 THEN {} ELSE t END AS t FROM pages TO TRAIN {} {} LABEL t INTO m"
    weighed = ", train.sample_weight=weight"
    lied, true = (predicted(pages_sqlite, train.format("weight", t, estimator, weighed)) for t in ("-500", "t"))
    assert lied == pytest.approx(true, rel=1e-4)
    plain = "SELECT a, b, CASE weight WHEN 0 THEN -500 ELSE t END AS t FROM pages TO TRAIN {} LABEL t INTO m"
    assert predicted(pages_sqlite, plain.format(estimator)) != pytest.approx(true, rel=1e-2)


def test_times_between_two_bounds(pages_sqlite: Database) -> None:
    """What has not happened yet happens later than what has: NULL is no upper bound."""
    train = "SELECT a, b, {} t FROM pages TO TRAIN xgboost.gbtree WITH objective='survival:aft' {} LABEL t INTO m"
    exact = predicted(pages_sqlite, train.format("", ""))
    between = predicted(pages_sqlite, train.format("late,", ", train.label_upper_bound=late"))
    assert sum(between) > sum(exact) * 1.05
    bounds = ", train.label_lower_bound=low, train.label_upper_bound=high"
    same = predicted(pages_sqlite, train.format("t AS low, t AS high,", bounds))
    assert same == exact
    hint = fail(pages_sqlite, train.format("t / 2 AS late,", ", train.label_upper_bound=late"))
    assert hint.message.startswith("train.label_upper_bound is below train.label_lower_bound")


@pytest.mark.parametrize(
    ("select", "attribute", "message"),
    [
        ("a, weight - 1 AS w", "train.sample_weight=w", "the column w is NULL, negative or infinite in"),
        ("a, late AS w", "train.sample_weight=w", "the column w is NULL, negative or infinite in"),
        ("a, 'x' AS w", "train.sample_weight=w", "'x' is not a number, in the column w"),
        ("a, b", "train.sample_weight=w", "train.sample_weight w is not a column of the SELECT"),
    ],
)
def test_weights_that_are_none(pages_sqlite: Database, select: str, attribute: str, message: str) -> None:
    for estimator in ("xgboost.gbtree WITH objective='reg:squarederror'", "lightgbm.gbdt WITH objective=regression"):
        error = fail(pages_sqlite, f"SELECT {select}, t FROM pages TO TRAIN {estimator}, {attribute} LABEL t INTO m")
        assert message in error.message
        assert error.kind == "data"


def test_groups_that_are_none(pages_sqlite: Database) -> None:
    train = "SELECT a, b, {} AS g, relevance FROM pages TO TRAIN XGBRanker WITH train.group=g {} LABEL relevance INTO m"
    error = fail(pages_sqlite, train.format("NULLIF(query, 3)", ""))
    assert "train.group: the column g is NULL in" in error.message
    error = fail(pages_sqlite, train.format("query AS q2, weight", ", train.sample_weight=q2"))
    assert "groups have different weights" in error.message
    predicted(pages_sqlite, train.format("query AS w, query", ", train.sample_weight=w"))
