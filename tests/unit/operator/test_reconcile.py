"""The reconcile loop against an API server in memory: whole runs, and everything a person may do to them."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlflow_codegen.contract import Outcome, StepError, StepMetrics, StepModel, dump_outcome
from sqlflow_operator.kube import SQLFLOWJOBS

from tests.unit.operator.fakes import no_fault, unavailable
from tests.unit.operator.jobcontroller import Ending
from tests.unit.operator.world import PROGRAM, World, kstatus


def test_a_run_from_start_to_end() -> None:
    world = World()
    world.reconcile()
    assert [world.status["phase"], world.status["progress"]] == ["Pending", "0/3"]
    [child] = world.children()
    [owner] = child["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"], owner["controller"]) == ("SQLFlowJob", world.job["metadata"]["uid"], True)
    world.settle()
    assert [world.status["phase"], world.status["progress"]] == ["Succeeded", "3/3"]
    assert [step["phase"] for step in world.status["steps"]] == ["Succeeded"] * 3
    assert [step["attempts"] for step in world.status["steps"]] == [1, 1, 1]
    assert all(step["startedAt"] <= step["finishedAt"] for step in world.status["steps"])
    assert world.condition("Complete")["status"] == world.condition("Ready")["status"] == "True"
    assert kstatus(world.job) == "Current"
    assert sorted(event["reason"] for event in world.events()) == ["Started", "Succeeded"]
    assert world.made("jobs") == world.made("configmaps") == 1


def test_steps_tell_pod_and_log_command() -> None:
    world = World()
    world.settle()
    step = world.status["steps"][1]
    assert step["name"] == "s2-train"
    assert step["log"] == f"kubectl logs -n ns {step['pod']} -c s2-train"
    assert step["statements"] == [2]


def test_metrics_and_models_come_from_termination_messages() -> None:
    world = World(program="SELECT * FROM t TO EVALUATE m LABEL class;")
    outcome = Outcome(
        metrics=(StepMetrics(1, "m", {"accuracy_score": 0.9666666666666667, "nan": float("nan")}),),
        models=(StepModel(1, "m", 3, "xgboost.gbtree"),),
    )
    message = json.dumps(json.loads(dump_outcome(outcome).replace("NaN", "null")))
    world.controller.endings["s1-evaluate"] = [
        Ending(message=message.replace(',"nan": null', "").replace(', "nan": null', ""))
    ]
    world.settle()
    assert world.status["metrics"] == [
        {"statement": 1, "model": "m", "name": "accuracy_score", "value": "0.9666666666666667"}
    ]
    assert world.status["models"] == [{"statement": 1, "name": "m", "version": 3, "estimator": "xgboost.gbtree"}]


def test_failed_statement_is_named_and_the_rest_is_skipped() -> None:
    world = World()
    error = StepError(
        2, 2, 15, "TO TRAIN xgboost.gbtree", "database", 'relation "t" does not exist', "Create it first."
    )
    world.controller.endings["s2-train"] = [Ending(1, dump_outcome(Outcome(error=error)))]
    world.settle()
    status = world.status
    assert status["phase"] == "Failed"
    assert [step["phase"] for step in status["steps"]] == ["Succeeded", "Failed", "Skipped"]
    assert world.message == (
        "Step s2-train failed: statement 2 (TO TRAIN xgboost.gbtree) at 2:15: "
        'relation "t" does not exist. Create it first.'
    )
    assert status["steps"][1]["exitCode"] == 1
    assert world.condition("Failed")["reason"] == "StepFailed"
    assert kstatus(world.job) == "Failed"
    assert {event["reason"]: event["type"] for event in world.events()} == {"Started": "Normal", "Failed": "Warning"}


def test_message_that_was_cut_short_is_read_from_the_log() -> None:
    world = World()
    world.controller.endings["s2-train"] = [Ending(1, '{"error":{"statement":2,"li')]
    world.reconcile()
    [child] = world.children()
    record = {"type": "error", "statement": 2, "line": 2, "column": 1, "title": "TO TRAIN x", "kind": "data"}
    log = "noise\n" + json.dumps(record | {"message": "no rows", "hint": ""})
    world.kube.store.logs[f"{child['metadata']['name']}-a", "s2-train"] = log
    world.settle()
    assert "statement 2 (TO TRAIN x) at 2:1: no rows" in world.message
    assert world.kube.calls.count(("log", "pods")) == 1


@pytest.mark.parametrize("seconds", [20, 90])
def test_a_log_that_cannot_be_read_for_a_while_is_waited_for(seconds: float) -> None:
    """The outcome is written once, so what only the log has must not be lost; but the kubelet may be gone for good."""
    world = World()
    world.controller.endings["s2-train"] = [Ending(1, '{"error":{"statement":2,"li')]
    world.reconcile()
    [child] = world.children()
    record = {"type": "error", "statement": 2, "line": 2, "column": 1, "title": "TO TRAIN x", "kind": "data"}
    log = json.dumps(record | {"message": "no rows", "hint": ""})
    world.kube.store.logs[f"{child['metadata']['name']}-a", "s2-train"] = log
    world.kube.fault = lambda _number, method, _resource: unavailable(429) if method == "log" else None
    end = world.clock.now() + timedelta(seconds=seconds)
    while world.clock.now() < end:
        world.settle(rounds=1)
    world.kube.fault = no_fault
    world.settle()
    assert ("no rows" in world.message) == (seconds == 20)
    assert world.status["phase"] == "Failed"


def test_invalid_program_starts_nothing() -> None:
    world = World(program="SELECT 1;\nSELECT * FROM t\nTO TRAIN xgboost.gbtree\nLABEL class;\nSELECT * TO PREDICT;")
    world.settle()
    assert world.status["phase"] == "Failed"
    assert world.condition("Stalled")["reason"] == world.condition("Failed")["reason"] == "InvalidProgram"
    assert "statement 2, 4:12" in world.message
    assert {d["statement"] for d in world.status["diagnostics"]} == {2, 3}
    assert world.made("jobs") == world.made("configmaps") == 0
    assert "run" not in world.status
    assert world.writes == 1
    world.edit(program="SELECT 1;")
    world.settle()
    assert world.status["phase"] == "Succeeded"
    assert "diagnostics" not in world.status
    assert world.status["observedGeneration"] == 2


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"program": "-- nothing to do\n"}, "the program has no statement"),
        ({"program": "CREATE TABLE a (x int); -- fill INSERT INTO a VALUES (1); SELECT 2;\n"}, "swallows statements"),
        (
            {"program": "CREATE TABLE a (x int); SELECT * FROM a TO RUN team/image:1"},
            "TO RUN needs CMD",
        ),
        ({"program": "SELECT 1", "dialect": "snowflake"}, "no step can use a database of dialect snowflake"),
        ({"program": "COPY a FROM stdin;\n1\n\\.\n"}, "COPY from or to the client"),
    ],
)
def test_what_cannot_run_starts_nothing(spec: dict[str, str], words: str) -> None:
    world = World(**spec)
    world.settle()
    assert world.condition("Stalled")["reason"] == "InvalidProgram"
    assert words in world.status["diagnostics"][0]["message"]
    assert world.made("jobs") == world.made("configmaps") == 0


def test_nothing_is_written_when_nothing_changes() -> None:
    world = World()
    world.settle()
    writes, version = world.writes, world.kube.store.version
    for _ in range(20):
        world.clock.sleep(60)
        world.reconcile()
    assert (world.writes, world.kube.store.version) == (writes, version)


def test_status_is_written_at_most_once_a_second() -> None:
    world = World()
    world.reconcile()
    world.controller.tick()
    world.controller.tick()
    world.controller.tick()
    assert world.writes == 1
    world.clock.sleep(0.4)
    wait = world.reconcile()
    assert wait == pytest.approx(0.6)
    assert world.writes == 1
    world.clock.sleep(0.6)
    world.reconcile()
    assert world.writes == 2


def test_phase_never_goes_back_within_a_run() -> None:
    world = World(retries=2)
    world.controller.endings["s2-train"] = [Ending(3), Ending(3)]
    seen = []
    world.reconcile()
    for _ in range(40):
        world.advance()
        seen.append((world.status["phase"], world.status["completedSteps"]))
    order = ["Pending", "Running", "Succeeded"]
    ranks = [(order.index(phase), done) for phase, done in seen]
    assert ranks == sorted(ranks)
    assert seen[-1] == ("Succeeded", 3)
    assert world.status["steps"][1]["attempts"] == 3
    assert "message" not in world.status["steps"][1]


def test_suspended_before_start_creates_nothing_and_writes_once() -> None:
    world = World(suspend=True)
    for _ in range(10):
        world.reconcile()
        world.clock.sleep(5)
    assert world.status["phase"] == "Suspended"
    assert world.status["progress"] == "0/3"
    assert world.writes == 1
    assert world.made("jobs") == 0
    assert kstatus(world.job) == "InProgress"
    world.edit(suspend=False)
    world.settle()
    assert world.status["phase"] == "Succeeded"


def test_suspended_in_the_middle_and_resumed() -> None:
    world = World(retries=1)
    world.reconcile()
    world.advance(6)
    assert world.status["phase"] == "Running"
    done = world.status["completedSteps"]
    assert done >= 1
    world.edit(suspend=True)
    world.advance(3)
    assert world.status["phase"] == "Suspended"
    assert world.pods() == []
    assert world.status["completedSteps"] == done
    assert {step["phase"] for step in world.status["steps"]} == {"Succeeded", "Pending"}
    version = world.kube.store.version
    for _ in range(5):
        world.clock.sleep(10)
        world.reconcile()
    assert world.kube.store.version == version
    world.edit(suspend=False)
    world.settle()
    assert world.status["phase"] == "Succeeded"
    assert world.made("jobs") == 1


def test_suspension_says_that_a_run_will_go_on() -> None:
    for retries in (1, 0):
        world = World(retries=retries)
        world.reconcile()
        world.advance(6)
        world.edit(suspend=True)
        world.clock.sleep(2)
        world.reconcile()
        world.clock.sleep(2)
        world.reconcile()
        assert "set spec.suspend to false to go on" in world.message


def test_what_steers_a_run_does_not_start_another() -> None:
    world = World()
    world.settle()
    world.edit(suspend=True)
    world.settle()
    world.edit(suspend=False, activeDeadlineSeconds=100)
    world.settle()
    world.kube.store.patch(SQLFLOWJOBS, "ns", "iris", {"metadata": {"labels": {"a": "b"}, "annotations": None}})
    world.settle()
    assert world.made("jobs") == 1
    assert world.status["observedGeneration"] == world.job["metadata"]["generation"] == 3
    assert world.status["phase"] == "Succeeded"


@pytest.mark.parametrize(
    "change",
    [
        {"program": "SELECT 42;"},
        {"rerunToken": "again"},
        {"image": "other:1"},
        {"env": [{"name": "A", "value": "1"}]},
        {"resources": {"limits": {"memory": "1Gi"}}},
        {"dataSource": {"secretRef": {"name": "other"}}},
        {"retries": 3},
        {"previewRows": 5},
    ],
)
def test_what_makes_a_run_starts_exactly_one_more(change: dict[str, object]) -> None:
    world = World()
    world.settle()
    first = world.status["run"]["name"]
    world.edit(**change)
    world.settle()
    assert world.status["phase"] == "Succeeded"
    assert world.status["run"]["name"] != first
    assert world.made("jobs") == 2
    assert [(entry["name"], entry["phase"], entry["progress"]) for entry in world.status["history"]] == [
        (first, "Succeeded", "3/3")
    ]


def test_changed_program_stops_the_old_run_first() -> None:
    world = World()
    world.reconcile()
    world.advance(4)
    old = world.children()[0]["metadata"]["name"]
    assert world.status["phase"] == "Running"
    world.edit(program="SELECT 42;")
    world.clock.sleep(2)
    held = world.pods()[0]
    world.reconcile()
    assert world.children() == []
    # Its pod still winds up: the next run must wait.
    world.kube.store.objects["pods", "ns", held["metadata"]["name"]] = held
    world.clock.sleep(2)
    world.reconcile()
    assert world.children() == []
    assert world.status["phase"] == "Pending"
    assert held["metadata"]["name"] in world.message
    assert world.status["history"][0]["phase"] == "Cancelled"
    del world.kube.store.objects["pods", "ns", held["metadata"]["name"]]
    world.settle()
    assert world.status["phase"] == "Succeeded"
    assert [entry["name"] for entry in world.status["history"]] == [old]
    assert len(world.children()) == 1


def test_going_back_to_an_earlier_program_is_a_run_of_its_own() -> None:
    world = World()
    world.settle()
    first = world.status["run"]["name"]
    world.edit(program="SELECT 42;")
    world.settle()
    world.edit(program=PROGRAM)
    world.settle()
    assert world.status["run"]["name"] == f"{first}-2"
    world.edit(program="SELECT 42;")
    world.settle()
    world.edit(program=PROGRAM)
    world.settle()
    assert world.status["run"]["name"] == f"{first}-3"
    assert world.made("jobs") == 5
    assert len(world.status["history"]) == 4


def test_history_is_bounded_and_children_go_with_it() -> None:
    world = World()
    for number in range(14):
        world.edit(rerunToken=str(number))
        world.settle()
    assert len(world.status["history"]) == 10
    assert len(world.children()) == 11


def test_the_words_of_a_start_cost_no_write_for_five_seconds() -> None:
    world = World(program="SELECT 1;")
    world.reconcile()
    assert world.message == "Waiting for a pod"
    for _ in range(2):
        world.clock.sleep(1.2)
        world.controller.tick()
        assert (world.reconcile() or 0) <= 5
    assert world.pods()
    assert world.writes == 1
    world.clock.sleep(3)
    world.reconcile()
    assert world.writes == 2
    assert world.message == "Waiting for the pod to start"
