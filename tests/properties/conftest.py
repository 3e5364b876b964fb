"""The databases of the property tests, each started when it is first wanted and stopped at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.properties import mariadb
from tests.properties.databases import Database, DuckDB, SQLite, temporary_folder
from tests.properties.servers import MariaDB, Postgres
from tests.support.servers import programs, running

DATABASES = ("postgres", "mariadb", "sqlite", "duckdb")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Database]:
    found = programs()
    if found is None:
        pytest.skip("no PostgreSQL server on this machine (apt-get install postgresql)")
    with running(found) as server, closing(Postgres(server)) as database:
        yield database


@pytest.fixture(scope="session")
def mariadb_() -> Iterator[Database]:
    if not mariadb.installed():
        pytest.skip("no MariaDB server on this machine (apt-get install mariadb-server)")
    with mariadb.running() as socket, closing(MariaDB(socket)) as database:
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
    name = {"mariadb": "mariadb_"}.get(request.param, request.param)
    found: Database = request.getfixturevalue(name)
    return found
