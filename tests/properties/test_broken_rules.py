"""The property tests would notice a graph that is wrong: without any one of its rules they fail."""

from __future__ import annotations

from itertools import islice

import pytest

from tests.properties.broken import BROKEN
from tests.properties.databases import Database
from tests.properties.elsewhere import RULES as ELSEWHERE
from tests.properties.orders import Wrong, check, programs

pytestmark = pytest.mark.timeout(600)

MANY = 3000
OTHERS = [("sequences", "postgres"), ("views", "duckdb"), ("dropped", "postgres"), ("dropped", "mariadb")]
CAUGHT_BY = [
    *((rule, "sqlite") for rule in BROKEN if rule not in (*ELSEWHERE, "sequences", "views", "routines")),
    *OTHERS,
    ("drops", "postgres"),
    ("routines", "postgres"),
    ("routines", "mariadb"),
    ("routines", "duckdb"),
]
"""The databases that notice each broken rule soon; SQLite, the fastest, for most of them."""


def first_wrong(database: Database) -> Wrong | None:
    """The first of many random programs that goes wrong."""
    for seed, statements, expected in islice(programs(database), MANY):
        wrong = check(database, statements, expected, seed)
        if wrong is not None:
            return wrong
    return None


@pytest.mark.parametrize(("rule", "by"), CAUGHT_BY)
def test_a_broken_rule_is_caught(
    rule: str, by: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    database: Database = request.getfixturevalue(by)
    BROKEN[rule](monkeypatch)
    assert first_wrong(database) is not None
