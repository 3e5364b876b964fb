"""SQLFlow's examples as SQLFlowJobs in real pods, on PostgreSQL and on MariaDB."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from devcluster import images, load
from devcluster.cluster import Cluster
from devcluster.stack import Stack

from tests.e2e.kube import Kube, sqlflow_job
from tests.support.sqlflow_examples import CHECKS, PROGRAMS, Query, data, program

pytestmark = pytest.mark.e2e
FOLDER = Path(__file__).parent / "mariadb"
IMAGE = "localhost/sqlflow-mariadb:dev"
SECRETS = {"postgres": "iris-database", "mysql": "mariadb"}
SECONDS = 1200
"""All programs of one database at once, on two cores."""


@pytest.fixture(scope="module")
def mariadb(stack: Stack, kube: Kube) -> None:
    """A MariaDB server in the tests' namespace."""
    cluster = Cluster.open(stack.context)
    images.build_image(stack.context, cluster.platform, images.Build(IMAGE, FOLDER, FOLDER / "Dockerfile"))
    load.load_images(cluster, [IMAGE])
    kube.run("apply", "-f", str(FOLDER / "mariadb.yaml"))
    kube.run("rollout", "status", "deployment/mariadb", "--timeout=100s")


def _mariadb(kube: Kube) -> Query:
    client = ("mariadb", "--no-defaults", "--socket=/tmp/mariadb.sock", "--user=sqlflow", "--password=tests-only")
    command = ("exec", "-i", "deployment/mariadb", "--", *client, "--batch", "--raw", "--skip-column-names", "sqlflow")
    return lambda text: [line.split("\t") for line in kube.run(*command, text=text).stdout.splitlines()]


@pytest.fixture(scope="module", params=["postgres", "mysql"])
def query(request: pytest.FixtureRequest, kube: Kube) -> Iterator[Query]:
    """Queries on a database in which all programs have run, each as a job of its own."""
    dialect: str = request.param
    if dialect == "mysql":
        request.getfixturevalue("mariadb")
    spec = {"dialect": dialect, "dataSource": {"secretRef": {"name": SECRETS[dialect], "key": "url"}}}
    names = {name: f"example-{name}-{dialect}" for name in ("data", *PROGRAMS)}
    kube.run("delete", "sqlflowjob", "--ignore-not-found", *names.values())
    kube.apply(sqlflow_job(names["data"], data(), **spec))
    kube.wait_phase(names["data"], "Succeeded", seconds=SECONDS)
    kube.apply(*(sqlflow_job(names[name], program(name), **spec) for name in PROGRAMS))
    for name in PROGRAMS:
        kube.wait_phase(names[name], "Succeeded", "Failed", seconds=SECONDS)
    yield kube.psql if dialect == "postgres" else _mariadb(kube)
    kube.run("delete", "sqlflowjob", "--wait=false", *names.values())


@pytest.mark.parametrize("name", PROGRAMS)
def test_example(query: Query, name: str) -> None:
    CHECKS[name](query)
