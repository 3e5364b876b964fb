"""What the operator's watches show it, and how it ends before they run."""

from __future__ import annotations

import pytest
from sqlflow_operator.kube import EVENTS

from tests.integration.conftest import OperatorProcess, Place
from tests.support.waiting import wait_for

pytestmark = pytest.mark.integration

QUOTA = 'pods "x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0'


@pytest.mark.usefixtures("shared_operator")
def test_a_warning_event_explains_why_no_pod_comes(place: Place) -> None:
    place.apply(program="SELECT 1;")
    wait_for(place.children, "the run was created")
    [child] = place.children()
    about = {"kind": "Job", "name": child["metadata"]["name"], "namespace": place.namespace}
    event = {
        "metadata": {"name": "refused"},
        "type": "Warning",
        "reason": "FailedCreate",
        "message": QUOTA,
        "involvedObject": {**about, "uid": child["metadata"]["uid"]},
    }
    place.kube.create(EVENTS, place.namespace, event)
    wait_for(lambda: place.condition("Reconciling").get("reason") == "QuotaExceeded", "the quota is named")
    assert "exceeded quota: q" in place.message()
    place.play_until("Succeeded")


def test_an_operator_that_has_just_started_ends_when_it_is_terminated(own_operator: OperatorProcess) -> None:
    own_operator.start(ready=False)
    wait_for(lambda: own_operator.probe("healthz") == 200, "it serves its endpoints")
    assert own_operator.terminate() == 0
