"""What a real cluster showed of Jobs, replayed: the state that is read from it at every moment, and at the end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlflow_operator.api import Phase, StepPhase
from sqlflow_operator.kube import Object
from sqlflow_operator.workflow.backends.job import observe
from sqlflow_operator.workflow.observe.state import Reason, RunObjects, RunState, StatementPlace
from sqlflow_operator.workflow.observe.step_report import needs_log, report_from_message

FOLDER = Path(__file__).parent / "recordings"
NAMES = sorted(path.stem for path in FOLDER.glob("*.jsonl"))
PLACES = {2: StatementPlace("SELECT", 3, 1)}


def moments(name: str) -> Iterator[RunObjects]:
    """The objects after each watch event; at the end once more, with the Warning events."""
    job: Object | None = None
    pods: dict[str, Object] = {}
    events: list[Object] = []
    for line in (FOLDER / f"{name}.jsonl").read_text().splitlines():
        entry = json.loads(line)
        thing = entry["object"]
        if entry["type"] == "EVENT":
            events.append(thing)
            continue
        if thing["kind"] == "Job":
            job = thing
        elif entry["type"] == "DELETED":
            pods.pop(thing["metadata"]["name"], None)
        else:
            pods[thing["metadata"]["name"]] = thing
        if job is not None:
            yield RunObjects(child=job, pods=list(pods.values()), statements=PLACES)
    assert job is not None
    yield RunObjects(child=job, pods=list(pods.values()), events=events, statements=PLACES)


def last(name: str) -> RunState:
    return [observe(objects) for objects in moments(name)][-1]


@pytest.mark.parametrize("name", NAMES)
def test_no_moment_contradicts_itself(name: str) -> None:
    done_before: set[str] = set()
    for objects in moments(name):
        state = observe(objects)
        phases = {step.name: step.phase for step in state.steps}
        assert sum(phase is StepPhase.RUNNING for phase in phases.values()) <= 1
        if state.phase is Phase.SUCCEEDED:
            assert set(phases.values()) == {StepPhase.SUCCEEDED}
        if state.phase is Phase.FAILED:
            assert list(phases.values()).count(StepPhase.FAILED) == 1
            assert StepPhase.RUNNING not in phases.values()
            assert StepPhase.PENDING not in phases.values()
        if state.phase is Phase.SUSPENDED:
            assert set(phases.values()) <= {StepPhase.SUCCEEDED, StepPhase.PENDING}
        assert state.message
        done_before = {step for step, phase in phases.items() if phase is StepPhase.SUCCEEDED} or done_before


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"suspend"}))
def test_phase_goes_forward_only(name: str) -> None:
    order = [Phase.PENDING, Phase.RUNNING, Phase.SUCCEEDED, Phase.FAILED]
    ranks = [order.index(observe(objects).phase) for objects in moments(name)]
    first_end = next((i for i, rank in enumerate(ranks) if rank >= 2), len(ranks))
    assert len(set(ranks[first_end:])) <= 1, "an outcome stays"
    assert ranks[:first_end] == sorted(ranks[:first_end])


@pytest.mark.parametrize(
    ("name", "phase", "reason", "words"),
    [
        ("success", Phase.SUCCEEDED, Reason.SUCCEEDED, ""),
        ("failure", Phase.FAILED, Reason.STEP_FAILED, "statement 2 (SELECT) at 3:1: relation nope does not exist"),
        ("usage", Phase.FAILED, Reason.STEP_FAILED, "exit code 2"),
        ("retry", Phase.FAILED, Reason.STEP_FAILED, "statement 2 (SELECT) at 3:1: exit code 3"),
        (
            "oom",
            Phase.FAILED,
            Reason.OUT_OF_MEMORY,
            "out of memory at its limit of 60Mi. Raise spec.resources",
        ),
        ("bad-image-name", Phase.PENDING, Reason.IMAGE_PULL, "image UPPER/x:1 cannot be pulled"),
        ("image", Phase.RUNNING, Reason.IMAGE_PULL, 'Failed to pull image "localhost/no-such-image:1"'),
        ("secret", Phase.PENDING, Reason.CONFIGURATION, "kubectl create secret generic db -n facts"),
        ("key", Phase.PENDING, Reason.CONFIGURATION, "Secret present in namespace facts has no key url"),
        ("unschedulable", Phase.PENDING, Reason.UNSCHEDULABLE, "1 Insufficient cpu"),
        ("configmap", Phase.PENDING, Reason.STARTING, 'configmap "gone" not found'),
        ("sa", Phase.PENDING, Reason.POD_REFUSED, 'serviceaccount "nobody" not found'),
        ("deadline", Phase.FAILED, Reason.DEADLINE_EXCEEDED, "spec.activeDeadlineSeconds"),
        ("pod-deleted", Phase.FAILED, Reason.POD_LOST, "its pod is gone"),
        ("start-error", Phase.FAILED, Reason.STEP_FAILED, "cannot run a step"),
        ("suspend", Phase.SUCCEEDED, Reason.SUCCEEDED, ""),
        ("many", Phase.SUCCEEDED, Reason.SUCCEEDED, ""),
    ],
)
def test_the_end_is_told(name: str, phase: Phase, reason: Reason, words: str) -> None:
    state = last(name)
    assert (state.phase, state.reason) == (phase, reason)
    assert words in state.message


def test_retry_counts_attempts() -> None:
    assert {step.name: step.attempts for step in last("retry").steps} == {"s1-sql": 2, "s2-sql": 2}


def test_deleted_pod_is_not_taken_for_one_out_of_memory() -> None:
    reasons = {observe(objects).reason for objects in moments("pod-deleted")}
    assert Reason.OUT_OF_MEMORY not in reasons
    assert Reason.POD_LOST in reasons


def test_outcome_is_told_before_the_jobs_own_word() -> None:
    first = next(objects for objects in moments("success") if observe(objects).phase is Phase.SUCCEEDED)
    assert "conditions" not in first.child["status"]


def test_message_cut_short_by_the_kubelet_is_seen_as_such() -> None:
    pod = next(iter(list(moments("many"))[-1].pods))
    messages = [s["state"]["terminated"]["message"] for s in pod["status"]["initContainerStatuses"]]
    assert {len(message) for message in messages} == {1755}
    assert report_from_message(messages[0]) is None
    assert needs_log("train", {"exitCode": 0, "message": messages[0]})
    assert not needs_log("sql", {"exitCode": 0, "message": messages[0]})
