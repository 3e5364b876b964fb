"""The example of docs/workflow.md, as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from sqlflow_operator import workflow
from sqlflow_operator.api import Backend
from sqlflow_operator.backend_registry import definition
from sqlflow_operator.workflow import Workflow
from sqlflow_operator.workflow.fetch import items

from tests.unit.operator.kubelet import Run, statement
from tests.unit.operator.world import QuickCodegen

PAGE = (Path(__file__).parents[3] / "docs" / "workflow.md").read_text()


class Submitting(Workflow):
    """Its run is there already, and has run."""

    def submit(self, yaml: str) -> str:
        assert "SELECT 1 AS a; SELECT 2 AS b" in yaml
        return "ns/r"


def test_the_example_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run = Run(["s1-sql", "s2-sql"])
    run.start_pod()
    for number, step in enumerate(run.steps, 1):
        run.start(step)
        run.write(*statement(number, number), step=step)
        run.end(step=step)
    run.succeed()
    submitting = Submitting(definition(Backend.JOB), run.kube)
    monkeypatch.setattr(workflow, "new", lambda backend: (QuickCodegen(), submitting))
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(example, "docs/workflow.md", "exec"), names)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "SQLFlow Step: [1/2] Status: Running"
    assert "s1-sql 1 (1,)" in printed
    assert "s2-sql 2 (2,)" in printed
    assert names["response"].eof


def test_the_page_names_every_kind_of_item() -> None:
    kinds = {kind.__name__ for kind in items.Item.__subclasses__()}
    assert len(kinds) > 5
    assert not {name for name in kinds if f"`{name}`" not in PAGE}
