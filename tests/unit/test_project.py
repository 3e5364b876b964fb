"""What must agree between files of the project that no program generates."""

from __future__ import annotations

import re
import tomllib
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


@pytest.mark.parametrize(("image", "extra"), [("step", "runtime"), ("operator", "operator")])
def test_images_install_what_pyproject_says(image: str, extra: str) -> None:
    lines = set((ROOT / "requirements" / f"{image}.txt").read_text(encoding="utf-8").split("\n")) - {""}
    assert lines == set(PROJECT["dependencies"]) | requirements(extra)


def test_every_requirement_is_pinned() -> None:
    pins = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / "requirements" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    }
    wanted = {re.split(r"[\[<>=~!; ]", r)[0].lower() for r in requirements("dev") | set(PROJECT["dependencies"])}
    assert wanted - pins == set()


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
