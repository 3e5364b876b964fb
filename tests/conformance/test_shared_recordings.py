"""Recordings of small workflows of somebody else's making: what `observe` reads from them, moment by moment.

Once from the recorded objects themselves, and once after a real API server with the engines' CRDs has stored them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlflow_operator.api import Phase, StepPhase
from sqlflow_operator.kube import PODS, TASK_RUNS, Object
from sqlflow_operator.kube.client import KubeClient
from sqlflow_operator.kube.watch_cache import WatchCache
from sqlflow_operator.workflow.backends import argo, tekton
from sqlflow_operator.workflow.observe.state import Reason, RunObjects, RunState

from tests.conformance.player import CHILDREN, Player
from tests.conformance.recording import read
from tests.conformance.replaying import RecordedTimes
from tests.conformance.watching import Seen
from tests.integration.conftest import new_namespace
from tests.integration.controlplane import ControlPlane

pytestmark = pytest.mark.integration

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "recordings"

S, F, K = StepPhase.SUCCEEDED, StepPhase.FAILED, StepPhase.SKIPPED


@dataclass(frozen=True)
class End:
    """How a recording ends: the run's state, its steps a, b, c, d as far as there are any, attempts where they tell."""

    phase: Phase
    reason: Reason
    words: str
    steps: tuple[StepPhase, ...]
    attempts: Mapping[str, int]
    held: bool = False
    """Whether it was suspended on its way."""


def succeeded(attempts_of_b: int = 1, *, held: bool = False) -> End:
    return End(
        Phase.SUCCEEDED, Reason.SUCCEEDED, "all steps are done", (S, S, S, S), {"a": 1, "b": attempts_of_b}, held
    )


def failed(reason: Reason, words: str, *steps: StepPhase, **attempts: int) -> End:
    return End(Phase.FAILED, reason, words, steps, attempts)


RANKS = {Phase.PENDING: 0, Phase.RUNNING: 1, Phase.SUCCEEDED: 2, Phase.FAILED: 2}
OBSERVE = {"argo": argo.observe, "tekton": tekton.observe}
STOPPED = "step a failed: it took longer than spec.activeDeadlineSeconds allows and was stopped"
ENDS: Mapping[str, End] = {
    "argo-success": succeeded(),
    "argo-failure": failed(Reason.STEP_FAILED, "step b failed: the step: exit code 3", S, F, S, K, a=1, b=1, c=1, d=0),
    "argo-retry": succeeded(3),
    "argo-stop": failed(Reason.CANCELLED, "step a failed: it was cancelled", F, K, a=1, b=0),
    "argo-suspend-resume": succeeded(held=True),
    "argo-timeout": failed(Reason.DEADLINE_EXCEEDED, STOPPED, F, K, b=0),
    "argo-image-pull": failed(Reason.DEADLINE_EXCEEDED, STOPPED, F, a=0),
    "argo-oom": failed(Reason.OUT_OF_MEMORY, "out of memory at its limit of 32Mi", F, a=1),
    "argo-invalid": failed(Reason.ENGINE_ERROR, "Argo gave the Workflow up: invalid spec: ", K, a=0),
    "argo-compressed": succeeded(),
    "argo-too-large": failed(
        Reason.ENGINE_ERROR, "Argo gave the Workflow up: workflow is longer than maximum allowed size", S, F, F, K, d=0
    ),
    "tekton-success": succeeded(),
    "tekton-failure": failed(
        Reason.STEP_FAILED, "step b failed: the step: exit code 3", S, F, S, K, a=1, b=1, c=1, d=0
    ),
    "tekton-retry": succeeded(3),
    "tekton-cancel": failed(Reason.CANCELLED, "step a failed: it was cancelled", F, K, b=0),
    "tekton-pending-start": succeeded(held=True),
    "tekton-timeout": failed(Reason.DEADLINE_EXCEEDED, STOPPED, F, K, b=0),
    "tekton-image-pull": failed(Reason.IMAGE_PULL, "step a failed: its image cannot be pulled: ", F, a=0),
    "tekton-oom": failed(Reason.OUT_OF_MEMORY, "out of memory at its limit of 32Mi", F, a=1),
    "tekton-invalid": failed(Reason.ENGINE_ERROR, "Tekton gave the PipelineRun up (PipelineInvalidGraph)", K, a=0),
}


@pytest.fixture(params=sorted(ENDS))
def recording(request: pytest.FixtureRequest) -> tuple[str, list[Seen]]:
    path: Path = FOLDER / f"{request.param}.jsonl"
    if not path.is_file():
        pytest.skip(f"the recording is not beside this checkout ({path})")
    return request.param, read(path)


def moments(entries: Sequence[Seen]) -> Iterator[RunObjects]:
    """The objects after each event."""
    now = RunObjects(child={})
    for seen in entries:
        now = after(now, seen.object)
        yield now


def after(now: RunObjects, thing: Object) -> RunObjects:
    if thing["kind"] in CHILDREN:
        return replace(now, child=thing)
    if thing["kind"] == "TaskRun":
        return replace(now, parts=_with(now.parts, thing))
    return replace(now, pods=_with(now.pods, thing))


def _with(things: Sequence[Mapping[str, Any]], thing: Object) -> list[Mapping[str, Any]]:
    return [*(other for other in things if other["metadata"]["name"] != thing["metadata"]["name"]), thing]


def check(name: str, states: Sequence[RunState]) -> None:
    """Every state follows from the one before, and the last one is the documented end."""
    end, last = ENDS[name], states[-1]
    assert (last.phase, last.reason) == (end.phase, end.reason), last.message
    assert end.words in last.message
    assert tuple(step.phase for step in last.steps) == end.steps
    attempts = {step.name: step.attempts for step in last.steps}
    assert attempts | dict(end.attempts) == attempts
    phases = [state.phase for state in states]
    ranks = [RANKS[phase] for phase in phases if phase in RANKS]
    assert ranks == sorted(ranks), phases
    done = [sum(step.phase is S for step in state.steps) for state in states]
    assert done == sorted(done)
    assert (Phase.SUSPENDED in phases) == end.held
    assert all(state.message for state in states)
    assert all(step.message for step in last.steps if step.phase is F)


def test_observed_from_the_recorded_objects(recording: tuple[str, list[Seen]]) -> None:
    name, entries = recording
    observe = OBSERVE[name.partition("-")[0]]
    check(name, [observe(objects) for objects in moments(entries)])


def test_observed_from_objects_that_the_api_server_has_stored(
    recording: tuple[str, list[Seen]], engines_plane: ControlPlane, engines_kube: KubeClient
) -> None:
    name, entries = recording
    observe = OBSERVE[name.partition("-")[0]]
    namespace = new_namespace(engines_kube, "shared")
    first = entries[0].object
    player = Player(engines_kube, engines_plane, namespace, {first["metadata"]["namespace"]: namespace})
    body = {**first, "metadata": {"name": first["metadata"]["name"], "namespace": namespace}}
    engines_kube.create(CHILDREN[first["kind"]], namespace, {k: v for k, v in body.items() if k != "status"})
    states: list[RunState] = []
    for seen in entries:
        player.play(seen)
        if "spec" in seen.object and seen.object["kind"] in CHILDREN:
            _follow_spec(engines_kube, namespace, seen.object)
        states.append(observe(_stored(RecordedTimes(engines_kube, player.created, WatchCache()), namespace, first)))
    check(name, states)


def _follow_spec(kube: KubeClient, namespace: str, recorded: Object) -> None:
    """What a person asked of the run while it ran."""
    asked = {field: recorded["spec"].get(field) for field in ("shutdown", "suspend", "status")}
    kube.patch(CHILDREN[recorded["kind"]], namespace, recorded["metadata"]["name"], {"spec": asked})


def _stored(kube: RecordedTimes, namespace: str, first: Object) -> RunObjects:
    child = kube.get(CHILDREN[first["kind"]], namespace, first["metadata"]["name"])
    return RunObjects(child=child, parts=kube.list(TASK_RUNS, namespace), pods=kube.list(PODS, namespace))
