"""Every snippet of Fluid's README runs; YAML and error messages that it shows are the real ones."""

from __future__ import annotations

import re
from pathlib import Path

import fluid
import pytest
import yaml

README = Path(fluid.__file__).with_name("README.md")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _snippets() -> list[tuple[str, str, str]]:
    """Each Python block with the YAML or error message that follows it, if any."""
    blocks = [(match[1], match[2]) for match in BLOCK.finditer(README.read_text(encoding="utf-8"))]
    snippets = []
    for (language, code), following in zip(blocks, [*blocks[1:], ("", "")], strict=True):
        if language == "python":
            kind, text = following if following[0] in ("yaml", "text") else ("", "")
            snippets.append((code, kind, text))
    return snippets


SNIPPETS = _snippets()


@pytest.mark.parametrize(("code", "kind", "expected"), SNIPPETS, ids=[str(n) for n in range(1, len(SNIPPETS) + 1)])
def test_snippet(code: str, kind: str, expected: str) -> None:
    program = compile(code, "README.md", "exec")
    with fluid.collecting() as built:
        if kind == "text":
            with pytest.raises(fluid.FluidError) as caught:
                exec(program, {"__name__": "readme"})
            assert str(caught.value) == expected.strip()
            return
        exec(program, {"__name__": "readme"})
        text = fluid.dump(*(manifest for manifest in built if not manifest.embedded))
    assert list(yaml.safe_load_all(text))
    if kind == "yaml":
        assert text == expected


def test_readme_shows_all_kinds() -> None:
    assert {kind for _, kind, _ in SNIPPETS} == {"", "yaml", "text"}


def test_every_error_class_is_in_the_readme() -> None:
    errors = {name for name in fluid.__all__ if name.endswith("Error")} - {"FluidError"}
    assert errors == {name for name in errors if f"`{name}`" in README.read_text(encoding="utf-8")}
