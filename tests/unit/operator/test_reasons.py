"""Why a step failed, word for word; the report that a step left, field by field; the attempts at a step."""

from __future__ import annotations

from typing import Any

import pytest
from sqlflow_codegen.contract import Outcome, StepError, StepMetrics, StepModel, dump_outcome, dump_record
from sqlflow_operator.api import StepPhase, StepStatus
from sqlflow_operator.kube import Object
from sqlflow_operator.workflow.observe.reasons import (
    DEADLINE_MESSAGE,
    database_secret,
    disruption,
    explain_failure,
    image_of,
    lost_pod,
    overdue,
    where,
)
from sqlflow_operator.workflow.observe.state import Reason, RunObjects, StatementPlace, StepReport, StepState
from sqlflow_operator.workflow.observe.step_attempts import attempts_of, explain_gone, known_failure, observe_step
from sqlflow_operator.workflow.observe.step_report import needs_log, report_from_log, report_from_message

PLACES = {1: StatementPlace("SELECT", 1, 1)}
AT = "statement 1 (SELECT) at 1:1"
DELETED = {"deletionTimestamp": "t"}


def pod(memory: str = "", **status: Any) -> Object:
    """A pod whose container `a` is the step; `b` is another one."""
    secret = {"secretKeyRef": {"name": "db", "key": "url"}}
    mine = {
        "name": "a",
        "image": "step:1",
        "env": [{"name": "OTHER"}, {"name": "SQLFLOW_DATABASE_URL", "valueFrom": secret}],
        "resources": {"limits": {"memory": memory} if memory else {}},
    }
    other = {"name": "b", "image": "other:1"}
    return {"metadata": {"name": "p"}, "spec": {"initContainers": [other, mine]}, "status": status}


def reported(kind: str = "database", statement: int = 1, hint: str = "", message: str = "bad") -> StepReport:
    return StepReport(Outcome(error=StepError(statement, 2, 3, "T", kind, message, hint)))


def explained(
    ended: Object, of: Object | None = None, report: StepReport | None = None, statements: tuple[int, ...] = (1,)
) -> tuple[Reason, str]:
    return explain_failure("a", statements, ended, of or pod(), report or StepReport(), PLACES)  # type: ignore[arg-type]


NO_MEMORY = "out of memory: its node had none left. Set spec.resources.requests.memory and spec.resources.limits.memory"
AT_LIMIT = "out of memory at its limit of 1Gi. Raise spec.resources.limits.memory, or let it read fewer rows"


def start_error(words: str, reason: str = "StartError") -> Object:
    return {"exitCode": 128, "reason": reason, "message": words}


@pytest.mark.parametrize(
    ("ended", "of", "reason", "words"),
    [
        ({"exitCode": 137, "reason": "OOMKilled"}, pod(), Reason.OUT_OF_MEMORY, NO_MEMORY),
        ({"exitCode": 1, "reason": "OOMKilled"}, pod("1Gi"), Reason.OUT_OF_MEMORY, AT_LIMIT),
        (
            {"exitCode": 137},
            pod("1Gi"),
            Reason.OUT_OF_MEMORY,
            f"the process was killed; most likely it was {AT_LIMIT} (or something else killed it)",
        ),
        ({"exitCode": 9}, pod(), Reason.STEP_FAILED, "exit code 9, no error was reported. See the step's log."),
        ({}, pod(), Reason.STEP_FAILED, "exit code 0, no error was reported. See the step's log."),
        (
            {"exitCode": 2},
            pod(),
            Reason.STEP_FAILED,
            "exit code 2, bad usage; step image and operator may be of different versions. See the step's log.",
        ),
        (
            start_error("exec: x: executable file not found in $PATH"),
            pod(),
            Reason.STEP_FAILED,
            "image step:1 cannot run a step: exec: x: executable file not found in $PATH. "
            "Set spec.image to a step image.",
        ),
        (
            start_error("exec format error", "ContainerCannotRun"),
            pod(),
            Reason.STEP_FAILED,
            "image step:1 is for another processor than the node's: exec format error",
        ),
        (
            start_error("OOM while starting"),
            pod(),
            Reason.OUT_OF_MEMORY,
            f"its container could not be started: OOM while starting; {NO_MEMORY}",
        ),
        (
            start_error("memory limit too low"),
            pod("1Gi"),
            Reason.OUT_OF_MEMORY,
            f"its container could not be started: memory limit too low; {AT_LIMIT}",
        ),
        (start_error("mount"), pod(), Reason.STEP_FAILED, "its container could not be started: mount"),
        (
            {"exitCode": 1},
            pod(reason="DeadlineExceeded"),
            Reason.DEADLINE_EXCEEDED,
            "stopped, because the run took longer than spec.activeDeadlineSeconds allows",
        ),
    ],
)
def test_an_end_without_a_report(ended: Object, of: Object, reason: Reason, words: str) -> None:
    assert explained(ended, of) == (reason, f"{AT}: {words}")


@pytest.mark.parametrize(
    ("ended", "metadata", "why"),
    [
        ({"exitCode": 143}, {}, "something stopped its process, as when its node shuts down."),
        ({"exitCode": 143}, DELETED, "its pod was deleted."),
        ({"exitCode": 137}, DELETED, "its pod was deleted."),
        ({"exitCode": 1}, DELETED, ""),
        ({"exitCode": 137}, {}, ""),
    ],
)
def test_a_process_that_was_stopped_from_outside(ended: Object, metadata: Object, why: str) -> None:
    of = pod()
    of["metadata"] |= metadata
    reason, message = explained(ended, of)
    assert (reason is Reason.POD_LOST) == bool(why)
    assert (message == f"{AT} was interrupted: {why}") == bool(why)
    stopped = explained(ended, of, reported("stopped"))
    assert (stopped == (Reason.POD_LOST, f"statement 1 (T) at 2:3 was interrupted: {why}")) == bool(why)
    assert explained(ended, of, reported()) == (Reason.STEP_FAILED, "statement 1 (T) at 2:3: bad")


def test_a_report_comes_before_the_deadline_of_the_pod() -> None:
    late = pod(reason="DeadlineExceeded")
    assert explained({"exitCode": 1}, late, reported())[0] is Reason.STEP_FAILED
    assert explained({"exitCode": 143}, late, reported("stopped"))[0] is Reason.DEADLINE_EXCEEDED


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (reported(), "statement 1 (T) at 2:3: bad"),
        (reported(statement=0), f"{AT}: bad"),
        (reported(hint="Do."), "statement 1 (T) at 2:3: bad. Do."),
        (
            reported("connection", hint="Do"),
            "statement 1 (T) at 2:3: bad. Do. The database's URL comes from key url of Secret db.",
        ),
    ],
)
def test_the_words_of_a_report(report: StepReport, words: str) -> None:
    assert explained({"exitCode": 1}, report=report) == (Reason.STEP_FAILED, words)


def test_a_lost_start_is_interrupted() -> None:
    expected = (Reason.POD_LOST, "statement 1 (T) at 2:3 was interrupted: bad.")
    assert explained({"exitCode": 5}, report=reported("lost")) == expected


EVICTION = {"reason": "Evicted", "message": "disk"}


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (EVICTION, "the pod was evicted from its node: disk"),
        *(
            ({"reason": reason, "message": "m"}, "its node shut down or was lost: m")
            for reason in ("NodeLost", "NodeShutdown", "Shutdown", "Terminated")
        ),
        ({"reason": "terminated"}, ""),
        (
            {"conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "R", "message": "m"}]},
            "the cluster removed the pod (R): m",
        ),
        (
            {"conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "R"}]},
            "the cluster removed the pod (R): ",
        ),
        ({"conditions": [{"type": "DisruptionTarget", "status": "False", "reason": "R"}]}, ""),
    ],
)
def test_a_pod_that_the_cluster_took_away(status: Object, words: str) -> None:
    assert disruption(pod(**status)) == words  # type: ignore[arg-type]
    if words:
        assert explained({"exitCode": 1}, pod(**status)) == (Reason.POD_LOST, f"{AT} was interrupted: {words}")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({"phase": "Failed", "reason": "R", "message": "m"}, "its pod failed: R: m"),
        ({"phase": "Failed", "reason": "R"}, "its pod failed: R"),
        ({"phase": "Failed", "message": "m"}, "its pod failed: m"),
        ({"phase": "Failed"}, ""),
        ({"phase": "Running", "reason": "R"}, ""),
        ({"phase": "Failed", **EVICTION}, "the pod was evicted from its node: disk"),
    ],
)
def test_a_pod_that_failed_as_a_whole(status: Object, words: str) -> None:
    assert lost_pod(pod(**status)) == words  # type: ignore[arg-type]


def test_images_and_secrets_of_containers() -> None:
    of: Any = pod()
    assert (image_of(of, "a"), image_of(of, "c"), image_of(of, "b")) == ("step:1", "of the step", "other:1")
    assert (database_secret(of, "a"), database_secret(of, "b")) == (("db", "url"), ("", ""))


@pytest.mark.parametrize(
    ("statements", "statement", "words"),
    [
        ((1,), 0, AT),
        ((1, 2), 0, "statements 1 to 2"),
        ((1, 2), 2, "statement 2"),
        ((2,), 0, "statement 2"),
        ((), 0, "the step"),
        ((1, 2), 1, AT),
    ],
)
def test_the_statements_at_fault(statements: tuple[int, ...], statement: int, words: str) -> None:
    assert where(statements, statement, PLACES) == words


# -- a deadline

LIMIT = "because the run took longer than spec.activeDeadlineSeconds allows"
START, LATER, END = "2026-01-01T00:00:00Z", "2026-01-01T00:00:10Z", "2026-01-01T00:00:20Z"


def late(statements: tuple[int, ...] = (1,), known: str | None = None, **fields: Any) -> str:
    step = StepState(name="a", kind="sql", statements=statements, phase=StepPhase.FAILED, **fields)
    status = {"a": StepStatus(name="a", kind="sql", statements=(1,), phase=StepPhase.RUNNING, started_at=known)}
    return overdue(step, RunObjects(child={}, statements=PLACES, known=status if known else {}), END)


def test_a_step_that_the_deadline_stopped() -> None:
    assert late() == late((), started_at=START) == DEADLINE_MESSAGE
    assert late(started_at=START) == late(known=START) == f"{AT}: stopped after 20s, {LIMIT}"
    assert late(started_at=LATER, known=START) == f"{AT}: stopped after 10s, {LIMIT}"
    assert late(started_at=START, finished_at=LATER) == f"{AT}: stopped after 10s, {LIMIT}"
    error = StepError(2, 3, 4, "T", "stopped", "m", "")
    assert late((1, 2), started_at=START, outcome=Outcome(error=error)).startswith("statement 2 (T) at 3:4: stopped")
    assert late((1, 2), started_at=START, statement=2).startswith("statement 2: stopped")


def test_a_statement_that_took_longer_before_the_deadline_is_named() -> None:
    some: dict[str, Any] = {"statements": (1, 2, 3), "started_at": START, "statement": 3}
    assert late(**some, seconds={1: 15.0, 2: 2.0}) == f"statement 3: stopped after 3s, {LIMIT}; {AT} had taken 15s"
    assert late(**some, seconds={1: 10.0}) == f"statement 3: stopped after 10s, {LIMIT}"
    assert late(**some, seconds={1: 30.0}) == f"statement 3: stopped after 0s, {LIMIT}; {AT} had taken 30s"


# -- the report of a step


def test_a_log_field_by_field() -> None:
    records: list[Object] = [
        {"type": "statement_started", "statement": 1},
        {"type": "statement_finished", "statement": 1, "seconds": 2},
        {"type": "statement_finished", "statement": 2, "seconds": "x"},
        {"type": "statement_finished", "statement": "x", "seconds": 0.5},
        {"type": "metrics", "statement": 1, "model": "m", "values": {"a": 1}},
        {"type": "model", "statement": 1, "name": "m", "version": 2, "estimator": "e"},
        {"type": "error", "statement": 3, "line": 1, "column": 1, "title": "t", "kind": "data", "message": "m"},
        {"type": "error", "statement": 4},
    ]
    outcome = Outcome(
        error=StepError(3, 1, 1, "t", "data", "m", ""),
        metrics=(StepMetrics(1, "m", {"a": 1}),),
        models=(StepModel(1, "m", 2, "e"),),
        finished=(1, 2, 0),
    )
    report = report_from_log("\n".join(map(dump_record, records)))
    assert report == StepReport(outcome, 0, {1: 2.0, 2: 0.0, 0: 0.5})
    assert report_from_log(dump_record(records[0])) == StepReport(statement=1)


@pytest.mark.parametrize("message", ["", "[]", "{", '[{"key": "other", "value": "{}"}]', '["outcome"]', "words"])
def test_a_message_that_is_no_report(message: str) -> None:
    assert report_from_message(message) is None


def test_a_step_that_was_stopped_has_more_in_its_log() -> None:
    for kind, more in (("stopped", True), ("data", False)):
        message = dump_outcome(reported(kind).outcome)
        assert needs_log("sql", {"exitCode": 143, "message": message}) is more
    assert needs_log("evaluate", {"exitCode": 0}) is True
    assert needs_log("train", {}) is True
    assert needs_log("sql", {"exitCode": 1, "reason": "ContainerCannotRun"}) is False


# -- attempts


def of_container(state: Object, name: str = "p") -> Object:
    return {"metadata": {"name": name}, "status": {"containerStatuses": [{"name": "a", "state": state}]}}


def seen(*pods: Object, **objects: Any) -> StepState:
    step = StepState(name="a", kind="sql", statements=(1,))
    found = attempts_of("a", pods, lambda _: {"a": "a"})  # type: ignore[arg-type]
    return observe_step(step, RunObjects(child={}, pods=pods, **objects), found)[0]


DONE = {"terminated": {"exitCode": 0, "startedAt": START, "finishedAt": LATER}}
BAD = {"terminated": {"exitCode": 1, "startedAt": START, "finishedAt": LATER}}
UNKNOWN = {"terminated": {"exitCode": 137, "reason": "ContainerStatusUnknown"}}
NEVER = {"terminated": {"exitCode": 1, "startedAt": "1970-01-01T00:00:00Z"}}


@pytest.mark.parametrize(
    ("states", "phase", "attempts", "pod_name", "times"),
    [
        ([{"waiting": {}}], StepPhase.PENDING, 0, None, (None, None)),
        ([{"running": {"startedAt": START}}], StepPhase.RUNNING, 1, "p0", (START, None)),
        ([DONE], StepPhase.SUCCEEDED, 1, "p0", (START, LATER)),
        ([BAD], StepPhase.FAILED, 1, "p0", (START, LATER)),
        ([BAD, {"waiting": {}}], StepPhase.PENDING, 1, "p0", (None, None)),
        ([DONE, BAD], StepPhase.SUCCEEDED, 2, "p0", (START, LATER)),
        ([{"terminated": {"exitCode": 6}}], StepPhase.SKIPPED, 1, "p0", (None, None)),
        ([UNKNOWN], StepPhase.FAILED, 0, None, (None, None)),
        (
            [{"terminated": {"exitCode": 1, "startedAt": "1970-01-01T00:00:00Z"}}],
            StepPhase.FAILED,
            1,
            "p0",
            (None, None),
        ),
    ],
)
def test_attempts_make_a_step(
    states: list[Object], phase: StepPhase, attempts: int, pod_name: str | None, times: tuple[str | None, str | None]
) -> None:
    step = seen(*(of_container(state, f"p{number}") for number, state in enumerate(states)))
    assert (step.phase, step.attempts, step.pod, (step.started_at, step.finished_at)) == (
        phase,
        attempts,
        pod_name,
        times,
    )
    assert step.container == ("a" if pod_name else None)
    assert (step.message is not None) == (phase is StepPhase.FAILED)


def test_the_report_of_a_log_comes_before_the_message() -> None:
    failed = {"terminated": {"exitCode": 1, "message": dump_outcome(reported(message="short").outcome)}}
    assert seen(of_container(failed)).message == "statement 1 (T) at 2:3: short"
    log = StepReport(reported(message="whole").outcome, 1, {1: 2.0})
    step = seen(of_container(failed), reports={("p", "a"): log})
    assert (step.message, step.statement, step.seconds) == ("statement 1 (T) at 2:3: whole", 1, {1: 2.0})
    under_way = seen(of_container(failed), reports={("p", "a"): StepReport(statement=7)})
    assert (under_way.statement, under_way.exit_code) == (7, 1)


@pytest.mark.parametrize(
    ("phase", "code", "message", "expected"),
    [
        (StepPhase.FAILED, 1, "m", (Reason.STEP_FAILED, "m")),
        (StepPhase.FAILED, 143, "m", (Reason.POD_LOST, "m")),
        (StepPhase.FAILED, 1, None, None),
        (StepPhase.RUNNING, 1, "m", None),
    ],
)
def test_what_the_status_has_of_a_step(
    phase: StepPhase, code: int, message: str | None, expected: tuple[Reason, str] | None
) -> None:
    status = StepStatus(name="a", kind="sql", statements=(1,), phase=phase, exit_code=code, message=message)
    step, objects = StepState(name="a", kind="sql", statements=(1,)), RunObjects(child={}, known={"a": status})
    assert known_failure(step, objects) == expected
    gone = (Reason.POD_LOST, "statement 1 was interrupted: why")
    assert explain_gone(step, objects, "why") == (expected or gone)
    assert known_failure(step.replace(name="b"), objects) is None
