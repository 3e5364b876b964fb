"""Steps whose image the program names: TO RUN, and models of an image; the same on every backend."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlflow_codegen.backend import Codegen, RunOptions
from sqlflow_codegen.errors import CodegenError, ProgramError
from sqlflow_codegen.graph import Ordering, plan_steps
from sqlflow_codegen.job import JobCodegen
from sqlflow_codegen.language import parse_program
from sqlflow_codegen.portable import portable_command

from tests.unit.codegen_engines.cases import CODEGENS

GOLDEN = Path(__file__).with_name("golden")
ALL: dict[str, Codegen] = {"job": JobCodegen(), **CODEGENS}
RUN = "SELECT a FROM t TO RUN team/binning:1.0 CMD 'binning.py', '{{workflow.name}} $(HOME) zebra' INTO one, two;"
PROGRAM = f"""CREATE TABLE t AS SELECT 1 AS a;
{RUN}
SELECT a, y FROM one TO TRAIN hub:5000/team/models:2.0/Churn LABEL y INTO churn;
SELECT a FROM two TO PREDICT p.y USING churn;
SELECT a FROM two TO RUN other CMD 'x' INTO three;
"""
OPTIONS = RunOptions(image="sqlflow-step:1", image_pull_policy="Never", own_image_pull_policy="Always", retries=1)


def containers(backend: str, options: RunOptions = OPTIONS) -> list[dict[str, Any]]:
    """Every container of a run, in the order in which they start."""
    codegen = ALL[backend]
    _, child = yaml.safe_load_all(codegen.gen_yaml(codegen.gen_code(parse_program(PROGRAM), options)))
    spec = child["spec"]
    if backend == "job":
        pod = spec["template"]["spec"]
        return [*pod["initContainers"], *pod["containers"]]
    if backend == "tekton":
        return [step for task in spec["pipelineSpec"]["tasks"] for step in task["taskSpec"]["steps"]]
    templates = [template for template in spec["templates"] if "container" in template]
    return [each for template in templates for each in [*template.get("initContainers", ()), template["container"]]]


@pytest.mark.parametrize("backend", ALL)
def test_golden(backend: str) -> None:
    """SQLFLOW_UPDATE_GOLDEN=1 writes the file anew."""
    codegen = ALL[backend]
    text = codegen.gen_yaml(codegen.gen_code(parse_program(PROGRAM), OPTIONS))
    file = GOLDEN / f"images-{backend}.yaml"
    if os.environ.get("SQLFLOW_UPDATE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("backend", ALL)
def test_each_step_has_its_image(backend: str) -> None:
    found = [(each["image"], each["imagePullPolicy"], each["command"][0]) for each in containers(backend)]
    ours, own = ("sqlflow-step:1", "Never", "sqlflow-step"), portable_command()[0]
    copy = [ours] if backend != "job" else []  # one pod has one copy
    assert found == [
        ours,
        ours,
        ("team/binning:1.0", "Always", own),
        ("hub:5000/team/models:2.0", "Always", "sqlflow-step"),
        ("hub:5000/team/models:2.0", "Always", "sqlflow-step"),
        *copy,
        ("other", "Always", own),
    ]


@pytest.mark.parametrize("backend", ALL)
def test_no_text_of_the_command_is_in_a_container(backend: str) -> None:
    assert "zebra" not in yaml.safe_dump(containers(backend))


@pytest.mark.parametrize("backend", ALL)
def test_containers_of_other_images_keep_the_restricted_profile(backend: str) -> None:
    (run,) = (each for each in containers(backend) if each["image"] == "other")
    context = run["securityContext"]
    assert (context["runAsNonRoot"], context["runAsUser"], context["allowPrivilegeEscalation"]) == (True, 65532, False)
    assert context["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize(("backend", "image"), [("argo", "a{{workflow.name}}"), ("tekton", "a$(params.x)")])
def test_an_image_that_an_engine_would_change_is_refused(backend: str, image: str) -> None:
    program = parse_program(f"SELECT 1 TO RUN '{image}' CMD 'a'")
    with pytest.raises(CodegenError, match="would replace"):
        ALL[backend].gen_code(program, OPTIONS)


@pytest.mark.parametrize(
    "program",
    [
        "CREATE TEMP TABLE t AS SELECT 1 AS a;" + RUN,
        "BEGIN; CREATE TABLE t AS SELECT 1 AS a;" + RUN + "COMMIT",
        "CREATE TEMP TABLE u AS SELECT 1 AS a;" + RUN + "SELECT * FROM u",
    ],
)
def test_a_command_cannot_share_a_session(program: str) -> None:
    with pytest.raises(ProgramError, match="TO RUN is a process of its own") as caught:
        plan_steps(parse_program(program))
    assert [one.code for one in caught.value.diagnostics if one.severity == "error"] == ["run-session"]


def test_two_images_cannot_share_a_session() -> None:
    train = "SELECT * FROM t TO TRAIN {} LABEL y INTO {};"
    program = "CREATE TEMP TABLE t AS SELECT 1 AS y;" + train.format("team/a/A", "m") + train.format("b/B", "n")
    with pytest.raises(ProgramError, match="another container image"):
        plan_steps(parse_program(program))


def test_a_command_runs_beside_what_it_does_not_need() -> None:
    program = "CREATE TEMP TABLE u AS SELECT 1 AS a;" + RUN + "SELECT * FROM u"
    found = plan_steps(parse_program(program), Ordering.CONSERVATIVE)
    assert [(step.statements, step.image) for step in found] == [((1, 3), ""), ((2,), "team/binning:1.0")]


def test_versions_of_a_model_are_used_in_its_image() -> None:
    train = "SELECT a, y FROM t TO TRAIN team/a:1/A LABEL y INTO m;"
    use = "SELECT a, y FROM t TO EVALUATE {} LABEL y;"
    found = plan_steps(parse_program(use.format("m") + train + use.format("m") + use.format("m:1") + use.format("n")))
    assert [step.image for step in found] == ["", "team/a:1", "team/a:1", "team/a:1", ""]
