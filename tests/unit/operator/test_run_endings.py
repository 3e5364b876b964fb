"""How runs end that do not end by themselves: deadlines, deletions, suspensions, pods that cannot be had."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from sqlflow_codegen.contract import Outcome, StepError, dump_outcome
from sqlflow_operator.kube import (
    EVENTS,
    JOBS,
    PODS,
    SQLFLOWJOBS,
    ApiError,
    ForbiddenError,
    Object,
    UnavailableError,
)
from sqlflow_operator.workflow import FetchRequest, RunFailedError, new
from sqlflow_operator.workflow.backends import argo, tekton
from sqlflow_operator.workflow.observe.reasons import explain_failure
from sqlflow_operator.workflow.observe.state import Reason, RunObjects, StatementPlace, StepReport

from tests.unit.operator.world import World

STOPPED = StepError(2, 2, 1, "TO TRAIN xgboost.gbtree INTO m", "stopped", "stopped before it was done")


def running(world: World, step: str) -> Object:
    """Let a run come to that step; its pod."""
    while not any(s["name"] == step and s["phase"] == "Running" for s in world.status.get("steps", ())):
        world.advance()
    return world.pods()[0]


def delete_slowly(world: World, pod: Object) -> None:
    """What a pod shows while it has time to end."""
    patch = {"metadata": {"deletionTimestamp": world.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")}}
    world.kube.store.patch(PODS, "ns", pod["metadata"]["name"], patch)


def end_stopped(world: World, pod: Object, step: str) -> None:
    """The step writes its last word and its container ends."""
    moment = world.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    with world.kube.store.edit(PODS, "ns", pod["metadata"]["name"]) as stored:
        shown = stored["status"]
        for status in (*shown.get("initContainerStatuses", ()), *shown.get("containerStatuses", ())):
            if status["name"] == step:
                terminated = {"exitCode": 143, "reason": "Error", "finishedAt": moment}
                terminated |= {"startedAt": status["state"]["running"]["startedAt"]}
                status["state"] = {"terminated": terminated | {"message": dump_outcome(Outcome(error=STOPPED))}}
        shown["phase"] = "Failed"


def job_condition(world: World, kind: str, reason: str) -> None:
    moment = world.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    condition = {"type": kind, "status": "True", "reason": reason, "message": "m", "lastTransitionTime": moment}
    [job] = world.children()
    world.kube.store.patch(
        JOBS, "ns", job["metadata"]["name"], {"status": {"conditions": [condition]}}, subresource="status"
    )


def test_a_deadline_names_the_statement_and_how_long_it_ran() -> None:
    world = World(activeDeadlineSeconds=60)
    pod = running(world, "s2-train")
    world.clock.sleep(60)
    delete_slowly(world, pod)
    job_condition(world, "FailureTarget", "DeadlineExceeded")
    end_stopped(world, pod, "s2-train")
    world.reconcile()
    assert world.status["phase"] == "Failed"
    where = "statement 2 (TO TRAIN xgboost.gbtree INTO m) at 2:1"
    why = "because the run took longer than spec.activeDeadlineSeconds allows"
    assert world.message == f"Step s2-train failed: {where}: stopped after 60s, {why}"
    assert world.status["message"].startswith("Statement 2 at 2:1: stopped after 60s")
    failed = next(step for step in world.status["steps"] if step["phase"] == "Failed")
    assert (failed["name"], failed["message"]) == ("s2-train", f"{where}: stopped after 60s, {why}")


def test_of_many_statements_the_deadline_names_the_one_that_took_long() -> None:
    world = World(
        program="CREATE TABLE a AS SELECT 1;\nINSERT INTO a SELECT 2;\nDELETE FROM a;", activeDeadlineSeconds=60
    )
    pod = running(world, "s1-sql")
    world.clock.sleep(60)
    stop = '{"type":"error","statement":3,"line":3,"column":1,"title":"DELETE FROM a","kind":"stopped","message":"x"}'
    world.kube.store.logs[pod["metadata"]["name"], "s1-sql"] = "\n".join(
        [f'{{"type":"statement_finished","statement":{n},"seconds":{s}}}' for n, s in ((1, 2.0), (2, 51.0))] + [stop]
    )
    job_condition(world, "FailureTarget", "DeadlineExceeded")
    end_stopped(world, pod, "s1-sql")
    world.reconcile()
    assert "statement 3 (DELETE FROM a) at 3:1: stopped after 7s, because" in world.message
    assert world.message.endswith("; statement 2 (INSERT INTO a) at 2:1 had taken 51s")


def test_nobody_reads_stopped_while_the_statement_still_runs() -> None:
    """The pod has 30 seconds to end, the engine's own deadline was 5 seconds ago."""
    world = World(activeDeadlineSeconds=60)
    pod = running(world, "s2-train")
    world.clock.sleep(56)
    delete_slowly(world, pod)
    phases = []
    for _ in range(5):
        world.clock.sleep(5)
        world.reconcile()
        phases.append(world.status["phase"])
    assert set(phases) == {"Running"}
    assert world.condition("Ready")["reason"] == "Stopping"
    waiting = f"waiting for {pod['metadata']['name']} to end"
    assert world.message == f"The run took longer than spec.activeDeadlineSeconds allows; {waiting}"
    end_stopped(world, pod, "s2-train")
    job_condition(world, "Failed", "DeadlineExceeded")
    world.clock.sleep(2)
    world.reconcile()
    assert (world.status["phase"], world.condition("Failed")["reason"]) == ("Failed", "DeadlineExceeded")
    assert "statement 2 (TO TRAIN xgboost.gbtree INTO m) at 2:1: stopped" in world.message


def test_a_pod_that_never_ends_does_not_hold_the_outcome_back_for_ever() -> None:
    world = World(activeDeadlineSeconds=60)
    pod = running(world, "s2-train")
    world.clock.sleep(61)
    delete_slowly(world, pod)
    for _ in range(20):
        world.clock.sleep(5)
        world.reconcile()
    assert (world.status["phase"], world.condition("Failed")["reason"]) == ("Failed", "DeadlineExceeded")


def test_a_deadline_that_the_engine_does_not_enforce_names_the_statement() -> None:
    world = World(activeDeadlineSeconds=60)
    running(world, "s2-train")
    world.clock.sleep(66)
    world.reconcile()
    assert "statement 2 (TO TRAIN xgboost.gbtree INTO m) at 2:1 had run for" in world.message
    assert world.message.endswith("than spec.activeDeadlineSeconds allows, and the operator ends it")
    assert "was stopped" not in world.message


def test_a_child_that_is_deleted_in_the_foreground_fails_once() -> None:
    """Its pods go first: a step must not be Failed, Running and Failed again."""
    world = World()
    pod = running(world, "s2-train")
    [child] = world.children()
    patch = {"metadata": {"deletionTimestamp": "2026-01-01T00:00:30Z"}}
    world.kube.store.patch(JOBS, "ns", child["metadata"]["name"], patch)
    delete_slowly(world, pod)
    seen: list[tuple[str, str]] = []

    def look() -> None:
        world.clock.sleep(2)
        world.reconcile()
        seen.append((world.status["phase"], world.status["steps"][1]["phase"]))

    look()
    assert f"Job {child['metadata']['name']} is being deleted; waiting for" in world.message
    end_stopped(world, pod, "s2-train")
    look()
    world.kube.store.delete(PODS, "ns", pod["metadata"]["name"])
    look()
    world.kube.store.delete(JOBS, "ns", child["metadata"]["name"])
    look()
    assert seen == [("Running", "Running")] * 3 + [("Failed", "Failed")]
    assert world.condition("Failed")["reason"] == "ChildLost"
    assert "was deleted while step s2-train ran" in world.message


def test_the_warning_that_a_suspended_run_starts_over_stays() -> None:
    world = World(retries=0)
    running(world, "s2-train")
    with world.kube.store.edit(JOBS, "ns", world.children()[0]["metadata"]["name"]) as child:
        pod_spec = child["spec"]["template"]["spec"]
        for container in (*pod_spec["initContainers"], *pod_spec["containers"]):  # as of a step that notes nothing
            container["args"] = [argument for argument in container["args"] if argument != "--resumable"]
    world.edit(suspend=True)
    messages = set()
    for _ in range(8):
        world.advance()
        if world.status["phase"] == "Suspended":
            messages.add(world.message)
    assert world.pods() == []
    [message] = messages
    assert "starts again at its first statement" in message


def test_a_quota_is_reported_once_whatever_the_pod_is_called() -> None:
    world = World()
    world.advance()
    world.controller.tick()
    [child] = world.children()
    writes = []
    for number in range(4):
        words = f'Error creating: pods "iris-{number}x7k" is forbidden: exceeded quota: q, requested: pods=1'
        event = {"metadata": {"name": f"e{number}"}, "type": "Warning", "reason": "FailedCreate", "message": words}
        event["involvedObject"] = {"uid": child["metadata"]["uid"]}
        event["lastTimestamp"] = f"2026-01-01T00:{10 + number}:00Z"
        world.kube.store.create(EVENTS, "ns", event)
        world.clock.sleep(10)
        world.reconcile()
        writes.append(world.writes)
    assert "the pod is forbidden: exceeded quota: q" in world.message
    assert len(set(writes)) == 1


def test_a_run_whose_steps_were_all_done_was_not_cancelled() -> None:
    world = World(program="SELECT 1;")
    running(world, "s1-sql")
    world.controller.tick()
    world.edit(program="SELECT 2;")
    world.settle()
    [entry] = world.status["history"]
    assert (entry["phase"], entry["progress"], entry["message"]) == ("Succeeded", "1/1", "1 of 1 steps done")


@pytest.mark.parametrize(
    ("words", "reason", "said", "advice"),
    [
        ('exec: "sqlflow-step": executable file not found in $PATH', Reason.STEP_FAILED, "cannot run a step", True),
        ("exec: /bin/sqlflow-step: no such file or directory", Reason.STEP_FAILED, "cannot run a step", True),
        ("container init was OOM-killed (memory limit too low?)", Reason.OUT_OF_MEMORY, "limit of 8Mi", False),
        ("exec format error", Reason.STEP_FAILED, "another processor", False),
        ("fork/exec: resource temporarily unavailable", Reason.STEP_FAILED, "could not be started", False),
        ('mount "/x": no such device', Reason.STEP_FAILED, "could not be started", False),
    ],
)
def test_only_a_missing_program_speaks_against_the_image(words: str, reason: Reason, said: str, advice: bool) -> None:
    container = {"name": "s1-sql", "image": "busybox:1", "resources": {"limits": {"memory": "8Mi"}}}
    pod: Mapping[str, Any] = {"metadata": {"name": "p", "namespace": "ns"}, "spec": {"initContainers": [container]}}
    terminated = {"reason": "StartError", "exitCode": 128, "message": words}
    places = {1: StatementPlace("SELECT", 1, 1)}
    found, message = explain_failure("s1-sql", (1,), terminated, pod, StepReport(), places)
    assert found is reason
    assert said in message
    assert ("Set spec.image to a step image" in message) == advice


@pytest.mark.parametrize("words", ["PodInitializing", "ContainerCreating"])
def test_a_pod_that_is_about_to_start_is_no_message(words: str) -> None:
    node = {
        "displayName": "s1-sql",
        "type": "Pod",
        "phase": "Pending",
        "message": words,
        "startedAt": "2026-01-01T00:00:00Z",
    }
    container = {"image": "i", "args": ["--statements", "1"]}
    spec = {"templates": [{"name": "program", "dag": {}}, {"name": "s1-sql", "container": container}]}
    status = {"phase": "Running", "startedAt": "2026-01-01T00:00:00Z", "nodes": {"n": node}}
    child = {"metadata": {"name": "w", "namespace": "ns"}, "spec": spec, "status": status}
    state = argo.observe(RunObjects(child=child))
    assert words not in state.message + "".join(step.message or "" for step in state.steps)


def test_tekton_says_nothing_of_a_pod_that_is_about_to_start() -> None:
    condition = {"type": "Succeeded", "status": "Unknown", "reason": "Pending", "message": "pod status PodInitializing"}
    metadata = {"name": "r-s1", "uid": "t"}
    task_run = {"metadata": metadata, "status": {"conditions": [condition], "podName": "r-s1-pod"}}
    step = {"name": "main", "args": ["--statements", "1"]}
    tasks = [{"name": "s1-sql", "taskSpec": {"steps": [step]}}]
    references = [{"name": "r-s1", "pipelineTaskName": "s1-sql"}]
    status = {"childReferences": references, "conditions": [{"type": "Succeeded", "status": "Unknown"}]}
    child = {"metadata": {"name": "r"}, "spec": {"pipelineSpec": {"tasks": tasks}}, "status": status}
    state = tekton.observe(RunObjects(child=child, parts=[task_run]))
    assert "PodInitializing" not in state.message + "".join(step.message or "" for step in state.steps)


def lost_in_second_step(*, cancel: bool) -> World:
    """A run that has failed in its second step, and whose pod is gone."""
    world = World()
    pod = running(world, "s2-train")
    world.reconcile()
    name = world.status["run"]["name"]
    if cancel:
        new("job", world.kube)[1].cancel(f"{world.namespace}/{name}")
    world.kube.store.delete(PODS, world.namespace, pod["metadata"]["name"])
    job_condition(world, "Failed", "DeadlineExceeded" if cancel else "BackoffLimitExceeded")
    world.clock.sleep(2)
    world.reconcile()
    return world


def of_job(error: ApiError) -> Any:
    """The fault of every read of a SQLFlowJob."""
    return lambda _number, _method, resource: error if resource == SQLFLOWJOBS else None


def failure_of(world: World, run: str = "") -> RunFailedError:
    """The error with which a fetch of the run ends."""
    workflow = new("job", world.kube)[1]
    request = FetchRequest(f"{world.namespace}/{run or world.status['run']['name']}")
    while True:
        try:
            request = workflow.fetch(request).updated_request_since
        except RunFailedError as error:
            return error


@pytest.mark.parametrize("cancel", [True, False], ids=["cancelled", "lost"])
def test_fetch_blames_the_step_that_the_status_blames(cancel: bool) -> None:
    """Although the pod, which alone showed that the first step had succeeded, is gone."""
    world = lost_in_second_step(cancel=cancel)
    error = failure_of(world)
    [failed] = [step["name"] for step in world.status["steps"] if step["phase"] == "Failed"]
    assert error.step == failed == "s2-train"
    assert error.reason == world.condition("Failed")["reason"] == ("Cancelled" if cancel else "PodLost")
    assert str(error).partition(": ")[2].lower() == world.message.lower()


@pytest.mark.parametrize("why", ["no job", "not allowed", "another run"])
def test_fetch_without_the_status_blames_the_first_step_not_known_to_have_succeeded(why: str) -> None:
    world = lost_in_second_step(cancel=True)
    run = world.status["run"]["name"]
    if why == "no job":
        del world.kube.store.objects[SQLFLOWJOBS.plural, world.namespace, world.name]  # its child is left an orphan
    elif why == "another run":
        with world.kube.store.edit(SQLFLOWJOBS, world.namespace, world.name) as job:
            job["status"]["run"]["child"]["uid"] = "of another run"
    else:
        world.kube.fault = of_job(ForbiddenError(403, "Forbidden", "no"))
    assert failure_of(world, run).step == "s1-sql"


def test_fetch_does_not_guess_where_the_status_gives_no_answer() -> None:
    world = lost_in_second_step(cancel=True)
    run = world.status["run"]["name"]
    world.kube.fault = of_job(UnavailableError(503, "ServiceUnavailable", "overloaded"))
    with pytest.raises(UnavailableError):
        new("job", world.kube)[1].fetch(FetchRequest(f"{world.namespace}/{run}"))
