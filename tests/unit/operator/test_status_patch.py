"""The patch from any stored status to any other one brings exactly that other one about."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlflow_codegen.contract import Outcome, StepError, dump_outcome
from sqlflow_operator.api import SQLFlowJobStatus
from sqlflow_operator.kube import PIPELINE_RUNS, WORKFLOWS
from sqlflow_operator.reconcile.apply import status_json, status_patch

from tests.unit.operator.fakes import merge
from tests.unit.operator.jobcontroller import Ending
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


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "child", "name"]), inner),
    max_leaves=8,
)
ANYTHING = st.dictionaries(st.sampled_from(["message", "phase", "run", "steps", "foreign"]), VALUES)
"""What somebody else, or another version of the operator, may have stored as a status."""


@given(ANYTHING, STATUSES)
def test_a_patch_makes_of_anything_what_is_wanted(stored: dict[str, Any], after: SQLFlowJobStatus) -> None:
    patched = merge(stored, status_patch(stored, after))
    assert patched == status_json(after)
    assert status_patch(patched, after) == {}


@given(STATUSES, STATUSES)
def test_the_patch_leaves_nothing_of_what_was_stored(before: SQLFlowJobStatus, after: SQLFlowJobStatus) -> None:
    stored = status_json(before)
    assert merge(stored, status_patch(stored, after)) == status_json(after)


@pytest.mark.parametrize("ending", ["Succeeded", "Failed"])
@pytest.mark.parametrize("backend", ["job", "argo", "tekton"])
def test_a_new_run_shows_nothing_of_the_old_one(backend: str, ending: str) -> None:
    world = World()
    if ending == "Failed":
        world.controller.endings["s2-train"] = [
            Ending(1, dump_outcome(Outcome(error=StepError(2, 2, 1, "t", "d", "x"))))
        ]
    world.settle()
    first = world.status
    assert (first["phase"], "finishedAt" in first["run"]) == (ending, True)
    world.served = {WORKFLOWS, PIPELINE_RUNS}
    world.edit(program="SELECT 1;", backend=backend)
    world.reconcile()
    world.clock.sleep(1.5)
    world.reconcile()
    second = world.status
    assert (second["phase"], second["run"]["backend"]) == ("Pending", backend)
    assert second["run"]["name"] != first["run"]["name"]
    assert "finishedAt" not in second["run"]
    assert second["steps"] == [{"name": "s1-sql", "kind": "sql", "statements": [1], "phase": "Pending", "attempts": 0}]
    assert {"metrics", "models", "diagnostics"}.isdisjoint(second)


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_the_fake_api_server_merges_as_the_rfc_says(target: Any, patch: Any, result: Any) -> None:
    """The examples of RFC 7396, appendix A."""
    assert merge(target, patch) == result
