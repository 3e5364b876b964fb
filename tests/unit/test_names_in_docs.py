"""Names of files, modules and objects of the project in documents, docstrings and comments: each exists."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("codegen", "runtime", "operator", "cli", "cluster")
PACKAGES = ("sqlflow_codegen", "sqlflow_runtime", "sqlflow_operator", "sqlflow_cli", "fluid", "devcluster")
DOCUMENTS = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")} - {ROOT / "CHANGELOG.md"})
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py") if ".venv" not in path.parts)

FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
BACKTICKED = re.compile(r"`([^`\s]+)`")
DOTTED = re.compile(rf"(?:{'|'.join(PACKAGES)})(?:\.\w+)+")
SUBPACKAGES = {
    path.parent.name: ".".join(path.parent.relative_to(ROOT / room).parts)
    for room in ROOMS
    for path in (ROOT / room).rglob("__init__.py")
    if path.parent.name not in (*PACKAGES, "workflow")  # `workflow.fetch` is a method of a Workflow
}
SHORT = re.compile(rf"(?:{'|'.join(SUBPACKAGES)})(?:\.\w+)+")
"""Modules as docstrings name them: `catalogue.rules`."""
MAKE = re.compile(r"`make ([\w-]+)")
FILE = re.compile(r"[\w{},*-]+(?:/[\w{},.*-]+)*\.(?:py|md|toml)|(?:[\w.-]+/)+[\w.*-]*")
TOP = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name != ".state"}
OF_USERS = {"main.py", "a.py", "binning.py", "x.py", "train.py", "program.py", "pipeline.py"}
"""Files of examples, which are the user's."""


def names(text: str) -> Iterator[str]:
    """Every backticked word that names a file, a module or an object of the project."""
    return filter(is_name, (word.partition("(")[0].removeprefix("./") for word in BACKTICKED.findall(text)))


def is_name(word: str) -> bool:
    if DOTTED.fullmatch(word) or SHORT.fullmatch(word):
        return True
    top, slash, _ = word.partition("/")
    return FILE.fullmatch(word) is not None and "NNNN" not in word and (top in TOP if slash else word not in OF_USERS)


def prose(path: Path) -> str:
    """The docstrings (those of attributes too) and comments of a module."""
    source = path.read_text(encoding="utf-8")
    strings = [
        node.value.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    ]
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return "\n".join([*strings, *(token.string for token in tokens if token.type == tokenize.COMMENT)])


@cache
def file_names() -> frozenset[str]:
    folders = (*ROOMS, "docs", "tests", "examples", "requirements", "manifests")
    found = {
        path.name for folder in folders for path in (ROOT / folder).rglob("*.*") if "node_modules" not in path.parts
    }
    return frozenset(found | {path.name for path in ROOT.iterdir()})


@cache
def defined(path: Path) -> dict[str, frozenset[str]]:
    """The names that a module defines or imports -> the names that they define in turn."""
    return {name: frozenset(_in(node)) for name, node in _definitions(ast.parse(path.read_text(encoding="utf-8")))}


def _definitions(tree: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name, node
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name, node
            case ast.Assign(targets=targets):
                yield from ((name.id, node) for one in targets for name in ast.walk(one) if isinstance(name, ast.Name))
            case ast.Import(names=imported) | ast.ImportFrom(names=imported):
                yield from ((alias.asname or alias.name, node) for alias in imported)
            case ast.If() | ast.Try():
                yield from _definitions(node)


def _in(node: ast.AST) -> Iterator[str]:
    yield from (name for name, _ in _definitions(node))
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name) and inner.value.id == "self":
            yield inner.attr


def exists(name: str, beside: Path) -> bool:
    if "/" in name:
        places = (ROOT, beside, *(ROOT / room for room in ROOMS))
        return any(any(place.glob(pattern)) for place in places for pattern in braces(name.rstrip("/")))
    if SHORT.fullmatch(name) and not name.endswith((".py", ".md")):
        package, _, rest = name.partition(".")
        return is_defined(f"{SUBPACKAGES[package]}.{rest}")
    if DOTTED.fullmatch(name) and not name.endswith((".py", ".md", ".toml")):
        return is_defined(name)
    return all(any(Path(one).match(pattern) for one in file_names()) for pattern in braces(name))


def braces(name: str) -> list[str]:
    """`{a,b}.py` as `a.py`, `b.py`."""
    found = re.fullmatch(r"(.*)\{([^}]*)\}(.*)", name)
    return [found[1] + one + found[3] for one in found[2].split(",")] if found else [name]


def is_defined(name: str) -> bool:
    parts = name.split(".")
    for size in range(len(parts), 0, -1):
        for room in ROOMS:
            base = ROOT.joinpath(room, *parts[:size])
            module = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
            if module.exists():
                rest = parts[size:]
                names = defined(module)
                return not rest or (rest[0] in names and (len(rest) == 1 or rest[1] in names[rest[0]]))
    return False


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_names_in_documents(path: Path) -> None:
    found = names(FENCE.sub("", path.read_text(encoding="utf-8")))
    assert sorted({name for name in found if not exists(name, path.parent)}) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_targets_of_make_in_documents(path: Path) -> None:
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(set(MAKE.findall(path.read_text(encoding="utf-8"))) - set(targets)) == []


def recipes() -> list[str]:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Recipes")[2]
    return re.split(r"^### ", text, flags=re.MULTILINE)[1:]


@pytest.mark.parametrize("recipe", recipes(), ids=lambda recipe: recipe.partition("\n")[0])
def test_a_recipe_names_product_files_then_tests(recipe: str) -> None:
    files = [name for name in names(recipe) if "/" in name]
    in_tests = [name.startswith("tests/") for name in files]
    assert [name for name in files if not exists(name, ROOT)] == []
    assert not in_tests[0]
    assert in_tests[-1]


def test_every_recipe_is_there() -> None:
    kinds = ("a statement kind", "an estimator", "a COLUMN function", "a database", "a backend", "a field to the CRD")
    assert [recipe.partition("\n")[0] for recipe in recipes()] == [f"Add {kind}" for kind in kinds]


@pytest.mark.parametrize("room", ROOMS)
def test_names_in_docstrings_and_comments(room: str) -> None:
    stale = {
        (str(path.relative_to(ROOT)), name)
        for path in MODULES
        if path.is_relative_to(ROOT / room)
        for name in names(prose(path))
        if not exists(name, path.parent)
    }
    assert sorted(stale) == []


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("sqlflow_codegen.ranges.parse_ranges", True),
        ("sqlflow_codegen.ranges.parse_selection", False),
        ("sqlflow_codegen.language.ir.PredictStatement.result_table", True),
        ("sqlflow_codegen.language.ir.PredictStatement.result_view", False),
        ("sqlflow_codegen.nowhere", False),
        ("codegen/sqlflow_codegen/ranges.py", True),
        ("codegen/sqlflow_codegen/selection.py", False),
        ("catalogue.rules.allows", True),
        ("catalogue.rules.forbids", False),
        ("ranges.py", True),
        ("no_such_module.py", False),
        ("docs/", True),
    ],
)
def test_the_check_itself(name: str, there: bool) -> None:
    assert list(names(f"see `{name}`")) == [name]
    assert exists(name, ROOT) == there
