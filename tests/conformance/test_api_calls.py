"""What a run costs the API server: calls of the reconcile loop, counted on the operator's process as it is shipped."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlflow_codegen.contract import ANNOTATION_JOB, LABEL_JOB_UID, LABEL_RUN
from sqlflow_operator.kube import JOBS, PODS, SQLFLOWJOBS, Object
from sqlflow_operator.kube.client import KubeClient
from sqlflow_operator.workflow import Workflow, new
from sqlflow_operator.workflow.observe.pods import statuses

from tests.conformance.cases import BY_NAME
from tests.conformance.player import RESOURCES, Player
from tests.conformance.recording import read
from tests.conformance.replaying import JOB, create_job, replay
from tests.conformance.watching import Seen
from tests.integration.conftest import OperatorProcess, Place, new_namespace
from tests.integration.controlplane import ControlPlane, free_port
from tests.support.waiting import wait_for

pytestmark = pytest.mark.integration

FOLDER = Path(__file__).parent / "recordings"
KEPT, OTHER_PODS = 10, 500
MOST = 10
"""Calls for a whole run of one step, everything included."""

MOMENT = "2026-01-01T00:00:00Z"
_CALLS = re.compile(r'sqlflow_api_calls_total\{caller="reconcile",resource="(\w+)",status="\d+",verb="(\w+)"\} (\S+)')


def calls(operator: OperatorProcess) -> Counter[str]:
    """How often the reconcile loop has called the API server, by verb and resource."""
    found = filter(None, map(_CALLS.fullmatch, operator.get("metrics")[1].splitlines()))
    counted: Counter[str] = Counter()
    for match in found:
        counted[f"{match[2]} {match[1]}"] += int(float(match[3]))
    return counted


def reconciles(operator: OperatorProcess) -> float:
    lines = operator.get("metrics")[1].splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("sqlflow_reconciles_total"))


def an_ended_run(entries: Sequence[Seen]) -> list[Object]:
    """The objects of a run as they were at the end of its recording, or those of a Job; owners first."""
    if not entries:
        metadata = {"labels": {}, "name": "job"}
        pod = {"containers": [{"name": "s1-sql", "image": "i"}], "restartPolicy": "Never"}
        ended = [{"type": kind, "status": "True", "reason": "x"} for kind in ("SuccessCriteriaMet", "Complete")]
        done: Object = {"succeeded": 1, "startTime": MOMENT, "completionTime": MOMENT, "conditions": ended}
        return [
            {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": {"spec": pod}}}
            | {"status": done},
            {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod, "status": {"phase": "Succeeded"}},
        ]
    latest: dict[tuple[str, str], Object] = {}
    for seen in entries:
        if seen.event != "DELETED":
            key = seen.object["kind"], seen.object["metadata"]["name"]
            # Only the first event of an object has its whole spec.
            latest[key] = {**seen.object, "spec": latest.get(key, seen.object)["spec"]}
    for thing in latest.values():
        if thing["kind"] == "Pod":  # Tekton's recording ends before its pod
            thing["status"] = {**thing["status"], "phase": "Succeeded"}
    order = ("Workflow", "PipelineRun", "TaskRun", "Pod")
    return sorted(latest.values(), key=lambda thing: order.index(thing["kind"]))


def keep_runs(kube: KubeClient, namespace: str, job: Object, things: Sequence[Object]) -> None:
    """Give a job ten earlier runs that have ended: their objects, each owned by the one before, and its history."""
    history = [{"name": f"kept-{n}", "phase": "Succeeded", "finishedAt": MOMENT} for n in range(KEPT)]
    kube.patch(SQLFLOWJOBS, namespace, JOB, {"status": {"history": history}}, subresource="status")
    for run in (entry["name"] for entry in history):
        owner = job
        for number, thing in enumerate(things):
            resource = {**RESOURCES, "Job": JOBS}[thing["kind"]]
            reference = {key: owner[key] for key in ("apiVersion", "kind")}
            reference |= {key: owner["metadata"][key] for key in ("name", "uid")}
            labels = {**thing["metadata"]["labels"], LABEL_JOB_UID: job["metadata"]["uid"], LABEL_RUN: run}
            metadata = {"name": f"{run}-{number}" if number else run, "labels": labels, "ownerReferences": [reference]}
            body = {**thing, "metadata": {**metadata, "annotations": {ANNOTATION_JOB: JOB}}}
            owner = kube.create(resource, namespace, {key: value for key, value in body.items() if key != "status"})
            subresource = "" if thing["kind"] == "Workflow" else "status"
            kube.patch(resource, namespace, metadata["name"], {"status": thing["status"]}, subresource=subresource)


def add_other_pods(kube: KubeClient, namespace: str) -> None:
    spec = {"containers": [{"name": "c", "image": "i"}]}
    for number in range(OTHER_PODS):
        kube.create(PODS, namespace, {"metadata": {"name": f"other-{number}"}, "spec": spec})


def wait_until_seen(place: Place, workflow: Workflow) -> None:
    """If the step runs, wait until the job's status says so: each phase costs its write."""
    run = place.status(JOB)["run"]["name"]
    for pod in place.kube.list(PODS, place.namespace, labels=f"{LABEL_RUN}={run}"):
        steps = set(workflow.definition.places(pod).values())
        if any(each["name"] in steps and "running" in (each.get("state") or {}) for each in statuses(pod)):
            place.wait_phase("Running", JOB, 30)


@pytest.fixture
def namespace(engines_kube: KubeClient) -> str:
    return new_namespace(engines_kube, "calls")


@pytest.fixture
def operator(engines_plane: ControlPlane, namespace: str, tmp_path: Path) -> Iterator[OperatorProcess]:
    process = OperatorProcess(engines_plane, free_port(), tmp_path / "log", {"SQLFLOW_NAMESPACES": namespace})
    process.environment["SQLFLOW_TTL_SECONDS_AFTER_FINISHED"] = "never"
    yield process
    process.kill()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("backend", ["job", "argo", "tekton"])
def test_a_run_of_one_step(
    engines_plane: ControlPlane, engines_kube: KubeClient, operator: OperatorProcess, namespace: str, backend: str
) -> None:
    """At most ten calls and no list, with ten kept runs of the job and 500 other pods in the namespace."""
    entries = read(FOLDER / f"{backend}-hostile.jsonl.gz") if backend != "job" else []
    job = create_job(engines_kube, namespace, BY_NAME["hostile"], backend)
    keep_runs(engines_kube, namespace, job, an_ended_run(entries))
    add_other_pods(engines_kube, namespace)
    place = Place(engines_kube, namespace)
    operator.start()
    wait_for(
        lambda: "run" in place.status(JOB), "the run was created", 60, seen=lambda: operator.log.read_text()[-3000:]
    )
    workflow = new(backend, engines_kube)[1]
    if backend == "job":
        while place.controller.tick():
            wait_until_seen(place, workflow)
    else:
        player = Player(engines_kube, engines_plane, namespace, {"sqlflow-conformance": namespace})
        replay(entries, player, workflow, job, lambda _: wait_until_seen(place, workflow))
    place.wait_phase("Succeeded", JOB, 60)
    # Another event of the child wakes the job once more, and costs nothing.
    before, run = reconciles(operator), place.status(JOB)["run"]["name"]
    engines_kube.patch(workflow.definition.resource, namespace, run, {"metadata": {"labels": {"touched": "yes"}}})
    wait_for(lambda: reconciles(operator) > before, "the job was reconciled once more")
    counted = calls(operator)
    print(backend, dict(counted), "in", reconciles(operator), "reconciles")
    assert counted["patch sqlflowjobs"] >= 3, "Pending, Running and Succeeded"
    assert not [call for call in counted if call.startswith("list")], counted
    assert counted.total() <= MOST, counted
    assert len(place.status(JOB)["history"]) == KEPT
