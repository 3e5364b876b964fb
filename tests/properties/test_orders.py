"""Random programs on real databases: any order that the graph allows gives what the program's own order gives.

The same 60 for each database every time; `make properties` runs many more, and new ones each time.
"""

from __future__ import annotations

from itertools import islice

import pytest
from sqlflow_codegen.graph.ordering import Ordering

from tests.properties.databases import Database
from tests.properties.orders import check, minimised, programs
from tests.support.examples import SEED, scaled

PROGRAMS = scaled(60)

pytestmark = [pytest.mark.random, pytest.mark.timeout(120 + 5 * PROGRAMS)]


def run(database: Database, count: int, ordering: Ordering, *, trusted: bool = False) -> int:
    """Number of programs checked; fails with the smallest program found that went wrong."""
    checked = 0
    for seed, statements, expected in islice(programs(database, SEED, trusted=trusted), count):
        wrong = check(database, statements, expected, seed, ordering=ordering)
        if wrong is not None:
            pytest.fail(str(minimised(database, wrong, ordering)))
        checked += 1
    return checked


def test_conservative_order_gives_what_sequential_execution_gives(database: Database) -> None:
    assert run(database, PROGRAMS, Ordering.CONSERVATIVE) == PROGRAMS


def test_lineage_does_so_where_existing_relations_are_plain_tables(database: Database) -> None:
    count = max(PROGRAMS // 4, 1)
    assert run(database, count, Ordering.LINEAGE, trusted=True) == count


def test_steps_in_program_order_do_so_too(database: Database) -> None:
    count = max(PROGRAMS // 10, 1)
    assert run(database, count, Ordering.SEQUENTIAL) == count
