"""What the job says when the API server does not take its run, and when it is tried again."""

from __future__ import annotations

import logging

import pytest
from sqlflow_operator.kube import (
    CONFIG_MAPS,
    JOBS,
    SQLFLOWJOBS,
    WORKFLOWS,
    ApiError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    Resource,
    UnavailableError,
)

from tests.unit.operator.fakes import Fault, no_fault
from tests.unit.operator.world import World

WEBHOOK = 'Internal error occurred: failed calling webhook "policy": no endpoints'
ADVICE = "Check the operator's role and the namespace's policies."


def fails(error: ApiError, resource: Resource = JOBS, verb: str = "create") -> Fault:
    return lambda _, method, plural: error if (method, plural) == (verb, resource) else None


@pytest.mark.parametrize(
    ("error", "phase", "reason", "again", "message"),
    [
        (
            ForbiddenError(403, "Forbidden", "exceeded quota: q, requested: count/jobs=1"),
            "Pending",
            "QuotaExceeded",
            30,
            "A quota of the namespace forbids the run: exceeded quota: q, requested: count/jobs=1",
        ),
        (
            ForbiddenError(403, "Forbidden", "no"),
            "Pending",
            "Forbidden",
            30,
            f"The run cannot be created: no. {ADVICE}",
        ),
        (
            UnavailableError(500, "InternalError", WEBHOOK),
            "Pending",
            "BackendUnavailable",
            30,
            f"The run cannot be created: {WEBHOOK}. Is the webhook's service running?",
        ),
        (
            NotFoundError(404, "NotFound", "the server could not find the requested resource"),
            "Pending",
            "BackendUnavailable",
            30,
            "The cluster does not know Jobs any more: the cluster serves no Job (batch/v1): its engine is not "
            "installed",
        ),
        (
            InvalidError(422, "Invalid", "spec.x: no"),
            "Failed",
            "InvalidSpec",
            None,
            "The API server refuses the run: spec.x: no",
        ),
    ],
)
def test_a_refusal(error: ApiError, phase: str, reason: str, again: float | None, message: str) -> None:
    world = World()
    world.kube.fault = fails(error)
    assert world.reconcile() == again
    assert (world.status["phase"], world.condition("Ready")["reason"], world.message) == (phase, reason, message)
    assert world.condition("Stalled")["status"] == str(again is None)


@pytest.mark.parametrize(
    "error",
    [
        UnavailableError(503, "ServiceUnavailable", "later"),
        NotFoundError(404, "NotFound", 'namespaces "ns" not found'),
        ConflictError(409, "Conflict", "x"),
    ],
)
def test_trouble_of_the_api_server_passes_unsaid(error: ApiError) -> None:
    world = World()
    world.kube.fault = fails(error)
    with pytest.raises(type(error)):
        world.reconcile()
    assert world.status == {}


def test_nothing_is_left_of_a_run_that_can_never_be() -> None:
    world = World()
    world.kube.fault = fails(InvalidError(422, "Invalid", "no"))
    world.settle()
    assert world.made("configmaps") == 1
    assert world.kube.store.list(CONFIG_MAPS, "ns") == []
    assert world.status["phase"] == "Failed"
    world.kube.fault = no_fault
    world.settle()
    assert world.made("configmaps") == 1, "the spec is the one that was refused"
    world.edit(rerunToken="1")
    world.settle()
    assert world.status["phase"] == "Succeeded"


def test_a_run_that_cannot_be_generated() -> None:
    world = World(backend="argo", nodeSelector={"{{x}}": "y"})
    world.served = {WORKFLOWS}
    world.settle()
    assert (world.status["phase"], world.condition("Stalled")["reason"]) == ("Failed", "InvalidSpec")
    assert world.message.startswith("The run cannot be generated: node_selector, key: Argo would replace '{{x}}'")
    assert world.kube.store.created == [("sqlflowjobs", "iris"), *(("events", n) for n in world.made_names("events"))]


def test_a_taken_name_is_tried_again_after_a_minute() -> None:
    world = World()
    other = World()
    other.settle()
    name = other.status["run"]["name"]
    world.kube.store.create(JOBS, "ns", {"kind": "Job", "metadata": {"name": name}})
    assert world.reconcile() == 60
    assert world.message == (
        f"Job {name} in namespace ns exists and does not belong to this job: delete it, or give the job another name"
    )
    assert world.condition("Stalled")["status"] == "True"


def test_a_job_that_was_changed_meanwhile_is_looked_at_again_before_its_run_goes() -> None:
    world = World(ttlSecondsAfterFinished=60)
    world.settle()
    world.clock.sleep(100)
    world.watch()
    world.edit(ttlSecondsAfterFinished=6000)
    with pytest.raises(ConflictError) as caught:
        world.reconciler.reconcile(("ns", "iris"))
    error = caught.value
    assert (error.status, error.reason) == (409, "Conflict")
    assert error.message == "the job has been changed since the watch showed it"
    assert len(world.children()) == 1
    world.reconcile()
    assert len(world.children()) == 1


def test_a_status_that_was_changed_meanwhile_is_not_overwritten() -> None:
    world = World()
    world.watch()
    world.kube.store.patch(SQLFLOWJOBS, "ns", "iris", {"status": {"message": "x"}}, subresource="status")
    with pytest.raises(ConflictError):
        world.reconciler.reconcile(("ns", "iris"))
    assert world.status == {"message": "x"}


def test_what_was_done_stands_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    world = World(ttlSecondsAfterFinished=60)
    with caplog.at_level(logging.INFO, "sqlflow_operator.reconcile.apply"):
        world.settle()
        world.clock.sleep(100)
        world.reconcile()
    run = world.status["run"]["name"]
    assert [
        (one.getMessage(), vars(one).get("job"), vars(one).get("run"), vars(one).get("why")) for one in caplog.records
    ] == [
        ("run created", "ns/iris", run, None),
        ("run deleted", "ns/iris", run, "its time to live is over"),
    ]
