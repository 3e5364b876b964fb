"""Graphs as JSON, Mermaid, DOT and SVG."""

from __future__ import annotations

import json
import re
import shutil
import xml.etree.ElementTree as ET

import pytest
from sqlflow_codegen.errors import SQLFlowError
from sqlflow_codegen.graph import pictures
from sqlflow_codegen.graph.explain import notes
from sqlflow_codegen.graph.pictures import to_dot, to_json, to_mermaid, to_svg

from tests.unit.graph.helpers import CONSERVATIVE, SEQUENTIAL, graph

TEXT = """USE iris;
CREATE TABLE a AS SELECT * FROM train;
SELECT * FROM a TO TRAIN xgboost.gbtree LABEL class INTO m;
UPDATE a SET x = 1;
CALL p();"""
HOSTILE_NAME = '"a""]-->{{`$(x)`}}<b> \\ ; | #quot; \n é 😀"'
HOSTILE = f"SELECT 's3cret' FROM {HOSTILE_NAME}; INSERT INTO {HOSTILE_NAME} VALUES ('s3cret')"


def test_json() -> None:
    found = json.loads(json.dumps(to_json(graph(TEXT, "mysql"))))
    assert found == {
        "statements": [
            {"number": 1, "kind": "sql", "title": "USE iris", "reads": [], "writes": [], "step": "s1-sql"},
            {
                "number": 2,
                "kind": "sql",
                "title": "CREATE TABLE a",
                "reads": ["iris.train"],
                "writes": ["iris.a"],
                "step": "s1-sql",
            },
            {
                "number": 3,
                "kind": "train",
                "title": "TO TRAIN xgboost.gbtree INTO m",
                "reads": ["iris.a"],
                "writes": ["m"],
                "step": "s3-train",
            },
            {
                "number": 4,
                "kind": "sql",
                "title": "UPDATE a",
                "reads": ["iris.a"],
                "writes": ["iris.a"],
                "step": "s4-sql",
            },
            {"number": 5, "kind": "sql", "title": "CALL p(…)", "reads": [], "writes": [], "step": "s4-sql"},
        ],
        "edges": [
            {"from": 2, "to": 3, "hazard": "RAW", "on": "iris.a"},
            {"from": 3, "to": 4, "hazard": "WAR", "on": "iris.a"},
            {"from": 4, "to": 5, "hazard": "BARRIER", "on": "what CALL does is not known"},
        ],
        "steps": [
            {"name": "s1-sql", "statements": [1, 2], "after": []},
            {"name": "s3-train", "statements": [3], "after": ["s1-sql"]},
            {"name": "s4-sql", "statements": [4, 5], "after": ["s3-train"]},
        ],
        "notes": [],
    }


def test_notes_are_in_every_form() -> None:
    text = "CREATE TABLE a AS SELECT * FROM e; TRUNCATE b; CREATE TABLE c AS SELECT * FROM f"
    found = graph(text)
    (note,) = notes(found, CONSERVATIVE)
    (shown,) = to_json(found, [note])["notes"]
    assert shown["statement"] == 2
    assert shown["hint"] == note.hint
    assert f"  %% statement 2: {note.message}. {note.hint}." in to_mermaid(found, [note]).splitlines()
    assert f"  // statement 2: {note.message}. {note.hint}." in to_dot(found, [note]).splitlines()


def test_mermaid() -> None:
    assert to_mermaid(graph(TEXT, "mysql")).splitlines() == [
        "flowchart TD",
        '  subgraph p0["s1-sql"]',
        '    n1{{"1: USE iris"}}',
        '    n2["2: CREATE TABLE a"]',
        "  end",
        '  subgraph p1["s3-train"]',
        '    n3["3: TO TRAIN xgboost.gbtree INTO m"]',
        "  end",
        '  subgraph p2["s4-sql"]',
        '    n4["4: UPDATE a"]',
        '    n5["5: CALL p(#8230;)"]',
        "  end",
        '  n2 -->|"RAW iris.a"| n3',
        '  n3 -->|"WAR iris.a"| n4',
        '  n4 -->|"BARRIER"| n5',
    ]


def test_program_order_needs_no_labels() -> None:
    text = to_mermaid(graph("SELECT 1; SELECT 2", ordering=SEQUENTIAL))
    assert "  n1 --> n2\n" in text
    assert "  n1 -> n2;\n" in to_dot(graph("SELECT 1; SELECT 2", ordering=SEQUENTIAL))


def test_hostile_text_stays_text() -> None:
    found = graph(HOSTILE)
    node = re.compile(r'n\d+\["[ \w.,:=+*/()\-#;]*"\]|n1 -->\|"WAR a[ \w.,:=+*/()\-#;]*"\| n2')
    lines = [line.strip() for line in to_mermaid(found).splitlines() if line.strip().startswith("n")]
    assert len(lines) == 3
    assert all(node.fullmatch(line) for line in lines)
    labels = re.findall(r'label="((?:[^"\\]|\\.)*)"', to_dot(found))
    assert labels[1] == r"1: SELECT … FROM \"a\"\"]-->{{`$(x)`}}<b> \\ ; | #quot; é 😀\""
    assert "s3cret" not in to_mermaid(found) + to_dot(found) + json.dumps(to_json(found))


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed (apt-get install graphviz)")
def test_svg() -> None:
    root = ET.fromstring(to_svg(graph(TEXT, "mysql")))
    shown = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"s1-sql", "s3-train", "RAW iris.a", "5: CALL p(…)"} <= set(shown)
    assert "1: SELECT" in "".join(filter(None, ET.fromstring(to_svg(graph(HOSTILE))).itertext()))


def test_svg_without_graphviz_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures.shutil, "which", lambda _: None)
    with pytest.raises(SQLFlowError, match=r"Graphviz.*not installed.*mermaid"):
        to_svg(graph("SELECT 1"))
