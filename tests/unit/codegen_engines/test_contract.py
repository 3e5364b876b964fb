"""The contract module is the only place of the names that generators, steps and operator share."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlflow_codegen import contract

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ("codegen/sqlflow_codegen", "runtime/sqlflow_runtime", "operator/sqlflow_operator", "cli/sqlflow_cli")
NAMES = {
    value: name
    for name, value in vars(contract).items()
    if name.endswith("_ENV") or name.startswith(("LABEL_", "ANNOTATION_")) or name in ("GROUP", "STEP_COMMAND")
}
FLAGS = {str(flag): f"Flag.{flag.name}" for flag in contract.Flag}
EXIT_CODES = {value: name for name, value in vars(contract).items() if name.startswith("EXIT_") and value > 2}


def constants(path: Path) -> Iterator[ast.Constant]:
    """The constants of a module, without its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in texts)


def copies(path: Path, names: dict[object, str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.value!r} is {names[node.value]}"
        for node in constants(path)
        if type(node.value) in (str, int) and node.value in names
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_no_second_copy_of_a_name(room: str) -> None:
    # The command line has options of its own that are called like flags of a step.
    names: dict[object, str] = {**NAMES, **(FLAGS if "cli" not in room else {})}
    own = {ROOT / "codegen/sqlflow_codegen/contract.py", *(ROOT / "codegen/sqlflow_codegen/programs").glob("*.py")}
    modules = set((ROOT / room).rglob("*.py")) - own
    assert len(modules) > 5
    assert [copy for module in sorted(modules) for copy in copies(module, names)] == []


def test_no_second_copy_of_an_exit_code() -> None:
    """Of those that no other number is: 137, 143 and their like."""
    unusual: dict[object, str] = {value: name for value, name in EXIT_CODES.items() if value > 128}
    modules = [
        module for room in ROOMS for module in sorted((ROOT / room).rglob("*.py")) if "catalogue" not in str(module)
    ]
    assert [copy for module in modules for copy in copies(module, unusual)] == []


def test_a_copy_would_be_found(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text('"""SQLFLOW_RUN"""\nRUN = "SQLFLOW_RUN"\nCODE = 143\n', encoding="utf-8")
    found = [node.value for node in constants(module)]
    assert found == ["SQLFLOW_RUN", 143]
    assert "SQLFLOW_RUN" in NAMES
    assert 143 in EXIT_CODES
