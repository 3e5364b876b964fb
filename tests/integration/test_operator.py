"""The real operator process, with the rights of its role, on a real API server; the cluster's part is played."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlflow_codegen.contract import Outcome, StepError, dump_outcome
from sqlflow_operator.kube import CONFIG_MAPS, JOBS, PODS, SQLFLOWJOBS

from tests.integration.conftest import OperatorProcess, Place, settle
from tests.integration.controlplane import ControlPlane
from tests.unit.operator.jobcontroller import Ending
from tests.unit.operator.world import PROGRAM, kstatus

pytestmark = pytest.mark.integration

BAD = "SELECT 1;\nSELECT * FROM t\nTO TRAIN xgboost.gbtree\nLABEL class;"


@pytest.fixture(autouse=True)
def _operator(request: pytest.FixtureRequest) -> None:
    """The shared operator, unless the test brings its own."""
    if "own_operator" not in request.fixturenames:
        request.getfixturevalue("shared_operator")


def test_a_run_from_start_to_end(place: Place) -> None:
    place.apply()
    status = place.play_until("Succeeded")
    assert (status["progress"], status["observedGeneration"]) == ("3/3", 1)
    assert [step["phase"] for step in status["steps"]] == ["Succeeded"] * 3
    [child], [config_map] = place.children(), place.config_maps()
    uid = place.job()["metadata"]["uid"]
    for thing in (child, config_map):
        assert [owner["uid"] for owner in thing["metadata"]["ownerReferences"]] == [uid]
    assert config_map["data"]["program.sql"] == PROGRAM
    assert config_map["immutable"] is True
    assert sorted(event["reason"] for event in place.events()) == ["Started", "Succeeded"]
    assert kstatus(place.job()) == "Current"


def test_kubectl_wait_sees_the_end(plane: ControlPlane, place: Place) -> None:
    place.apply(program="SELECT 1;")
    place.play_until("Succeeded")
    plane.run("wait", "-n", place.namespace, "--for=condition=Complete", "sfj/iris", "--timeout=5s")


def test_job_carries_no_finalizer_and_no_annotation_in_any_phase(place: Place) -> None:
    place.apply()
    seen = set()

    def ended() -> bool:
        metadata = place.job()["metadata"]
        assert "finalizers" not in metadata
        assert "annotations" not in metadata
        assert metadata["generation"] == 1
        seen.add(place.phase())
        return place.phase() == "Succeeded"

    place.play_for(ended, "the run has ended")
    assert "Running" in seen


def test_invalid_program_is_refused_and_starts_nothing(place: Place) -> None:
    place.apply("bad", program=BAD)
    place.wait_for(lambda: place.condition("Stalled", "bad").get("status") == "True", "Stalled", name="bad")
    stalled = place.condition("Stalled", "bad")
    assert stalled["reason"] == "InvalidProgram"
    assert "statement 2, 4:12" in stalled["message"]
    before = place.look_again("bad")
    assert place.job("bad") == before
    assert place.children() == place.config_maps() == []


def test_failed_statement_is_told(place: Place) -> None:
    error = StepError(2, 2, 15, "TO TRAIN xgboost.gbtree", "database", 'relation "t" does not exist')
    place.controller.endings["s2-train"] = [Ending(1, dump_outcome(Outcome(error=error)))]
    place.apply()
    status = place.play_until("Failed")
    assert 'statement 2 (TO TRAIN xgboost.gbtree) at 2:15: relation "t" does not exist' in place.message()
    assert status["message"] == 'Statement 2 at 2:15: relation "t" does not exist'
    assert [step["phase"] for step in status["steps"]] == ["Succeeded", "Failed", "Skipped"]
    assert kstatus(place.job()) == "Failed"


def test_observed_generation_follows_every_edit(place: Place) -> None:
    place.apply(program="SELECT 1;")
    place.play_until("Succeeded")
    for number, change in enumerate(({"suspend": True}, {"suspend": False}, {"ttlSecondsAfterFinished": 3600}), 2):
        place.edit("iris", **change)
        place.wait_for(
            lambda n=number: place.status()["observedGeneration"] == n, f"generation {number} is observed", 5
        )
    assert place.phase() == "Succeeded"
    assert len(place.children()) == 1


def test_applying_again_and_stripped_annotations_run_nothing(plane: ControlPlane, place: Place) -> None:
    place.apply(program="SELECT 1;")
    place.play_until("Succeeded")
    before = place.children()
    place.kube.patch(SQLFLOWJOBS, place.namespace, "iris", {"metadata": {"annotations": {"a": "b"}}})
    place.kube.patch(SQLFLOWJOBS, place.namespace, "iris", {"metadata": {"annotations": None, "labels": {"c": "d"}}})
    settle(place.kube)
    assert place.children() == before
    assert place.status()["run"]["name"] == before[0]["metadata"]["name"]


def test_changed_program_runs_again_after_the_old_run_is_gone(place: Place) -> None:
    place.apply()
    place.play_until("Running")
    old = place.children()[0]["metadata"]["name"]
    place.edit("iris", program="SELECT 42;")
    place.wait_for(lambda: not place.children(), "the old child is deleted")
    place.wait_for(lambda: place.status().get("history"), "history")
    # No garbage collector here: the old pod is still there, and the new run waits for it.
    assert place.children() == []
    for pod in place.kube.list(PODS, place.namespace):
        place.kube.delete(PODS, place.namespace, pod["metadata"]["name"])
    status = place.play_until("Succeeded")
    assert [(entry["name"], entry["phase"]) for entry in status["history"]] == [(old, "Cancelled")]
    assert len(place.children()) == 1
    assert status["observedGeneration"] == 2


def test_suspended_job_starts_nothing_until_it_is_released(place: Place) -> None:
    place.apply(suspend=True)
    place.wait_phase("Suspended")
    before = place.look_again()
    assert place.job() == before
    assert place.children() == []
    place.edit("iris", suspend=False)
    place.play_until("Succeeded")


def test_suspension_reaches_the_child_and_ends_with_it(place: Place) -> None:
    place.apply(retries=1, activeDeadlineSeconds=1000)
    place.play_until("Running")
    place.edit("iris", suspend=True, activeDeadlineSeconds=2000)
    place.play_until("Suspended")
    spec = place.children()[0]["spec"]
    assert (spec["suspend"], spec["activeDeadlineSeconds"]) == (True, 2000)
    place.edit("iris", suspend=False)
    place.play_until("Succeeded")


def test_foreign_object_of_the_runs_name_is_left_alone(place: Place) -> None:
    place.apply(program="SELECT 1;", suspend=True)
    place.wait_phase("Suspended")
    name = _run_name(place)
    data = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"mine": "1"}}
    place.kube.create(CONFIG_MAPS, place.namespace, data)
    place.edit("iris", suspend=False)
    place.wait_for(lambda: place.condition("Stalled").get("reason") == "NameConflict", "NameConflict")
    assert place.children() == []
    assert place.kube.get(CONFIG_MAPS, place.namespace, name)["data"] == {"mine": "1"}


def _run_name(place: Place) -> str:
    from sqlflow_operator.api import SQLFlowJob
    from sqlflow_operator.run_name import run_name

    return run_name(SQLFlowJob.parse(place.job()))


def test_refused_by_the_api_server(place: Place) -> None:
    limits = {"limits": {"memory": "1Gi"}, "requests": {"memory": "2Gi"}}
    place.apply(program="SELECT 1;", resources=limits)
    place.wait_phase("Failed")
    assert place.condition("Stalled")["reason"] == "InvalidSpec"
    assert "must be less than or equal to memory limit" in place.message()
    place.wait_for(lambda: not place.config_maps(), "nothing is left behind")
    before = place.look_again()
    assert place.job() == before
    assert place.children() == place.config_maps() == []
    place.edit("iris", resources={"requests": {"memory": "1Gi"}})
    place.play_until("Succeeded")


def test_time_to_live_removes_the_child_and_keeps_the_job(place: Place) -> None:
    place.apply(program="SELECT 1;", ttlSecondsAfterFinished=2)
    status = place.play_until("Succeeded")
    place.wait_for(lambda: not place.children() and not place.config_maps(), "child and ConfigMap are gone")
    place.look_again()
    assert place.children() == []
    assert place.status() == status


def test_deadline_is_enforced_without_the_job_controller(place: Place) -> None:
    place.apply(activeDeadlineSeconds=1)
    place.play_until("Running")
    place.wait_phase("Failed")
    assert place.condition("Failed")["reason"] == "DeadlineExceeded"
    place.wait_for(lambda: not place.children(), "the child is stopped")


def test_status_is_written_at_most_once_a_second(plane: ControlPlane, place: Place) -> None:
    place.apply(
        program=";\n".join(f"SELECT * FROM t TO TRAIN xgboost.gbtree LABEL c INTO m{n}" for n in range(12)) + ";"
    )
    versions: dict[str, datetime] = {}

    def ended() -> bool:
        job = place.job()
        metadata = job["metadata"]
        versions[metadata["resourceVersion"]] = max(_moment(each["time"]) for each in metadata["managedFields"])
        return (job.get("status") or {}).get("phase") == "Succeeded"

    place.play_for(ended, "the run has ended", 60)
    took = (max(versions.values()) - min(versions.values())).total_seconds()
    assert len(versions) - 1 <= took + 2, "by the API server's clock; one version is the creation itself"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.timeout(180)
def test_killed_at_any_moment_one_child_and_the_right_end(own_operator: OperatorProcess, place: Place) -> None:
    """Kill it as soon as each trace of a run shows, and start it again; the cluster moves on meanwhile."""
    place.apply()
    moments: dict[str, Callable[[], object]] = {
        "the operator is ready": lambda: True,
        "the program is stored": place.config_maps,
        "the child is there": place.children,
        "the status names the run": lambda: place.status().get("run"),
        "the run is Running": lambda: place.phase() == "Running",
        "a step has ended": lambda: place.status().get("completedSteps"),
    }
    for what, reached in moments.items():
        own_operator.start()
        place.play_for(reached, what, every=0.01)
        own_operator.kill()
        assert len(place.children()) <= 1
    own_operator.start()
    status = place.play_until("Succeeded", seconds=60)
    assert len(place.children()) == len(place.config_maps()) == 1
    assert status["progress"] == "3/3"
    reasons = [event["reason"] for event in place.events()]
    assert sorted(reasons) == ["Started", "Succeeded"]


def test_two_operators_at_once_make_one_child(
    own_operator: OperatorProcess, shared_operator: OperatorProcess, place: Place
) -> None:
    own_operator.start()
    for number in range(5):
        place.apply(f"twin-{number}", program=f"SELECT {number};")
    for number in range(5):
        place.play_until("Succeeded", f"twin-{number}")
    assert len(place.children()) == 5
    assert len(place.events()) == 10


def test_job_deleted_while_no_operator_runs(own_operator: OperatorProcess, place: Place) -> None:
    own_operator.start()
    place.apply()
    place.play_until("Running")
    own_operator.kill()
    place.kube.delete(SQLFLOWJOBS, place.namespace, "iris")
    place.wait_for(lambda: not place.kube.list(SQLFLOWJOBS, place.namespace), "the job is gone", 5)
    own_operator.start()
    place.wait_for(lambda: own_operator.probe("healthz") == 200, "it lives with orphans around", 5)


def test_metrics_count_what_is_there(own_operator: OperatorProcess, place: Place) -> None:
    own_operator.start()
    place.apply("bad", program=BAD)
    place.wait_phase("Failed", "bad")
    place.wait_for(lambda: 'sqlflow_jobs{phase="Failed"} 1.0' in own_operator.get("metrics")[1], "counted")
    place.kube.delete(SQLFLOWJOBS, place.namespace, "bad")
    place.wait_for(lambda: 'sqlflow_jobs{phase="Failed"} 0.0' in own_operator.get("metrics")[1], "counted again")
    assert 'name="bad"' not in own_operator.get("metrics")[1]


def test_operator_ends_when_it_is_terminated(own_operator: OperatorProcess) -> None:
    own_operator.start()
    assert own_operator.terminate() == 0


@pytest.mark.timeout(300)
def test_large_program_does_not_hold_up_others(own_operator: OperatorProcess, place: Place) -> None:
    own_operator.start()
    place.apply("warm", program="SELECT 1;")
    place.wait_for(lambda: place.phase("warm") == "Pending", "warm")
    place.apply("large", program="SELECT 'a', 1 FROM t WHERE b = 'c';\n" * 13_000)
    place.apply("bad", program=BAD)
    place.wait_phase("Failed", "bad")
    assert [job for job in place.children() if job["metadata"]["name"].startswith("large")] == []
    place.wait_for(lambda: len(place.children()) == 2, "the large one runs too", 180, "large")
    large = next(cm for cm in place.config_maps() if cm["metadata"]["name"].startswith("large"))
    assert len(large["data"]["program.sql"]) == 13_000 * 36
    assert place.kube.list(JOBS, place.namespace)
