"""No text of the user reaches a place where an engine would replace a part of it, keys of mappings included."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from fluid import substituted
from hypothesis import given
from hypothesis import strategies as st
from sqlflow_codegen.backend import RunOptions
from sqlflow_codegen.couler import CoulerCodegen
from sqlflow_codegen.errors import CodegenError
from sqlflow_codegen.fluid import FluidCodegen
from sqlflow_codegen.language import parse_program
from sqlflow_codegen.substitution import shield

ENGINES = {"argo": ("{{workflow.name}}", CoulerCodegen), "tekton": ("$(params.x)", FluidCodegen)}

PLACES: dict[str, Any] = {
    "name": lambda text: text,
    "namespace": lambda text: text,
    "job_name": lambda text: text,
    "secret_name": lambda text: text,
    "secret_key": lambda text: text,
    "image": lambda text: text,
    "image_pull_policy": lambda text: text,
    "own_image_pull_policy": lambda text: text,
    "service_account_name": lambda text: text,
    "owner": lambda text: {text: "x"},
    "image_pull_secrets": lambda text: [{"name": "x"}, {text: "x"}],
    "resources": lambda text: {"limits": {text: "1"}},
    "env": lambda text: [{"name": text, "value": "x"}],
    "node_selector": lambda text: {text: "x"},
    "tolerations": lambda text: [{"key": "x", text: "x"}],
    "affinity": lambda text: {"nodeAffinity": {"x": [{"a": 1, "b": [{text: 1}]}]}},
}
"""For each option that holds text: a value with the text in it, as a key where it has keys."""


def test_every_option_with_text_has_a_place_here() -> None:
    texts = {each.name for each in fields(RunOptions) if "str" in str(each.type) or "Mapping" in str(each.type)}
    assert texts == PLACES.keys()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("option", PLACES)
def test_what_an_engine_would_replace_is_refused(option: str, engine: str) -> None:
    text, codegen = ENGINES[engine]
    options = replace(RunOptions(), **{option: PLACES[option](f"a{text}b")})
    with pytest.raises(CodegenError, match=option) as caught:
        codegen().gen_code(parse_program("SELECT 1"), options)
    assert text in str(caught.value)
    assert "it has no escape" in str(caught.value)


def test_the_message_names_the_place() -> None:
    for value, place in (({"a{{": "x"}, "node_selector, key: "), ({"k": "a{{"}, "node_selector.k: ")):
        with pytest.raises(CodegenError) as caught:
            shield(RunOptions(node_selector=value), lambda text: "{{" if "{{" in text else None, "Argo")
        assert str(caught.value) == f"{place}Argo would replace '{{{{' in 'a{{{{', and it has no escape; change it"


NESTED = st.recursive(
    st.text("a{$(", max_size=4) | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("a{$(", max_size=4), inner, max_size=2),
)


def strings(value: Any) -> list[str]:
    """All texts in a value, keys included."""
    if isinstance(value, dict):
        return [text for key, item in value.items() for text in (key, *strings(item))]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []


@given(st.dictionaries(st.text("a{$(", max_size=4), NESTED, max_size=3))
def test_exactly_what_would_be_replaced_is_refused_at_any_depth(value: dict[str, Any]) -> None:
    def replaced(text: str) -> str | None:
        return "{{" if "{{" in text else None

    options = RunOptions(affinity=value)
    if any(map(replaced, strings(value))):
        with pytest.raises(CodegenError):
            shield(options, replaced, "Argo")
    else:
        assert shield(options, replaced, "Argo") == (replace(options, env=[]), {})


def test_values_of_variables_travel_in_the_config_map() -> None:
    env = [{"name": "PLAIN", "value": "x"}, {"name": "A", "value": "$(params.x)"}, {"name": "B", "value": "$(tasks.y)"}]
    shielded, carried = shield(RunOptions(name="r", env=env), substituted, "Tekton")
    assert carried == {"env-1": "$(params.x)", "env-2": "$(tasks.y)"}
    references = [{"configMapKeyRef": {"name": "r", "key": key}} for key in carried]
    assert list(shielded.env) == [
        env[0],
        {"name": "A", "valueFrom": references[0]},
        {"name": "B", "valueFrom": references[1]},
    ]
