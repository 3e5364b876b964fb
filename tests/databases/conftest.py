"""Real databases for the runtime's tests: PostgreSQL (a server of the tests' own), DuckDB and SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlflow_runtime.ml  # noqa: F401  (sets the libraries' threads before they are loaded)
from sqlflow_runtime.databases.driver import Database

from tests.databases.harness import KINDS, connect, succeed
from tests.databases.six_rows import DATA, TRAIN
from tests.support.servers import MariaServer, Server


@pytest.fixture
def postgres_url(postgres_server: Server) -> Iterator[str]:
    """URL of a database that is empty. Emptied after each test: making a new one takes twenty times as long."""
    yield postgres_server.url()
    with postgres_server.connect() as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        schemas = admin.execute(
            "SELECT quote_ident(nspname) FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
        ).fetchall()
        for (schema,) in schemas:
            admin.execute(f"DROP SCHEMA {schema} CASCADE".encode())
        admin.execute("CREATE SCHEMA public")
        admin.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[Database]:
    with closing(connect(postgres_url)) as database:
        yield database


@pytest.fixture
def duckdb(tmp_path: Path) -> Iterator[Database]:
    with closing(connect(f"duckdb:///{tmp_path}/test.duckdb")) as database:
        yield database


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    with closing(connect(f"sqlite:///{tmp_path}/test.sqlite")) as database:
        yield database


@pytest.fixture
def mysql_url(maria_server: MariaServer) -> str:
    """URL of a database that is empty."""
    with maria_server.connect() as admin, admin.cursor() as cursor:
        cursor.execute("DROP DATABASE IF EXISTS test")
        cursor.execute("CREATE DATABASE test CHARACTER SET utf8mb4")
    return maria_server.url()


@pytest.fixture
def mysql(mysql_url: str) -> Iterator[Database]:
    with closing(connect(mysql_url)) as database:
        yield database


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest) -> Database:
    """Each kind of database in turn."""
    found: Database = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def iris(database: Database) -> Database:
    """A database with scikit-learn's iris flowers: `train` (120 rows) and `test` (30), equal shares of each class."""
    load_iris(database)
    return database


@pytest.fixture
def iris_sqlite(sqlite: Database) -> Database:
    """The same, on the database that starts fastest."""
    load_iris(sqlite)
    return sqlite


def load_iris(database: Database) -> None:
    from sklearn import datasets
    from sklearn.model_selection import train_test_split

    flowers = datasets.load_iris()
    species = [str(flowers.target_names[number]) for number in flowers.target]
    rows = [
        (*map(float, measures), int(n), s) for measures, n, s in zip(flowers.data, flowers.target, species, strict=True)
    ]
    train, test = train_test_split(rows, test_size=30, random_state=1, stratify=flowers.target)
    names = ", ".join(f"{part}_{side} FLOAT" for part in ("sepal", "petal") for side in ("length", "width"))
    columns = f"{names}, class INTEGER, species VARCHAR(20)"
    for name, part in (("train", train), ("test", test)):
        values = ", ".join(str(row) for row in part)
        succeed(database, f"CREATE TABLE {name} ({columns}); INSERT INTO {name} VALUES {values};")


@pytest.fixture
def data(database: Database) -> Database:
    """A table `d` of six rows, and a model `m` that knows them."""
    double = "DOUBLE PRECISION" if database.dialect == "postgres" else "DOUBLE"
    succeed(database, DATA.format(double=double) + TRAIN)
    return database


@pytest.fixture
def counted(database: Database) -> Database:
    """A database with an empty table `t`."""
    succeed(database, "CREATE TABLE t (a INTEGER)")
    return database
