"""What keeps a run from its engine is named in the job's message, and passes by itself where it can."""

from __future__ import annotations

import pytest
from sqlflow_operator.api import Backend
from sqlflow_operator.kube import (
    JOBS,
    PIPELINE_RUNS,
    WORKFLOWS,
    ApiError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    Resource,
    UnavailableError,
)
from sqlflow_operator.workflow.backends.detection import Detector

from tests.unit.operator.fakes import Clock
from tests.unit.operator.world import World

WEBHOOK = 'failed calling webhook "webhook.pipeline.tekton.dev": no endpoints available for service "tekton-webhook"'
DENIED = 'admission webhook "validation.webhook.pipeline.tekton.dev" denied the request: no such task'


def refuse(world: World, error: ApiError | None) -> None:
    """Creating a PipelineRun is answered so."""

    def fault(_: int, method: str, resource: Resource) -> ApiError | None:
        return error if method == "create" and resource == PIPELINE_RUNS else None

    world.kube.fault = fault


@pytest.mark.parametrize(
    ("error", "reason", "words"),
    [
        (UnavailableError(500, "InternalError", WEBHOOK), "BackendUnavailable", "Is the webhook's service running?"),
        (NotFoundError(404, "NotFound", "404 page not found"), "BackendUnavailable", "does not know PipelineRuns"),
        (ForbiddenError(403, "Forbidden", DENIED), "Forbidden", "denied the request: no such task"),
    ],
)
def test_what_may_pass_is_told_and_tried_again(error: ApiError, reason: str, words: str) -> None:
    world = World(backend="tekton")
    world.served.add(PIPELINE_RUNS)
    refuse(world, error)
    world.settle()
    assert world.status["phase"] == "Pending"
    assert world.condition("Ready")["reason"] == reason
    assert words in world.message
    refuse(world, None)
    world.clock.sleep(31)
    world.settle()
    assert world.made("pipelineruns") == 1
    assert words not in world.message


def test_a_refusal_for_good_is_told_once_and_leaves_nothing() -> None:
    world = World(backend="tekton")
    world.served.add(PIPELINE_RUNS)
    refuse(world, InvalidError(400, "BadRequest", DENIED))
    world.settle()
    assert world.status["phase"] == "Failed"
    assert world.condition("Stalled")["reason"] == "InvalidSpec"
    assert DENIED in world.message
    assert not [key for key in world.kube.store.objects if key[0] == "configmaps"]


def test_an_api_server_in_trouble_is_no_refusal() -> None:
    world = World(backend="tekton")
    world.served.add(PIPELINE_RUNS)
    refuse(world, UnavailableError(503, "ServiceUnavailable", "the server is starting"))
    with pytest.raises(UnavailableError):
        world.reconcile()


class Cluster:
    """What is served, and how often that was asked."""

    def __init__(self, *kinds: Resource) -> None:
        self.kinds = set(kinds)
        self.asked = 0

    def serves(self, resource: Resource) -> bool:
        assert resource != JOBS
        self.asked += 1
        return resource in self.kinds


def test_an_answer_counts_for_a_while() -> None:
    clock, cluster = Clock(), Cluster(WORKFLOWS)
    detector = Detector(cluster.serves, seconds=10, clock=clock.monotonic)
    assert detector.served() == {Backend.ARGO, Backend.JOB}
    asked = cluster.asked
    cluster.kinds = {PIPELINE_RUNS}
    clock.sleep(9)
    assert detector.served() == {Backend.ARGO, Backend.JOB}
    assert cluster.asked == asked
    clock.sleep(2)
    assert detector.served() == {Backend.TEKTON, Backend.JOB}


def test_what_is_said_to_be_missing_was_just_asked() -> None:
    clock, cluster = Clock(), Cluster()
    detector = Detector(cluster.serves, seconds=10, clock=clock.monotonic)
    assert "needs Argo Workflows" in detector.missing(Backend.ARGO)
    cluster.kinds = {WORKFLOWS}
    assert detector.missing(Backend.ARGO) == ""
    assert Backend.ARGO in detector.served()


@pytest.mark.parametrize(
    ("wanted", "default", "chosen"),
    [(None, None, Backend.TEKTON), (None, Backend.JOB, Backend.JOB), (Backend.ARGO, Backend.JOB, Backend.ARGO)],
)
def test_choice(wanted: Backend | None, default: Backend | None, chosen: Backend) -> None:
    assert Detector(Cluster(PIPELINE_RUNS).serves, default).choose(wanted) is chosen
