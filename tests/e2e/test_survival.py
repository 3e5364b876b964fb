"""The operator may die at any moment, or not be there at all."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.e2e.conftest import kill_operator, scale_operator
from tests.e2e.kube import Kube, Object, condition, sqlflow_job

pytestmark = pytest.mark.e2e
Submit = Callable[..., str]

MOMENTS: dict[str, Callable[[Kube, Object], object]] = {
    "the job is there": lambda kube, job: True,
    "the program is stored": lambda kube, job: kube.children(job, "configmap"),
    "the child is there": lambda kube, job: kube.children(job),
    "a pod is there": lambda kube, job: kube.pods(job),
    "the run is Running": lambda kube, job: job.get("status", {}).get("phase") == "Running",
    "a step has ended": lambda kube, job: job.get("status", {}).get("completedSteps"),
    "the run has ended": lambda kube, job: job.get("status", {}).get("phase") == "Succeeded",
}
"""How far a run has come when the operator is killed."""


@pytest.mark.timeout(400)
def test_operator_killed_at_any_moment_one_child_and_the_right_end(kube: Kube, submit: Submit, table: str) -> None:
    """Each on a run of its own, as soon as it has come so far: every row is inserted exactly once."""
    kube.psql(f"CREATE TABLE {table} (run int)")
    for number, reached in enumerate(MOMENTS.values()):
        program = f"INSERT INTO {table} VALUES ({number});\nSELECT pg_sleep(1);\nSELECT count(*) FROM {table};"
        name = submit(program, prefix="kill")
        kube.wait(lambda: reached(kube, kube.job(name)), list(MOMENTS)[number])  # noqa: B023  (called here)
        kill_operator(kube)
        job = kube.wait_phase(name, "Succeeded", seconds=100)
        assert len(kube.children(job)) == 1
        assert len(kube.children(job, "configmap")) == 1
        assert condition(job, "Complete")["status"] == "True"
    assert kube.psql(f"SELECT run, count(*) FROM {table} GROUP BY run ORDER BY run") == [
        [str(n), "1"] for n in range(len(MOMENTS))
    ]


@pytest.mark.timeout(200)
def test_job_is_deleted_without_the_operator(kube: Kube, submit: Submit) -> None:
    name = submit("SELECT pg_sleep(600);")
    job = kube.wait_phase(name, "Running")
    kube.wait(lambda: kube.pods(job), "a pod")
    scale_operator(kube, 0)
    try:
        kube.run("delete", "sqlflowjob", name, "--timeout=10s")
        kube.wait(lambda: not kube.pods(job) and not kube.children(job), "child and pods are gone", 60)
        kube.wait(lambda: not kube.running("SELECT pg_sleep(600)"), "the statement in the database was ended", 60)
    finally:
        scale_operator(kube, 1)


@pytest.mark.timeout(200)
def test_job_applied_while_the_operator_is_away_runs_when_it_is_back(kube: Kube, submit: Submit) -> None:
    scale_operator(kube, 0)
    try:
        name = submit("SELECT 1;")
    finally:
        scale_operator(kube, 1)
    kube.wait_phase(name, "Succeeded", seconds=100)


def test_suspended_job_starts_nothing_until_it_is_released(kube: Kube, submit: Submit) -> None:
    name = submit("SELECT 1;", suspend=True)
    job = kube.wait_phase(name, "Suspended")
    assert kube.children(job) == []
    kube.run("patch", "sqlflowjob", name, "--type=merge", "-p", '{"spec":{"suspend":false}}')
    kube.wait_phase(name, "Succeeded", seconds=100)


def test_changed_program_stops_the_old_run_and_starts_another(kube: Kube, submit: Submit) -> None:
    name = submit("SELECT pg_sleep(600);")
    old = kube.wait_phase(name, "Running")["status"]["run"]
    kube.run("patch", "sqlflowjob", name, "--type=merge", "-p", '{"spec":{"program":"SELECT 42;"}}')
    job = kube.wait(
        lambda: (j := kube.job(name))["status"].get("phase") == "Succeeded" and j["status"]["run"] != old and j,
        "rerun",
        100,
    )
    kube.wait(lambda: len(kube.children(kube.job(name))) == 1, "the old child is gone", 60)
    assert job["status"]["observedGeneration"] == 2


def test_finished_run_is_removed_after_its_time_and_the_outcome_stays(kube: Kube, submit: Submit) -> None:
    name = submit("SELECT 1;", ttlSecondsAfterFinished=3)
    job = kube.wait_phase(name, "Succeeded", seconds=100)
    kube.wait(lambda: not kube.children(job), "the child is gone", 60)
    kube.look_again(name)
    after = kube.job(name)
    assert after["status"]["phase"] == "Succeeded"
    assert after["status"]["steps"] == job["status"]["steps"]
    assert kube.children(after) == []


def test_retry_does_not_repeat_what_is_done(kube: Kube, submit: Submit, table: str) -> None:
    """The second statement fails on the first attempt only; the insert before it happens once."""
    kube.psql(f"CREATE TABLE {table} (id int)")
    once = f"{table}_once"
    program = f"INSERT INTO {table} VALUES (1);\nSELECT {once}();\nINSERT INTO {table} VALUES (2);\n"
    kube.psql(f"CREATE TABLE {once} (id int)")
    # A failure that another attempt may not meet, as of two transactions that change the same row.
    kube.psql(f"CREATE FUNCTION {once}() RETURNS int LANGUAGE plpgsql AS $$ BEGIN IF NOT EXISTS (SELECT FROM {once}) "
              "THEN RAISE 'could not serialize access' USING ERRCODE = '40001'; END IF; RETURN 1; END $$")  # fmt: skip
    try:
        name = submit(program, retries=3)
        kube.wait(lambda: kube.psql(f"SELECT count(*) FROM {table}") == [["1"]], "the first insert", 60)
        kube.wait(lambda: any(s["attempts"] > 1 or s["phase"] == "Failed" for s in kube.job(name)["status"]["steps"]) or
                  len(kube.pods(kube.job(name))) > 1, "a first failure", 60)  # fmt: skip
        kube.psql(f"INSERT INTO {once} VALUES (1)")
        kube.wait_phase(name, "Succeeded", seconds=100)
        assert kube.psql(f"SELECT id, count(*) FROM {table} GROUP BY id ORDER BY id") == [
            ["1", "1"],
            ["2", "1"],
        ]
    finally:
        kube.psql(f"DROP FUNCTION {once}(); DROP TABLE {once}")


@pytest.mark.parametrize("length", [1, 63, 253])
def test_names_of_every_length(kube: Kube, length: int) -> None:
    name = ("n" * 60 + ".") * 5
    name = name[: length - 1] + "z"
    kube.apply(sqlflow_job(name, "SELECT 1;"))
    try:
        kube.wait_phase(name, "Succeeded", seconds=60)
    finally:
        kube.run("delete", "sqlflowjob", name, "--wait=false")
