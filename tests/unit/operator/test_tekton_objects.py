"""Backend `tekton`: ends, adjustments, steps, attempts and Tekton's own words, read from PipelineRuns."""

from __future__ import annotations

import pytest
from sqlflow_operator.api import Phase, StepPhase
from sqlflow_operator.kube import Object
from sqlflow_operator.workflow.backends import tekton
from sqlflow_operator.workflow.observe.reasons import CANCELLED_MESSAGE, DEADLINE_MESSAGE
from sqlflow_operator.workflow.observe.state import Reason

from tests.unit.operator.run_objects import (
    NAMES,
    ended,
    of_tekton,
    phases,
    pipeline_run,
    pod,
    task,
)

FAILED = {"phase": "Failed", "outputs": {"exitCode": "1"}, "message": "Error (exit code 1)"}


def test_tekton_ends() -> None:
    for word, over in (("True", True), ("False", True), ("Unknown", False)):
        assert tekton.ended(pipeline_run(word, "x")[0]) == over
    assert not tekton.ended({"metadata": {"name": "r"}})


@pytest.mark.parametrize(
    ("word", "suspend", "patch"),
    [
        ("PipelineRunPending", False, {"spec": {"status": None}}),
        ("PipelineRunPending", True, None),
        ("Cancelled", False, None),
        (None, False, None),
    ],
)
def test_tekton_is_adjusted(word: str | None, suspend: bool, patch: Object | None) -> None:
    assert tekton.adjust({"metadata": {"name": "r"}, "spec": {"status": word} if word else {}}, suspend, 60) == patch


@pytest.mark.parametrize(
    ("labels", "names", "place"),
    [
        ({"sqlflow.org/step": "a", "tekton.dev/pipelineTask": "b"}, ["step-x"], {"a": "step-x"}),
        ({"tekton.dev/pipelineTask": "b"}, ["sidecar", "step-x"], {"b": "step-x"}),
        ({"tekton.dev/pipelineTask": "b"}, [], {"b": "step-main"}),
        ({}, ["step-x"], {}),
    ],
)
def test_tekton_places(labels: Object, names: list[str], place: dict[str, str]) -> None:
    status = {"containerStatuses": [{"name": name} for name in names]}
    assert tekton.places({"metadata": {"name": "p", "labels": labels}, "status": status}) == place  # type: ignore[typeddict-item]


def test_tektons_process_that_a_signal_ended_was_killed() -> None:
    killed = pod("s1-sql", {"terminated": {"exitCode": 255, "finishedAt": "t"}}, "step-main")
    child, parts = pipeline_run("False", "Failed", s1_sql=task("False", "Failed", "x", ended(255)))
    step = of_tekton(child, parts, (killed,)).steps[0]
    assert (step.exit_code, step.finished_at) == (137, "t")
    stopped = pod("s1-sql", {"terminated": {"exitCode": 254}}, "step-main")
    assert of_tekton(child, parts, (stopped,)).steps[0].exit_code == 254


def test_tektons_steps() -> None:
    child, _ = pipeline_run("Unknown", "Running")
    assert [(step.name, step.statements) for step in tekton.DEFINITION.steps(child)] == [
        (name, (number,)) for number, name in enumerate(NAMES, 1)
    ]
    child["spec"]["pipelineSpec"]["tasks"] = [{"name": "s1-sql"}]
    assert [(step.name, step.statements) for step in tekton.DEFINITION.steps(child)] == [("s1-sql", ())]
    assert tekton.DEFINITION.steps({"metadata": {"name": "r"}}) == ()


def test_tektons_pending_run_is_suspended_until_it_ends() -> None:
    for word, phase in (("Unknown", Phase.SUSPENDED), ("False", Phase.FAILED), ("True", Phase.SUCCEEDED)):
        child, parts = pipeline_run(word, "Cancelled")
        child["spec"]["status"] = "PipelineRunPending"
        assert of_tekton(child, parts).phase is phase


def test_tektons_times() -> None:
    child, parts = pipeline_run("True", "Succeeded")
    child["metadata"]["creationTimestamp"] = "c"
    child["status"] |= {"startTime": "s", "completionTime": "e"}
    state = of_tekton(child, parts)
    assert (state.started_at, state.finished_at) == ("s", "e")
    del child["status"]["startTime"]
    assert of_tekton(child, parts).started_at == "c"


def test_task_runs_that_are_not_there_are_named() -> None:
    child, _ = pipeline_run("Unknown", "Running", a={}, b={}, c={}, d={})
    assert of_tekton(child, []).message.endswith("; Tekton names TaskRuns that are not there: r-a, r-b, r-c")


@pytest.mark.parametrize(
    ("reason", "expected", "message"),
    [
        ("PipelineRunTimeout", Reason.DEADLINE_EXCEEDED, DEADLINE_MESSAGE),
        ("Cancelled", Reason.CANCELLED, CANCELLED_MESSAGE),
        ("CancelledRunningFinally", Reason.CANCELLED, CANCELLED_MESSAGE),
        ("StoppedRunningFinally", Reason.CANCELLED, CANCELLED_MESSAGE),
        ("PipelineRunCancelled", Reason.CANCELLED, CANCELLED_MESSAGE),
        ("CouldntGetTask", Reason.ENGINE_ERROR, "Tekton gave the PipelineRun up (CouldntGetTask): Tasks Completed: 1"),
        ("Failed", Reason.STEP_FAILED, "words"),
        ("Completed", Reason.STEP_FAILED, "words"),
        ("Succeeded", Reason.STEP_FAILED, "words"),
    ],
)
def test_tektons_end_of_a_run(reason: str, expected: Reason, message: str) -> None:
    child, parts = pipeline_run("False", reason, s1_sql=task("False", "Failed", "words", ended(1)))
    state = of_tekton(child, parts)
    assert state.reason is expected
    assert (
        message in (state.message, (state.steps[0].message or "")) or state.message == f"step s1-sql failed: {message}"
    )


def test_tektons_end_of_a_run_without_a_reason() -> None:
    child, parts = pipeline_run("False", "")
    child["status"]["conditions"] = [{"type": "Succeeded", "status": "False"}]
    assert of_tekton(child, parts).message == "Tekton gave the PipelineRun up (): "


SKIPPED = [{"name": "s2-sql"}, {"name": "s3-sql"}]


def test_tektons_skipped_tasks() -> None:
    child, parts = pipeline_run("Unknown", "Running", s1_sql=task("False", "Failed", "words", ended(1)))
    child["status"]["skippedTasks"] = SKIPPED
    assert phases(of_tekton(child, parts)) == ["Failed", "Skipped", "Skipped"]


@pytest.mark.parametrize(
    ("step", "pod_name", "expected"),
    [
        ({"running": {"startedAt": "t"}}, "p", (StepPhase.RUNNING, 1)),
        ({"running": {"startedAt": "t"}}, "", (StepPhase.PENDING, 0)),
        ({"waiting": {}}, "p", (StepPhase.PENDING, 0)),
    ],
)
def test_tektons_step_at_work(step: Object, pod_name: str, expected: tuple[StepPhase, int]) -> None:
    at_work = task(
        "Unknown", "Running", "Not all Steps have completed executing", step, podName=pod_name, startTime="t"
    )
    state = of_tekton(*pipeline_run("Unknown", "Running", s1_sql=at_work)).steps[0]
    assert (state.phase, state.attempts, state.message) == (*expected, None)
    assert state.started_at == ("t" if expected[1] else None)


def test_tektons_end_of_a_step() -> None:
    done = task("False", "Failed", "words", ended(3), startTime="s", completionTime="e")
    step = of_tekton(*pipeline_run("False", "Failed", s1_sql=done)).steps[0]
    assert (step.exit_code, step.attempts, step.started_at, step.finished_at) == (3, 1, "s", "e")
    never = task("False", "Failed", "words", {"terminated": {"exitCode": 1}}, startTime="s", completionTime="e")
    step = of_tekton(*pipeline_run("False", "Failed", s1_sql=never)).steps[0]
    assert (step.exit_code, step.attempts, step.started_at, step.finished_at) == (None, 0, None, "e")


TIMED_OUT = "TaskRun cancelled as the PipelineRun it belongs to has timed out."


@pytest.mark.parametrize(
    ("reason", "words", "expected", "message"),
    [
        ("StepOOM", "killed", Reason.OUT_OF_MEMORY, "out of memory: killed. Raise spec.resources.limits.memory"),
        ("TaskRunCancelled", TIMED_OUT, Reason.DEADLINE_EXCEEDED, DEADLINE_MESSAGE),
        ("TaskRunCancelled", "x", Reason.CANCELLED, CANCELLED_MESSAGE),
        ("TaskRunImagePullFailed", "no image.", Reason.IMAGE_PULL, "its image cannot be pulled: no image. "),
        ("ExceededResourceQuota", "x", Reason.QUOTA_EXCEEDED, "x"),
        (
            "PodAdmissionFailed",
            "violates PodSecurity",
            Reason.POD_REFUSED,
            "the namespace's Pod Security profile refuses Tekton's own containers. Set set-security-context to "
            '"true" in ConfigMap feature-flags of Tekton\'s namespace (docs/backends.md), or spec.backend to job. '
            "Tekton says: violates PodSecurity",
        ),
        ("Failed", "words", Reason.STEP_FAILED, "words"),
    ],
)
def test_tektons_words_about_a_step(reason: str, words: str, expected: Reason, message: str) -> None:
    state = of_tekton(*pipeline_run("False", "Failed", s1_sql=task("False", reason, words)))
    assert state.reason is expected
    assert message in (state.steps[0].message or "")


@pytest.mark.parametrize("reason", ["", "Started", "Running", "Pending", "Odd"])
def test_tektons_reason_to_wait(reason: str) -> None:
    child, parts = pipeline_run("Unknown", "Running", s1_sql=task("Unknown", reason, "words"))
    assert of_tekton(child, parts).steps[0].message == ("Odd: words" if reason == "Odd" else None)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("", "an attempt failed and the next one starts: exited"),
        (
            '{"error":{"statement":2,"line":2,"column":1,"title":"INSERT","kind":"database","message":"full"}}',
            "an attempt failed and the next one starts: statement 2 (INSERT): full",
        ),
    ],
)
def test_tektons_next_attempt(message: str, words: str) -> None:
    old = task("Unknown", "ToBeRetried", "exited", ended(1, message), podName="")
    child, parts = pipeline_run("Unknown", "Running", s1_sql=old)
    assert of_tekton(child, parts).steps[0].message == words
