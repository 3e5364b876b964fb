"""Runs one case through a SQLFlowJob on a real cluster, as a person would, and gathers what came out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlflow_codegen.contract import LABEL_JOB_UID
from sqlflow_operator.kube import PODS, SQLFLOWJOBS
from sqlflow_operator.kube.client import KubeClient
from sqlflow_operator.workflow import Workflow

from tests.conformance.cases import TABLE, Action, Case
from tests.conformance.watching import Seen, Watching
from tests.e2e.kube import Kube, sqlflow_job

Object = dict[str, Any]

LIMIT = 150.0
"""Seconds that a run may take: Argo looks at a workflow every ten seconds, once for each layer of its steps."""


@dataclass(frozen=True)
class Ran:
    """What came out of a case.

    Attributes:
        job: the SQLFlowJob at the end.
        table: the run's own table.
        statuses: every status that the job had, in order.
        seen: all events of the job's objects.
        run_id: of the run, as `fetch` wants it.
    """

    job: Object
    table: str
    statuses: Sequence[Object]
    seen: Sequence[Seen]
    run_id: str


def run(case: Case, workflow: Workflow, kube: Kube, client: KubeClient, table: str) -> Ran:
    """Set a case up, run it to its end and return what was seen."""
    name = table.replace("_", "-")
    if case.setup:
        kube.psql(case.setup.replace(TABLE, table))
    manifest = sqlflow_job(name, case.program.replace(TABLE, table), **{**case.spec, "backend": workflow.backend.value})
    job = client.create(SQLFLOWJOBS, kube.namespace, manifest)
    with Watching(kube) as watching:
        labels = f"{LABEL_JOB_UID}={job['metadata']['uid']}"
        for resource in (workflow.definition.resource, *workflow.definition.parts, PODS):
            watching.follow(resource, labelSelector=labels)
        watching.follow(SQLFLOWJOBS, fieldSelector=f"metadata.name={name}")
        _act(case, workflow, kube, client, watching, name)
        ended = _wait(kube, watching, lambda status: status.get("phase") in ("Succeeded", "Failed"), LIMIT)
        # What the engine does after the operator knew the end belongs to a recording, and may not change the status.
        kube.wait(lambda: _quiet(workflow, client, ended), "the engine has ended the run too", 60)
        final = client.get(SQLFLOWJOBS, kube.namespace, name)
        statuses = [seen.object.get("status") or {} for seen in watching.of_kind("SQLFlowJob")]
    run_id = f"{kube.namespace}/{ended['run']['name']}"
    return Ran(final, table, [*statuses, final["status"]], watching.seen, run_id)


def _act(case: Case, workflow: Workflow, kube: Kube, client: KubeClient, watching: Watching, name: str) -> None:
    """What the case does to its run, as soon as its time has come."""
    if case.action is Action.NONE:
        return
    if case.action is Action.RESUME:
        _wait(kube, watching, lambda status: status.get("phase") == "Suspended", LIMIT)
        kube.look_again(name)
        assert watching.of_kind(workflow.definition.kind, "Pod") == [], "a suspended job has no child"
        watching.add("ACTION", {"action": case.action.value})
        client.patch(SQLFLOWJOBS, kube.namespace, name, {"spec": {"suspend": False}})
        return
    status = _wait(kube, watching, lambda status: _runs(status, case.at), LIMIT)
    if case.during:
        statement = case.during.replace(TABLE, name.replace("-", "_"))
        kube.wait(lambda: kube.running(statement), f"the database executes {statement}", LIMIT)
    watching.add("ACTION", {"action": case.action.value})
    if case.action is Action.CANCEL:
        workflow.cancel(f"{kube.namespace}/{status['run']['name']}")
    else:
        pod = next(step["pod"] for step in status["steps"] if step["name"] == case.at)
        force = ("--force", "--grace-period=0") if case.action is Action.FORCE_DELETE_POD else ()
        kube.run("delete", "pod", pod, "--wait=false", *force)


def _runs(status: Object, step: str) -> bool:
    return any(s["name"] == step and s["phase"] == "Running" for s in status.get("steps", ()))


def _wait(kube: Kube, watching: Watching, reached: Any, seconds: float) -> Object:
    """Wait until the job has a status that will do; its last one is in the failure's text."""

    def newest() -> Object | None:
        seen = watching.of_kind("SQLFlowJob")
        status: Object = (seen[-1].object.get("status") or {}) if seen else {}
        return status if reached(status) else None

    try:
        found: Object = kube.wait(newest, "the awaited status", seconds)
    except AssertionError as error:
        seen = watching.of_kind("SQLFlowJob")
        raise AssertionError(f"{error}; status: {seen[-1].object.get('status') if seen else None}") from error
    return found


def _quiet(workflow: Workflow, client: KubeClient, status: Object) -> bool:
    """True where the child of the run has ended or is gone."""
    uid = status["run"]["child"]["uid"]
    children = client.list(workflow.definition.resource, None, fields=f"metadata.name={status['run']['name']}")
    return all(workflow.definition.ended(child) for child in children if child["metadata"]["uid"] == uid)
