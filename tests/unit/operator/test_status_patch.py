"""The patch from any stored status to any other one brings exactly that other one about."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlflow_operator.api import SQLFlowJobStatus
from sqlflow_operator.reconcile.apply import status_json, status_patch

from tests.unit.operator.fakes import merge
from tests.unit.operator.world import World

MOMENTS = st.sampled_from([None, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"])
CHILDREN = st.fixed_dictionaries({key: st.sampled_from("ab") for key in ("apiVersion", "kind", "name", "uid")})
RUNS = st.fixed_dictionaries(
    {"name": st.sampled_from("ab"), "backend": st.sampled_from(["job", "argo"]), "child": CHILDREN},
    optional={"startedAt": MOMENTS, "finishedAt": MOMENTS},
)
STEPS = st.fixed_dictionaries(
    {"name": st.sampled_from("ab"), "kind": st.just("sql"), "statements": st.just([1]), "phase": st.just("Failed")},
    optional={"exitCode": st.sampled_from([None, 1]), "finishedAt": MOMENTS, "message": st.sampled_from([None, "x"])},
)
STATUSES = st.fixed_dictionaries(
    {"observedGeneration": st.integers(1, 3)},
    optional={
        "phase": st.sampled_from(["Pending", "Failed", None]),
        "message": st.sampled_from(["x", None]),
        "run": st.one_of(st.none(), RUNS),
        "steps": st.lists(STEPS, max_size=2),
    },
).map(SQLFlowJobStatus.model_validate)


@given(STATUSES, STATUSES)
def test_the_patch_leaves_nothing_of_what_was_stored(before: SQLFlowJobStatus, after: SQLFlowJobStatus) -> None:
    stored = status_json(before)
    assert merge(stored, status_patch(stored, after)) == status_json(after)


@pytest.mark.parametrize("old", [{"retries": 1}, {"program": "SELECT 1; SELECT * FROM t TO EVALUATE m LABEL y"}])
@pytest.mark.parametrize("backend", ["job", "argo", "tekton"])
def test_a_new_run_shows_nothing_of_the_old_one(backend: str, old: dict[str, Any]) -> None:
    world = World(**old)
    world.settle()
    first = world.status
    assert first["run"]["finishedAt"]
    world.served = {world.reconciler._observer._workflows["argo"].resource}
