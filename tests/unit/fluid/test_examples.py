"""The examples print what their golden files hold; SQLFLOW_UPDATE_GOLDEN=1 writes these anew."""

from __future__ import annotations

import os
from pathlib import Path

import fluid
import pytest
import yaml
from fluid.__main__ import render

FOLDER = Path(fluid.__file__).with_name("examples")
EXAMPLES = sorted(FOLDER.glob("*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example(example: Path) -> None:
    text = render(example)
    golden = example.with_suffix(".yaml")
    if os.environ.get("SQLFLOW_UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert list(yaml.safe_load_all(text)) == list(yaml.safe_load_all(golden.read_text(encoding="utf-8")))


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 3
