"""YAML: what is read back is what was written, in the order written, and no reader sees another type."""

from __future__ import annotations

import fluid
import pytest
import yaml
from fluid.dumper import dump_yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile import HOSTILE_TEXTS

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_round_trip(value: object) -> None:
    text = dump_yaml({"v": value})
    assert list(yaml.load_all(text, yaml.SafeLoader)) == [{"v": value}]
    assert list(yaml.load_all(text, yaml.CSafeLoader)) == [{"v": value}]


@pytest.mark.parametrize("text", HOSTILE_TEXTS.values(), ids=HOSTILE_TEXTS)
def test_hostile_texts(text: str) -> None:
    config_map = fluid.ConfigMap("c", {"a": text})
    assert yaml.safe_load(fluid.dump(config_map))["data"] == {"a": text}


@pytest.mark.parametrize(
    "text",
    ["1e3", "0o17", "1_000", "12e4567", "2024-01-01", "1:30", ".5", "+1", "-1", "y", "N", "=", "<<", "0x1F", "1.0.0"],
)
def test_texts_that_another_parser_takes_for_something_else_are_quoted(text: str) -> None:
    assert f'"{text}"' in dump_yaml([text])


def test_key_order_is_kept_and_nothing_is_an_alias() -> None:
    shared = {"z": "1", "a": ["x"]}
    text = dump_yaml({"second": shared, "first": shared})
    assert text.index("second") < text.index("first")
    assert "&" not in text
    assert "*" not in text


def test_lines_are_never_wrapped_and_scripts_are_blocks() -> None:
    long = "word " * 2000 + "end"
    assert len(dump_yaml({"a": long}).splitlines()) == 1
    assert dump_yaml({"a": "#!/bin/sh\nx\n"}) == "a: |\n  #!/bin/sh\n  x\n"
    assert "|" not in dump_yaml({"a": "one \ntwo\n"})
