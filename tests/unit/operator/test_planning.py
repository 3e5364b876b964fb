"""The steps that a status shows before there is a child are the child's steps; ordering and fusion shape both."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from sqlflow_cli.generation import codegen_of
from sqlflow_codegen.graph import Ordering
from sqlflow_codegen.ranges import format_ranges
from sqlflow_operator.api import Backend, Fusion, SQLFlowJob, SQLFlowJobSpec
from sqlflow_operator.parsing import parse_apart
from sqlflow_operator.reconcile.program_cache import ProgramCache
from sqlflow_operator.run_name import run_name
from sqlflow_operator.run_options import Defaults, run_options

from tests.unit.codegen_engines.cases import constants
from tests.unit.operator.world import World, job_manifest

TWO_TABLES = "CREATE TABLE a (x int); CREATE TABLE b (x int); UPDATE a SET x = 1; UPDATE b SET x = 2;"


def job(**spec: Any) -> SQLFlowJob:
    raw = job_manifest(program=TWO_TABLES, **spec)
    raw["metadata"] |= {"uid": "u", "generation": 1, "namespace": "ns", "resourceVersion": "1"}
    return SQLFlowJob.parse(raw)


def number_of_steps(backend: Backend, ordering: Ordering, fusion: Fusion) -> int:
    if fusion is Fusion.OFF:
        return 4
    return 1 if backend is Backend.JOB or ordering is Ordering.SEQUENTIAL else 2


@pytest.mark.parametrize("backend", sorted(Backend))
@pytest.mark.parametrize("ordering", sorted(Ordering))
@pytest.mark.parametrize("fusion", sorted(Fusion))
def test_planned_steps_are_those_of_the_child(backend: Backend, ordering: Ordering, fusion: Fusion) -> None:
    asked = job(ordering=ordering, fusion=fusion)
    planned = ProgramCache(parse_apart).get(asked, backend)
    assert planned.program is not None
    code = codegen_of(backend).gen_code(planned.program, run_options(asked, "run", Defaults("step:1")))
    made = [(step["name"], step["statements"]) for step in constants(code)["STEPS"]]
    assert made == [(step.name, format_ranges(step.statements)) for step in planned.steps]
    assert len(made) == number_of_steps(backend, ordering, fusion)


@pytest.mark.parametrize(("fusion", "steps"), [("Auto", 1), ("Off", 4)])
def test_status_shows_the_steps_while_the_job_is_suspended_and_after(fusion: str, steps: int) -> None:
    world = World(program=TWO_TABLES, fusion=fusion, suspend=True)
    world.settle()
    before = [step["name"] for step in world.status["steps"]]
    world.edit(suspend=None)
    world.settle()
    assert [step["name"] for step in world.status["steps"]] == before
    assert len(before) == steps
    assert world.status["phase"] == "Succeeded"


def test_another_ordering_or_fusion_is_another_run() -> None:
    names = {run_name(each) for each in (job(), job(ordering="Lineage"), job(ordering="Sequential"), job(fusion="Off"))}
    assert len(names) == 4
    assert run_name(job(ordering="Conservative", fusion="Auto")) == run_name(job())


@pytest.mark.parametrize("wrong", [{"ordering": "conservative"}, {"fusion": True}, {"fusion": "On"}])
def test_other_values_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="Input should be"):
        SQLFlowJobSpec.model_validate(job_manifest(**wrong)["spec"])
