"""What must agree between files of the project that no program generates."""

from __future__ import annotations

import ast
import re
import runpy
import sys
import tomllib
from importlib.metadata import distribution, distributions, packages_distributions
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def requirements(extra: str) -> set[str]:
    """Requirements of an extra, those of the extras it names included."""
    found: set[str] = set()
    for requirement in PROJECT["optional-dependencies"][extra]:
        nested = re.fullmatch(r"sqlflow-operator\[(.+)\]", requirement)
        found |= set().union(*map(requirements, nested[1].split(","))) if nested else {requirement}
    return found


def pins(name: str) -> dict[str, str]:
    """Packages that a lock file pins, with their versions (the last one, where they depend on Python)."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE))


def names(wanted: set[str]) -> set[str]:
    """Names of the packages that requirements ask for, as lock files write them."""
    return {re.split(r"[\[<>=~!; ]", requirement)[0].lower() for requirement in wanted}


@pytest.mark.parametrize(
    ("lock", "extra"), [("step", "runtime"), ("operator", "operator"), ("dev", "dev"), ("dev", "bench")]
)
def test_every_requirement_is_pinned(lock: str, extra: str) -> None:
    assert names(requirements(extra) | set(PROJECT["dependencies"])) <= set(pins(lock))


@pytest.mark.parametrize("lock", ["step", "operator", "build"])
def test_images_have_the_versions_that_the_tests_had(lock: str) -> None:
    assert pins(lock).items() <= pins("dev").items()


@pytest.mark.parametrize("lock", ["step", "operator", "build", "dev"])
def test_every_pin_has_a_hash(lock: str) -> None:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    entries = re.findall(r"^\S+==(?:.*\\\n)*.*", text, re.MULTILINE)
    assert entries
    assert all(" --hash=sha256:" in entry for entry in entries)


def test_images_have_no_package_that_nothing_imports() -> None:
    assert "docker" not in {*pins("operator"), *pins("step")}
    assert "couler-scanflow" in pins("operator")


def test_every_package_of_the_images_has_a_known_license() -> None:
    licenses = runpy.run_path(str(ROOT / "requirements" / "licenses.py"))
    here = {package.name.lower().replace("_", "-") for package in distributions()}
    wanted = {*pins("step"), *pins("operator")} & here
    assert len(wanted) > 20
    found = {name: licenses["license_of"](distribution(name)) for name in wanted}
    assert "LGPL" in found["psycopg"] or "Lesser General Public" in found["psycopg"]
    assert found["couler-scanflow"].startswith("Apache-2.0")


def test_operator_folder_never_shadows_pythons_operator_module() -> None:
    assert not (ROOT / "operator" / "__init__.py").exists()


@pytest.mark.parametrize("folder", sorted(p.parent.name for p in (ROOT / "examples").glob("*/job.yaml")))
def test_manifest_holds_the_program_of_its_folder(folder: str) -> None:
    example = ROOT / "examples" / folder
    manifest = yaml.safe_load((example / "job.yaml").read_text(encoding="utf-8"))
    assert manifest["spec"]["program"] == (example / "program.sql").read_text(encoding="utf-8")


def test_no_pattern_repeats_a_group_possessively() -> None:
    """Python 3.11.0 to 3.11.4, which distributions still ship, match possessive groups wrongly (CPython gh-106052)."""
    rooms = ("codegen", "runtime", "operator", "cli")
    files = [path for room in rooms for path in (ROOT / room).rglob("*.py")]
    found = [str(path) for path in files if re.search(r"\)[*+?]\+[^+]*\"", path.read_text(encoding="utf-8"))]
    assert found == []


def test_every_test_module_belongs_to_one_layer() -> None:
    layers = runpy.run_path(str(ROOT / "tests" / "layers.py"))["LAYERS"]
    folders = [ROOT / folder for layer in layers for folder in layer.folders]
    modules = [path for path in (ROOT / "tests").rglob("test_*.py") if "support" not in path.parts]
    assert modules
    assert {str(path): 1 for path in modules} == {
        str(path): sum(path == folder or folder in path.parents for folder in folders) for path in modules
    }


def test_the_step_image_has_every_package_that_a_step_imports() -> None:
    """Also those that are imported inside a function."""
    locked = set(pins("step"))
    elsewhere = {"couler", "duckdb", "fluid", "sqlflow_codegen", "sqlflow_runtime"}
    packages = packages_distributions()
    for room in ("runtime/sqlflow_runtime", "codegen/sqlflow_codegen"):
        for path in (ROOT / room).rglob("*.py"):
            for name in _imported(path) - elsewhere - sys.stdlib_module_names:
                found = {one.lower().replace("_", "-") for one in packages[name]}
                assert found & locked, f"{path}: {name}"


def _imported(path: Path) -> set[str]:
    """The first part of the name of each module that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(str(node.module).partition(".")[0])
    return found
