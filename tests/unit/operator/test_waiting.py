"""Why a pod does not start, word for word, and what is read from the containers that have ended."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlflow_operator.kube import Object
from sqlflow_operator.workflow.observe.pods import exit_codes
from sqlflow_operator.workflow.observe.state import Reason
from sqlflow_operator.workflow.observe.step_report import needs_log, report_from_log
from sqlflow_operator.workflow.observe.waiting import explain_events, explain_waiting, last_seen

ADVICE = "Check spec.image or the image in the program, spec.imagePullPolicy and spec.imagePullSecrets."


def pod(reason: str, message: str | None = None, **metadata: str) -> Object:
    reference = {"secretKeyRef": {"name": "db", "key": "address"}}
    step = {"name": "s1", "image": "step:1", "env": [{"name": "SQLFLOW_DATABASE_URL", "valueFrom": reference}]}
    waiting = {"reason": reason} | ({"message": message} if message else {})
    return {
        "metadata": {"name": "p", "namespace": "shop", **metadata},
        "spec": {"initContainers": [step]},
        "status": {"initContainerStatuses": [{"name": "s0"}, {"name": "s1", "state": {"waiting": waiting}}]},
    }


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        (pod("PodInitializing"), None),
        (
            pod("CreateContainerConfigError", 'secret "db" not found'),
            (
                Reason.CONFIGURATION,
                "Secret db not found in namespace shop. Create it with: kubectl create secret generic db -n shop "
                "--from-literal=address=postgresql://USER:PASSWORD@HOST:5432/DATABASE",
            ),
        ),
        (
            pod("CreateContainerConfigError", "couldn't find key address in Secret shop/db"),
            (
                Reason.CONFIGURATION,
                "Secret db in namespace shop has no key address. Set spec.dataSource.secretRef.key to the key that "
                "holds the database's URL, or add the key to the Secret.",
            ),
        ),
        (
            pod("CreateContainerError", "no  such\ndevice"),
            (Reason.CONFIGURATION, "the step's container cannot be made (CreateContainerError): no such device"),
        ),
        (
            pod("ErrImagePull", "not found…"),
            (Reason.IMAGE_PULL, f"image step:1 cannot be pulled (ErrImagePull): not found… {ADVICE}"),
        ),
        (
            pod("ImagePullBackOff", 'Back-off pulling image "step:1": ErrImagePull: denied'),
            (Reason.IMAGE_PULL, f"image step:1 cannot be pulled (ErrImagePull): denied. {ADVICE}"),
        ),
        *(
            (pod(reason, "x"), (Reason.IMAGE_PULL, f"image step:1 cannot be pulled ({reason}): x. {ADVICE}"))
            for reason in ("InvalidImageName", "ErrImageNeverPull", "ImageInspectError")
        ),
    ],
)
def test_a_container_that_waits(about: Object, expected: tuple[Reason, str] | None) -> None:
    assert explain_waiting(about) == expected


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (
            "Unschedulable",
            (
                Reason.UNSCHEDULABLE,
                "no node can take the pod: words Lower spec.resources, or add a node or a toleration.",
            ),
        ),
        ("SchedulingGated", (Reason.QUEUED, "queued: the pod waits for its scheduling gates: words")),
    ],
)
def test_a_pod_that_no_node_has(reason: str, expected: tuple[Reason, str]) -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": reason, "message": "words"}
    assert explain_waiting({"metadata": {"name": "p"}, "status": {"conditions": [condition]}}) == expected


@pytest.mark.parametrize(
    ("reason", "words", "expected"),
    [
        (
            "FailedCreate",
            'pods "a-x" is forbidden: exceeded quota: q',
            (
                Reason.QUOTA_EXCEEDED,
                "a quota of the namespace forbids the pod: the pod is forbidden: exceeded quota: q",
            ),
        ),
        ("FailedCreate", "no", (Reason.POD_REFUSED, "the cluster refuses the pod: no")),
        ("Failed", "Failed to pull image x", (Reason.IMAGE_PULL, f"Failed to pull image x. {ADVICE}")),
        ("Failed", "other", None),
        *(
            (reason, "no", (Reason.STARTING, f"the pod does not start ({reason}): no"))
            for reason in ("FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox")
        ),
        ("Other", "no", None),
    ],
)
def test_a_warning(reason: str, words: str, expected: tuple[Reason, str] | None) -> None:
    assert explain_events([{"reason": reason, "message": words}]) == expected


def test_the_latest_warning_that_explains_something_counts() -> None:
    def event(moment: str, reason: str = "FailedMount") -> dict[str, Any]:
        return {"reason": reason, "message": moment, "lastTimestamp": moment}

    found = explain_events([event("2"), event("3"), event("1"), event("4", "Other")])
    assert found == (Reason.STARTING, "the pod does not start (FailedMount): 3")
    assert explain_events([]) is None


@pytest.mark.parametrize(
    ("event", "moment"),
    [
        ({"series": {"lastObservedTime": "a"}, "lastTimestamp": "b", "eventTime": "c"}, "a"),
        ({"series": None, "lastTimestamp": "b", "eventTime": "c"}, "b"),
        ({"lastTimestamp": None, "eventTime": "c"}, "c"),
        ({}, ""),
    ],
)
def test_the_moment_of_an_event(event: dict[str, Any], moment: str) -> None:
    assert last_seen(event) == moment


def test_exit_codes_are_those_of_the_steps() -> None:
    ended = [{"exitCode": 3}, {}, None]
    statuses = [
        {"name": f"s{n}", "state": {"terminated": state} if state is not None else {}} for n, state in enumerate(ended)
    ]
    finish = {"name": "finish", "state": {"terminated": {"exitCode": 9}}}
    found = {"status": {"initContainerStatuses": statuses, "containerStatuses": [finish, {"name": "s9"}]}}
    assert exit_codes(found) == [3]
    assert exit_codes({"status": {"containerStatuses": [{"name": "a", "state": {"terminated": {"reason": "x"}}}]}}) == [
        0
    ]
    assert exit_codes({}) == []


@pytest.mark.parametrize(
    ("kind", "terminated", "expected"),
    [
        ("sql", {}, False),
        ("train", {}, True),
        ("evaluate", {"message": "{}"}, False),
        ("sql", {"exitCode": 1}, True),
        ("sql", {"exitCode": 1, "reason": "StartError"}, False),
        ("sql", {"exitCode": 1, "reason": "ContainerCannotRun"}, False),
        ("sql", {"exitCode": 1, "reason": "Error"}, True),
    ],
)
def test_which_logs_are_read(kind: str, terminated: Object, expected: bool) -> None:
    assert needs_log(kind, terminated) == expected


def test_records_without_what_they_are_about() -> None:
    records = [{"type": "statement_started"}, {"type": "statement_finished", "seconds": "x"}]
    records.append({"type": "statement_started", "statement": "2"})
    report = report_from_log("\n".join(map(json.dumps, records)))
    assert (report.statement, report.outcome.finished, dict(report.seconds)) == (0, (0,), {0: 0.0})
