"""Pipelines: order, values, conditions, workspaces, finally; what is refused, and with which words."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import fluid
import pytest
from hypothesis import given
from hypothesis import strategies as st


@fluid.task
def work(item: str = "x") -> None:
    fluid.result("done")
    fluid.step(image="i", args=[item])


@fluid.task
def need(source: fluid.Workspace, name: str) -> None:
    fluid.step(image="i", args=[source.path, name])


def tasks_of(pipeline: fluid.Pipeline) -> dict[str, dict[str, Any]]:
    return {task["name"]: task for task in pipeline.spec()["tasks"]}


def test_order_from_arrows_lists_and_results() -> None:
    with fluid.Pipeline("p") as pipeline:
        a, b, c, d, e = (work(name) for name in "abcde")
        a >> [b, c] >> d
        e.after(d, "a", d)
        work("f", item=f"{e.results.done}!")
    tasks = tasks_of(pipeline)
    assert {name: task.get("runAfter") for name, task in tasks.items()} == {
        "a": None,
        "b": ["a"],
        "c": ["a"],
        "d": ["b", "c"],
        "e": ["d", "a"],
        "f": None,
    }
    assert tasks["f"]["params"] == [{"name": "item", "value": "$(tasks.e.results.done)!"}]
    assert pipeline.tasks[5].needs() == ("e",)


def test_everything_that_a_use_can_say() -> None:
    with fluid.Pipeline("p") as pipeline:
        mode = fluid.param("mode", "all")
        first = work("first")
        work(
            "second",
            params={"item": "y"},
            run_after=["first"],
            when=[mode.is_in("all", "second"), first.results.done.not_in("")],
            retries=3,
            timeout="1h30m",
        )
        work("third", on_error="continue", when=fluid.cel("1 == 1"))
        work("fourth", when=fluid.when(f"{mode}-x").not_in("all-x"))
    tasks = tasks_of(pipeline)
    assert {key: value for key, value in tasks["second"].items() if key != "taskSpec"} == {
        "name": "second",
        "runAfter": ["first"],
        "params": [{"name": "item", "value": "y"}],
        "when": [
            {"input": "$(params.mode)", "operator": "in", "values": ["all", "second"]},
            {"input": "$(tasks.first.results.done)", "operator": "notin", "values": [""]},
        ],
        "retries": 3,
        "timeout": "1h30m",
    }
    assert tasks["fourth"]["when"] == [{"input": "$(params.mode)-x", "operator": "notin", "values": ["all-x"]}]
    assert (tasks["third"]["onError"], tasks["third"]["when"]) == ("continue", [{"cel": "1 == 1"}])


def test_workspaces_by_the_same_name_or_another() -> None:
    with fluid.Pipeline("p") as pipeline:
        fluid.workspace("source")
        shared = fluid.workspace("shared", optional=True)
        need("a", name="x")
        need("b", name="x", workspaces={"source": shared})
        need("c", name="x", workspaces={"source": "shared"})
    assert [task["workspaces"] for task in tasks_of(pipeline).values()] == [
        [{"name": "source", "workspace": "source"}],
        [{"name": "source", "workspace": "shared"}],
        [{"name": "source", "workspace": "shared"}],
    ]


def test_an_optional_workspace_may_be_missing() -> None:
    task = fluid.Task("t", workspaces=[fluid.Workspace("w", optional=True)], steps=[fluid.Step(image="i")])
    with fluid.Pipeline("p") as pipeline:
        task()
    assert "workspaces" not in tasks_of(pipeline)["t"]


def test_finally_tasks_see_status() -> None:
    with fluid.Pipeline("p") as pipeline:
        a = work("a")
        with fluid.finally_():
            work("z", item=a.status)
            work("y", item=fluid.reference("tasks.status"))
    final = pipeline.spec()["finally"]
    assert [task["params"][0]["value"] for task in final] == ["$(tasks.a.status)", "$(tasks.status)"]


def test_labels_of_a_task_reach_its_pods() -> None:
    task = fluid.Task("t", labels={"a": "b"}, annotations={"c": "d"}, steps=[fluid.Step(image="i")])
    with fluid.Pipeline("p") as pipeline:
        task()
    assert tasks_of(pipeline)["t"]["taskSpec"]["metadata"] == {"labels": {"a": "b"}, "annotations": {"c": "d"}}


def test_tasks_that_exist_elsewhere() -> None:
    with fluid.Pipeline("p") as pipeline:
        clone = fluid.TaskRef("git-clone")("clone", url="u", run_after=[])
        fluid.TaskRef(resolver="hub", resolver_params={"name": "lint"})("lint", params={"x": clone.results.anything})
    tasks = tasks_of(pipeline)
    assert tasks["clone"]["taskRef"] == {"name": "git-clone"}
    assert tasks["lint"]["taskRef"] == {"resolver": "hub", "params": [{"name": "name", "value": "lint"}]}
    assert tasks["lint"]["params"] == [{"name": "x", "value": "$(tasks.clone.results.anything)"}]


def test_arrays_and_objects_are_handed_on() -> None:
    with fluid.Task("t") as task:
        many = fluid.param("many", type="array")
        one = fluid.param("one", {"k": "v"})
        fluid.step(image="i", args=[many.all, many.at(0), one.key("k")])
    with fluid.Pipeline("p") as pipeline:
        files = fluid.param("files", ["a"])
        task("a", many=[files.at(0), "b"], one={"k": "w"})
        task("b", many=files.all)
    tasks = tasks_of(pipeline)
    assert tasks["a"]["params"] == [
        {"name": "many", "value": ["$(params.files[0])", "b"]},
        {"name": "one", "value": {"k": "w"}},
    ]
    assert tasks["b"]["params"] == [{"name": "many", "value": "$(params.files[*])"}]


def _cycle() -> None:
    a, b = work("a"), work("b")
    a >> b >> a


def _status_in_dag() -> None:
    work("b", item=work("a").status)


def _result_of_text() -> None:
    work("a")
    fluid.pipeline_result("r", "text")


def _two_of_one_name() -> None:
    work()
    work()


def _final_order() -> None:
    a = work("a")
    with fluid.finally_():
        work("b", run_after=[a])


def _from_final() -> None:
    work("a")
    with fluid.finally_():
        b = work("b")
        work("c", item=b.results.done)


@pytest.mark.parametrize(
    ("fill", "error", "message"),
    [
        (lambda: None, fluid.FluidError, "pipeline 'p' has no task"),
        (_cycle, fluid.CycleError, "tasks wait for each other: a -> b -> a"),
        (lambda: work("a", run_after=["a"]), fluid.CycleError, "a -> a"),
        (lambda: work("a", run_after=["bb"]), fluid.UnknownReferenceError, "'a' waits for 'bb', which is none"),
        (lambda: work("a", run_after="b"), fluid.FluidError, "run_after is one text"),
        (_two_of_one_name, fluid.DuplicateError, "task 'work' is declared twice"),
        (lambda: work("a", itm="y"), fluid.UnknownReferenceError, "no parameter 'itm'. Did you mean 'item'"),
        (lambda: work("a", item=["y"]), fluid.FluidError, "'item' is of type string; a array is given"),
        (lambda: need("a"), fluid.UnboundError, "give a value for name"),
        (lambda: need("a", name="x"), fluid.UnboundError, "needs a workspace 'source'"),
        (
            lambda: work("a", workspaces={"x": "y"}),
            fluid.FluidError,
            "workspace",
        ),
        (lambda: work("a").results.dome, fluid.UnknownReferenceError, "no result 'dome'. Did you mean 'done'"),
        (
            lambda: work("a", item=fluid.reference("tasks.zz.results.done")),
            fluid.UnknownReferenceError,
            "waits for 'zz'",
        ),
        (lambda: work("a", item=fluid.reference("params.zz")), fluid.UnknownReferenceError, "no parameter 'zz'"),
        (_status_in_dag, fluid.UnknownReferenceError, "status only in finally tasks"),
        (_final_order, fluid.FluidError, "finally tasks all start together"),
        (_from_final, fluid.UnknownReferenceError, "declares no task 'b'"),
        (lambda: work("A"), fluid.InvalidNameError, "must be a DNS label"),
        (lambda: work("a", retries=-1), fluid.FluidError, "retries is -1"),
        (lambda: work("a", retries=1, on_error="continue"), fluid.FluidError, "exclude each other"),
        (lambda: work("a", when=fluid.param("q", "x").is_in()), fluid.FluidError, "compares with no value"),
        (lambda: fluid.TaskRef()("a"), fluid.FluidError, "either a name or a resolver"),
        (_result_of_text, fluid.FluidError, "must refer to results"),
    ],
)
def test_refused(fill: Callable[[], object], error: type[fluid.FluidError], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)), fluid.Pipeline("p"):
        fill()


def test_using_a_task_outside_a_pipeline() -> None:
    with pytest.raises(fluid.ScopeError, match="Using task 'a' belongs inside a pipeline's"):
        work("a")


def test_a_finished_pipeline_cannot_change() -> None:
    with fluid.Pipeline("p") as pipeline:
        a, b = work("a"), work("b")
    with pytest.raises(fluid.ScopeError, match="pipeline 'p' is finished"):
        a >> b
    with pytest.raises(fluid.ScopeError, match="pipeline 'p' is finished"), pipeline:
        pass


def test_pipeline_from_a_function() -> None:
    @fluid.pipeline(name="other", labels={"a": "b"})
    def build(url: str, shared: fluid.Workspace, targets: list[str] = ("x",)) -> None:  # type: ignore[assignment]
        """Build it."""
        need(name=url, workspaces={"source": shared})

    manifest = build.to_dict()
    assert manifest["metadata"] == {"name": "other", "labels": {"a": "b"}}
    assert manifest["spec"]["description"] == "Build it."
    assert [param["name"] for param in manifest["spec"]["params"]] == ["url", "targets"]
    assert manifest["spec"]["workspaces"] == [{"name": "shared"}]


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, list[str]]:
    names = [f"t{n}" for n in range(draw(st.integers(1, 9)))]
    return {name: draw(st.lists(st.sampled_from(names), unique=True, max_size=4)) for name in names}


def _has_cycle(graph: dict[str, list[str]]) -> bool:
    """By taking away what waits for nothing, again and again."""
    left = {name: set(before) for name, before in graph.items()}
    while True:
        free = {name for name, before in left.items() if not before}
        if not free:
            return bool(left)
        left = {name: before - free for name, before in left.items() if name not in free}


@given(graphs())
def test_cycles_are_found_and_only_cycles(graph: dict[str, list[str]]) -> None:
    def build() -> None:
        with fluid.Pipeline("p"):
            for name, before in graph.items():
                work(name, run_after=before)

    if not _has_cycle(graph):
        build()
        return
    with pytest.raises(fluid.CycleError) as caught:
        build()
    path = caught.value.path
    assert path[0] == path[-1]
    assert len(set(path)) == len(path) - 1
    assert all(after in graph[name] for name, after in pairwise(path))
