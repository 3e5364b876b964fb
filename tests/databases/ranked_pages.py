"""Pages to rank, with times and weights: made by a seeded generator, not measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sqlflow_runtime.databases.driver import Database

from tests.databases.harness import succeed

COUNT = 240


@dataclass(frozen=True)
class Page:
    """A row of the table `pages`; `late` is a time after `t`, None where the event has not happened yet."""

    id: int
    a: float
    b: float
    kind: int
    query: int
    relevance: int
    t: float
    late: float | None
    weight: int

    @property
    def values(self) -> str:
        late = "NULL" if self.late is None else self.late
        numbers = (self.id, self.a, self.b, self.kind, self.query, self.relevance, self.t, late, self.weight)
        return f"({', '.join(map(str, numbers))})"


def _pages() -> list[Page]:
    chance = np.random.default_rng(11)
    found = []
    for number in range(COUNT):
        a, b, noise = (round(float(one), 3) for one in chance.random(3))
        kind, query, weight = (int(chance.integers(0, most)) for most in (6, 12, 4))
        t = round(1 + a * 5 + noise + (kind % 3), 3)
        late = None if query % 3 == 0 else round(t * 1.5, 3)
        found.append(Page(number, a * 10, b, kind, query, min(3, int(a * 4)), t, late, weight))
    return found


PAGES = _pages()


def load_pages(database: Database) -> None:
    """Make the table `pages`."""
    double = "DOUBLE PRECISION" if database.dialect == "postgres" else "DOUBLE"
    columns = (
        f"id INTEGER, a {double}, b {double}, kind INTEGER, query INTEGER, relevance INTEGER, t {double}, "
        f"late {double}, weight INTEGER"
    )
    values = ", ".join(page.values for page in PAGES)
    succeed(database, f"CREATE TABLE pages ({columns}); INSERT INTO pages VALUES {values};")
