"""The databases of the property tests, each started when it is first wanted and stopped at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.properties.databases import Database, DuckDB, SQLite, temporary_folder
from tests.properties.servers import MariaDB, Postgres
from tests.support.servers import MariaServer, Server

DATABASES = ("postgres", "mariadb", "sqlite", "duckdb")


@pytest.fixture(scope="session")
def postgres(postgres_server: Server) -> Iterator[Database]:
    with closing(Postgres(postgres_server)) as database:
        yield database


@pytest.fixture(scope="session")
def mariadb(maria_server: MariaServer) -> Iterator[Database]:
    with closing(MariaDB(maria_server)) as database:
        yield database


@pytest.fixture(scope="session")
def sqlite() -> Iterator[Database]:
    with temporary_folder() as folder:
        yield SQLite(Path(folder))


@pytest.fixture(scope="session")
def duckdb() -> Iterator[Database]:
    with closing(DuckDB()) as database:
        yield database


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.database) for name in DATABASES])
def database(request: pytest.FixtureRequest) -> Database:
    """Each database in turn."""
    found: Database = request.getfixturevalue(request.param)
    return found
