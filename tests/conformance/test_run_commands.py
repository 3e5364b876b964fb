"""TO RUN on every backend: a command of another image, its arguments byte for byte, its end, and its cancellation.

The image is the step image, which every cluster of the tests has; the step starts from its portable copy all the same.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable

import pytest
from devcluster.stack import STEP_IMAGE
from sqlflow_codegen.backend import RunOptions
from sqlflow_codegen.language import runnable_program
from sqlflow_operator.kube.client import KubeClient
from sqlflow_operator.workflow import FetchRequest, RunFailedError, Workflow, new

from tests.conformance.fetching import fetch_all
from tests.conformance.test_conformance import BACKENDS
from tests.e2e.kube import Kube
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

ODD = ["{{workflow.name}}", "$(params.x) $(HOME) $$(a)", 'it\'s "quoted" `id`', "ünïcödé 🎉", "--x=1,2"]
KEEP = """import json, os, sys, psycopg
table = os.environ["SQLFLOW_TO_RUN_INTO"]
with psycopg.connect(os.environ["SQLFLOW_DATABASE_URL"]) as database:
    (found,) = database.execute(os.environ["SQLFLOW_TO_RUN_SELECT"]).fetchone()
    database.execute(f"CREATE TABLE {table} (a text)")
    kept = json.dumps([found, os.environ["SQLFLOW_TO_RUN_IMAGE"], sys.argv[1:]])
    database.execute(f"INSERT INTO {table} VALUES (%s)", (kept,))
print("kept")"""


def program(code: str, *arguments: str, into: str = "", select: str = "SELECT 1") -> str:
    words = ", ".join("'" + text.replace("'", "''") + "'" for text in ("python3", "-u", "-c", code, *arguments))
    return f"{select} TO RUN {STEP_IMAGE} CMD {words} {f'INTO {into}' if into else ''};\n"


def submit(backend: str, client: KubeClient, kube: Kube, text: str) -> tuple[Workflow, str]:
    codegen, workflow = new(backend, client)
    options = RunOptions(
        name=f"run-{uuid.uuid4().hex[:8]}", namespace=kube.namespace, image=STEP_IMAGE, secret_name="iris-database"
    )
    return workflow, workflow.submit(codegen.gen_yaml(codegen.gen_code(runnable_program(text), options)))


@pytest.mark.parametrize("backend", BACKENDS)
def test_arguments_and_rows(
    backend: str, kube: Kube, client: KubeClient, table: str, engine: Callable[[str], None]
) -> None:
    engine(backend)
    select = "SELECT '{{x}} $(y)' AS it"
    text = program(KEEP, *ODD, into=table, select=select) + f"SELECT a FROM {table}"
    fetched = fetch_all(*submit(backend, client, kube, text))
    assert fetched.error is None
    ((stored,),) = [row.values for row in fetched.rows]
    assert json.loads(str(stored)) == ["{{x}} $(y)", STEP_IMAGE, ODD]
    said = "\n".join(map(str, fetched.messages))
    assert "Log: kept" in said
    assert f"{table} has 1 rows" in said


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_command_that_fails(backend: str, kube: Kube, client: KubeClient, engine: Callable[[str], None]) -> None:
    engine(backend)
    fetched = fetch_all(*submit(backend, client, kube, program("raise ValueError('no bins')")))
    assert isinstance(fetched.error, RunFailedError)
    assert (fetched.error.step, fetched.error.statement) == ("s1-run", 1)
    assert fetched.error.database_message == "python3 ended with exit code 1: ValueError: no bins"


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_command_that_is_cancelled(
    backend: str, kube: Kube, client: KubeClient, engine: Callable[[str], None]
) -> None:
    engine(backend)
    sleeps = "import time; print('started'); time.sleep(600)"
    workflow, run_id = submit(backend, client, kube, program(sleeps))
    request = FetchRequest(run_id)

    def started() -> bool:
        nonlocal request
        response = workflow.fetch(request)
        request = response.updated_request_since
        return any("Log: started" in str(message) for message in response.messages)

    wait_for(started, "the command runs", 120)
    workflow.cancel(run_id)
    fetched = fetch_all(workflow, run_id)
    assert isinstance(fetched.error, RunFailedError)
    assert "cancelled" in str(fetched.error)
