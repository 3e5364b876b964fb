"""Tasks: three ways to write one, what they hold, and what is refused."""

from __future__ import annotations

import re
from typing import Any

import fluid
import pytest


def one_step(**fields: Any) -> fluid.Task:
    with fluid.Task("t") as task:
        fluid.step("s", **{"image": "i", **fields})
    return task


def rendered_step(**fields: Any) -> dict[str, Any]:
    (step,) = one_step(**fields).spec()["steps"]
    assert isinstance(step, dict)
    return step


def test_function_block_and_expression_are_the_same_task() -> None:
    @fluid.task
    def copy(source: fluid.Workspace, files: list[str], to: str = "/out") -> None:
        """Copy files.

        More about it.
        """
        fluid.result("count")
        fluid.step("cp", image="busybox", args=[*files, to], working_dir=source.path)

    with fluid.Task("copy", description="Copy files.") as block:
        source = fluid.workspace("source")
        files = fluid.param("files", type="array")
        to = fluid.param("to", "/out")
        fluid.result("count")
        fluid.step("cp", image="busybox", args=[files.all, to], working_dir=source.path)

    files_param, to_param = fluid.Param("files", type="array"), fluid.Param("to", "/out")
    workspace = fluid.Workspace("source")
    expression = fluid.Task(
        "copy",
        description="Copy files.",
        params=[files_param, to_param],
        workspaces=[workspace],
        results=[fluid.Result("count")],
        steps=[
            fluid.Step("cp", image="busybox", args=[files_param.value.all, to_param.value], working_dir=workspace.path)
        ],
    )
    assert copy.to_dict() == block.to_dict() == expression.to_dict()
    assert copy.to_dict()["spec"]["steps"] == [
        {
            "name": "cp",
            "image": "busybox",
            "args": ["$(params.files[*])", "$(params.to)"],
            "workingDir": "$(workspaces.source.path)",
        }
    ]


def test_param_types_and_defaults() -> None:
    params = {
        "s": fluid.Param("s"),
        "empty": fluid.Param("empty", ""),
        "a": fluid.Param("a", ["x", "y"], description="many"),
        "o": fluid.Param("o", {"k": "v"}),
        "p": fluid.Param("p", properties=["url", "name"]),
        "e": fluid.Param("e", "x", enum=["x", "y"]),
    }
    task = fluid.Task("t", params=list(params.values()), steps=[fluid.Step(image="i")])
    assert task.spec()["params"] == [
        {"name": "s", "type": "string"},
        {"name": "empty", "type": "string", "default": ""},
        {"name": "a", "type": "array", "description": "many", "default": ["x", "y"]},
        {"name": "o", "type": "object", "properties": {"k": {"type": "string"}}, "default": {"k": "v"}},
        {"name": "p", "type": "object", "properties": {"url": {"type": "string"}, "name": {"type": "string"}}},
        {"name": "e", "type": "string", "enum": ["x", "y"], "default": "x"},
    ]


def test_arguments_are_of_the_types_that_the_signature_says() -> None:
    @fluid.task
    def show(files: list[str], git: dict[str, str] = {"url": "u"}, mode: str = "a") -> None:  # noqa: B006
        fluid.step(image="i", command=files, args=["x", *files, files[1], git["url"], f"{mode}!"])

    step = show.spec()["steps"][0]
    assert step["command"] == ["$(params.files[*])"]
    assert step["args"] == ["x", "$(params.files[*])", "$(params.files[1])", "$(params.git.url)", "$(params.mode)!"]

    @fluid.pipeline
    def outer(files: list[str], git: dict[str, str] = {"url": "v"}) -> None:  # noqa: B006
        show(files=files, git=git)

    assert outer.spec()["tasks"][0]["params"] == [
        {"name": "files", "value": ["$(params.files[*])"]},
        {"name": "git", "value": {"url": "$(params.git.url)"}},
    ]


def test_environment_from_everywhere() -> None:
    step = rendered_step(
        env={
            "PLAIN": "x",
            "SECRET": fluid.SecretKey("s", "k"),
            "MAYBE": fluid.ConfigMapKey("c", "k", optional=True),
            "POD": fluid.FieldPath("metadata.name"),
        },
        env_from=[{"secretRef": {"name": "all"}}],
    )
    assert step["env"] == [
        {"name": "PLAIN", "value": "x"},
        {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        {"name": "MAYBE", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k", "optional": True}}},
        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    ]
    assert step["envFrom"] == [{"secretRef": {"name": "all"}}]


def test_mounting_a_volume_declares_it_once() -> None:
    data = fluid.Volume("data", fluid.volumes.empty_dir(medium="Memory"))
    with fluid.Task("t") as task:
        fluid.step("a", image="i", mounts={"/data": data})
        fluid.step("b", image="i", mounts={"/in": fluid.Mount(data, read_only=True, sub_path="x")})
        fluid.sidecar("c", image="i", mounts={"/key": fluid.Volume("key", fluid.volumes.secret("k"))})
    spec = task.spec()
    assert spec["volumes"] == [
        {"name": "data", "emptyDir": {"medium": "Memory"}},
        {"name": "key", "secret": {"secretName": "k"}},
    ]
    assert spec["steps"][1]["volumeMounts"] == [{"name": "data", "mountPath": "/in", "readOnly": True, "subPath": "x"}]


def test_two_volumes_of_one_name_are_refused() -> None:
    first = fluid.Volume("v", fluid.volumes.empty_dir())
    second = fluid.Volume("v", fluid.volumes.claim("c"))
    with pytest.raises(fluid.DuplicateError, match="two different volumes are called 'v'"):
        fluid.Task("t", steps=[fluid.Step(image="i", mounts={"/a": first, "/b": second})]).spec()


def test_script_beginning_with_a_line_end_is_dedented() -> None:
    assert rendered_step(script="\n    #!/bin/sh\n      date\n    ")["script"] == "#!/bin/sh\n  date\n"
    assert rendered_step(script="  date")["script"] == "  date"


def test_step_template_gives_the_image() -> None:
    task = fluid.Task("t", step_template=fluid.StepTemplate(image="i"), steps=[fluid.Step("a"), fluid.Step("b")])
    assert task.spec()["stepTemplate"] == {"image": "i"}


def test_false_and_zero_are_kept() -> None:
    step = rendered_step(security_context={"runAsUser": 0, "privileged": False}, timeout=0)
    assert step["securityContext"] == {"runAsUser": 0, "privileged": False}
    assert step["timeout"] == "0s"


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: fluid.Task("t").spec(), "task 't' has no step"),
        (lambda: one_step(image=""), "step 's' has no image"),
        (lambda: one_step(script="x", command=["y"]), "both a script and a command"),
        (lambda: one_step(args="text"), "args is one text; give a list"),
        (lambda: one_step(timeout=-1), "cannot be negative"),
        (lambda: one_step(timeout="1 hour"), "write seconds as a number"),
        (lambda: one_step(mounts={"data": fluid.Volume("v", {})}), "absolute path outside /tekton"),
        (lambda: one_step(mounts={"/tekton/x": fluid.Volume("v", {})}), "absolute path outside /tekton"),
        (lambda: fluid.Task("t", sidecars=[fluid.Sidecar("x")], steps=[fluid.Step(image="i")]).spec(), "no image"),
        (
            lambda: fluid.Task("t", params=[fluid.Param("p", "x", type="array")], steps=[fluid.Step(image="i")]).spec(),
            "is of type array, its default is not",
        ),
        (
            lambda: fluid.Task("t", params=[fluid.Param("p", type="object")], steps=[fluid.Step(image="i")]).spec(),
            "give the names of its properties",
        ),
    ],
)
def test_refused(build: Any, message: str) -> None:
    with pytest.raises(fluid.FluidError, match=re.escape(message)):
        build()


@pytest.mark.parametrize("name", ["", "Upper", "under_score", "-a", "a-", "a" * 64, "a b", "ä"])
def test_names_that_kubernetes_refuses(name: str) -> None:
    with pytest.raises(fluid.InvalidNameError):
        fluid.Task(name or "_", steps=[fluid.Step(image="i")]).spec()
    with pytest.raises(fluid.InvalidNameError):
        fluid.Task("t", steps=[fluid.Step(name or "_", image="i")]).spec()


@pytest.mark.parametrize("value", ["a b", "-a", "a" * 64, "é"])
def test_label_values_that_kubernetes_refuses(value: str) -> None:
    with pytest.raises(fluid.InvalidNameError, match="label 'team'"):
        fluid.Task("t", steps=[fluid.Step(image="i")], labels={"team": value}).spec()


@pytest.mark.parametrize(
    "fields",
    [
        {"params": [fluid.Param("x"), fluid.Param("x")]},
        {"results": [fluid.Result("x"), fluid.Result("x")]},
        {"workspaces": [fluid.Workspace("x"), fluid.Workspace("x")]},
        {"steps": [fluid.Step("x", image="i"), fluid.Step("x", image="i")]},
        {"sidecars": [fluid.Sidecar("x", image="i"), fluid.Sidecar("x", image="i")]},
    ],
)
def test_duplicates(fields: dict[str, Any]) -> None:
    with pytest.raises(fluid.DuplicateError, match="'x' is declared twice"):
        fluid.Task("t", **{"steps": [fluid.Step(image="i")], **fields}).spec()


def test_a_finished_task_cannot_change() -> None:
    task = one_step()
    for change in (
        lambda: task.add_step(fluid.Step(image="i")),
        lambda: task.add_param(fluid.Param("p")),
        lambda: task.add_result(fluid.Result("r")),
        lambda: task.add_workspace(fluid.Workspace("w")),
        lambda: task.add_sidecar(fluid.Sidecar("s", image="i")),
        lambda: task.__enter__(),
    ):
        with pytest.raises(fluid.ScopeError, match="task 't' is finished"):
            change()


def test_values_are_frozen() -> None:
    with pytest.raises(AttributeError):
        fluid.Step("s", image="i").image = "j"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        fluid.Param("p").default = "x"  # type: ignore[misc]


def test_words_outside_their_block() -> None:
    with pytest.raises(fluid.ScopeError, match="Step 's' belongs inside a task's `with` block; this is outside"):
        fluid.step("s", image="i")
    with fluid.Pipeline("p") as pipeline:
        with pytest.raises(fluid.ScopeError, match="this is inside pipeline 'p'"):
            fluid.step("s", image="i")
        one_step()()
    assert [task.name for task in pipeline.tasks] == ["t"]


def test_a_task_used_inside_its_own_block() -> None:
    with fluid.Task("t") as task:
        fluid.step(image="i")
        with pytest.raises(fluid.ScopeError, match="inside its own"):
            task()


def test_an_error_in_the_block_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), fluid.Task("t"):
        _ = 1 / 0


def test_unknown_annotation() -> None:
    with pytest.raises(fluid.FluidError, match=r"argument 'n'.*use str, list\[str\]"):

        @fluid.task
        def t(n: int) -> None: ...


def test_namespaces_by_name() -> None:
    task = fluid.Task("t", params=[fluid.Param("repo-url")], steps=[fluid.Step(image="i")])
    assert task.params.repo_url == task.params["repo-url"] == fluid.reference("params.repo-url")
    assert "repo-url" in task.params
    assert len(task.params) == 1
    with pytest.raises(fluid.UnknownReferenceError, match="Did you mean 'repo-url'"):
        _ = task.params.repo_uri
