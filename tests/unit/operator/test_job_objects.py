"""Backend `job`: ends, adjustments, steps, attempts and the words of the Job's controller, read from Jobs."""

from __future__ import annotations

from typing import Any

import pytest
from sqlflow_codegen.contract import Flag
from sqlflow_operator.api import Phase, StepPhase
from sqlflow_operator.kube import Object
from sqlflow_operator.workflow.backends import job
from sqlflow_operator.workflow.observe.reasons import CANCELLED_MESSAGE
from sqlflow_operator.workflow.observe.state import Reason, RunObjects, RunState

from tests.unit.operator.run_objects import FAILED_JOB, NAMES, batch_job, known, phases


def one_pod(phase: str, *codes: int | None, name: str = "r-x", **fields: Any) -> Object:
    """A pod whose steps have ended with those exit codes; None is one that runs."""
    states: list[Object] = [
        {"running": {"startedAt": "s"}} if code is None else {"terminated": {"exitCode": code, "finishedAt": "e"}}
        for code in codes
    ]
    shown = [{"name": step, "state": state} for step, state in zip(NAMES, states, strict=False)]
    metadata = {"name": name, "uid": name, **fields.pop("metadata", {})}
    return {"metadata": metadata, "status": {"phase": phase, "initContainerStatuses": shown, **fields}}


def observed(child: Object, *pods: Object, **objects: Any) -> RunState:
    return job.observe(RunObjects(child=child, pods=list(pods), **objects))


def condition(kind: str, status: str = "True", **fields: Any) -> Object:
    return {"type": kind, "status": status, **fields}


@pytest.mark.parametrize(
    ("conditions", "over"),
    [
        ((), False),
        ((condition("Complete"),), True),
        ((condition("Failed"),), True),
        ((condition("Complete", "False"), condition("Failed", "Unknown")), False),
        ((condition("FailureTarget"), condition("Suspended")), False),
    ],
)
def test_a_job_ends(conditions: tuple[Object, ...], over: bool) -> None:
    assert job.ended(batch_job(*conditions)) == over


@pytest.mark.parametrize(
    ("spec", "suspend", "deadline", "patch"),
    [
        ({}, False, None, None),
        ({"suspend": False}, False, None, None),
        ({}, True, None, {"suspend": True}),
        ({"suspend": True}, False, None, {"suspend": False}),
        ({"suspend": True}, True, 60, {"activeDeadlineSeconds": 60}),
        ({"activeDeadlineSeconds": 60}, False, 60, None),
        ({"activeDeadlineSeconds": 60}, True, None, {"suspend": True, "activeDeadlineSeconds": None}),
    ],
)
def test_a_job_is_adjusted_unless_it_was_cancelled(
    spec: Object, suspend: bool, deadline: int | None, patch: Object | None
) -> None:
    child: Any = {"metadata": {"name": "r"}, "spec": spec}
    assert job.adjust(child, suspend, deadline) == (patch and {"spec": patch})
    child["metadata"]["annotations"] = {"sqlflow.org/cancelled": "true"}
    assert job.adjust(child, suspend, deadline) is None


def test_places_are_the_containers_but_the_last() -> None:
    template: Any = {"initContainers": [{"name": "a"}, {"name": "b"}], "containers": [{"name": "finish"}]}
    pod: Any = {"metadata": {"name": "p"}, "spec": template}
    assert job.places(pod) == {"a": "a", "b": "b"}
    assert job.places(one_pod("Running", 0, None)) == {"s1-sql": "s1-sql", "s2-sql": "s2-sql"}  # type: ignore[arg-type]
    child: Any = {"metadata": {"name": "r"}, "spec": {"template": {"spec": template}}}
    assert [step.name for step in job.DEFINITION.steps(child)] == ["a", "b"]


def test_the_times_of_a_job() -> None:
    child = batch_job(condition("Complete"))
    child["metadata"]["creationTimestamp"] = "c"
    child["status"]["completionTime"] = "e"
    assert (observed(child).started_at, observed(child).finished_at) == ("c", "e")
    child["status"]["startTime"] = "s"
    assert observed(child).started_at == "s"


def test_a_pod_that_succeeded_is_enough() -> None:
    state = observed(batch_job(), one_pod("Failed", 1, name="a"), one_pod("Succeeded", 0, 0, 0, name="b"))
    assert (state.phase, state.finished_at) == (Phase.SUCCEEDED, "e")
    assert observed(batch_job(), one_pod("Running", 0, 0, None)).phase is Phase.RUNNING
    assert observed(batch_job(), one_pod("Running", 0, 0, 0)).phase is Phase.SUCCEEDED


DELETED = {"deletionTimestamp": "t"}
EVICTED = {"reason": "Evicted", "message": "disk"}


def policy(*rules: Object) -> Object:
    return {"podFailurePolicy": {"rules": list(rules)}}


def on_exit(action: str, operator: str, *values: int) -> Object:
    return {"action": action, "onExitCodes": {"operator": operator, "values": list(values)}}


@pytest.mark.parametrize(
    ("spec", "pods", "phase"),
    [
        ({}, [one_pod("Failed", 1)], Phase.FAILED),
        ({"backoffLimit": 1}, [one_pod("Failed", 1)], Phase.RUNNING),
        ({"backoffLimit": 1}, [one_pod("Failed", 1), one_pod("Failed", 1, name="s")], Phase.FAILED),
        ({"backoffLimit": 1}, [one_pod("Failed", 1), one_pod("Failed", 143, name="s", **EVICTED)], Phase.RUNNING),
        ({}, [one_pod("Failed", 143, **EVICTED)], Phase.FAILED),
        ({}, [one_pod("Failed", 1, metadata=DELETED)], Phase.RUNNING),
        ({}, [one_pod("Failed", 1), one_pod("Running", None, name="s")], Phase.RUNNING),
        ({"backoffLimit": 2, **policy(on_exit("FailJob", "In", 2, 3))}, [one_pod("Failed", 3)], Phase.FAILED),
        ({"backoffLimit": 2, **policy(on_exit("FailJob", "In", 2, 3))}, [one_pod("Failed", 1)], Phase.RUNNING),
        ({"backoffLimit": 2, **policy(on_exit("FailJob", "NotIn", 3))}, [one_pod("Failed", 3)], Phase.RUNNING),
        ({"backoffLimit": 2, **policy(on_exit("Ignore", "In", 3))}, [one_pod("Failed", 3)], Phase.RUNNING),
        ({"backoffLimit": 2, **policy({"action": "FailJob"})}, [one_pod("Failed", 3)], Phase.RUNNING),
    ],
)
def test_a_failure_that_the_jobs_rules_make_final(spec: Object, pods: list[Object], phase: Phase) -> None:
    child = batch_job()
    child["spec"] |= spec
    state = observed(child, *pods)
    assert state.phase is phase
    assert state.finished_at == ("e" if phase is Phase.FAILED else None)


def test_a_job_without_a_limit_has_six_retries() -> None:
    child = batch_job()
    del child["spec"]["backoffLimit"]
    pods = [one_pod("Failed", 1, name=f"p{number}") for number in range(7)]
    assert observed(child, *pods[:6]).phase is Phase.RUNNING
    assert observed(child, *pods[:6]).message.startswith("step s1-sql failed (it may be tried again): ")
    assert observed(child, *pods).phase is Phase.FAILED


TARGET = condition("FailureTarget", reason="BackoffLimitExceeded", lastTransitionTime="d")


def test_a_failure_that_is_decided_waits_for_the_pods() -> None:
    running = one_pod("Running", None)
    assert observed(batch_job(TARGET, retries=3), running).phase is Phase.RUNNING
    state = observed(batch_job(TARGET, retries=3), one_pod("Failed", 1))
    assert (state.phase, state.finished_at) == (Phase.FAILED, "d")


@pytest.mark.parametrize("kind", ["Failed", "FailureTarget"])
@pytest.mark.parametrize(
    ("reason", "annotations", "expected"),
    [
        ("DeadlineExceeded", {}, Reason.DEADLINE_EXCEEDED),
        ("DeadlineExceeded", {"sqlflow.org/cancelled": "true"}, Reason.CANCELLED),
        ("BackoffLimitExceeded", {"sqlflow.org/cancelled": "true"}, Reason.STEP_FAILED),
    ],
)
def test_a_job_that_was_stopped(kind: str, reason: str, annotations: Object, expected: Reason) -> None:
    child = batch_job(condition(kind, reason=reason, lastTransitionTime="d"), retries=3)
    child["metadata"]["annotations"] = annotations
    state = observed(child, one_pod("Failed", 1))
    assert (state.phase, state.reason, state.finished_at) == (Phase.FAILED, expected, "d")
    assert (state.message == f"step s1-sql failed: {CANCELLED_MESSAGE}") == (expected is Reason.CANCELLED)


SAID = "The Job's controller says: BackoffLimitExceeded: limit reached"


@pytest.mark.parametrize(
    ("pods", "words"),
    [
        ((), f"statement 1 was interrupted: its pod is gone, and its log with it. {SAID}"),
        ((one_pod("Running"),), f"statement 1 was interrupted: its pod r-x did not end it. {SAID}."),
        ((one_pod("Failed", reason="X", message="y"),), "statement 1 was interrupted: its pod failed: X: y."),
    ],
)
def test_a_job_that_failed_without_a_step_that_did(pods: tuple[Object, ...], words: str) -> None:
    state = observed(batch_job(FAILED_JOB), *pods)
    assert (state.reason, state.message) == (Reason.POD_LOST, f"step s1-sql failed: {words}")
    assert phases(state) == ["Failed", "Skipped", "Skipped"]


PLAIN = "suspended; set spec.suspend to false to go on"
ANEW = (
    "suspended; with spec.suspend false it starts again at its first statement, because spec.retries is 0: "
    "only runs with retries note which statements are done"
)


@pytest.mark.parametrize(
    ("retries", "flags", "attempts", "message"),
    [
        (0, (), 1, ANEW),
        (0, (), 0, PLAIN),
        (1, (), 1, PLAIN),
        (0, (Flag.LEDGER, Flag.RESUMABLE, Flag.LEDGER), 1, PLAIN),
        (0, (Flag.LEDGER, Flag.RESUMABLE), 1, ANEW),
    ],
)
def test_a_suspended_job_warns_that_it_will_start_over(
    retries: int, flags: tuple[str, ...], attempts: int, message: str
) -> None:
    child = batch_job(retries=retries)
    child["spec"]["suspend"] = True
    for container, flag in zip(child["spec"]["template"]["spec"]["initContainers"], flags, strict=False):
        container["args"].append(flag)
    state = observed(child, known={"s2-sql": known(attempts=attempts)})
    assert (state.phase, state.message) == (Phase.SUSPENDED, message)
    assert state.steps[0].phase is StepPhase.PENDING
    if attempts:
        assert observed(child, one_pod("Running", None)).message == message


def test_a_step_that_failed_is_tried_again_only_with_retries() -> None:
    pod = one_pod("Running", 1)
    assert observed(batch_job(retries=1), pod).message.startswith("step s1-sql failed (it may be tried again): ")
    assert observed(batch_job(), pod).message.startswith("step s1-sql failed: ")
