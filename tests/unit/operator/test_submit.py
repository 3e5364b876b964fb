"""Submitting a run twice does it once, and never over what belongs to somebody else."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from sqlflow_operator.kube import CONFIG_MAPS, ConflictError, ForbiddenError, NotFoundError
from sqlflow_operator.workflow import (
    BackendUnavailableError,
    FetchRequest,
    NameConflictError,
    RunNotFoundError,
    available,
    new,
)
from sqlflow_operator.workflow.observe.state import RunObjects

from tests.unit.operator.fakes import Clock, FakeKube

OURS, THEIRS = {"uid": "ours"}, {"uid": "theirs"}


class Cluster:
    """An API server and the workflow of a backend that submits to it."""

    def __init__(self, backend: str) -> None:
        self.kube = FakeKube(Clock())
        _, self.workflow = new(backend, self.kube)
        self.kind, self.resource = self.workflow.definition.kind, self.workflow.definition.resource

    def run(self, *owners: dict[str, str], **metadata: str) -> list[dict[str, Any]]:
        """ConfigMap and child of a run with those owners."""
        about = {"name": "r", "namespace": "ns", "ownerReferences": list(owners), **metadata}
        kinds = ("ConfigMap", "v1"), (self.kind, "example.com/v1")
        return [{"apiVersion": version, "kind": kind, "metadata": about} for kind, version in kinds]

    def submit(self, documents: list[dict[str, Any]]) -> str:
        return self.workflow.submit(yaml.safe_dump_all(documents))


@pytest.fixture(params=available())
def cluster(request: pytest.FixtureRequest) -> Cluster:
    return Cluster(request.param)


def test_twice_is_once(cluster: Cluster) -> None:
    assert cluster.submit(cluster.run(OURS)) == cluster.submit(cluster.run(OURS)) == "ns/r"
    assert cluster.kube.store.created == [("configmaps", "r"), (cluster.resource.plural, "r")]


def test_what_a_submission_that_was_cut_short_left_is_completed(cluster: Cluster) -> None:
    cluster.submit(cluster.run(OURS))
    cluster.kube.store.delete(cluster.resource, "ns", "r")
    assert cluster.submit(cluster.run(THEIRS, OURS)) == "ns/r"
    assert cluster.kube.store.get(cluster.resource, "ns", "r")["kind"] == cluster.kind


@pytest.mark.parametrize("owners", [(THEIRS,), ()], ids=["another", "none"])
@pytest.mark.parametrize("number", [0, 1], ids=["configmap", "child"])
def test_an_object_of_another_owner_is_left_alone(cluster: Cluster, number: int, owners: tuple[Any, ...]) -> None:
    """Even one that has no owner: a person may have made it."""
    resource = (CONFIG_MAPS, cluster.resource)[number]
    foreign = cluster.run(*owners)[number]
    before = cluster.kube.store.create(resource, "ns", foreign)
    with pytest.raises(NameConflictError) as caught:
        cluster.submit(cluster.run(OURS))
    assert (caught.value.kind, caught.value.name) == (foreign["kind"], "r")
    assert str(caught.value) == f"{foreign['kind']} r in namespace ns exists and does not belong to this job"
    assert cluster.kube.store.get(resource, "ns", "r") == before
    assert number == 1 or cluster.kube.store.list(cluster.resource, "ns") == []


def test_a_run_without_a_namespace_is_in_the_default_one(cluster: Cluster) -> None:
    assert cluster.submit(cluster.run(OURS, namespace="")) == "default/r"
    assert cluster.kube.store.get(CONFIG_MAPS, "default", "r")["kind"] == "ConfigMap"


def test_only_what_a_run_has(cluster: Cluster) -> None:
    config_map, child = cluster.run(OURS)
    with pytest.raises(ValueError, match=f"a run cannot have a Secret; it has ConfigMap, {cluster.kind}"):
        cluster.submit([{**config_map, "kind": "Secret"}, child])
    assert cluster.kube.store.created == []
    with pytest.raises(ValueError, match=f"the YAML holds no {cluster.kind}"):
        cluster.submit([config_map])


def test_a_kind_that_the_cluster_does_not_serve(cluster: Cluster) -> None:
    cluster.kube.fault = lambda *_: NotFoundError(404, "NotFound", "the server could not find the requested resource")
    with pytest.raises(NotFoundError, match=r"serves no ConfigMap \(v1\): its engine is not installed"):
        cluster.submit(cluster.run(OURS))


def test_other_refusals_pass_as_they_are(cluster: Cluster) -> None:
    for error in (NotFoundError(404, "NotFound", 'namespaces "ns" not found'), ForbiddenError(403, "Forbidden", "no")):
        cluster.kube.fault = lambda *_, error=error: error
        with pytest.raises(type(error)) as caught:
            cluster.submit(cluster.run(OURS))
        assert caught.value is error


# -- and what can be done with a run that was submitted


def test_another_backend_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(BackendUnavailableError) as caught:
        new("airflow", FakeKube(Clock()))
    assert str(caught.value) == "backend airflow is not available in this version; it has: argo, tekton, job"


CANCELLED = {
    "argo": ({"shutdown": "Terminate"}, None),
    "tekton": ({"status": "Cancelled"}, None),
    "job": ({"activeDeadlineSeconds": 1, "suspend": False}, {"sqlflow.org/cancelled": "true"}),
}


def test_a_cancelled_run_keeps_its_child(cluster: Cluster) -> None:
    run_id = cluster.submit(cluster.run(OURS))
    for _ in range(2):
        cluster.workflow.cancel(run_id)
    child = cluster.kube.store.get(cluster.resource, "ns", "r")
    assert (child["spec"], child["metadata"].get("annotations")) == CANCELLED[cluster.workflow.backend]


def test_a_stopped_run_has_no_child(cluster: Cluster) -> None:
    run_id = cluster.submit(cluster.run(OURS))
    cluster.workflow.stop(run_id)
    assert cluster.kube.store.list(cluster.resource, "ns") == []
    assert len(cluster.kube.store.list(CONFIG_MAPS, "ns")) == 1


def test_a_child_of_another_uid_is_not_stopped(cluster: Cluster) -> None:
    run_id = cluster.submit(cluster.run(OURS))
    child = cluster.kube.store.get(cluster.resource, "ns", "r")
    with pytest.raises(ConflictError):
        cluster.workflow.stop(run_id, uid="of the run before")
    assert cluster.kube.store.get(cluster.resource, "ns", "r") == child
    cluster.workflow.stop(run_id, uid=child["metadata"]["uid"])
    assert cluster.kube.store.list(cluster.resource, "ns") == []


def test_a_run_that_does_not_exist(cluster: Cluster) -> None:
    for call in (cluster.workflow.cancel, cluster.workflow.stop):
        with pytest.raises(NotFoundError, match='"other" not found'):
            call("ns/other")
    with pytest.raises(RunNotFoundError, match="there is no run ns/other"):
        cluster.workflow.fetch(FetchRequest("ns/other"))


def test_the_rights_that_an_engine_needs_are_asked_of_the_cluster(cluster: Cluster) -> None:
    asked: list[Any] = []
    cluster.kube.store.review = lambda spec: asked.append(spec) or {"allowed": False}  # type: ignore[func-returns-value]
    missing = cluster.workflow.missing_right("ns", "runner")
    assert ("system:serviceaccount:ns:runner" in str(asked)) == ("runner" in missing) == (cluster.kind == "Workflow")


def test_the_state_is_that_of_the_backend(cluster: Cluster) -> None:
    child = cluster.run(OURS)[1] | {"spec": {}}
    objects = RunObjects(child=child)
    assert cluster.workflow.observe(objects) == cluster.workflow.definition.observe(objects)
