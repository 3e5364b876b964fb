"""Text is literal and references are objects: what a container gets is what the program said."""

from __future__ import annotations

import re
from typing import Any

import fluid
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile import HOSTILE_TEXTS

TEKTON = [
    "$(params.x)",
    "$(params['x'])",
    '$(params["x"])',
    "a $(tasks.t.results.r) b",
    "$(results.r.path)",
    "$(workspaces.w.path)",
    "$(context.taskRun.name)",
    "$(steps.s.results.r)",
    "$$(params.x)",
    "$(params.x",
]


def step(**fields: Any) -> dict[str, Any]:
    with fluid.Task("t") as task:
        fluid.param("p")
        fluid.step(image="i", **fields)
    rendered = task.spec()["steps"][0]
    assert isinstance(rendered, dict)
    return rendered


def kubelet(text: str) -> str:
    """What the kubelet makes of a text in command, args or env where no variable is set, by its documented rules."""
    output, position = [], 0
    while position < len(text):
        if text[position] == "$" and position + 1 < len(text):
            if text[position + 1] == "$":
                output.append("$")
            elif text[position + 1] == "(" and ")" in text[position:]:
                name = text[position + 2 : text.index(")", position)]
                output.append(f"<{name}>")
                position += len(name) + 1
            else:
                output.append(text[position : position + 2])
            position += 2
        else:
            output.append(text[position])
            position += 1
    return "".join(output)


@pytest.mark.parametrize("text", TEKTON)
@pytest.mark.parametrize("field", ["args", "command", "script", "env", "working_dir", "image"])
def test_text_that_tekton_would_replace_is_refused(field: str, text: str) -> None:
    value: Any = {"args": [text], "command": [text], "env": {"A": text}}.get(field, text)
    task = fluid.Task("t", steps=[fluid.Step(**{"image": "i", field: value})])
    with pytest.raises(fluid.LiteralError, match="would replace or refuse"):
        task.close()


@pytest.mark.parametrize("text", [*TEKTON, "$(date)", "$(x.y)"])
def test_parameters_of_uses_take_no_dollar_parentheses(text: str) -> None:
    task = fluid.Task("t", params=[fluid.Param("p")], steps=[fluid.Step(image="i")])
    with pytest.raises(fluid.LiteralError), fluid.Pipeline("x"):
        task(p=text)


def test_other_dollars_stay_in_scripts() -> None:
    script = "#!/bin/sh\nx=$(date); echo ${x} $x $$ $(echo params.x)\n"
    assert step(script=script)["script"] == script


@given(st.text(alphabet="$()aB_ .", max_size=30) | st.sampled_from(list(HOSTILE_TEXTS.values())))
def test_text_in_args_and_env_arrives_as_written(text: str) -> None:
    try:
        rendered = step(args=[text], env={"A": text})
    except fluid.LiteralError:
        assert fluid.substituted(text)
        return
    assert kubelet(rendered["args"][0]) == text
    assert kubelet(rendered["env"][0]["value"]) == text


@given(st.text(alphabet="$()a.", max_size=8))
def test_text_before_a_reference_arrives_as_written(text: str) -> None:
    rendered = step(args=[f"{text}{fluid.reference('params.p')}"])["args"][0]
    assert rendered.endswith("$(params.p)")
    # Tekton puts the value in first, then the kubelet expands.
    assert kubelet(rendered.removesuffix("$(params.p)") + "value") == f"{text}value"


def test_references_in_strings() -> None:
    with fluid.Task("t") as task:
        p = fluid.param("p")
        fluid.step(image="i", args=[p, f"--x={p}", "a" + p, p + "b", ",".join([p, "c", p])])
    assert task.spec()["steps"][0]["args"] == [
        "$(params.p)",
        "--x=$(params.p)",
        "a$(params.p)",
        "$(params.p)b",
        "$(params.p),c,$(params.p)",
    ]


def test_a_text_that_looks_like_the_reference_is_not_it() -> None:
    reference = fluid.reference("params.p")
    assert reference != "$(params.p)"
    assert repr(reference) == "Reference('params.p')"
    assert reference.expression == "params.p"


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("params.q", "task 't' declares no parameter 'q'. There is: p."),
        ("params.p[*]", "of type string; use it as it is"),
        ("params.p.k", "of type string; use it as it is"),
        ("results.r.path", "declares no result 'r'. There is none."),
        ("workspaces.w.path", "declares no workspace 'w'"),
        ("tasks.t.results.r", "has no meaning in task 't'. Inside a task only its own"),
        ("context.pipelineRun.name", "has no meaning in task 't'"),
        ("context.taskRun.nam", "has no meaning in task 't'"),
        ("steps.s.results.r", "declares no step 's'"),
        ("", "is no reference"),
        ("params..x", "is no reference"),
    ],
)
def test_unknown_references(reference: str, message: str) -> None:
    with pytest.raises(fluid.UnknownReferenceError, match=re.escape(message)):
        step(args=[fluid.reference(reference)])


@pytest.mark.parametrize(
    "reference", ["context.taskRun.name", "context.task.retry-count", "credentials.path", "params.p"]
)
def test_known_references(reference: str) -> None:
    assert step(script=fluid.reference(reference))["script"] == f"$({reference})"


def test_variables_of_the_container_only_where_the_kubelet_looks() -> None:
    assert step(args=[fluid.var("HOME")])["args"] == ["$(HOME)"]
    with pytest.raises(fluid.UnknownReferenceError):
        step(script=fluid.var("HOME"))


@pytest.mark.parametrize("change", [str.upper, lambda r: r[:-1], lambda r: "x\0"])
def test_a_reference_changed_as_text(change: Any) -> None:
    with pytest.raises(fluid.FluidError):
        step(args=[change(fluid.reference("params.p"))])


def test_a_whole_array_stands_alone() -> None:
    with fluid.Task("t") as task:
        many = fluid.param("many", type="array")
        fluid.step(image="i", args=[many.all])
    assert task.spec()["steps"][0]["args"] == ["$(params.many[*])"]
    mixed = fluid.Task(
        "t", params=[fluid.Param("many", type="array")], steps=[fluid.Step(image="i", args=[f"x{many.all}"])]
    )
    with pytest.raises(fluid.UnknownReferenceError, match="list element of its own"):
        mixed.close()


def test_keys_of_objects_are_known() -> None:
    git = fluid.Param("git", properties=["url", "revision"])
    task = fluid.Task("t", params=[git], steps=[fluid.Step(image="i", args=[git.value.key("ur")])])
    with pytest.raises(fluid.UnknownReferenceError, match=r"key of parameter 'git': 'ur'\. Did you mean 'url'"):
        task.close()


def test_dotted_names_are_quoted() -> None:
    with fluid.Task("t") as task:
        dotted = fluid.param("a.b")
        fluid.step(image="i", args=[dotted])
    assert task.spec()["steps"][0]["args"] == ['$(params["a.b"])']


def test_kubernetes_own_env_keeps_kubernetes_own_references() -> None:
    env = [{"name": "A", "value": "x"}, {"name": "B", "value": "$(A)"}]
    assert step(env=env)["env"] == env
    with pytest.raises(fluid.LiteralError):
        step(env=[{"name": "A", "value": "$(params.p)"}])
