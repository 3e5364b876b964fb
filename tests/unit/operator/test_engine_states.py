"""What is read from the engines' objects where pods are gone, refused, or made again: small objects, by hand."""

from __future__ import annotations

import json

import pytest
from sqlflow_operator.api import Phase, StepPhase, StepStatus
from sqlflow_operator.kube import Object
from sqlflow_operator.workflow.backends import job, tekton
from sqlflow_operator.workflow.observe.state import Reason, RunObjects

from tests.unit.operator.run_objects import (
    DONE,
    FAILED_JOB,
    NAMES,
    OMITTED,
    PLACES,
    batch_job,
    container,
    ended,
    error,
    known,
    of_argo,
    of_tekton,
    phases,
    pipeline_run,
    pod,
    task,
    workflow,
)

SECURITY = (
    'pods "r-s2" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false '
    '(containers "init", "wait" must set securityContext.allowPrivilegeEscalation=false)'
)


# A pod that is gone


def test_argos_deleted_pod_is_lost_with_its_statement() -> None:
    child = workflow("Failed", s1_sql=DONE, s2_sql={"phase": "Error", "message": "pod deleted"}, s3_sql=OMITTED)
    state = of_argo(child)
    assert (state.phase, state.reason) == (Phase.FAILED, Reason.POD_LOST)
    assert state.message == (
        "step s2-sql failed: statement 2 (INSERT INTO a) at 2:1 was interrupted: its pod was deleted."
    )
    assert phases(state) == ["Succeeded", "Failed", "Skipped"]
    assert state.steps[1].attempts == 1


@pytest.mark.parametrize("message", ["", error("stopped")])
def test_tektons_stopped_step_is_lost_with_its_statement(message: str) -> None:
    wrapped = json.dumps([{"key": "outcome", "value": message}]) if message else ""
    failed = task("False", "StepFailed", '"step-main" exited with code 143: Error', ended(143, wrapped))
    child, parts = pipeline_run("False", "Failed", s1_sql=task("True", "Succeeded", "done", ended(0)), s2_sql=failed)
    state = of_tekton(child, parts)
    assert (state.phase, state.reason) == (Phase.FAILED, Reason.POD_LOST)
    assert state.message == (
        "step s2-sql failed: statement 2 (INSERT INTO a) at 2:1 was interrupted: its pod was deleted."
    )
    assert phases(state) == ["Succeeded", "Failed", "Skipped"]
    if message:  # it knows its own place, whoever asks
        assert tekton.observe(RunObjects(child=child, parts=parts)).message == state.message


def test_the_steps_own_words_outlive_its_pod() -> None:
    """Both engines keep what a step that failed wrote at its end."""
    told = "main: Error (exit code 1): " + error("database")
    child = workflow("Failed", s1_sql=DONE, s2_sql={"phase": "Failed", "message": told, "outputs": {"exitCode": "1"}})
    wrapped = json.dumps([{"key": "outcome", "value": error("database")}])
    failed = task("False", "StepFailed", '"step-main" exited with code 1: Error', ended(1, wrapped))
    states = [of_argo(child), of_tekton(*pipeline_run("False", "Failed", s2_sql=failed))]
    for state in states:
        assert (state.reason, state.message) == (
            Reason.STEP_FAILED,
            "step s2-sql failed: statement 2 (INSERT INTO a) at 2:1: words",
        )


def test_a_jobs_lost_pod_blames_the_step_that_ran() -> None:
    """The pod alone knew which step ran, and the status remembers."""
    done = StepStatus(name="s1-sql", kind="sql", statements=(1,), phase=StepPhase.SUCCEEDED)
    seen = {"s1-sql": done, "s2-sql": known(started_at="t", attempts=1)}
    state = job.observe(RunObjects(child=batch_job(FAILED_JOB), statements=PLACES, known=seen))
    assert (state.phase, state.reason) == (Phase.FAILED, Reason.POD_LOST)
    assert state.message.startswith(
        "step s2-sql failed: statement 2 (INSERT INTO a) at 2:1 was interrupted: its pod is gone"
    )
    assert "limit reached" in state.message
    assert phases(state) == ["Succeeded", "Failed", "Skipped"]


@pytest.mark.parametrize(("code", "reason"), [(1, Reason.STEP_FAILED), (143, Reason.POD_LOST)])
def test_better_words_seen_before_are_kept(code: int, reason: Reason) -> None:
    seen = {"s2-sql": known(StepPhase.FAILED, exit_code=code, message="statement 2 at 2:1: its own words")}
    done = StepStatus(name="s1-sql", kind="sql", statements=(1,), phase=StepPhase.SUCCEEDED)
    on_job = job.observe(RunObjects(child=batch_job(FAILED_JOB), known={**seen, "s1-sql": done}))
    gone = workflow("Failed", s1_sql=DONE, s2_sql={"phase": "Error", "message": "pod deleted"})
    for state in (on_job, of_argo(gone, s2_sql=seen["s2-sql"])):
        assert state.reason is reason
        assert state.message == "step s2-sql failed: statement 2 at 2:1: its own words"


def test_a_pod_that_failed_as_a_whole_is_not_called_gone() -> None:
    failed = {"phase": "Failed", "reason": "OutOfpods", "message": "Node didn't have enough resource: pods"}
    whole = {"metadata": {"name": "r-x", "uid": "u"}, "status": failed}
    state = job.observe(RunObjects(child=batch_job(FAILED_JOB), pods=[whole], statements=PLACES))
    assert state.reason is Reason.POD_LOST
    assert "its pod failed: OutOfpods: Node didn't have enough resource: pods" in state.message
    assert "gone" not in state.message


# Attempts


def test_tekton_counts_no_attempt_between_two() -> None:
    """The TaskRun keeps the steps of the attempt before until the next one's pod reports."""
    old = {"steps": [ended(143)]}
    waiting = task(
        "Unknown", "ToBeRetried", '"step-main" exited with code 143: Error', ended(143), podName="", retriesStatus=[old]
    )
    step = of_tekton(*pipeline_run("Unknown", "Running", s1_sql=waiting)).steps[0]
    assert (step.phase, step.attempts) == (StepPhase.PENDING, 1)
    assert "ToBeRetried" not in step.message


def test_tekton_counts_what_was_started() -> None:
    never = {"steps": [{"terminated": {"exitCode": 1, "reason": "TaskRunImagePullFailed"}}]}
    done = task("True", "Succeeded", "done", ended(0), retriesStatus=[never, {"steps": [ended(3)]}])
    assert of_tekton(*pipeline_run("Unknown", "Running", s1_sql=done)).steps[0].attempts == 2


# A namespace that refuses the engine's containers


def test_argos_refused_pod_names_argos_setting_and_counts_no_attempt() -> None:
    child = workflow("Failed", s1_sql=DONE, s2_sql={"phase": "Error", "message": SECURITY}, s3_sql=OMITTED)
    state = of_argo(child)
    assert state.reason is Reason.POD_REFUSED
    assert "violates PodSecurity" in state.message
    assert "executor.securityContext" in state.message
    assert state.steps[1].attempts == 0


def test_tektons_refused_pod_names_tektons_setting() -> None:
    failed = task("False", "PodAdmissionFailed", f'failed to create task run pod "r-s2": {SECURITY}')
    state = of_tekton(*pipeline_run("False", "Failed", s1_sql=failed))
    assert state.reason is Reason.POD_REFUSED
    assert "set-security-context" in state.message
    assert state.steps[0].attempts == 0


# A failure beside other steps


@pytest.mark.parametrize(("retries", "words"), [(0, "failed: "), (2, "failed (it may be tried again): ")])
def test_a_failed_step_is_named_first_while_others_run(retries: int, words: str) -> None:
    running = pod("s1-sql", {"running": {"startedAt": "2026-01-01T00:00:01Z"}})
    failed = pod("s2-sql", {"terminated": {"exitCode": 3, "message": error("database")}})
    child = workflow("Running", retries, s1_sql={"phase": "Running"}, s2_sql={"phase": "Running"})
    state = of_argo(child, (running, failed))
    assert state.phase is Phase.RUNNING
    assert state.message == (
        f"step s2-sql {words}statement 2 (INSERT INTO a) at 2:1: words; running step s1-sql: CREATE TABLE a"
    )


def test_a_failed_step_is_named_before_what_another_waits_for() -> None:
    waiting = pod("s1-sql", {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}})
    failed = pod("s2-sql", {"terminated": {"exitCode": 1, "message": error("database")}})
    state = of_argo(workflow("Running", s2_sql={"phase": "Running"}), (waiting, failed))
    assert state.reason is Reason.IMAGE_PULL
    assert state.message.startswith("step s2-sql failed: statement 2 (INSERT INTO a) at 2:1: words; image ")


# A deadline


def test_a_pod_that_was_ended_at_the_deadline_ends_the_run() -> None:
    """Argo gives each pod what is left of the run's time, and needs ten more seconds to say that the run is over."""
    times = {"startedAt": "2026-01-01T00:00:01Z", "finishedAt": "2026-01-01T00:00:12Z"}
    late = pod("s2-sql", {"terminated": {"exitCode": 143, "message": error("stopped"), **times}})
    late["status"]["reason"] = "DeadlineExceeded"
    child = workflow("Running", s1_sql=DONE, s2_sql={"phase": "Running"})
    state = of_argo(child, (late,))
    assert (state.phase, state.reason) == (Phase.FAILED, Reason.DEADLINE_EXCEEDED)
    assert state.message.startswith("step s2-sql failed: statement 2 (INSERT INTO a) at 2:1: stopped")
    assert "longer than spec.activeDeadlineSeconds allows" in state.message
    assert state.finished_at == times["finishedAt"]
    assert phases(state) == ["Succeeded", "Failed", "Skipped"]
    running = pod("s3-sql", {"running": {"startedAt": "2026-01-01T00:00:01Z"}})
    assert of_argo(child, (late, running)).phase is Phase.RUNNING


def test_a_deadline_names_the_statement_to_who_does_not_know_the_program() -> None:
    times = {"startedAt": "2026-01-01T00:00:01Z", "finishedAt": "2026-01-01T00:00:12Z"}
    stopped = pod("s2-sql", {"terminated": {"exitCode": 143, "message": error("stopped"), **times}}, "step-main")
    words = "TaskRun cancelled as the PipelineRun it belongs to has timed out."
    late = task("False", "TaskRunCancelled", words, {"terminated": {"exitCode": 1}})
    child, parts = pipeline_run("False", "PipelineRunTimeout", s2_sql=late)
    state = tekton.observe(RunObjects(child=child, parts=parts, pods=[stopped]))
    assert state.reason is Reason.DEADLINE_EXCEEDED
    assert state.message.startswith("step s2-sql failed: statement 2 (INSERT INTO a) at 2:1: stopped after 11s")


# What clears up behind the last step


@pytest.mark.parametrize("finish", [{"terminated": {"exitCode": 1}}, {"waiting": {"reason": "ImagePullBackOff"}}])
@pytest.mark.parametrize("conditions", [(), (FAILED_JOB,)])
def test_a_job_whose_steps_are_done_has_succeeded(finish: Object, conditions: tuple[Object, ...]) -> None:
    end = {"exitCode": 0, "startedAt": "2026-01-01T00:00:01Z", "finishedAt": "2026-01-01T00:00:02Z"}
    status = {
        "phase": "Failed" if "terminated" in finish else "Pending",
        "initContainerStatuses": [{"name": name, "state": {"terminated": end}} for name in NAMES],
        "containerStatuses": [{"name": "finish", "state": finish}],
    }
    containers = {"initContainers": [container(name) for name in NAMES], "containers": [{"name": "finish"}]}
    one = {"metadata": {"name": "r-x", "uid": "u"}, "spec": containers, "status": status}
    state = job.observe(RunObjects(child=batch_job(*conditions), pods=[one], statements=PLACES))
    assert state.phase is Phase.SUCCEEDED
    assert state.finished_at == "2026-01-01T00:00:02Z"


def test_the_last_step_may_be_the_pods_main_container() -> None:
    child = batch_job()
    template = child["spec"]["template"]["spec"]
    template["containers"] = [template["initContainers"].pop()]
    running = {"running": {"startedAt": "2026-01-01T00:00:01Z"}}
    status = {
        "phase": "Running",
        "initContainerStatuses": [{"name": name, "state": {"terminated": {"exitCode": 0}}} for name in NAMES[:2]],
        "containerStatuses": [{"name": NAMES[2], "state": running}],
    }
    one = {"metadata": {"name": "r-x", "uid": "u"}, "spec": template, "status": status}
    state = job.observe(RunObjects(child=child, pods=[one], statements=PLACES))
    assert phases(state) == ["Succeeded", "Succeeded", "Running"]


# A step that its engine starts although another one has failed


@pytest.mark.parametrize("gone", [False, True])
def test_a_step_that_declined_to_begin_never_ran(gone: bool) -> None:
    declined = ended(6, error("skipped", 1))
    failed = {"phase": "Failed", "message": "main: Error (exit code 1)", "outputs": {"exitCode": "1"}}
    late = {"phase": "Failed", "message": "main: Error (exit code 6)", "outputs": {"exitCode": "6"}}
    pods = () if gone else (pod("s2-sql", declined), pod("s3-sql", ended(1, error("database", 3))))
    state = of_argo(workflow("Failed", s1_sql=DONE, s2_sql=late, s3_sql=failed), pods)
    assert phases(state) == ["Succeeded", "Skipped", "Failed"]
    assert state.message.startswith("step s3-sql failed: ")


def test_a_task_that_declined_to_begin_never_ran() -> None:
    declined = task("False", "Failed", '"step-main" exited with code 6: Error', ended(6))
    failed = task("False", "Failed", '"step-main" exited with code 1: Error', ended(1))
    child, parts = pipeline_run(
        "False", "Failed", s1_sql=task("True", "Succeeded", "done", ended(0)), s2_sql=declined, s3_sql=failed
    )
    state = of_tekton(child, parts)
    assert phases(state) == ["Succeeded", "Skipped", "Failed"]
    assert state.message.startswith("step s3-sql failed: ")
