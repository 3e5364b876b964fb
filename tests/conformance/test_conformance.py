"""Every case on every backend of a real cluster: the same status, the same rows, the same errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlflow_operator.kube.client import KubeClient
from sqlflow_operator.workflow import RunFailedError, RunNotFoundError, Workflow, new

from tests.conformance import recording
from tests.conformance.cases import CASES, TABLE, Case, Expected
from tests.conformance.checks import check_history, check_outcome, check_overlap
from tests.conformance.differences import adapted, expected
from tests.conformance.fetching import fetch_all
from tests.conformance.runner import Ran, run
from tests.e2e.kube import Kube

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

BACKENDS = [
    pytest.param("job"),
    pytest.param("argo", marks=pytest.mark.engines),
    pytest.param("tekton", marks=pytest.mark.engines),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("backend", BACKENDS)
def test_case(
    backend: str,
    case: Case,
    kube: Kube,
    client: KubeClient,
    table: str,
    engine: Callable[[str], None],
    request: pytest.FixtureRequest,
) -> None:
    engine(backend)
    _, workflow = new(backend, client)
    ran = run(adapted(case, backend), workflow, kube, client, table)
    folder: Path | None = request.config.getoption("--record", None)
    if folder is not None:
        recording.write(folder / f"{backend}-{case.name}.jsonl.gz", ran)
    wanted = expected(case, backend)
    check_outcome(ran.job, wanted, table)
    check_history(ran.statuses, wanted)
    check_overlap(ran.job["status"], wanted)
    check_database(case, ran, kube)
    check_fetched(workflow, ran, wanted)
    kube.run("delete", "sqlflowjob", ran.job["metadata"]["name"], "--wait=false")


def check_database(case: Case, ran: Ran, kube: Kube) -> None:
    """The database holds what the case says, byte for byte, and executes nothing of it any more."""
    wanted = case.expected
    if wanted.query:
        stored = kube.psql(wanted.query.replace(TABLE, ran.table))
        assert [tuple(row) for row in stored] == list(wanted.stored)
    if wanted.digests:
        digests = kube.psql(f"SELECT n, digest FROM {ran.table} ORDER BY n")
        known = dict(case.digests(ran.table))
        assert digests
        assert digests == [[number, known[number]] for number, _ in digests]
        inserts = case.program.count("INSERT INTO")
        assert len(digests) == inserts
    if wanted.ended:
        statement = wanted.ended.replace(TABLE, ran.table)
        kube.wait(lambda: not kube.running(statement), "the statement in the database was ended", 60)


def check_fetched(workflow: Workflow, ran: Ran, wanted: Expected) -> None:
    """`fetch` delivers the case's rows, once, and raises what its end calls for."""
    fetched = fetch_all(workflow, ran.run_id)
    assert tuple(row.values for row in fetched.rows) == wanted.shown
    assert all(str(message).startswith("SQLFlow Step: [") for message in fetched.messages)
    if wanted.phase == "Succeeded":
        assert fetched.error is None
        return
    if isinstance(fetched.error, RunNotFoundError):
        # The operator ended the run by deleting what the engine had not ended in time.
        assert wanted.reason == "DeadlineExceeded"
        return
    assert isinstance(fetched.error, RunFailedError)
    assert fetched.error.reason == wanted.reason
    failed = next(step.name for step in wanted.steps if step.phase == "Failed")
    assert fetched.error.step == failed
    words = str(fetched.error).partition(": ")[2]
    pattern = wanted.fetched or wanted.message
    assert re.search(pattern.replace(TABLE, ran.table), words[:1].upper() + words[1:])
    if wanted.words:
        assert fetched.error.statement == wanted.statement
        assert wanted.words.replace(TABLE, ran.table) in fetched.error.database_message
