"""Backend `argo`: ends, adjustments, steps, attempts and Argo's own words, read from Workflows."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest
from sqlflow_operator.api import Phase, StepPhase
from sqlflow_operator.kube import Object
from sqlflow_operator.workflow.backends import argo
from sqlflow_operator.workflow.observe.reasons import DEADLINE_MESSAGE
from sqlflow_operator.workflow.observe.state import Reason

from tests.unit.operator.run_objects import (
    DONE,
    NAMES,
    first_of,
    of_argo,
    phases,
    why,
    workflow,
)

FAILED = {"phase": "Failed", "outputs": {"exitCode": "1"}, "message": "Error (exit code 1)"}


@pytest.mark.parametrize(
    ("word", "over"),
    [("Succeeded", True), ("Failed", True), ("Error", True), ("Running", False), ("Pending", False), ("", False)],
)
def test_argo_ends(word: str, over: bool) -> None:
    assert argo.ended(workflow(word)) == over
    assert not argo.ended({"metadata": {"name": "r"}})


@pytest.mark.parametrize(
    ("spec", "suspend", "deadline", "patch"),
    [
        ({}, False, None, None),
        ({"suspend": False}, False, None, None),
        ({}, True, None, {"suspend": True}),
        ({"suspend": True}, True, None, None),
        ({"suspend": True}, False, None, {"suspend": None}),
        ({}, False, 60, {"activeDeadlineSeconds": 60}),
        ({"activeDeadlineSeconds": 60}, False, 60, None),
        ({"activeDeadlineSeconds": 60}, True, None, {"suspend": True, "activeDeadlineSeconds": None}),
        ({"shutdown": "Terminate"}, True, 60, None),
    ],
)
def test_argo_is_adjusted(spec: Object, suspend: bool, deadline: int | None, patch: Object | None) -> None:
    child: Any = {"metadata": {"name": "r"}, "spec": spec}
    assert argo.adjust(child, suspend, deadline) == (patch and {"spec": patch})


@pytest.mark.parametrize(
    ("metadata", "place"),
    [
        ({"labels": {"sqlflow.org/step": "s1-sql"}}, {"s1-sql": "main"}),
        ({"annotations": {"workflows.argoproj.io/node-name": "r.s1-sql"}}, {"s1-sql": "main"}),
        ({"annotations": {"workflows.argoproj.io/node-name": "r.x.s1-sql(12)"}}, {"s1-sql": "main"}),
        ({"labels": {"a": "b"}}, {}),
        ({}, {}),
    ],
)
def test_argo_places(metadata: Object, place: dict[str, str]) -> None:
    assert argo.places({"metadata": {"name": "p", **metadata}}) == place


def test_argos_templates_without_a_container_are_no_steps() -> None:
    child = workflow("Running")
    child["spec"]["templates"].insert(0, {"name": "dag", "dag": {}})
    assert [(step.name, step.kind, step.statements) for step in argo.DEFINITION.steps(child)] == [
        (name, "sql", (number,)) for number, name in enumerate(NAMES, 1)
    ]
    assert argo.DEFINITION.steps({"metadata": {"name": "r"}}) == ()


def with_status(child: Object, **fields: Any) -> Object:
    child["status"] |= fields
    return child


def test_argos_nodes_may_be_compressed() -> None:
    child = workflow("Running", s1_sql=DONE)
    nodes = json.dumps(child["status"].pop("nodes")).encode()
    child["status"]["compressedNodes"] = base64.b64encode(gzip.compress(nodes)).decode()
    assert phases(of_argo(child)) == ["Succeeded", "Pending", "Pending"]


@pytest.mark.parametrize(
    "broken", ["%", "aGVsbG8=", base64.b64encode(gzip.compress(b"{", mtime=0)).decode(), "H4sIAAAAAAA="]
)
def test_argos_nodes_that_cannot_be_read(broken: str) -> None:
    state = of_argo(with_status(workflow("Running", s1_sql=DONE), compressedNodes=broken))
    assert phases(state) == ["Pending"] * 3
    assert state.message == (
        "waiting for a pod; status.compressedNodes of the Workflow cannot be read; only its pods show the steps"
    )


def test_argos_nodes_in_its_database() -> None:
    state = of_argo(with_status(workflow("Running"), offloadNodeStatusVersion="1"))
    assert state.message == (
        "waiting for a pod; Argo keeps the state of the nodes in its own database; only the pods show the steps"
    )


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("", "waiting for a pod"),
        ("Pending", "waiting for a pod"),
        ("Running", "waiting for a pod"),
        ("New", "waiting for a pod; Argo calls its phase 'New', which this operator does not know"),
        ("x" * 70, f"waiting for a pod; Argo calls its phase '{'x' * 57}…', which this operator does not know"),
    ],
)
def test_argos_phases_of_a_run_at_work(word: str, words: str) -> None:
    assert why(of_argo(workflow(word))) == (Phase.PENDING, Reason.STARTING, words)


def test_argos_suspension_is_not_the_end() -> None:
    for word, phase in (("Running", Phase.SUSPENDED), ("Succeeded", Phase.SUCCEEDED), ("Failed", Phase.FAILED)):
        child = workflow(word, s1_sql=DONE)
        child["spec"]["suspend"] = True
        assert of_argo(child).phase is phase


def test_argos_times() -> None:
    child = workflow("Succeeded")
    child["metadata"]["creationTimestamp"] = "2026-01-01T00:00:09Z"
    child["status"]["finishedAt"] = "2026-01-01T00:00:20Z"
    state = of_argo(child)
    assert (state.started_at, state.finished_at) == ("2026-01-01T00:00:00Z", "2026-01-01T00:00:20Z")
    del child["status"]["startedAt"]
    assert of_argo(child).started_at == "2026-01-01T00:00:09Z"


@pytest.mark.parametrize(
    ("seconds", "reason"), [(59, Reason.STEP_FAILED), (60, Reason.DEADLINE_EXCEEDED), (61, Reason.DEADLINE_EXCEEDED)]
)
def test_argos_deadline_is_reckoned(seconds: int, reason: Reason) -> None:
    end = f"2026-01-01T00:0{seconds // 60}:{seconds % 60:02}Z"
    child = with_status(workflow("Failed", s1_sql=FAILED), finishedAt=end)
    child["spec"]["activeDeadlineSeconds"] = 60
    assert of_argo(child).reason is reason
    for gone in ("startedAt", "finishedAt"):
        part = {**child, "status": {key: value for key, value in child["status"].items() if key != gone}}
        assert of_argo(part).reason is Reason.STEP_FAILED


@pytest.mark.parametrize(
    ("word", "node", "reason"),
    [
        ("Error", FAILED, Reason.ENGINE_ERROR),
        ("Failed", FAILED, Reason.STEP_FAILED),
        ("Failed", DONE, Reason.ENGINE_ERROR),
        ("Failed", {**FAILED, "type": "Retry"}, Reason.ENGINE_ERROR),
    ],
)
def test_argo_gives_a_workflow_up(word: str, node: Object, reason: Reason) -> None:
    state = of_argo(with_status(workflow(word, s1_sql=node), message="no such template"))
    assert state.reason is reason
    assert ("Argo gave the Workflow up: no such template" in state.message) == (reason is Reason.ENGINE_ERROR)
    assert of_argo(workflow("Error", s1_sql=FAILED)).reason is Reason.STEP_FAILED


def test_a_workflow_that_was_shut_down_was_cancelled() -> None:
    child = with_status(workflow("Failed", s1_sql=FAILED), message="Stopped with strategy 'Terminate'")
    child["spec"]["shutdown"] = "Terminate"
    assert of_argo(child).reason is Reason.CANCELLED


@pytest.mark.parametrize(
    ("node", "attempts"),
    [
        ({"phase": "Succeeded"}, 1),
        ({"phase": "Running"}, 1),
        ({"phase": "Pending"}, 0),
        ({"phase": "Failed"}, 0),
        ({"phase": "Failed", "outputs": {"exitCode": "0"}}, 1),
        ({"phase": "Error", "message": "pod deleted"}, 1),
    ],
)
def test_argos_node_of_a_container_that_was_started(node: Object, attempts: int) -> None:
    assert of_argo(workflow("Running", s1_sql=node)).steps[0].attempts == attempts


def test_argos_attempts_are_the_pods_of_a_retry() -> None:
    retry = {"type": "Retry", "phase": "Running", "children": ["s1_sql(0)", "s1_sql(1)", "s1_sql(9)"]}
    last = {"phase": "Running", "message": "of the last attempt"}
    nodes: Any = {"s1_sql": retry, "s1_sql(0)": FAILED, "s1_sql(1)": last}
    state = of_argo(workflow("Running", 2, **nodes))
    assert first_of(state) == (StepPhase.RUNNING, 2, "of the last attempt")
    nodes["s1_sql(1)"] = {"phase": "Pending"}
    assert first_of(of_argo(workflow("Running", 2, **nodes))) == (StepPhase.RUNNING, 1, None)
    nodes["s1_sql(1)"] = {"phase": "Failed", "message": "pod deleted during operation"}
    assert first_of(of_argo(workflow("Running", 2, **nodes)))[1] == 2


@pytest.mark.parametrize(("code", "expected"), [("-1", -1), ("137", 137), ("x", None), ("", None)])
def test_argos_exit_codes(code: str, expected: int | None) -> None:
    child = workflow("Failed", s1_sql={**FAILED, "outputs": {"exitCode": code}})
    assert of_argo(child).steps[0].exit_code == expected


RIGHTS = 'workflowtaskresults.argoproj.io is forbidden: User "x" cannot create'


@pytest.mark.parametrize(
    ("words", "reason", "message"),
    [
        (
            "OOMKilled (exit code 137)",
            Reason.OUT_OF_MEMORY,
            "out of memory: OOMKilled (exit code 137). Raise spec.resources.limits.memory",
        ),
        ("Pod was active on the node longer than the specified deadline", Reason.DEADLINE_EXCEEDED, DEADLINE_MESSAGE),
        ("Step exceeded its deadline", Reason.DEADLINE_EXCEEDED, DEADLINE_MESSAGE),
        (
            "exceeded quota: q, requested: pods=1",
            Reason.QUOTA_EXCEEDED,
            "a quota of the namespace forbids the pod: exceeded quota: q, requested: pods=1",
        ),
        (
            "violates PodSecurity",
            Reason.POD_REFUSED,
            "the namespace's Pod Security profile refuses Argo's own containers. Set executor.securityContext in "
            "ConfigMap workflow-controller-configmap of Argo's namespace (docs/backends.md), or spec.backend to job. "
            "Argo says: violates PodSecurity",
        ),
        (
            RIGHTS,
            Reason.FORBIDDEN,
            f"{RIGHTS}. Argo's executor reports through WorkflowTaskResults, which the service account of the steps "
            "may not create. Allow it: kubectl create rolebinding sqlflow-argo-steps --clusterrole=sqlflow-argo-steps "
            "--serviceaccount=ns:default -n ns",
        ),
        ("workflowtaskresults", Reason.STEP_FAILED, "workflowtaskresults"),
        ("forbidden", Reason.STEP_FAILED, "forbidden"),
        ("the pod deleted", Reason.STEP_FAILED, "the pod deleted"),
    ],
)
def test_argos_words_about_a_step(words: str, reason: Reason, message: str) -> None:
    state = of_argo(workflow("Failed", s1_sql={"phase": "Failed", "message": words}))
    assert state.reason is reason
    assert state.steps[0].message == message


@pytest.mark.parametrize("words", ["PodInitializing", "ContainerCreating"])
def test_argos_words_about_a_pod_that_starts_say_nothing(words: str) -> None:
    waiting = workflow("Running", s1_sql={"phase": "Pending", "message": words})
    assert first_of(of_argo(waiting)) == (StepPhase.PENDING, 0, None)


def test_the_account_of_a_workflow_is_named() -> None:
    child = workflow("Failed", s1_sql={"phase": "Failed", "message": RIGHTS})
    child["spec"]["serviceAccountName"] = "runner"
    assert of_argo(child).message.endswith("--serviceaccount=ns:runner -n ns")
