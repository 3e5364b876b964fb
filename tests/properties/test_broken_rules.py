"""The property tests would notice a graph that is wrong: without any one of its rules they fail."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import islice

import pytest
from sqlflow_codegen.graph.ordering import ALL_RULES, Rules

from tests.properties.databases import Database
from tests.properties.elsewhere import RULES as ELSEWHERE
from tests.properties.orders import Wrong, check, programs

pytestmark = pytest.mark.timeout(600)

MANY = 3000
OTHERS = [("sequences", "postgres"), ("views", "duckdb"), ("dropped", "postgres"), ("dropped", "mariadb")]
CAUGHT_BY = [
    *(
        (rule.name, "sqlite")
        for rule in fields(Rules)
        if rule.name not in (*ELSEWHERE, "sequences", "views", "routines")
    ),
    *OTHERS,
    ("drops", "postgres"),
    ("routines", "postgres"),
    ("routines", "mariadb"),
    ("routines", "duckdb"),
]
"""The databases that notice each broken rule soon; SQLite, the fastest, for most of them."""


def first_wrong(database: Database, rules: Rules) -> Wrong | None:
    """The first of many random programs that goes wrong."""
    for seed, statements, expected in islice(programs(database), MANY):
        wrong = check(database, statements, expected, seed, rules=rules)
        if wrong is not None:
            return wrong
    return None


@pytest.mark.parametrize(("rule", "by"), CAUGHT_BY)
def test_a_broken_rule_is_caught(rule: str, by: str, request: pytest.FixtureRequest) -> None:
    database: Database = request.getfixturevalue({"mariadb": "mariadb_"}.get(by, by))
    assert first_wrong(database, replace(ALL_RULES, **{rule: False})) is not None
