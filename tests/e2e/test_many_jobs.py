"""A hundred jobs at once, on one node: each gets its pod, each succeeds, each runs once."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from tests.e2e.kube import Kube, Object, sqlflow_job, whole_message

pytestmark = pytest.mark.e2e

MANY = 100
LIMIT = 900.0
"""Seconds. A pod of the step image costs two CPU seconds or more, so two cores need some minutes for all."""


@pytest.fixture
def prefix(kube: Kube) -> Iterator[str]:
    """Prefix of the names of the jobs of this test, which are deleted after it."""
    name = f"many-{uuid.uuid4().hex[:6]}"
    yield name
    kube.run("delete", "sqlflowjob", "--wait=false", "--ignore-not-found", *names(name))


def names(prefix: str) -> list[str]:
    return [f"{prefix}-{number}" for number in range(MANY)]


@pytest.mark.timeout(LIMIT + 200)
def test_a_hundred_jobs_at_once(kube: Kube, table: str, prefix: str) -> None:
    kube.psql(f"CREATE TABLE {table} (n int)")
    statements = [f"INSERT INTO {table} VALUES ({number});" for number in range(MANY)]
    kube.apply(*map(sqlflow_job, names(prefix), statements))

    def ended() -> list[Object]:
        jobs = [job for job in kube.find("sqlflowjobs") if job["metadata"]["name"] in wanted]
        done = [job for job in jobs if job.get("status", {}).get("phase") in ("Succeeded", "Failed")]
        return done if len(done) == MANY else []

    wanted = set(names(prefix))
    jobs = kube.wait(ended, f"{MANY} jobs have ended", LIMIT, every=2.0)
    failed = [whole_message(job) for job in jobs if job["status"]["phase"] != "Succeeded"]
    assert failed == []
    assert kube.psql(f"SELECT n FROM {table} ORDER BY n") == [[str(number)] for number in range(MANY)]
    assert all(step["attempts"] == 1 for job in jobs for step in job["status"]["steps"])
