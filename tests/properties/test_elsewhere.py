"""Random programs whose definitions read elsewhere: any order that the graph allows gives what program order gives.

As many of them as `test_orders.py` says.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
from sqlflow_codegen.graph.ordering import Ordering

from tests.properties.broken import BROKEN
from tests.properties.databases import Database
from tests.properties.elsewhere import RULES, WithFiles, programs
from tests.properties.orders import Wrong, check, minimised
from tests.properties.test_orders import PROGRAMS
from tests.support.examples import SEED

pytestmark = [pytest.mark.random, pytest.mark.timeout(300 + 5 * PROGRAMS)]

COUNT = max(PROGRAMS // 3, 1)
MANY = 400


def first_wrong(database: WithFiles, count: int, ordering: Ordering) -> Wrong | None:
    """The first of some random programs that goes wrong."""
    for seed, statements, expected in islice(programs(database, SEED), count):
        wrong = check(database, statements, expected, seed, ordering=ordering)
        if wrong is not None:
            return wrong
    return None


@pytest.mark.parametrize("ordering", [Ordering.CONSERVATIVE, Ordering.LINEAGE])
def test_what_is_read_elsewhere_keeps_its_order(database: Database, served_folder: Path, ordering: Ordering) -> None:
    with_files = WithFiles(database, served_folder)
    wrong = first_wrong(with_files, COUNT, ordering)
    if wrong is not None:
        pytest.fail(str(minimised(with_files, wrong, ordering)))


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_broken_rule_is_caught(
    rule: str, request: pytest.FixtureRequest, served_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = WithFiles(request.getfixturevalue(RULES[rule]), served_folder)
    BROKEN[rule](monkeypatch)
    assert first_wrong(database, MANY, Ordering.LINEAGE) is not None
