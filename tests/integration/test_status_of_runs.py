"""What a person sees of one run after another, on a real API server."""

from __future__ import annotations

import pytest
from sqlflow_codegen.contract import Outcome, StepError, dump_outcome

from tests.integration.conftest import OperatorProcess, Place
from tests.integration.controlplane import ControlPlane
from tests.unit.operator.jobcontroller import Ending

pytestmark = pytest.mark.integration


def test_a_new_run_shows_nothing_of_the_old_one(shared_operator: OperatorProcess, place: Place) -> None:
    place.apply(program="SELECT 1;")
    old = place.play_until("Succeeded")["run"]
    place.edit("iris", program="SELECT 2;")
    place.wait_for(lambda: place.status().get("run", old)["name"] != old["name"], "the new run is there")
    status = place.status()
    assert status["phase"] == "Pending"
    assert "finishedAt" not in status["run"]


def test_a_list_of_jobs_is_readable_and_describe_says_all(
    plane: ControlPlane, shared_operator: OperatorProcess, place: Place
) -> None:
    """One line a job at 140 columns, whatever went wrong with it; the rest in the conditions and Events."""
    words = 'relation "features" does not exist, and the database goes on about it: ' + "more " * 80
    error = StepError(2, 2, 15, "TO TRAIN xgboost.gbtree INTO m", "database", words, "Create it first.")
    place.controller.endings["s2-train"] = [Ending(1, dump_outcome(Outcome(error=error)))]
    place.apply("failing-job-1")
    place.apply("failing-job-2", program="SELECT 1;\nSELECT * FROM t\nTO TRAIN xgboost.gbtree\nLABEL class;")
    place.apply("good", program="SELECT 1;")
    for name, phase in (("failing-job-1", "Failed"), ("failing-job-2", "Failed"), ("good", "Succeeded")):
        place.play_until(phase, name)
    lines = plane.run("get", "sfj", "-n", place.namespace).stdout.splitlines()
    assert len(lines) == 4
    assert max(map(len, lines)) <= 140
    column = lines[0].index("MESSAGE")
    assert all(0 < len(line[column:].strip()) <= 80 for line in lines[1:])
    duration = lines[0].index("DURATION")
    good = next(line for line in lines if line.startswith("good"))
    assert good[duration : duration + 8].strip() == place.status("good")["run"]["duration"]
    described = plane.run("describe", "sfj", "failing-job-1", "-n", place.namespace).stdout
    whole = place.message("failing-job-1")
    assert whole.endswith("more. Create it first.")
    assert described.count(whole) >= 2, "conditions and the Event have all of it"
    # kubectl sorts the fields of a status by name, whatever the schema says; lists keep their order.
    status = described.partition("Status:")[2].partition("Events:")[0]
    fields = [line.strip().partition(":")[0] for line in status.splitlines() if line[:3].strip() and line[:2] == "  "]
    assert fields == sorted(fields)
