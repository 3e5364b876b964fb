"""Runs, pod templates, config maps, and the context that collects what a program builds."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from typing import Any

import fluid
import pytest
from fluid.with_block import current_block

STEP = fluid.Step(image="i")


def a_pipeline() -> fluid.Pipeline:
    task = fluid.Task("t", params=[fluid.Param("x", "y")], steps=[STEP])
    with fluid.Pipeline("p") as pipeline:
        fluid.param("must")
        fluid.param("may", ["a"])
        fluid.workspace("w", optional=True)
        task()
    return pipeline


def run(**fields: Any) -> dict[str, Any]:
    made = fluid.PipelineRun(a_pipeline(), **{"name": "r", "params": {"must": "v"}, **fields}).to_dict()
    assert isinstance(made, dict)
    return made


def test_pipeline_run() -> None:
    manifest = run(
        namespace="n",
        labels={"a": "b"},
        annotations={"c": "d"},
        owner_references=[{"kind": "K", "name": "o", "uid": "u", "apiVersion": "v"}],
        params={"must": "v", "may": ["x"]},
        workspaces={"w": fluid.volumes.empty_dir()},
        timeout=timedelta(hours=1),
        service_account="sa",
        pod_template=fluid.PodTemplate(node_selector={"a": "b"}, automount_service_account_token=False),
        task_run_specs=[{"pipelineTaskName": "t", "serviceAccountName": "other"}],
        pending=True,
    )
    spec = manifest["spec"]
    assert manifest["metadata"] == {
        "name": "r",
        "namespace": "n",
        "labels": {"a": "b"},
        "annotations": {"c": "d"},
        "ownerReferences": [{"kind": "K", "name": "o", "uid": "u", "apiVersion": "v"}],
    }
    assert spec.pop("pipelineSpec")["tasks"][0]["name"] == "t"
    assert spec == {
        "params": [{"name": "must", "value": "v"}, {"name": "may", "value": ["x"]}],
        "workspaces": [{"name": "w", "emptyDir": {}}],
        "timeouts": {"pipeline": "3600s"},
        "taskRunTemplate": {
            "serviceAccountName": "sa",
            "podTemplate": {"nodeSelector": {"a": "b"}, "automountServiceAccountToken": False},
        },
        "taskRunSpecs": [{"pipelineTaskName": "t", "serviceAccountName": "other"}],
        "status": "PipelineRunPending",
    }


def test_what_is_handed_out_is_a_copy() -> None:
    pipeline = a_pipeline()
    made: list[Any] = [
        pipeline,
        fluid.PipelineRun(pipeline, name="r", params={"must": "v"}),
        fluid.ConfigMap("c", {"a": "b"}),
        fluid.Task("t", steps=[STEP]),
    ]
    before = fluid.dump(*made)
    for manifest in made:
        copy = manifest.to_dict()
        copy["metadata"]["name"] = "changed"
        copy.get("spec", copy.get("data")).clear()
    assert fluid.dump(*made) == before


def test_by_reference() -> None:
    assert run(embed=False)["spec"]["pipelineRef"] == {"name": "p"}
    by_name = fluid.PipelineRun("other", generate_name="r-", params={"anything": "x"}).to_dict()
    assert by_name["metadata"] == {"generateName": "r-"}
    assert by_name["spec"]["pipelineRef"] == {"name": "other"}


def test_task_run() -> None:
    task = fluid.Task("t", params=[fluid.Param("x")], steps=[STEP])
    manifest = fluid.TaskRun(task, name="r", params={"x": "y"}, timeout=0, retries=2, service_account="sa").to_dict()
    assert manifest["spec"] == {
        "taskSpec": {"params": [{"name": "x", "type": "string"}], "steps": [{"image": "i"}]},
        "params": [{"name": "x", "value": "y"}],
        "timeout": "0s",
        "retries": 2,
        "serviceAccountName": "sa",
    }
    assert fluid.TaskRun("other", name="r", pending=True).to_dict()["spec"] == {
        "taskRef": {"name": "other"},
        "status": "TaskRunPending",
    }


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"params": {}}, fluid.UnboundError, "PipelineRun 'r': give a value for must"),
        ({"params": {"must": "v", "mus": "w"}}, fluid.UnknownReferenceError, "Did you mean 'must'"),
        ({"params": {"must": ["v"]}}, fluid.FluidError, "is of type string; a array is given"),
        ({"params": {"must": "$(tasks.t.results.r)"}}, fluid.LiteralError, "$(tasks.t.results.r)"),
        ({"workspaces": {"x": {}}}, fluid.UnknownReferenceError, "no workspace 'x'"),
        ({"name": ""}, fluid.FluidError, "give either name or generate_name"),
        ({"generate_name": "x-"}, fluid.FluidError, "give either name or generate_name"),
        ({"name": "a" * 64}, fluid.InvalidNameError, "at most 63 characters"),
        ({"timeout": 60, "tasks_timeout": 50, "finally_timeout": 20}, fluid.FluidError, "must not exceed timeout"),
        ({"timeout": "1m", "tasks_timeout": 0}, fluid.FluidError, "must not exceed timeout"),
        ({"timeout": -1}, fluid.FluidError, "cannot be negative"),
        ({"labels": {"a": "b c"}}, fluid.InvalidNameError, "label 'a'"),
    ],
)
def test_refused(fields: dict[str, Any], error: type[fluid.FluidError], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        run(**fields)


def test_missing_workspace_and_negative_retries() -> None:
    task = fluid.Task("t", workspaces=[fluid.Workspace("w")], steps=[STEP])
    with pytest.raises(fluid.UnboundError, match="say what fills the workspace w"):
        fluid.TaskRun(task, name="r")
    with pytest.raises(fluid.FluidError, match="retries is -1"):
        fluid.TaskRun(fluid.Task("t", steps=[STEP]), name="r", retries=-1)


def test_timeouts_without_limit() -> None:
    assert run(timeout=0, tasks_timeout="90m")["spec"]["timeouts"] == {"pipeline": "0s", "tasks": "90m"}
    assert run(timeout=10_000_000)["spec"]["timeouts"] == {"pipeline": "10000000s"}


def test_config_map() -> None:
    config_map = fluid.ConfigMap("c", {"a": "$(params.x)\0"}, immutable=True, labels={"l": "v"})
    assert config_map.to_dict() == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "c", "labels": {"l": "v"}},
        "immutable": True,
        "data": {"a": "$(params.x)\0"},
    }


def test_what_a_program_built_is_collected_in_order() -> None:
    with fluid.collecting() as built:
        fluid.ConfigMap("c", {})
        pipeline = a_pipeline()
        fluid.PipelineRun(pipeline, name="r", params={"must": "v"})
        fluid.Task("alone", steps=[STEP])
        fluid.PipelineRun(a_pipeline(), name="r2", params={"must": "v"}, embed=False)
    shown = [m.to_dict() for m in built if not m.embedded]
    assert [(m["kind"], m["metadata"]["name"]) for m in shown] == [
        ("ConfigMap", "c"),
        ("PipelineRun", "r"),
        ("Task", "alone"),
        ("Pipeline", "p"),
        ("PipelineRun", "r2"),
    ]


def test_threads_do_not_see_each_others_blocks() -> None:
    seen: list[object] = []
    with fluid.Task("t"):
        thread = threading.Thread(target=lambda: seen.append(current_block()))
        thread.start()
        thread.join()
        fluid.step(image="i")
    assert seen == [None]
    assert current_block() is None
