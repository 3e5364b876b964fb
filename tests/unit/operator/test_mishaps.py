"""The reconcile loop against an API server in memory: what is lost, late, taken or refused."""

from __future__ import annotations

import json

import pytest
from sqlflow_operator.api import Backend
from sqlflow_operator.kube import CONFIG_MAPS, EVENTS, JOBS, PIPELINE_RUNS, PODS, SQLFLOWJOBS, WORKFLOWS, Resource

from tests.unit.operator.world import PROGRAM, World, kstatus


def test_child_deleted_while_it_runs_is_not_started_again() -> None:
    world = World()
    world.reconcile()
    world.advance(4)
    world.kube.store.delete(JOBS, "ns", world.children()[0]["metadata"]["name"])
    world.settle()
    assert world.status["phase"] == "Failed"
    assert world.condition("Failed")["reason"] == "ChildLost"
    assert "rerunToken" in world.message
    assert world.made("jobs") == 1
    assert [step["phase"] for step in world.status["steps"]] == ["Succeeded", "Failed", "Skipped"]
    world.edit(rerunToken="1")
    world.settle()
    assert world.status["phase"] == "Succeeded"


def test_child_deleted_after_the_end_keeps_the_outcome() -> None:
    world = World()
    world.settle()
    before = json.dumps(world.status)
    world.kube.store.delete(JOBS, "ns", world.children()[0]["metadata"]["name"])
    world.settle()
    world.restart()
    world.settle()
    assert json.dumps(world.status) == before
    assert world.made("jobs") == 1


def test_lost_config_map_is_made_again_while_the_run_goes_on() -> None:
    world = World()
    world.reconcile()
    name = world.children()[0]["metadata"]["name"]
    world.kube.store.delete(CONFIG_MAPS, "ns", name)
    world.advance(2)
    words = f'MountVolume.SetUp failed for volume "program" : configmap "{name}" not found'
    event = {"metadata": {"name": "e"}, "type": "Warning", "reason": "FailedMount", "message": words}
    event["involvedObject"] = {"uid": world.pods()[0]["metadata"]["uid"]}
    world.kube.store.create(EVENTS, "ns", event)
    world.clock.sleep(6)
    world.reconcile()
    assert world.kube.store.get(CONFIG_MAPS, "ns", name)["data"]["program.sql"] == PROGRAM
    world.settle()
    assert world.status["phase"] == "Succeeded"
    assert world.made("jobs") == 1


def test_time_to_live_acts_on_the_child_only() -> None:
    world = World(ttlSecondsAfterFinished=600)
    world.settle()
    assert len(world.children()) == 1
    before = json.dumps(world.status)
    world.outlive(600)
    assert world.children() == []
    assert world.kube.store.list(CONFIG_MAPS, "ns") == []
    world.settle()
    assert json.dumps(world.status) == before
    assert world.made("jobs") == 1


def test_what_has_taken_the_name_of_a_run_that_ended_outlives_its_time_to_live() -> None:
    world = World(ttlSecondsAfterFinished=600)
    world.settle()
    name = world.children()[0]["metadata"]["name"]
    world.kube.store.delete(JOBS, "ns", name)
    world.kube.store.create(JOBS, "ns", {"metadata": {"name": name}, "spec": {}})
    world.clock.sleep(601)
    world.settle()
    assert world.kube.store.list(CONFIG_MAPS, "ns") == []
    assert [child["metadata"]["name"] for child in world.children()] == [name]


def test_deadline_is_enforced_though_the_backend_hangs() -> None:
    world = World(activeDeadlineSeconds=60)
    world.reconcile()
    world.advance(4)
    assert world.children()[0]["spec"]["activeDeadlineSeconds"] == 60
    wait = world.reconcile()
    assert wait is not None
    assert wait <= 65
    world.clock.sleep(66)
    world.reconcile()
    assert world.status["phase"] == "Failed"
    assert world.condition("Failed")["reason"] == "DeadlineExceeded"
    assert "activeDeadlineSeconds" in world.message
    assert len(world.children()) == 1, "the outcome is stored before the child goes"
    world.reconcile()
    assert world.children() == []
    world.settle()
    assert world.condition("Failed")["reason"] == "DeadlineExceeded"


def test_deadline_may_be_moved_while_the_run_goes_on() -> None:
    world = World(activeDeadlineSeconds=60)
    world.reconcile()
    world.advance(4)
    world.edit(activeDeadlineSeconds=6000)
    world.reconcile()
    assert world.children()[0]["spec"]["activeDeadlineSeconds"] == 6000
    world.clock.sleep(100)
    world.settle()
    assert world.status["phase"] == "Succeeded"


def test_foreign_object_of_the_runs_name() -> None:
    world = World()
    world.reconcile()
    [child] = world.children()
    name = child["metadata"]["name"]
    other = World()
    foreign = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {}}
    other.kube.store.create(JOBS, "ns", foreign)
    other.settle()
    assert other.condition("Stalled")["reason"] == "NameConflict"
    assert f"Job {name}" in other.message
    assert other.made("jobs") == 1
    assert kstatus(other.job) == "Failed"
    other.kube.store.delete(JOBS, "ns", name)
    other.settle()
    assert other.status["phase"] == "Succeeded"


def test_foreign_config_map_of_the_runs_name() -> None:
    world = World()
    world.reconcile()
    name = world.children()[0]["metadata"]["name"]
    other = World()
    other.kube.store.create(CONFIG_MAPS, "ns", {"kind": "ConfigMap", "metadata": {"name": name}, "data": {}})
    other.settle()
    assert other.condition("Stalled")["reason"] == "NameConflict"
    assert f"ConfigMap {name}" in other.message
    assert other.made("jobs") == 0


def test_engine_that_the_cluster_has_not() -> None:
    world = World(backend="argo")
    world.settle()
    assert world.condition("Stalled")["reason"] == "BackendUnavailable"
    assert world.message == (
        "Backend argo needs Argo Workflows, and this cluster has no workflows.argoproj.io (argoproj.io/v1alpha1): "
        "install it, or set spec.backend to one of: job"
    )
    assert world.made("workflows") == world.made("jobs") == 0


def test_engine_that_is_installed_later() -> None:
    world = World(backend="argo")
    world.settle()
    world.served.add(WORKFLOWS)
    world.clock.sleep(60)
    world.settle()
    assert world.made("workflows") == 1
    assert world.condition("Stalled")["status"] == "False"
    assert world.status["run"]["backend"] == "argo"


@pytest.mark.parametrize(
    ("served", "default", "chosen"),
    [
        ((), None, "job"),
        ((PIPELINE_RUNS,), None, "tekton"),
        ((WORKFLOWS, PIPELINE_RUNS), None, "argo"),
        ((WORKFLOWS, PIPELINE_RUNS), Backend.JOB, "job"),
        ((WORKFLOWS,), Backend.TEKTON, ""),
    ],
)
def test_backend_of_a_job_that_names_none(served: tuple[Resource, ...], default: Backend | None, chosen: str) -> None:
    world = World()
    world.served.update(served)
    world.default = default
    world.restart()
    world.settle()
    assert world.status.get("run", {}).get("backend", "") == chosen


def test_a_run_keeps_its_backend() -> None:
    world = World()
    world.default = None
    world.restart()
    world.reconcile()
    world.served.add(WORKFLOWS)
    world.clock.sleep(60)
    world.settle()
    assert world.made("workflows") == 0
    assert world.status["run"]["backend"] == "job"


def test_engine_that_is_removed_while_a_run_goes_on() -> None:
    world = World(backend="argo")
    world.served.add(WORKFLOWS)
    world.settle()
    world.served.clear()
    world.kube.store.delete(WORKFLOWS, "ns", world.status["run"]["name"])
    world.clock.sleep(60)
    world.settle()
    assert world.condition("Stalled")["reason"] == "BackendUnavailable"
    assert world.status["run"]["name"]
    world.served.add(WORKFLOWS)
    world.clock.sleep(60)
    world.settle()
    assert world.condition("Failed")["reason"] == "ChildLost"
    assert world.made("workflows") == 1


def test_deleted_job_is_left_alone() -> None:
    world = World()
    world.kube.store.patch(SQLFLOWJOBS, "ns", "iris", {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}})
    assert world.reconcile() is None
    assert world.made("jobs") == 0
    world.kube.store.delete(SQLFLOWJOBS, "ns", "iris")
    assert world.reconcile() is None


def test_labels_of_the_job_are_not_copied() -> None:
    world = World()
    world.kube.store.patch(SQLFLOWJOBS, "ns", "iris", {"metadata": {"labels": {"app.kubernetes.io/instance": "x"}}})
    world.settle()
    for thing in [*world.children(), *world.pods(), *world.kube.store.list(CONFIG_MAPS, "ns")]:
        assert "app.kubernetes.io/instance" not in thing["metadata"]["labels"]


def test_the_job_itself_is_never_changed() -> None:
    world = World(retries=1)
    before = json.dumps({key: world.job[key] for key in ("spec",)})
    world.settle()
    assert json.dumps({key: world.job[key] for key in ("spec",)}) == before
    assert "finalizers" not in world.job["metadata"]
    assert "annotations" not in world.job["metadata"]


@pytest.mark.parametrize("length", [1, 63, 253])
def test_names_of_every_length_give_valid_run_names(length: int) -> None:
    name = (("n" * 60 + ".") * 5)[: length - 1] + "z"
    world = World(name=name)
    world.settle()
    run = world.status["run"]["name"]
    assert len(run) <= 57
    assert "." not in run
    assert world.status["phase"] == "Succeeded"
    assert world.children()[0]["metadata"]["annotations"]["sqlflow.org/job"] == name


def test_missing_secret_keeps_the_job_pending_until_it_comes() -> None:
    world = World()
    words = {"reason": "CreateContainerConfigError", "message": 'secret "db" not found'}
    world.controller.waiting["s1-sql"] = words
    world.reconcile()
    world.advance(4)
    assert world.status["phase"] == "Pending"
    assert "kubectl create secret generic db -n ns --from-literal=url=" in world.message
    assert world.condition("Reconciling")["reason"] == "MissingConfiguration"
    del world.controller.waiting["s1-sql"]
    world.settle()
    assert world.status["phase"] == "Succeeded"


def test_refused_pods_are_explained_by_events() -> None:
    world = World()
    world.reconcile()
    [child] = world.children()
    words = 'pods "x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0'
    event = {"metadata": {"name": "e"}, "type": "Warning", "reason": "FailedCreate", "message": words}
    event["involvedObject"] = {"uid": child["metadata"]["uid"]}
    world.kube.store.create(EVENTS, "ns", event)
    world.clock.sleep(6)
    wait = world.reconcile()
    assert world.condition("Reconciling")["reason"] == "QuotaExceeded"
    assert "exceeded quota: q" in world.message
    assert wait is not None
    assert wait <= 5


def test_pods_follow_the_operator_not_the_job_controller() -> None:
    """A pod that has ended well is enough; the Job's own word comes seconds later."""
    world = World(program="SELECT 1;")
    world.reconcile()
    world.advance(5)
    assert world.kube.store.list(PODS, "ns")[0]["status"]["phase"] == "Succeeded"
    assert "conditions" not in (world.children()[0].get("status") or {})
    assert world.status["phase"] == "Succeeded"
    world.settle()
    assert len(world.children()) == 1
