"""Child, ConfigMap and pods of every backend carry the job's name as a label, whatever its length."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from sqlflow_codegen.backend import RunOptions, job_label
from sqlflow_codegen.contract import LABEL_JOB
from sqlflow_codegen.couler import CoulerCodegen
from sqlflow_codegen.fluid import FluidCodegen
from sqlflow_codegen.job import JobCodegen
from sqlflow_codegen.language import parse_program

LONG = "nightly-" + "features." * 25 + "v2"
_LABEL_VALUE = re.compile(r"[a-z0-9]([-a-z0-9_.]{0,61}[a-z0-9])?")


def label_maps(node: Any) -> Iterator[dict[str, Any]]:
    """Every `labels` in a document that carries the run's name: those of the child and of its pods."""
    if isinstance(node, dict):
        labels = node.get("labels")
        if isinstance(labels, dict) and "sqlflow.org/run" in labels:
            yield labels
        for value in node.values():
            yield from label_maps(value)
    elif isinstance(node, list):
        for value in node:
            yield from label_maps(value)


@pytest.mark.parametrize("codegen", [JobCodegen(), CoulerCodegen(), FluidCodegen()], ids=lambda c: c.backend)
@pytest.mark.parametrize("name", ["iris", LONG])
def test_all_objects_of_a_run_are_found_by_the_name_of_their_job(codegen: Any, name: str) -> None:
    options = RunOptions(name="iris-1a2b", job_name=name, owner={"uid": "6c1f"}, retries=1)
    text = codegen.gen_yaml(codegen.gen_code(parse_program("SELECT 1; SELECT 2"), options))
    for document in yaml.safe_load_all(text):
        found = list(label_maps(document))
        assert document["metadata"]["labels"] in found
        assert {labels.get(LABEL_JOB) for labels in found} == {job_label(name)}
    # Tekton passes the labels of a PipelineRun on to its pods; the other two carry them in the pod's template.
    pods = 1 if codegen.backend == "tekton" else 2
    assert len(found) >= pods


def test_a_short_name_is_its_label() -> None:
    assert job_label("iris.v2") == "iris.v2"
    assert job_label("a" * 63) == "a" * 63


@pytest.mark.parametrize("name", [LONG, "a" * 64, "a" * 53 + "-.b" * 50])
def test_a_long_name_keeps_its_beginning_and_gets_a_hash(name: str) -> None:
    label = job_label(name)
    assert _LABEL_VALUE.fullmatch(label)
    assert label.startswith(name[:40])
    assert label != job_label(name + "x")
