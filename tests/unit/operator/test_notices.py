"""From the change of a status to its Events: which there are, what they say, and that each has one name."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from sqlflow_operator.api import Phase, SQLFlowJobStatus
from sqlflow_operator.kube import EVENTS, ForbiddenError
from sqlflow_operator.reconcile.event_recorder import EventRecorder, Notice, event, notices

from tests.unit.operator.fakes import Clock, FakeKube
from tests.unit.operator.observations import NOW, OLD, RUN, ago, job, status

NONE: dict[str, Any] = {}
STALLED = status(Phase.PENDING, reason="NameConflict")
for condition in STALLED["conditions"]:
    condition["status"] = str(condition["type"] == "Stalled")


def without_run(stored: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in stored.items() if key != "run"}


STARTED = Notice("Started", f"started run {RUN} with 0 steps on backend job", about=RUN)
REPLACED = Notice("Replaced", f"run {OLD} is replaced: the spec asks for another run", about=OLD)


def failure(reason: str, about: str = RUN) -> Notice:
    return Notice(reason, "Failed as stored", warning=True, about=about)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (NONE, without_run(status(Phase.PENDING)), ()),
        (NONE, status(Phase.PENDING), (STARTED,)),
        (
            NONE,
            status(Phase.PENDING, totalSteps=1),
            (Notice("Started", f"started run {RUN} with 1 step on backend job", about=RUN),),
        ),
        (status(Phase.PENDING), status(Phase.RUNNING), ()),
        (status(Phase.RUNNING), status(Phase.SUCCEEDED), (Notice("Succeeded", "Succeeded as stored", about=RUN),)),
        (status(Phase.SUCCEEDED), status(Phase.SUCCEEDED), ()),
        (status(Phase.RUNNING), status(Phase.FAILED, reason="StepFailed"), (failure("Failed"),)),
        (status(Phase.FAILED), status(Phase.FAILED, reason="ChildLost"), ()),
        (NONE, status(Phase.FAILED, reason="StepFailed"), (STARTED, failure("Failed"))),
        (NONE, without_run(status(Phase.FAILED, reason="InvalidProgram")), (failure("InvalidProgram", ""),)),
        (NONE, without_run(status(Phase.FAILED, reason="InvalidSpec")), (failure("InvalidSpec", ""),)),
        (without_run(status(Phase.FAILED)), without_run(status(Phase.FAILED, reason="InvalidProgram")), ()),
        (
            status(Phase.FAILED, run=OLD),
            without_run(status(Phase.FAILED, reason="InvalidProgram")),
            (failure("InvalidProgram", ""),),
        ),
        (status(Phase.RUNNING, run=OLD), status(Phase.PENDING), (REPLACED, STARTED)),
        (status(Phase.RUNNING, run=OLD), without_run(status(Phase.PENDING)), (REPLACED,)),
        (status(Phase.FAILED, run=OLD), status(Phase.PENDING), (STARTED,)),
        (
            status(Phase.SUCCEEDED, run=OLD),
            status(Phase.SUCCEEDED),
            (STARTED, Notice("Succeeded", "Succeeded as stored", about=RUN)),
        ),
        (
            status(Phase.RUNNING),
            status(Phase.SUSPENDED),
            (Notice("Suspended", "Suspended as stored", about="generation 3"),),
        ),
        (status(Phase.SUSPENDED), status(Phase.SUSPENDED), ()),
        *(
            (
                status(Phase.SUSPENDED),
                status(phase),
                (Notice("Resumed", "spec.suspend is false: the job goes on", about="generation 3"),),
            )
            for phase in (Phase.PENDING, Phase.RUNNING)
        ),
        (status(Phase.SUSPENDED), status(Phase.FAILED), (failure("Failed"),)),
        (
            status(Phase.PENDING),
            STALLED,
            (Notice("NameConflict", "Pending as stored", warning=True, about=RUN),),
        ),
        (NONE, without_run(STALLED), (Notice("NameConflict", "Pending as stored", warning=True),)),
        (STALLED, STALLED, ()),
        (STALLED, status(Phase.PENDING), ()),
    ],
)
def test_which_there_are(before: dict[str, Any], after: dict[str, Any], expected: tuple[Notice, ...]) -> None:
    assert notices(SQLFlowJobStatus.read(before), SQLFlowJobStatus.read(after)) == expected


def test_a_status_that_somebody_else_wrote_has_a_phase_at_least() -> None:
    after = SQLFlowJobStatus(phase=Phase.FAILED)
    assert notices(SQLFlowJobStatus(), after) == (Notice("Failed", "", warning=True),)
    done = SQLFlowJobStatus(phase=Phase.SUCCEEDED)
    assert notices(SQLFlowJobStatus(), done) == (Notice("Succeeded", ""),)


def test_an_event_in_full() -> None:
    made = event(job(), Notice("Failed", "m" * 2000, warning=True, about=RUN), NOW)
    name = made["metadata"].pop("name")
    assert name.startswith("iris.")
    assert len(name) == len("iris.") + 16
    assert made == {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"namespace": "ns"},
        "involvedObject": {
            "apiVersion": "sqlflow.org/v1alpha1",
            "kind": "SQLFlowJob",
            "namespace": "ns",
            "name": "iris",
            "uid": "u",
            "resourceVersion": "7",
        },
        "type": "Warning",
        "reason": "Failed",
        "message": "m" * 997 + "…",
        "source": {"component": "sqlflow-operator"},
        "reportingComponent": "sqlflow-operator",
        "reportingInstance": "sqlflow-operator",
        "firstTimestamp": ago(0),
        "lastTimestamp": ago(0),
        "count": 1,
    }
    assert event(job(), Notice("Started", "m"), NOW)["type"] == "Normal"


def test_one_notice_has_one_name() -> None:
    def name(reason: str = "Failed", message: str = "m", about: str = RUN) -> str:
        return str(event(job(), Notice(reason, message, about=about), NOW)["metadata"]["name"])

    assert name() == name(message="other words")
    assert len({name(), name("Started"), name(about=OLD), name(about="")}) == 4
    assert name(about="") == name(about="3"), "a notice about nothing in particular is about the generation"


class LongName:
    """A job whose name leaves no room for more."""

    def __getattr__(self, name: str) -> Any:
        return ("n" * 199 + ".x") * 2 if name == "name" else getattr(job(), name)


def test_a_long_name_is_cut_where_a_name_may_end() -> None:
    made = event(LongName(), Notice("Failed", "m", about=RUN), NOW)  # type: ignore[arg-type]
    assert made["metadata"]["name"].rpartition(".")[0] == "n" * 199


def test_events_are_recorded_once_and_hold_nothing_up(caplog: pytest.LogCaptureFixture) -> None:
    kube = FakeKube(Clock())
    recorder = EventRecorder(kube)
    before, after = job(), SQLFlowJobStatus.read(status(Phase.SUCCEEDED))
    for _ in range(2):
        recorder.record(before, after, NOW)
    assert sorted(found["reason"] for found in kube.store.list(EVENTS, "ns")) == ["Started", "Succeeded"]
    assert caplog.records == []
    kube.fault = lambda *_: ForbiddenError(403, "Forbidden", "no events for you")
    with caplog.at_level(logging.WARNING):
        recorder.record(before, SQLFlowJobStatus.read(status(Phase.FAILED)), NOW)
    assert [record.getMessage() for record in caplog.records] == ["event not created: no events for you"] * 2
