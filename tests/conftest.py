"""What all layers share: the profile of hypothesis, and the database servers.

The same examples every time, so that a change of the code is all that can turn a test red. `make properties` tries new
ones, as many as SQLFLOW_EXAMPLES says.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings  # noqa: TID251  (here is the profile)

from tests.support.examples import EXAMPLES, LONG
from tests.support.servers import MariaServer, Server, maria_programs, maria_running, programs, running

settings.register_profile(
    "sqlflow",
    max_examples=EXAMPLES,
    derandomize=not LONG,
    deadline=None,  # a busy machine is no fault
    print_blob=LONG,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("sqlflow")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    found = programs()
    if found is None:
        pytest.skip("no PostgreSQL server on this machine (apt-get install postgresql)")
    with running(found) as server:
        yield server


@pytest.fixture(scope="session")
def maria_server() -> Iterator[MariaServer]:
    found = maria_programs()
    if found is None:
        pytest.skip("no MariaDB server on this machine (apt-get install mariadb-server)")
    with maria_running(*found) as server:
        yield server


@pytest.fixture
def served_folder() -> Iterator[Path]:
    """A folder that the database servers, which run as other users, may use."""
    with tempfile.TemporaryDirectory(prefix="sqlflow-files-") as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder
