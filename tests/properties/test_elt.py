"""Builds that run every night, on real databases: their second night, in orders that the graph allows."""

from __future__ import annotations

from typing import Any

import pytest
from sqlflow_codegen.graph.ordering import Ordering
from sqlflow_codegen.language import parse_program

from tests.properties.databases import Database, Session
from tests.properties.execution import Run
from tests.properties.orders import check
from tests.support.nightly import NIGHTLY_BUILDS

pytestmark = [pytest.mark.timeout(300), pytest.mark.database]

RAW = [
    "CREATE TABLE raw.customers (id int, email varchar(200), country varchar(20))",
    "INSERT INTO raw.customers VALUES (1, 'A@X', 'CH'), (2, 'B@X', 'JP'), (3, 'C@X', 'CH'), (NULL, 'D', 'D')",
    "CREATE TABLE raw.products (id int, name varchar(200), price int)",
    "INSERT INTO raw.products VALUES (1, 'nut', 2), (2, 'bolt', 5), (3, 'saw', 90)",
    "CREATE TABLE raw.orders (id int, customer_id int, ordered_at timestamp, status varchar(20))",
    "INSERT INTO raw.orders VALUES (1, 1, '2026-01-01 10:00:00', 'paid'), (2, 1, '2026-01-02 10:00:00', 'paid'), "
    "(3, 2, '2026-01-02 11:00:00', 'cancelled'), (4, 3, '2026-01-03 12:00:00', 'paid')",
    "CREATE TABLE raw.order_items (order_id int, product_id int, quantity int)",
    "INSERT INTO raw.order_items VALUES (1, 1, 10), (1, 2, 1), (2, 3, 1), (3, 1, 4), (4, 2, 7), (4, 3, 0)",
    "CREATE TABLE raw.payments (order_id int, amount int)",
    "INSERT INTO raw.payments VALUES (1, 20), (1, 5), (2, 90), (4, 35)",
]
SECOND_NIGHT = "INSERT INTO raw.payments VALUES (4, 1000)"


class SecondNight:
    """A database in which the program has run before, and that got more rows since."""

    def __init__(self, inner: Database, program: str) -> None:
        self._inner = inner
        self._program = program
        self.name, self.dialect, self.threads, self.second = inner.name, inner.dialect, inner.threads, inner.second

    def reset(self) -> None:
        self._inner.reset()
        session = self._inner.session()
        for statement in self._beginning():
            session.run(renamed(statement))
        session.close()

    def _beginning(self) -> list[str]:
        raw = [each.replace("timestamp", "datetime") if self.name == "mariadb" else each for each in RAW]
        first = [statement.text for statement in parse_program(self._program, self.dialect)]
        return ["CREATE SCHEMA s3", *raw, *first, SECOND_NIGHT]

    def session(self) -> Session:
        return self._inner.session()

    def dump(self) -> dict[str, Any]:
        return self._inner.dump()

    def close(self) -> None:
        """The other database stays open."""


def renamed(text: str) -> str:
    """The same in the schemas that a reset of the database clears."""
    for old, new in (("raw.", "s2."), ("mart.", "s3."), ("SCHEMA mart", "SCHEMA s3"), ("EXISTS mart", "EXISTS s3")):
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize("ordering", [Ordering.CONSERVATIVE, Ordering.LINEAGE])
@pytest.mark.parametrize("name", NIGHTLY_BUILDS)
def test_the_second_night_gives_what_the_programs_order_gives(
    name: str, ordering: Ordering, request: pytest.FixtureRequest
) -> None:
    fixture = {"postgres": "postgres", "mysql": "mariadb", "duckdb": "duckdb"}[name.partition("_")[0]]
    text = renamed(NIGHTLY_BUILDS[name])
    database = SecondNight(request.getfixturevalue(fixture), text)
    statements = [statement.text for statement in parse_program(text, database.dialect)]
    expected = Run(database, parse_program(text, database.dialect)).sequential()
    for seed in range(3):
        wrong = check(database, statements, expected, seed, ordering=ordering)
        assert wrong is None, str(wrong)
