"""No module of the code generator needs itself through others, not even by an import inside a function."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import sqlflow_codegen

ROOT = Path(sqlflow_codegen.__file__).parent


def name(file: Path) -> str:
    return ".".join(file.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")


def imported(file: Path, modules: set[str]) -> set[str]:
    """The modules that one imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (full & modules) or ({str(node.module)} & modules)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & modules
    return found - {name(file)}


def test_there_is_no_import_circle() -> None:
    files = {name(file): file for file in ROOT.rglob("*.py")}
    imports = {module: imported(file, set(files)) for module, file in files.items()}
    assert sum(map(len, imports.values())) > len(files)
    assert len([*TopologicalSorter(imports).static_order()]) == len(files)
