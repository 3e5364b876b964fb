"""What people are told of failures, and what is read from what a step left behind."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlflow_codegen.contract import Outcome, StepError, StepMetrics, StepModel, dump_outcome, dump_record
from sqlflow_operator.kube import Object
from sqlflow_operator.workflow.observe.reasons import disruption, explain_failure
from sqlflow_operator.workflow.observe.state import Reason, StatementPlace, StepReport
from sqlflow_operator.workflow.observe.step_attempts import steps_of_template
from sqlflow_operator.workflow.observe.step_report import needs_log, report_from_log, report_from_message
from sqlflow_operator.workflow.observe.waiting import explain_waiting
from sqlflow_operator.workflow.observe.wording import clip

PLACES = {3: StatementPlace("TO TRAIN xgboost.gbtree", 7, 1), 4: StatementPlace("SELECT", 12, 1)}


def pod(limits: Object | None = None, **metadata: Any) -> Object:
    secret = {"secretKeyRef": {"name": "db", "key": "url"}}
    container = {
        "name": "s3-train",
        "image": "step:1",
        "env": [{"name": "SQLFLOW_DATABASE_URL", "valueFrom": secret}],
        "resources": {"limits": limits or {}},
    }
    return {
        "metadata": {"name": "p", "namespace": "ns", **metadata},
        "spec": {"initContainers": [container]},
        "status": {},
    }


def told(
    terminated: Object,
    report: StepReport | None = None,
    place: Object | None = None,
    statements: tuple[int, ...] = (3,),
) -> tuple[Reason, str]:
    return explain_failure("s3-train", statements, terminated, place or pod(), report or StepReport(), PLACES)


def error(**values: Any) -> StepReport:
    fields = {"statement": 3, "line": 7, "column": 15, "title": "TO TRAIN x", "kind": "database", "message": "bad"}
    return StepReport(Outcome(error=StepError(**{**fields, **values})))


def test_out_of_memory_names_limit_and_field() -> None:
    reason, message = told({"exitCode": 137, "reason": "OOMKilled"}, place=pod({"memory": "512Mi"}))
    assert reason == Reason.OUT_OF_MEMORY
    assert message == (
        "statement 3 (TO TRAIN xgboost.gbtree) at 7:1: out of memory at its limit of 512Mi. "
        "Raise spec.resources.limits.memory, or let it read fewer rows"
    )


def test_out_of_memory_without_a_limit() -> None:
    assert "its node had none left" in told({"exitCode": 137, "reason": "OOMKilled"})[1]


def test_killed_process_is_most_likely_out_of_memory() -> None:
    reason, message = told({"exitCode": 137, "reason": "Error"}, place=pod({"memory": "1Gi"}))
    assert reason == Reason.OUT_OF_MEMORY
    assert "most likely" in message
    assert "1Gi" in message


def test_the_statement_under_way_is_named_in_a_fused_step() -> None:
    report = StepReport(statement=4)
    assert told({"exitCode": 137, "reason": "OOMKilled"}, report, statements=(3, 4))[1].startswith(
        "statement 4 (SELECT)"
    )
    assert told({"exitCode": 9}, statements=(3, 4))[1].startswith("statements 3 to 4: exit code 9")


def test_the_databases_own_words() -> None:
    reason, message = told({"exitCode": 1}, error(message='relation "x" does not exist', hint="Create it."))
    assert reason == Reason.STEP_FAILED
    assert message == 'statement 3 (TO TRAIN x) at 7:15: relation "x" does not exist. Create it.'


def test_wrong_password_names_the_secret() -> None:
    report = error(statement=0, kind="connection", message="password authentication failed")
    message = told({"exitCode": 3}, report)[1]
    assert message.endswith("password authentication failed. The database's URL comes from key url of Secret db.")


def test_image_that_is_no_step_image() -> None:
    terminated = {"exitCode": 128, "reason": "StartError", "message": 'exec: "sqlflow-step": not found'}
    message = told(terminated)[1]
    assert "image step:1 cannot run a step" in message
    assert "spec.image" in message


@pytest.mark.parametrize("code", [137, 143])
def test_deleted_pod(code: int) -> None:
    reason, message = told({"exitCode": code, "reason": "Error"}, place=pod(deletionTimestamp="2026-01-01T00:00:00Z"))
    assert reason == Reason.POD_LOST
    assert "its pod was deleted" in message


@pytest.mark.parametrize("deleted", [True, False])
def test_a_stopped_step_was_interrupted_at_the_statement_that_it_names(deleted: bool) -> None:
    place = pod(deletionTimestamp="2026-01-01T00:00:00Z") if deleted else pod()
    report = error(kind="stopped", statement=4, message="stopped before it was done")
    reason, message = told({"exitCode": 143}, report, place, statements=(3, 4))
    assert reason == Reason.POD_LOST
    assert message.startswith("statement 4 (TO TRAIN x) at 7:15 was interrupted: ")
    assert ("its pod was deleted" in message) == deleted


def test_a_step_that_refuses_to_begin_again_was_interrupted() -> None:
    report = error(kind="lost", statement=0, message="an earlier start of it was lost", hint="Set spec.rerunToken.")
    assert told({"exitCode": 5}, report, statements=(3, 4)) == (
        Reason.POD_LOST,
        "statements 3 to 4 were interrupted: an earlier start of it was lost. Set spec.rerunToken.",
    )


def test_error_of_a_stopped_step_is_told_all_the_same() -> None:
    place = pod(deletionTimestamp="2026-01-01T00:00:00Z")
    assert told({"exitCode": 143}, error(message="canceling statement"), place)[0] == Reason.STEP_FAILED


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({"reason": "Evicted", "message": "The node was low on resource: memory."}, "evicted"),
        ({"reason": "NodeLost"}, "node shut down or was lost"),
        (
            {"conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}]},
            "PreemptionByScheduler",
        ),
        ({}, ""),
    ],
)
def test_disruptions(status: Object, words: str) -> None:
    found = disruption({"status": status})
    assert words in found
    assert bool(found) == bool(words)


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"])
def test_image_that_cannot_be_pulled(reason: str) -> None:
    waiting = {"name": "s3-train", "state": {"waiting": {"reason": reason, "message": "no such host"}}}
    found = explain_waiting(pod() | {"status": {"initContainerStatuses": [waiting]}})
    assert found is not None
    assert found[0] == Reason.IMAGE_PULL
    shown = "ErrImagePull" if reason == "ImagePullBackOff" else reason
    assert found[1].startswith(f"image step:1 cannot be pulled ({shown}): no such host. Check spec.image or")


def test_a_pull_that_is_tried_again_and_again_has_one_message() -> None:
    """A kubelet's words between two tries, as Kubernetes 1.34 has them: each change would be written."""
    cause = 'failed to pull and unpack image "step:1": no such host'
    again = f'Back-off pulling image "step:1": ErrImagePull: {cause}'
    said = set()
    for reason, message in (("ErrImagePull", cause), ("ImagePullBackOff", again)):
        waiting = {"name": "s3-train", "state": {"waiting": {"reason": reason, "message": message}}}
        said.add(explain_waiting(pod() | {"status": {"initContainerStatuses": [waiting]}}))
    assert len(said) == 1


def test_scheduling_gates_are_a_queue() -> None:
    gated = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "message": "kueue"}
    found = explain_waiting({"status": {"conditions": [gated]}})
    assert found is not None
    assert found[0] == Reason.QUEUED


def test_nothing_wrong_is_nothing_told() -> None:
    waiting = {"name": "s3-train", "state": {"waiting": {"reason": "PodInitializing"}}}
    assert explain_waiting(pod() | {"status": {"initContainerStatuses": [waiting]}}) is None


@given(st.text(), st.integers(10, 50))
def test_clipped_text_fits_on_one_line(text: str, limit: int) -> None:
    clipped = clip(text, limit)
    assert len(clipped.encode()) <= limit
    assert "\n" not in clipped


@pytest.mark.parametrize(
    ("text", "clipped"),
    [("12345678", "12345678"), ("123456789", "12345…"), (" 1\n 2 ", "1 2"), ("1234é6789", "1234…")],
)
def test_eight_bytes_of_a_text(text: str, clipped: str) -> None:
    assert clip(text, 8) == clipped


def test_the_kind_of_a_step_is_all_that_follows_its_number() -> None:
    (step,) = steps_of_template([{"name": "s1-of-two-words"}])
    assert (step.kind, step.statements) == ("of-two-words", ())


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("1", (1,)), ("3-5,7", (3, 4, 5, 7)), ("", ()), ("x", ()), ("1-", ()), ("2-2", (2,))],
)
def test_statements_of_a_container(text: str, numbers: tuple[int, ...]) -> None:
    (step,) = steps_of_template([{"name": "s1-sql", "args": ["--statements", text]}])
    assert (step.name, step.kind, step.statements) == ("s1-sql", "sql", numbers)


OUTCOME = Outcome(
    error=StepError(2, 3, 4, "t", "data", "no rows", "h"),
    metrics=(StepMetrics(1, "m", {"a": 0.5}),),
    models=(StepModel(1, "m", 2, "e"),),
    finished=(1,),
)
RECORDS: list[Object] = [
    {"type": "statement_started", "statement": 1, "kind": "train", "title": "t", "line": 1, "column": 1},
    {"type": "metrics", "statement": 1, "model": "m", "values": {"a": 0.5}},
    {"type": "model", "statement": 1, "name": "m", "version": 2, "estimator": "e"},
    {"type": "statement_finished", "statement": 1, "rows": 3, "seconds": 0.1},
    {"type": "statement_started", "statement": 2, "kind": "sql", "title": "t", "line": 3, "column": 4},
    {
        "type": "error",
        "statement": 2,
        "line": 3,
        "column": 4,
        "title": "t",
        "kind": "data",
        "message": "no rows",
        "hint": "h",
    },
]


def test_termination_message() -> None:
    report = report_from_message(dump_outcome(OUTCOME))
    assert report is not None
    assert report.outcome == OUTCOME


def test_log_tells_the_same() -> None:
    log = "noise\n" + "\n".join(map(dump_record, RECORDS)) + "\n{not json\n{}\n"
    assert report_from_log(log) == StepReport(OUTCOME, 2)


def test_message_that_is_the_end_of_a_log() -> None:
    assert report_from_message("\n".join(map(dump_record, RECORDS[3:]))) is not None
    one = report_from_message(dump_record(RECORDS[5]))
    assert one is not None
    assert one.outcome.error == OUTCOME.error


def test_records_of_other_versions_are_read_as_far_as_they_go() -> None:
    newer = RECORDS[5] | {"more": 1}
    older = {"type": "metrics", "statement": 1}
    report = report_from_log("\n".join(map(json.dumps, [older, newer])))
    assert report.outcome.error == OUTCOME.error
    assert report.outcome.metrics == ()


@pytest.mark.parametrize(
    ("kind", "terminated", "expected"),
    [
        ("sql", {"exitCode": 0}, False),
        ("train", {"exitCode": 0}, True),
        ("train", {"exitCode": 0, "message": dump_outcome(Outcome(finished=(1,)))}, False),
        ("train", {"exitCode": 0, "message": dump_outcome(Outcome(truncated=True))}, True),
        ("sql", {"exitCode": 1}, True),
        ("sql", {"exitCode": 1, "message": '{"error":{"st'}, True),
        ("sql", {"exitCode": 1, "message": dump_outcome(OUTCOME)}, False),
        ("sql", {"exitCode": 137, "reason": "OOMKilled", "message": "Killed"}, True),
        ("sql", {"exitCode": 128, "reason": "StartError", "message": "x"}, False),
    ],
)
def test_when_the_log_is_asked(kind: str, terminated: Object, expected: bool) -> None:
    assert needs_log(kind, terminated) is expected


@given(st.text())
def test_any_message_is_survived(text: str) -> None:
    report_from_message(text)
    report_from_log(text)
