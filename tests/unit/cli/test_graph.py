"""`sqlflow graph`: pictures and data of what waits for what."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from sqlflow_cli.app import app
from typer.testing import CliRunner, Result

PROGRAM = """\
CREATE TABLE a AS SELECT 1 AS x;
CREATE TABLE b AS SELECT 2 AS x;
SELECT * FROM a JOIN b USING (x);
SELECT x, y FROM a TO TRAIN xgboost.gbtree LABEL y INTO m;
"""
MANIFEST = """\
apiVersion: sqlflow.org/v1alpha1
kind: SQLFlowJob
metadata: {name: a}
spec:
  dialect: mysql
  dataSource: {secretRef: {name: db}}
  program: CREATE TABLE `a b` (x int); SELECT * FROM `a b`
"""


def graph(*arguments: str | Path, text: str = PROGRAM) -> Result:
    return CliRunner().invoke(app, ["graph", *map(str, arguments)], input=text, env={"NO_COLOR": "1"})


def data(*arguments: str, text: str = PROGRAM) -> dict[str, Any]:
    result = graph("-", "--format", "json", *arguments, text=text)
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_json_has_statements_edges_and_steps() -> None:
    shown = data()
    assert shown["statements"][3] == {
        "number": 4,
        "kind": "train",
        "title": "TO TRAIN xgboost.gbtree INTO m",
        "reads": ["a"],
        "writes": ["m"],
        "step": "s4-train",
    }
    causes = {(edge["from"], edge["to"], edge["hazard"], edge["on"]) for edge in shown["edges"]}
    assert {(1, 3, "RAW", "a"), (2, 3, "RAW", "b"), (1, 4, "RAW", "a")} <= causes
    assert {step["name"]: step["after"] for step in shown["steps"]}["s4-train"] == ["s1-sql"]


def test_ordering_and_fusion() -> None:
    fused = [step["statements"] for step in data("--ordering", "sequential")["steps"]]
    assert fused == [[1, 2, 3], [4]]
    single = [step["statements"] for step in data("--ordering", "Sequential", "--no-fusion")["steps"]]
    assert single == [[1], [2], [3], [4]]


@pytest.mark.parametrize(("form", "start"), [("mermaid", "flowchart TD\n"), ("dot", "digraph program {\n")])
def test_pictures_as_text(form: str, start: str) -> None:
    result = graph("-", "--format", form)
    assert result.exit_code == 0
    assert result.stdout.startswith(start)
    assert "s4-train" in result.stdout
    assert "RAW b" in result.stdout


@pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed")
def test_svg() -> None:
    root = ElementTree.fromstring(graph("-", "--format", "svg").stdout)
    assert root.tag.endswith("svg")


def test_svg_without_graphviz(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    result = graph("-", "--format", "svg")
    assert result.exit_code == 2
    assert "`dot` is not installed" in result.stderr


def test_a_manifest_says_its_dialect(tmp_path: Path) -> None:
    file = tmp_path / "job.yaml"
    file.write_text(MANIFEST)
    result = graph(file, "--format", "json")
    assert [edge["on"] for edge in json.loads(result.stdout)["edges"]] == ["a b"]
    assert "spec.dialect" in graph(file, "--dialect", "mysql").stderr


@pytest.mark.parametrize(
    ("arguments", "text", "code", "words"),
    [
        (["nowhere.sql"], "", 2, "cannot read nowhere.sql"),
        (["-", "--dialect", "klingon"], "", 2, "unknown SQL dialect"),
        (["-"], "SELECT 'a", 1, " --> -:1:8, statement 1"),
        (["-"], f"{MANIFEST}---\n{MANIFEST}", 2, "holds 2 SQLFlowJobs"),
        (["-"], MANIFEST.replace("dialect: mysql", "dialect: klingon"), 1, "-:5:12: spec.dialect"),
    ],
)
def test_errors(arguments: list[str], text: str, code: int, words: str) -> None:
    result = graph(*arguments, text=text)
    assert result.exit_code == code
    assert words in result.stderr
    assert result.stdout == ""


def test_a_manifest_says_ordering_and_fusion_and_options_say_otherwise() -> None:
    text = MANIFEST.replace("`a b` (x int); SELECT * FROM `a b`", "a AS SELECT 1; CREATE TABLE b (x int); TABLE b")
    sequential = text + "  ordering: Sequential\n"
    alone = text + "  fusion: 'Off'\n"
    assert [step["statements"] for step in data(text=text)["steps"]] == [[1], [2, 3]]
    assert [step["statements"] for step in data(text=sequential)["steps"]] == [[1, 2, 3]]
    assert [step["statements"] for step in data(text=alone)["steps"]] == [[1], [2], [3]]
    assert data("--ordering", "Conservative", text=sequential) == data("--fusion", text=alone) == data(text=text)
