"""What a person sees of one run after another, on a real API server."""

from __future__ import annotations

import pytest

from tests.integration.conftest import OperatorProcess, Place, wait_for

pytestmark = pytest.mark.integration


def test_a_new_run_shows_nothing_of_the_old_one(shared_operator: OperatorProcess, place: Place) -> None:
    place.apply(program="SELECT 1;")
    old = place.play_until("Succeeded")["run"]
    place.edit("iris", program="SELECT 2;")
    wait_for(lambda: place.status().get("run", old)["name"] != old["name"], "the new run is there")
    status = place.status()
    assert status["phase"] == "Pending"
    assert "finishedAt" not in status["run"]
